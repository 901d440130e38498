import { parseAlarmMessage } from '../alarm/alarm-message.ts';
import type { AlarmDefinition } from '../model/alarm.ts';
import type { ModelPolicy } from '../model/policy.ts';
import { type AlarmNotice, alarmNotice, episodeTransition } from '../route/alarm-notice.ts';
import { composeMessage } from '../route/compose-message.ts';
import {
  type EpisodeMessage,
  type EpisodeState,
  type EpisodeStep,
  nextEpisode,
  overdueMessage,
} from '../route/episode.ts';
import type { StoredVerdict } from '../route/judgement.ts';
import { putEvidenceEntry } from './evidence.ts';
import { parseVerdict } from './judge-window.ts';
import { readModelState } from './model-state.ts';
import type { Clock, Notifier, ObjectStore, StateTable } from './ports.ts';
import { listSeries } from './series.ts';

export interface NotifyPorts {
  readonly state: ObjectStore;
  readonly audit: ObjectStore;
  readonly table: StateTable;
  readonly notifier: Notifier;
  readonly clock: Clock;
}

/** What is kept of an episode: its state, and the notice its messages are about. */
interface EpisodeRow {
  readonly state: EpisodeState;
  readonly notice: AlarmNotice;
}

const partition = 'episodes';

/**
 * Takes an alarm's message and tells the people of its tier, where its episode asks for it. The message is delivered
 * before the episode's state is kept: after a crash in between it is delivered again under the same id.
 * @param text as CloudWatch puts it on an SNS topic.
 * @throws {AlarmMessageError} for a text that is no alarm message.
 */
export async function notifyOfAlarm(
  definitions: readonly AlarmDefinition[],
  policies: readonly ModelPolicy[],
  ports: NotifyPorts,
  text: string,
): Promise<void> {
  const report = parseAlarmMessage(text);
  const definition = definitions.find(({ name }) => name === report.alarm);
  if (!definition)
    throw new Error(`notify: expected a message of one of our alarms, saw "${report.alarm.slice(0, 255)}"`);
  const notice = alarmNotice(definition, report);
  await stepEpisode(ports, policies, `${notice.model}#${notice.cause}`, (row) => ({
    notice: notice.to === 'ALARM' ? notice : (row?.notice ?? notice),
    speaking: notice,
    step: nextEpisode(row?.state, episodeTransition(notice)),
  }));
}

/** Raises what the hold-off held back, where its alarm has lasted. To be called at every tick. */
export async function notifyOverdue(policies: readonly ModelPolicy[], ports: NotifyPorts): Promise<void> {
  for (const { key, row } of await ports.table.list(partition)) {
    const { state } = row.value as EpisodeRow;
    if (overdueMessage(state, ports.clock.now()).message === undefined) continue;
    await stepEpisode(ports, policies, key, (known) => {
      const notice = known?.notice;
      return notice && { notice, speaking: notice, step: overdueMessage(known.state, ports.clock.now()) };
    });
  }
}

async function stepEpisode(
  ports: NotifyPorts,
  policies: readonly ModelPolicy[],
  key: string,
  next: (row: EpisodeRow | undefined) => { notice: AlarmNotice; speaking: AlarmNotice; step: EpisodeStep } | undefined,
): Promise<void> {
  for (;;) {
    const row = await ports.table.get(partition, key);
    const known = row?.value as EpisodeRow | undefined;
    const move = next(known);
    if (!move) return;
    const { notice, speaking, step } = move;
    if (step.message) await deliver(ports, policies, speaking, step.message);
    if (!step.state || step.state === known?.state) return;
    if (await ports.table.put(partition, key, { state: step.state, notice } satisfies EpisodeRow, row?.revision ?? 0))
      return;
  }
}

async function deliver(
  ports: NotifyPorts,
  policies: readonly ModelPolicy[],
  notice: AlarmNotice,
  episode: EpisodeMessage,
) {
  const policy = policies.find(({ name }) => name === episode.model);
  const verdicts = policy ? await newestVerdicts(ports, policy.name) : [];
  const message = composeMessage({ alarm: notice, verdicts, episode, policy, now: ports.clock.now() });
  await putEvidenceEntry(ports.audit, message.model, episode.time, 'alert', message.id, {
    ...message,
    text: undefined,
    time: episode.time,
    subject: undefined,
  });
  await ports.notifier.deliver(message);
}

/** The live verdict in force and the newest verdict of each series. Alarms are doorbells: what is said is read anew. */
async function newestVerdicts(ports: NotifyPorts, model: string): Promise<readonly StoredVerdict[]> {
  const states = await listSeries(ports.table, model);
  const start = Math.max(...states.map(({ newest }) => newest?.windowStart ?? Number.NEGATIVE_INFINITY));
  const { live } = await readModelState(ports.table, model, ports.clock.now());
  const keys = [
    ...(live.key === undefined ? [] : [live.key]),
    ...states.flatMap(({ newest }) => (newest?.windowStart === start ? newest.key : [])),
  ];
  const verdicts: StoredVerdict[] = [];
  for (const key of keys) {
    const bytes = await ports.state.get(key);
    if (bytes) verdicts.push({ key, verdict: parseVerdict(key, bytes) });
  }
  return verdicts;
}
