import type { Terminal } from '../../cli/terminal.ts';
import { Calibrations } from '../../core/pipeline/calibrations.ts';
import { ingestCapture } from '../../core/pipeline/ingest.ts';
import type { Clock, MetricSink } from '../../core/pipeline/ports.ts';
import { RollUpReader } from '../../core/pipeline/roll-up.ts';
import { tick } from '../../core/pipeline/tick.ts';
import { TrailReader } from '../../core/pipeline/trail-store.ts';
import { WindowReader } from '../../core/pipeline/window-reader.ts';
import { MemoryCaptureStore } from '../../test/pipeline/memory-capture-store.ts';
import { MemoryObjectStore } from '../../test/pipeline/memory-object-store.ts';
import { createRandomSource } from '../detection/random-source.ts';
import { bucket, createShard, minute, minuteObjects, openTable, start } from './shard-world.ts';
import { Latency, type Requests, SlowStore, SlowTable } from './slow-store.ts';

export interface TickDesign {
  readonly models: number;
  readonly minutes: number;
  readonly bucketMilliseconds: number;
  readonly tableMilliseconds: number;
}

interface MeasuredTick {
  readonly milliseconds: number;
  readonly cpuMilliseconds: number;
  readonly judged: number;
  readonly requests: Requests;
}

/** Ten million records a month, evenly. */
const recordsPerMinute = 228;
const warmUpMinutes = 70;
/** As `lambdas/evaluate-on-aws.ts` has them. */
const windowsPerModel = 16;
const rememberedTrails = 512;

/** Serves a shard for some hours and measures its ticks. */
export async function measureTicks(design: TickDesign, terminal: Terminal): Promise<void> {
  const { models, minutes } = design;
  const progress = terminal.progress('tick');
  const runtimes = await createShard(models);
  const latency = new Latency();
  const captures = new MemoryCaptureStore(bucket);
  const memory = openTable();
  const state = new SlowStore(new MemoryObjectStore(), latency);
  const clock: Clock & { time: number } = { time: start, now: () => clock.time };
  const metrics: MetricSink = { put: async () => latency.wait('table') };
  const ports = {
    captures,
    state,
    audit: new SlowStore(new MemoryObjectStore(), latency),
    table: new SlowTable(memory.table, latency),
    touches: memory.touches,
    invocations: memory.invocations,
    metrics,
    clock,
    keys: { modelDayKey: async () => new Uint8Array(32) },
    calibrations: new Calibrations(),
    windows: new WindowReader(state, windowsPerModel * models),
    rollUps: new RollUpReader(state),
    trails: new TrailReader(state, rememberedTrails),
  };
  const random = createRandomSource('traffic');
  const ticks: MeasuredTick[] = [];
  const all = warmUpMinutes + minutes;
  for (let index = 0; index < all; index++) {
    const from = start + index * minute;
    clock.time = from + minute;
    [latency.bucket, latency.table] = [0, 0];
    for (const runtime of runtimes) {
      for (const object of minuteObjects(random, runtime.policy.name, from, recordsPerMinute)) {
        captures.put(object);
        await ingestCapture(runtime, ports, { bucket, key: object.key });
      }
    }
    const isMeasured = index >= warmUpMinutes;
    if (isMeasured) [latency.bucket, latency.table] = [design.bucketMilliseconds, design.tableMilliseconds];
    latency.requests = { get: 0, put: 0, list: 0, table: 0 };
    const [began, cpu] = [performance.now(), process.cpuUsage()];
    const { judged } = await tick(runtimes, ports);
    const requests = { ...latency.requests };
    const used = process.cpuUsage(cpu);
    const cpuMilliseconds = (used.user + used.system) / 1000;
    const milliseconds = performance.now() - began;
    if (isMeasured) ticks.push({ milliseconds, cpuMilliseconds, judged: judged.length, requests });
    progress.update((index + 1) / all, `minute ${index + 1}`);
  }
  progress.done(`${ticks.length} ticks`);
  const report = { schema: 'tidewatch.bench.tick/1', node: process.version, ...design, ...summarise(ticks) };
  terminal.printJson(report);
  terminal.print(describe('ticks that judge no window', report.quiet, models));
  terminal.print(describe('ticks that judge closed windows', report.judging, models));
}

interface TickSummary {
  readonly ticks: number;
  readonly windows: number;
  readonly medianMilliseconds: number;
  readonly slowestMilliseconds: number;
  readonly medianCpuMilliseconds: number;
  /** Means a tick. */
  readonly requests: Requests;
}

function summarise(ticks: readonly MeasuredTick[]) {
  return {
    quiet: summariseSome(ticks.filter(({ judged }) => judged === 0)),
    judging: summariseSome(ticks.filter(({ judged }) => judged > 0)),
  };
}

function summariseSome(ticks: readonly MeasuredTick[]): TickSummary {
  const mean = (of: (tick: MeasuredTick) => number) =>
    ticks.length === 0 ? 0 : ticks.reduce((sum, each) => sum + of(each), 0) / ticks.length;
  const sorted = (of: (tick: MeasuredTick) => number) => ticks.map(of).sort((a, b) => a - b);
  const median = (of: (tick: MeasuredTick) => number) => sorted(of)[Math.floor(ticks.length / 2)] ?? 0;
  return {
    ticks: ticks.length,
    windows: ticks.reduce((sum, { judged }) => sum + judged, 0),
    medianMilliseconds: median(({ milliseconds }) => milliseconds),
    slowestMilliseconds: sorted(({ milliseconds }) => milliseconds).at(-1) ?? 0,
    medianCpuMilliseconds: median(({ cpuMilliseconds }) => cpuMilliseconds),
    requests: {
      get: mean(({ requests }) => requests.get),
      put: mean(({ requests }) => requests.put),
      list: mean(({ requests }) => requests.list),
      table: mean(({ requests }) => requests.table),
    },
  };
}

function describe(title: string, summary: TickSummary, models: number): string {
  const seconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(2)} s`;
  const perModel = (count: number) => (count / models).toFixed(2);
  const { get, put, list, table } = summary.requests;
  return `${title}: ${summary.ticks} (${summary.windows} windows)
  median ${seconds(summary.medianMilliseconds)}, slowest ${seconds(summary.slowestMilliseconds)}, of which processor ${seconds(summary.medianCpuMilliseconds)}
  requests a model: GET ${perModel(get)}, LIST ${perModel(list)}, PUT ${perModel(put)}; table and metrics ${perModel(table)}
`;
}
