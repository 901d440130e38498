import type { AlarmDefinition } from '../../model/alarm.ts';
import type { ModelPolicy } from '../../model/policy.ts';
import { updateModelState } from '../model-state.ts';
import { type NotifyPorts, notifyOfAlarm, notifyOverdue } from '../notify.ts';
import type { ReplayClock } from '../replay.ts';
import { beginSeries, updateSeries, windowAt } from '../series.ts';
import type { AlarmWatch, WatchedChange } from '../watch-alarms.ts';
import type { RecordedVerdict } from './recorded-verdicts.ts';

export interface RecordedReplay {
  readonly policies: readonly ModelPolicy[];
  readonly definitions: readonly AlarmDefinition[];
  /** By the time they came into force. */
  readonly verdicts: readonly RecordedVerdict[];
  /** First and last minute, milliseconds since the epoch. */
  readonly from: number;
  readonly to: number;
}

export interface RecordedReplayPorts extends NotifyPorts {
  readonly clock: ReplayClock;
  readonly alarms: AlarmWatch;
}

/** What the alarms did in some minutes. */
export interface AlarmReplayStep {
  /** Share of the replay that is done, 0 to 1. */
  readonly share: number;
  readonly time: number;
  readonly changes: readonly WatchedChange[];
}

const minute = 60_000;
const reportMinutes = 720;

/**
 * Runs the alarms over what was recorded, minute by minute: metrics ring alarms, alarms begin and end incidents, and their
 * messages speak of the verdicts that were in force. Nothing is judged anew.
 */
export async function* replayRecorded(
  { policies, definitions, verdicts, from, to }: RecordedReplay,
  ports: RecordedReplayPorts,
): AsyncGenerator<AlarmReplayStep> {
  let next = 0;
  let changes: WatchedChange[] = [];
  const start = Math.floor(from / minute) * minute;
  for (let time = start, count = 1; time <= to; time += minute, count++) {
    ports.clock.set(time);
    for (let one = verdicts[next]; one && one.at <= time; one = verdicts[++next]) await putInForce(ports, one);
    changes.push(...(await stepAlarms(policies, definitions, ports)));
    if (count % reportMinutes !== 0) continue;
    yield { share: (time - start) / Math.max(to - start, 1), time, changes };
    changes = [];
  }
  yield { share: 1, time: to, changes };
}

/** One evaluation of the alarms, and what people hear of it: as in every minute of a deployment. */
export async function stepAlarms(
  policies: readonly ModelPolicy[],
  definitions: readonly AlarmDefinition[],
  ports: RecordedReplayPorts,
): Promise<readonly WatchedChange[]> {
  const changes = await ports.alarms.step();
  for (const { message } of changes) {
    if (message !== undefined) await notifyOfAlarm(definitions, policies, ports, message);
  }
  await notifyOverdue(policies, ports);
  return changes;
}

/** Puts into the state table what judging the window, or the minute, had put there. */
async function putInForce({ table }: NotifyPorts, { at, key, verdict, series }: RecordedVerdict): Promise<void> {
  const { tier, records, window, model } = verdict;
  if (!series) {
    await updateModelState(table, model, at, (state) => ({ ...state, live: { tier, key, since: at } }));
    return;
  }
  const own = windowAt(series, Date.parse(window.start));
  const newest = { key, windowStart: own.start, tier, captured: records.captured, quarantined: records.quarantined };
  await updateSeries(table, series, (known) => {
    const before = known ?? beginSeries(series, own);
    if (before.newest && before.newest.windowStart > own.start) return before;
    const judgedThrough = Math.max(before.judgedThrough, own.end);
    return { ...before, newestWindow: Math.max(before.newestWindow, own.start), judgedThrough, newest };
  });
}
