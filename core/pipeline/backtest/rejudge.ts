import { suppressionSeconds } from '../../contract/alarm-definitions.ts';
import { fragmentWindowPrefix } from '../../contract/keys.ts';
import type { AlarmDefinition } from '../../model/alarm.ts';
import { canonicalJson } from '../../model/canonical-json.ts';
import type { ModelPolicy } from '../../model/policy.ts';
import { commitJudgement } from '../join-manifest.ts';
import type { ModelRuntime } from '../model-runtime.ts';
import type { TouchQueue } from '../ports.ts';
import type { ReplayClock, TouchConsumer } from '../replay.ts';
import { registerSeries, windowAt } from '../series.ts';
import { judgeTouched, type TickPorts, tick } from '../tick.ts';
import type { WatchedChange } from '../watch-alarms.ts';
import type { RecordedFragment, RecordedQuality } from './recorded-verdicts.ts';
import { type AlarmReplayStep, type RecordedReplayPorts, stepAlarms } from './replay-recorded.ts';

export interface Rejudgement {
  readonly runtimes: readonly ModelRuntime[];
  readonly definitions: readonly AlarmDefinition[];
  /** By their arrival. */
  readonly fragments: readonly RecordedFragment[];
  /** What labels showed, by its time: it is taken as it was judged. */
  readonly quality: readonly RecordedQuality[];
  /** First and last minute, milliseconds since the epoch. */
  readonly from: number;
  readonly to: number;
  /** Nothing is judged after it. */
  readonly lastTick: number;
  /**
   * Minutes between two judgements: 1 as deployed. From 5 on the alarms are looked at only when they have seen one, and when
   * what it rings has waited for its suppressor: several times as fast, and messages come up to so many minutes late.
   */
  readonly tickMinutes: number;
}

export interface RejudgePorts extends TickPorts, RecordedReplayPorts {
  readonly clock: ReplayClock;
  readonly touches: TouchQueue;
  readonly touched: TouchConsumer;
}

const minute = 60_000;
const reportMinutes = 720;

/**
 * Judges recorded fragments anew, in event time, as another configuration would have judged them: windows, live judgement,
 * metrics, alarms and messages. Captures and labels are not read again: see `findReadingChange`.
 */
export async function* rejudge(
  { runtimes, definitions, fragments, quality, from, to, lastTick, tickMinutes }: Rejudgement,
  ports: RejudgePorts,
): AsyncGenerator<AlarmReplayStep> {
  const policies = runtimes.map(({ policy }) => policy);
  const start = Math.floor(from / minute) * minute;
  let next = 0;
  let nextQuality = 0;
  let changes: WatchedChange[] = [];
  for (let time = start, count = 0; time <= to; time += minute, count++) {
    for (let one = fragments[next]; one && one.at <= time; one = fragments[++next]) await arrive(one, ports);
    ports.clock.set(time);
    for (let one = quality[nextQuality]; one && one.at <= time; one = quality[++nextQuality]) {
      await ports.state.putOnce(one.key, one.bytes);
      await commitJudgement(ports.table, one.model, one.key, one.at);
    }
    if (count % tickMinutes === 0 && time <= lastTick) {
      for (const touch of await ports.touched.take(1_000)) {
        await judgeTouched(runtimes, ports, touch.windowPrefix);
        await ports.touched.acknowledge(touch);
      }
      await tick(runtimes, ports);
    }
    if (isWatched(count % tickMinutes, tickMinutes)) changes.push(...(await stepAlarms(policies, definitions, ports)));
    if ((count + 1) % reportMinutes !== 0) continue;
    yield { share: (time - start) / Math.max(to - start, 1), time, changes };
    changes = [];
  }
  yield { share: 1, time: to, changes };
}

const waitMinutes = 1 + Math.ceil(suppressionSeconds.wait / 60);

function isWatched(sinceTick: number, tickMinutes: number): boolean {
  return tickMinutes <= waitMinutes || sinceTick === 1 || sinceTick === waitMinutes;
}

/** What ingest does once a fragment is written. */
async function arrive({ at, series, windowStart }: RecordedFragment, ports: RejudgePorts): Promise<void> {
  ports.clock.set(at);
  const window = windowAt(series, windowStart);
  await registerSeries(ports.table, series, window);
  if (window.end <= at) await ports.touches.touch(fragmentWindowPrefix(series, windowStart));
}

/**
 * What of a changed configuration decides how captures are read and counted, so that recorded fragments do not fit it.
 * @returns in words, with the model; undefined: fragments counted under the one can be judged under the other.
 */
export function findReadingChange(before: readonly ModelRuntime[], after: readonly ModelRuntime[]): string | undefined {
  for (const runtime of after) {
    const { name } = runtime.policy;
    const known = before.find(({ policy }) => policy.name === name);
    if (!known) return `model ${name} is new`;
    const [old, changed] = [countingOf(known), countingOf(runtime)];
    const part = [...changed].find(([what, text]) => old.get(what) !== text)?.[0];
    if (part !== undefined) return `${part} of ${name} changed`;
  }
  const gone = before.find(({ policy }) => !after.some((one) => one.policy.name === policy.name));
  return gone && `model ${gone.policy.name} is gone`;
}

function countingOf({ policy, baselineHashes }: ModelRuntime): ReadonlyMap<string, string> {
  const parts: Readonly<Record<string, unknown>> = {
    source: policy.sources,
    window: policy.windowSeconds,
    'schema of the versions': policy.versions.map(({ baseline, ...version }) => ({ ...version, has: !!baseline })),
    baseline: baselineHashes,
    'the ignored or required features': countedFeatures(policy),
    'the kind or threshold of the slos': policy.slos.map((slo) =>
      slo.kind === 'latency' ? [slo.kind, slo.name, slo.thresholdMilliseconds] : [slo.kind, slo.name],
    ),
    slices: policy.slices ?? [],
    'the reading of labels': policy.labels ?? {},
    'an objective of quality': policy.qualitySlos ?? [],
  };
  return new Map(Object.entries(parts).map(([what, value]) => [what, canonicalJson(value)]));
}

function countedFeatures({ features }: ModelPolicy) {
  return features
    .filter(([, { ignore, required, kind }]) => ignore || required || kind !== undefined)
    .map(([name, { ignore, required, kind }]) => ({ name, ignore, required, kind }));
}
