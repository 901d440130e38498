import { parseAlarmMessage } from '../alarm/alarm-message.ts';
import type { AlarmDefinition } from '../model/alarm.ts';
import type { ModelPolicy } from '../model/policy.ts';
import { type AlarmNotice, alarmNotice, episodeTransition, healthCause } from '../route/alarm-notice.ts';
import { companyOf, DependencyGraph, mutedBy, type Standings } from '../route/cascade.ts';
import { composeMessage } from '../route/compose-message.ts';
import {
  acknowledge,
  alone,
  type Company,
  type EpisodeMessage,
  type EpisodeState,
  type EpisodeStep,
  type MessageTier,
  reportAffected,
  speak,
  stepEpisode,
} from '../route/episode.ts';
import type { StoredVerdict } from '../route/judgement.ts';
import { isExplained } from '../route/tier-policy.ts';
import { putEvidenceEntry } from './evidence.ts';
import { parseVerdict } from './judge-window.ts';
import { readModelState } from './model-state.ts';
import type { Clock, Notifier, ObjectStore, StateRow, StateTable } from './ports.ts';
import { listSeries, newestVerdicts as newestOf } from './series.ts';

export interface NotifyPorts {
  readonly state: ObjectStore;
  readonly audit: ObjectStore;
  readonly table: StateTable;
  readonly notifier: Notifier;
  readonly clock: Clock;
}

const rowSchema = 'tidewatch.episode/1';

/** What is kept of an episode: its state, the alarm it began with, and messages that were not delivered yet. */
interface EpisodeRow {
  readonly schema: typeof rowSchema;
  readonly state: EpisodeState;
  readonly notice: AlarmNotice;
  readonly pending: readonly PendingMessage[];
}

interface PendingMessage {
  readonly episode: EpisodeMessage;
  /** The alarm it speaks of. */
  readonly notice: AlarmNotice;
}

type Move = { readonly notice: AlarmNotice; readonly speaking: AlarmNotice; readonly step: EpisodeStep };

const partition = 'episodes';

/**
 * Takes an alarm's message and tells the people of its tier, where its episode asks for it. What is to be said is kept
 * with the episode before it is delivered, and taken off after: killed in between, the next minute delivers it, under the
 * same id.
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
  await notifyOf(policies, ports, alarmNotice(definition, report));
}

/** As `notifyOfAlarm`, of a notice that did not come as CloudWatch's message. */
export async function notifyOf(
  policies: readonly ModelPolicy[],
  ports: NotifyPorts,
  notice: AlarmNotice,
): Promise<void> {
  const fleet = new Fleet(policies, ports);
  await fleet.step(`${notice.model}#${notice.cause}`, (row, company) => ({
    notice: notice.to === 'ALARM' ? notice : (row?.notice ?? notice),
    speaking: notice,
    step: stepEpisode(row?.state, episodeTransition(notice), ports.clock.now(), company),
  }));
}

/**
 * A person takes a model's incident on.
 * @returns false where it has none that people were told of.
 */
export async function acknowledgeIncident(
  policies: readonly ModelPolicy[],
  ports: NotifyPorts,
  model: string,
): Promise<boolean> {
  let isKnown = false;
  await new Fleet(policies, ports).step(`${model}#${healthCause}`, (row) => {
    if (!row) return undefined;
    const step = acknowledge(row.state, ports.clock.now());
    isKnown = step.messages.length > 0;
    return { notice: row.notice, speaking: row.notice, step };
  });
  return isKnown;
}

/**
 * Says what has become due: recoveries after their hold, raises that waited or were muted, dependents that an incident
 * has reached, and what was not delivered. To be called every minute. One episode that fails does not hold up the others.
 * @throws {AggregateError} of what failed.
 */
export async function notifyOverdue(policies: readonly ModelPolicy[], ports: NotifyPorts): Promise<void> {
  const rows = await ports.table.list(partition);
  const errors: unknown[] = [];
  const attempt = async (step: () => Promise<void>) => {
    try {
      await step();
    } catch (error) {
      errors.push(error);
    }
  };
  for (const { key, row } of rows) {
    const known = readRow(row);
    if (!known || (known.pending.length === 0 && known.state.endedAt !== undefined)) continue;
    await attempt(() =>
      new Fleet(policies, ports).step(
        key,
        ({ notice, state } = known, company) =>
          notice && { notice, speaking: notice, step: speak(state, ports.clock.now(), company) },
      ),
    );
  }
  const fleet = new Fleet(policies, ports);
  for (const { name } of policies) {
    if (fleet.graph.dependentsOf(name).length === 0) continue;
    await attempt(() => fleet.report(name));
  }
  if (errors.length > 0) throw new AggregateError(errors, `${errors.length} episodes could not be told of`);
}

/** Episodes of all models, with what they mean for each other. */
class Fleet {
  readonly graph: DependencyGraph;
  readonly #policies: readonly ModelPolicy[];
  readonly #ports: NotifyPorts;

  constructor(policies: readonly ModelPolicy[], ports: NotifyPorts) {
    this.graph = new DependencyGraph(policies);
    this.#policies = policies;
    this.#ports = ports;
  }

  /** Compare-and-swap until it holds; then delivers. */
  async step(key: string, next: (row: EpisodeRow | undefined, company: Company) => Move | undefined): Promise<void> {
    const { table } = this.#ports;
    for (;;) {
      const row = await table.get(partition, key);
      const known = readRow(row);
      if (known && known.pending.length > 0) {
        await this.#deliverPending(key, known, row?.revision ?? 0);
        continue;
      }
      const company = await this.#companyOf(key, known);
      const move = next(known, company);
      if (!move?.step.state || (move.step.state === known?.state && move.step.messages.length === 0)) return;
      const { notice, speaking, step } = move;
      const pending = step.messages.map((episode): PendingMessage => ({ episode, notice: speaking }));
      const value: EpisodeRow = { schema: rowSchema, state: move.step.state, notice, pending };
      const revision = row?.revision ?? 0;
      if (!(await table.put(partition, key, value, revision))) continue;
      if (pending.length > 0) await this.#deliverPending(key, value, revision + 1);
      return;
    }
  }

  /** Names to a root's people the dependents that its incident has come to mute. */
  async report(model: string): Promise<void> {
    const standings = await this.#standings();
    const own = standings.get(model);
    if (!own || own.endedAt !== undefined) return;
    await this.step(`${model}#${healthCause}`, (row) => {
      if (!row) return undefined;
      const { notice, state } = row;
      const step = reportAffected(state, mutedBy(this.graph, state, standings), this.#ports.clock.now());
      return { notice, speaking: notice, step };
    });
  }

  /** Where this fails, the messages stay pending. Where someone else took them off meanwhile, they were delivered. */
  async #deliverPending(key: string, row: EpisodeRow, revision: number): Promise<void> {
    for (const { episode, notice } of row.pending) await this.#deliver(notice, episode);
    await this.#ports.table.put(partition, key, { ...row, pending: [] } satisfies EpisodeRow, revision);
  }

  async #companyOf(key: string, row: EpisodeRow | undefined): Promise<Company> {
    const policy = this.#policies.find(({ name }) => `${name}#${healthCause}` === key);
    if (!policy) return alone;
    const { name } = policy;
    const hasRoots = this.graph.rootsOf(name).length > 0;
    const isConnected = hasRoots || this.graph.dependentsOf(name).length > 0;
    // What it finds is read only where something might explain it: a root, or a red of its own that it echoes.
    const mayEcho = row?.state.past.some(([tier]) => tier === 'red') === true;
    if (!isConnected && !mayEcho) return alone;
    const findings =
      hasRoots || mayEcho ? (await newestVerdicts(this.#ports, name)).flatMap(({ verdict }) => verdict.findings) : [];
    const standings: Standings = isConnected ? await this.#standings() : new Map();
    const explained = (tier: MessageTier) => isExplained(findings, tier);
    return companyOf(this.graph, name, standings, this.#ports.clock.now(), explained);
  }

  async #standings(): Promise<Standings> {
    const suffix = `#${healthCause}`;
    const rows = await this.#ports.table.list(partition);
    return new Map(
      rows.flatMap(({ key, row }) => {
        const known = key.endsWith(suffix) ? readRow(row) : undefined;
        return known ? [[key.slice(0, -suffix.length), known.state] as const] : [];
      }),
    );
  }

  async #deliver(notice: AlarmNotice, episode: EpisodeMessage): Promise<void> {
    const ports = this.#ports;
    const policy = this.#policies.find(({ name }) => name === episode.model);
    const verdicts = policy ? await newestVerdicts(ports, policy.name) : [];
    const dependents = this.graph.dependentsOf(episode.model);
    const message = composeMessage({ alarm: notice, verdicts, episode, policy, dependents, now: ports.clock.now() });
    const { id, tier, event, model, time } = episode;
    await putEvidenceEntry(ports.audit, model, time, 'alert', id, {
      id,
      tier,
      event,
      model,
      episode: episode.episode,
      time,
    });
    await ports.notifier.deliver(message);
  }
}

/** What is known of a model's own episode. */
export async function readStanding(table: StateTable, model: string): Promise<EpisodeState | undefined> {
  return readRow(await table.get(partition, `${model}#${healthCause}`))?.state;
}

/** Rows of another form are taken for absent: the next change of their alarm begins anew. */
function readRow(row: StateRow | undefined): EpisodeRow | undefined {
  const value = row?.value;
  const isOurs = typeof value === 'object' && value !== null && 'schema' in value && value.schema === rowSchema;
  return isOurs ? (value as EpisodeRow) : undefined;
}

/** The live verdict in force and the newest verdict of each series. Alarms are doorbells: what is said is read anew. */
async function newestVerdicts(ports: NotifyPorts, model: string): Promise<readonly StoredVerdict[]> {
  const states = await listSeries(ports.table, model);
  const { live } = await readModelState(ports.table, model, ports.clock.now());
  const keys = [...(live.key === undefined ? [] : [live.key]), ...newestOf(states).map(({ key }) => key)];
  const verdicts: StoredVerdict[] = [];
  for (const key of keys) {
    const bytes = await ports.state.get(key);
    if (bytes) verdicts.push({ key, verdict: parseVerdict(key, bytes) });
  }
  return verdicts;
}
