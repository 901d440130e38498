import { createHash } from 'node:crypto';
import { AnnouncedCaptures } from '../../adapters/local/announced-captures.ts';
import { SqliteState } from '../../adapters/local/sqlite-state.ts';
import {
  availabilitySlo,
  type ConfigInput,
  completenessSlo,
  httpCapture,
  latencySlo,
  parseConfig,
  sagemakerCapture,
} from '../../core/contract/config.ts';
import { decodeCapture } from '../../core/decode/decode-capture.ts';
import { defaultBatchRows, defaultLimits } from '../../core/decode/decode-plan.ts';
import type { Baseline } from '../../core/model/baseline.ts';
import type { MetricDatum } from '../../core/model/metric.ts';
import type { Series } from '../../core/model/profile.ts';
import type { Verdict } from '../../core/model/verdict.ts';
import { Calibrations } from '../../core/pipeline/calibrations.ts';
import { type BaselineOptions, createBaseline } from '../../core/pipeline/create-baseline.ts';
import { guardIntegrity } from '../../core/pipeline/guard-integrity.ts';
import { type IngestPorts, type IngestReport, ingestCapture } from '../../core/pipeline/ingest.ts';
import { createModelRuntime, type ModelRuntime } from '../../core/pipeline/model-runtime.ts';
import { readModelState } from '../../core/pipeline/model-state.ts';
import type { KeySource, MetricSink, ObjectStore } from '../../core/pipeline/ports.ts';
import { ReplayClock } from '../../core/pipeline/replay.ts';
import { RollUpReader } from '../../core/pipeline/roll-up.ts';
import { listSeries, type SeriesState } from '../../core/pipeline/series.ts';
import { type SweepPorts, type SweepReport, sweep } from '../../core/pipeline/sweep.ts';
import { type JudgedWindow, judgeTouched, type TickPorts, tick } from '../../core/pipeline/tick.ts';
import { TrailReader } from '../../core/pipeline/trail-store.ts';
import { WindowReader } from '../../core/pipeline/window-reader.ts';
import { createRandom, drawNormal } from '../evaluate/synthetic-model.ts';
import { type Call, captureBucket, day, hour, linesOf, payloadLine } from './capture-lines.ts';
import { type CaptureObject, MemoryCaptureStore } from './memory-capture-store.ts';
import { MemoryObjectStore } from './memory-object-store.ts';

/** The first hour that the tests watch. */
export const start = Date.UTC(2026, 2, 2, 0);
const countries = ['DE', 'FR', 'IT', 'PT'];

type ModelInput = ConfigInput['models'][number];

/** A row as the model usually gets it. */
export function usualRow(random: () => number): readonly [amount: number, country: string] {
  const country = countries[Math.floor(random() ** 2 * countries.length)] ?? 'DE';
  return [Math.round(100 * Math.exp(0.5 * drawNormal(random))), country];
}

/** Calls of one usual row each, evenly over [from, to). */
export function usualCalls(from: number, to: number, count: number, seed: number): Call[] {
  // Two windows must not hold the very same rows: that would be a batch sent twice.
  const random = createRandom((seed * 7919 + Math.floor(from / 60_000)) % 2 ** 31);
  return Array.from({ length: count }, (_, index) => ({
    time: Math.floor(from + ((to - from) * index) / count),
    id: `${seed}-${from}-${index}`,
    rows: [usualRow(random)],
  }));
}

let known: Promise<Baseline> | undefined;

/** Four days of usual records before `start`, one every three minutes. */
function usualBaseline(): Promise<Baseline> {
  known ??= baselineOf(usualCalls(start - 4 * day, start, 1920, 7));
  return known;
}

/** The baseline that some calls make. */
export function baselineOf(calls: readonly Call[], options: Partial<BaselineOptions> = {}): Promise<Baseline> {
  return createBaseline(
    {
      open: () =>
        decodeCapture(once(linesOf(calls.map(payloadLine))), {
          format: 'sagemaker-capture',
          gzip: 'auto',
          variant: 'AllTraffic',
          defaultVersion: 'v1',
          versions: [{ match: 'v1', columns: ['amount', 'country'], predictions: ['score'] }],
          role: 'inferences',
          limits: defaultLimits,
          batchRows: defaultBatchRows,
        }),
    },
    { windowSeconds: 3600, ...options },
  );
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** The test's model: payloads of SageMaker, requests over HTTP, two versions with a baseline and any others without. */
export async function createRuntime(
  changes: Partial<ModelInput> = {},
  code = 'test',
  baseline?: Baseline,
): Promise<ModelRuntime> {
  const schema = { columns: ['amount', 'country'], prediction: 'score' };
  const { fleet, models } = parseConfig({
    models: [
      {
        name: 'credit',
        source: [
          sagemakerCapture({ bucket: captureBucket, prefix: 'data', endpoint: 'credit', versionFrom: 'version' }),
          httpCapture({ bucket: captureBucket, prefix: 'requests', role: 'requests' }),
        ],
        versions: [
          { match: 'v1', schema, baseline: 'v1.json' },
          { match: 'v2*', schema, baseline: 'v1.json' },
          { match: '*', schema },
        ],
        window: '1h',
        captureDelay: '5m',
        features: { country: { required: true } },
        slos: [
          latencySlo({ threshold: '100ms', objective: 0.99 }),
          availabilitySlo({ objective: 0.99 }),
          completenessSlo({ objective: 0.99 }),
        ],
        ...changes,
      },
    ],
  });
  const [policy] = models;
  if (!policy) throw new Error('expected a model');
  return createModelRuntime(policy, fleet, new Map([['v1.json', baseline ?? (await usualBaseline())]]), code);
}

/** Keys that follow from the model and the day, so that every world writes the same evidence. */
export const testKeys: KeySource = {
  modelDayKey: async (model, name) =>
    createHash('sha256')
      .update(JSON.stringify([model, name]))
      .digest(),
};

/** Metrics in the order of their publication. */
export class RecordedMetrics implements MetricSink {
  readonly data: MetricDatum[] = [];

  async put(_namespace: string, data: readonly MetricDatum[]): Promise<void> {
    this.data.push(...data);
  }

  /** The values of a metric, oldest first. */
  values(name: string): readonly number[] {
    return this.data.filter((datum) => datum.name === name).map(({ value }) => value);
  }
}

/** What all stages work on. */
export type WorldPorts = IngestPorts & TickPorts & SweepPorts;

/** Everything the pipeline runs on, in memory, with its clock in the test's hand. */
export class World {
  readonly runtime: ModelRuntime;
  readonly captures = new MemoryCaptureStore(captureBucket);
  readonly state = new MemoryObjectStore();
  readonly audit = new MemoryObjectStore();
  readonly sqlite = new SqliteState(':memory:');
  readonly metrics = new RecordedMetrics();
  readonly clock = new ReplayClock(start);
  readonly announced = new AnnouncedCaptures();
  readonly calibrations = new Calibrations();
  readonly #windowsOf = new WeakMap<
    ObjectStore,
    { windows: WindowReader; rollUps: RollUpReader; trails: TrailReader }
  >();

  constructor(runtime: ModelRuntime) {
    this.runtime = runtime;
  }

  /** The ports, some of them replaced. Readers remember what they read as long as their store is the same. */
  ports(changes: Partial<WorldPorts> = {}): WorldPorts {
    const state = changes.state ?? this.state;
    const readers = this.#windowsOf.get(state) ?? {
      windows: new WindowReader(state),
      rollUps: new RollUpReader(state),
      trails: new TrailReader(state),
    };
    this.#windowsOf.set(state, readers);
    const { table, touches, invocations } = this.sqlite;
    const { captures, audit, metrics, clock } = this;
    return {
      captures,
      state,
      audit,
      table,
      touches,
      announcements: this.announced,
      invocations,
      metrics,
      clock,
      keys: testKeys,
      calibrations: this.calibrations,
      ...readers,
      ...changes,
    };
  }

  /** Puts a capture object at its time and takes it in. */
  async deliver(object: CaptureObject, changes: Partial<WorldPorts> = {}): Promise<IngestReport> {
    this.captures.put(object);
    if (this.clock.now() < object.arrived) this.clock.set(object.arrived);
    return this.ingest(object.key, changes);
  }

  ingest(key: string, changes: Partial<WorldPorts> = {}): Promise<IngestReport> {
    return ingestCapture(this.runtime, this.ports(changes), { bucket: captureBucket, key });
  }

  /** The work of a minute: touched windows, then the tick. */
  async tick(now: number, changes: Partial<WorldPorts> = {}): Promise<readonly JudgedWindow[]> {
    this.clock.set(now);
    const judged = await this.judgeTouched(changes);
    // Ticks of a test may be days apart.
    const report = await tick([this.runtime], this.ports(changes), {
      catchUpWindows: Number.POSITIVE_INFINITY,
      concurrentModels: 1,
    });
    return [...judged, ...report.judged];
  }

  async judgeTouched(changes: Partial<WorldPorts> = {}): Promise<readonly JudgedWindow[]> {
    const ports = this.ports(changes);
    const judged: JudgedWindow[] = [];
    for (const touch of await this.sqlite.touches.take(1000)) {
      const again = await judgeTouched([this.runtime], ports, touch.windowPrefix);
      if (again) judged.push(again);
      await this.sqlite.touches.acknowledge(touch);
    }
    return judged;
  }

  /** And takes in what it announced, where that can be. What follows from it is left to `judgeTouched`. */
  async sweep(changes: Partial<WorldPorts> = {}): Promise<SweepReport> {
    try {
      return await sweep(this.runtime, this.ports(changes));
    } finally {
      await this.ingestAnnounced(changes);
    }
  }

  /** @returns the keys of those that failed. */
  async ingestAnnounced(changes: Partial<WorldPorts> = {}): Promise<readonly string[]> {
    const ports = this.ports(changes);
    const failed: string[] = [];
    for (const capture of this.announced.takeAll()) {
      const event = { ...capture, isRepeated: true };
      await guardIntegrity(this.runtime, ports, () => ingestCapture(this.runtime, ports, event)).catch(() =>
        failed.push(capture.key),
      );
    }
    return failed;
  }

  series(version = 'v1', variant = 'AllTraffic'): Series {
    return this.runtime.seriesOf(variant, version);
  }

  listSeries(): Promise<readonly SeriesState[]> {
    return listSeries(this.sqlite.table, this.runtime.policy.name);
  }

  modelState() {
    return readModelState(this.sqlite.table, this.runtime.policy.name, this.clock.now());
  }

  /** Verdicts of closed windows, by key. */
  verdicts(): readonly Verdict[] {
    return this.state.documents<Verdict>('verdicts/').filter(({ mode }) => mode === 'closed');
  }

  liveVerdicts(): readonly Verdict[] {
    return this.state.documents<Verdict>('verdicts/').filter(({ mode }) => mode === 'live');
  }
}

export async function createWorld(changes: Partial<ModelInput> = {}): Promise<World> {
  return new World(await createRuntime(changes));
}

/** The window that a time lies in, for windows of an hour. */
export function hourOf(time: number): { readonly start: number; readonly end: number } {
  const from = Math.floor(time / hour) * hour;
  return { start: from, end: from + hour };
}
