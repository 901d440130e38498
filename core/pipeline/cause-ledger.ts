import { evaluationLagLimitSeconds } from '../contract/alarm-definitions.ts';
import type { ModelPolicy } from '../model/policy.ts';
import { judgeAftermath } from '../route/aftermath.ts';
import { healthCause } from '../route/alarm-notice.ts';
import { redsBehind } from '../route/cascade.ts';
import { followCauses, type Incidents, isUnheard, type KnownCause, settlingSeconds } from '../route/cause-owners.ts';
import { causeOf, type FoundCause, findCauses, narrowVerdict } from '../route/causes.ts';
import type { StoredVerdict } from '../route/judgement.ts';
import { isMutedByRoot } from '../route/tier-policy.ts';
import { type EpisodeRow, episodeKey, episodePartition, readEpisodeRow } from './episode-rows.ts';
import { integrityMilliseconds } from './guard-integrity.ts';
import { parseVerdict } from './judge-window.ts';
import { readModelState } from './model-state.ts';
import type { Clock, ObjectStore, StateRow, StateTable } from './ports.ts';
import { listSeries, newestVerdicts, type SeriesState } from './series.ts';

export interface LedgerPorts {
  readonly state: ObjectStore;
  readonly table: StateTable;
  readonly clock: Clock;
}

const ledgerSchema = 'tidewatch.causes/1';
/** Not an incident's name: no class of findings is called so. */
const ledgerName = 'causes';

/** What is known of a model's causes, and the verdicts that say so. */
interface CauseLedger {
  readonly schema: typeof ledgerSchema;
  readonly known: readonly KnownCause[];
  /** Keys of the verdicts in force, and what they find: read again only where the keys change. */
  readonly keys: readonly string[];
  readonly found: readonly FoundCause[];
}

export async function readCauses(table: StateTable, model: string): Promise<readonly KnownCause[]> {
  return readLedger(await table.get(episodePartition, episodeKey(model, ledgerName)))?.known ?? [];
}

/** Every episode of the fleet, over or not, and the models of which a cause is known. */
export async function listIncidents(table: StateTable) {
  const rows = await table.list(episodePartition);
  const suffix = episodeKey('', ledgerName);
  return {
    episodes: rows.flatMap(({ key, row }): readonly NamedEpisode[] => {
      const known = readEpisodeRow(row);
      const model = known?.state.model ?? '';
      return known ? [{ model, incident: key.slice(episodeKey(model, '').length), row: known }] : [];
    }),
    caused: rows.flatMap(({ key, row }) => (readLedger(row)?.known.length ? [key.slice(0, -suffix.length)] : [])),
  };
}

/** An incident's row, and the model and name it is kept under. */
export interface NamedEpisode {
  readonly model: string;
  readonly incident: string;
  readonly row: EpisodeRow;
}

/** Whether a finding belongs to an incident. What is not known belongs to the first. */
export function belongsTo(known: readonly KnownCause[], incident: string) {
  return (finding: Parameters<typeof causeOf>[0] & { readonly tier: string }): boolean => {
    const cause = causeOf(finding);
    const one = known.find((other) => other.cause === cause && other.tier === finding.tier);
    return (one?.owner ?? healthCause) === incident;
  };
}

/** Looks at what the verdicts in force find of a model, and keeps which incident tells of it. Compare-and-swap until it holds. */
export async function followModel(
  ports: LedgerPorts,
  policy: ModelPolicy,
  incidents: Incidents,
): Promise<readonly KnownCause[]> {
  const key = episodeKey(policy.name, ledgerName);
  for (;;) {
    const row = await ports.table.get(episodePartition, key);
    const before = readLedger(row);
    const now = ports.clock.now();
    const { keys, isStale, unsaid } = await keysInForce(ports, policy);
    const isSame = before !== undefined && before.keys.join('\n') === keys.join('\n');
    const verdicts = isSame ? [] : await readVerdicts(ports.state, keys);
    const found = isSame ? before.found : findCauses(verdicts.map(({ verdict }) => verdict));
    const all = [...found, ...unsaid.filter(({ cause }) => !found.some((one) => one.cause === cause))];
    const read = async () => (isSame ? await readVerdicts(ports.state, keys) : verdicts);
    const hasRed = all.some(({ tier }) => tier === 'red');
    const heard = (before?.known ?? []).filter((one) => !isUnheard(one, incidents));
    const isNew = all.some(({ cause, tier }) => !heard.some((one) => one.cause === cause && one.tier === tier));
    const isAftermath = judgeLeft(isNew ? await read() : [], policy, now, hasRed);
    const known = followCauses(before?.known ?? [], all, { incidents, timing: policy, isStale, now, isAftermath });
    if (isSame ? known === before.known : known.length === 0 && !before) return known;
    const after: CauseLedger = { schema: ledgerSchema, known, keys, found };
    if (await ports.table.put(episodePartition, key, after, row?.revision ?? 0)) return known;
  }
}

/** What no verdict says: nothing could be judged. Its alarms would not be heard beside one that rings already. */
const lateJudgement: FoundCause = { cause: 'lag', tier: 'yellow', isLive: true };
const distrusted: FoundCause = { cause: 'evidence', tier: 'red', isLive: true };
/** As long as the alarm on lag waits. */
const latePatienceSeconds = 900;

type IsAftermath = Parameters<typeof followCauses>[2]['isAftermath'];

/** By the verdicts in force. What can't be told until the next window is judged is left to the incident until then. */
function judgeLeft(verdicts: readonly StoredVerdict[], policy: ModelPolicy, now: number, isRed: boolean): IsAftermath {
  return ({ cause, tier }, incident) => {
    if (tier !== 'yellow') return false;
    const own = verdicts.map(({ verdict }) =>
      narrowVerdict(verdict, (finding) => isMutedByRoot(finding.kind) && causeOf(finding) === cause),
    );
    if (!own.some((verdict) => verdict.tier === 'yellow')) return false;
    return redsBehind(incident, (policy.windowSeconds + policy.graceSeconds) * 1000, now, isRed).some((red) => {
      const aftermath = judgeAftermath(own, red);
      return aftermath === 'past' || (aftermath === 'unclear' && now <= red.to + settlingSeconds(policy) * 1000);
    });
  };
}

/**
 * What `Tier` is published by: where judging is behind, a closed window's verdict says nothing of now. Beside it what rings
 * without a verdict.
 */
export async function keysInForce(ports: Pick<LedgerPorts, 'table' | 'clock'>, policy: ModelPolicy) {
  const now = ports.clock.now();
  const states = await listSeries(ports.table, policy.name);
  const { live, integrity } = await readModelState(ports.table, policy.name, now);
  const lag = (through: number) => (now - through) / 1000;
  const limit = evaluationLagLimitSeconds(policy);
  const isStale = lag(Math.max(...states.map(({ judgedThrough }) => judgedThrough))) > limit;
  const behind = lag(judgedUntil(states, policy, now));
  const isLate = states.length > 0 && behind > limit + latePatienceSeconds;
  const closed = isStale ? [] : newestVerdicts(states).map(({ key }) => key);
  const isDistrusted = integrity.some(([, since]) => now - since < integrityMilliseconds);
  const unsaid = [...(isLate ? [lateJudgement] : []), ...(isDistrusted ? [distrusted] : [])];
  return {
    keys: [...(live.key === undefined ? [] : [live.key]), ...closed],
    isStale,
    isBehind: behind > limit,
    unsaid,
  };
}

/** The end of what has been judged: of the series that is behind, else of the newest. */
function judgedUntil(states: readonly SeriesState[], { graceSeconds }: ModelPolicy, now: number): number {
  const behind = states.filter(
    (state) => state.judgedThrough <= Math.min(state.newestWindow, now - (state.windowSeconds + graceSeconds) * 1000),
  );
  const through = (behind.length > 0 ? behind : states).map(({ judgedThrough }) => judgedThrough);
  return behind.length > 0 ? Math.min(...through) : Math.max(...through);
}

/** Verdicts that are gone are left out. */
export async function readVerdicts(state: ObjectStore, keys: readonly string[]): Promise<readonly StoredVerdict[]> {
  const verdicts: StoredVerdict[] = [];
  for (const key of keys) {
    const bytes = await state.get(key);
    if (bytes) verdicts.push({ key, verdict: parseVerdict(key, bytes) });
  }
  return verdicts;
}

function readLedger(row: StateRow | undefined): CauseLedger | undefined {
  const value = row?.value;
  const isOurs = typeof value === 'object' && value !== null && 'schema' in value && value.schema === ledgerSchema;
  return isOurs ? (value as CauseLedger) : undefined;
}
