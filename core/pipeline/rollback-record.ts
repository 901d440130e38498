import {
  encodeSegment,
  liveVerdictPrefix,
  parseVerdictKey,
  type VerdictSeries,
  verdictPrefix,
  windowKey,
} from '../contract/keys.ts';
import type { ModelPolicy } from '../model/policy.ts';
import type { DeploymentRecord, RollbackPolicy, ServingStanding, ServingState } from '../model/rollback.ts';
import { worstTier } from '../model/verdict.ts';
import { type EvidencedVerdict, isBlaming, isBlamingSpell } from '../rollback/decide-rollback.ts';
import {
  creditWindow,
  currentSpell,
  discreditCurrent,
  emptyDeploymentRecord,
  type JudgedStretch,
  markProven,
  newlyProven,
  observeServing,
} from '../rollback/deployment-record.ts';
import { hasEvidenceEntry, putEvidenceEntry } from './evidence.ts';
import { readEvidencedVerdict } from './evidenced-verdict.ts';
import { readModelState } from './model-state.ts';
import type { Clock, ObjectStore, StateTable } from './ports.ts';
import { listSeries } from './series.ts';

export interface RecordPorts {
  readonly state: ObjectStore;
  readonly audit: ObjectStore;
  readonly table: StateTable;
  readonly clock: Clock;
}

const partition = 'deployments';
/** All series of a window have had this time beyond the grace to be judged. */
const judgingMilliseconds = 15 * 60_000;
/** Windows credited in one call: after an outage the next calls go on. */
const windowsPerCall = 48;

/** Notes what answers now, and whether the live verdict blames it: for a reason that a rollback would go by, no other. */
export async function recordServing(ports: RecordPorts, model: string, serving: ServingState): Promise<void> {
  const now = ports.clock.now();
  const { live } = await readModelState(ports.table, model, now);
  const isRed = live.tier === 'red' && live.key !== undefined;
  const red = isRed ? await readEvidencedVerdict(ports, model, live.key) : undefined;
  await updateRecord(ports.table, model, (record) => {
    const observed = observeServing(record, serving, now);
    // Credit begins with the first configuration that is seen: what was judged before it is nobody's.
    const begun = observed.creditedThrough === 0 ? { ...observed, creditedThrough: now } : observed;
    const spell = currentSpell(begun);
    return red && spell && isBlamingSpell(red, spell) ? discreditCurrent(begun) : begun;
  });
}

/**
 * Credits the windows judged meanwhile to the configurations that answered in them. What has been green for long enough is
 * evidenced as known to be good, and then noted.
 */
export async function creditDeployments(
  ports: RecordPorts,
  policy: ModelPolicy,
  { minimumRecords, provenSeconds }: RollbackPolicy,
): Promise<DeploymentRecord> {
  const before = await readRecord(ports.table, policy.name);
  const windows = await listJudged(ports, policy, before.creditedThrough);
  const credited =
    windows.length === 0
      ? before
      : await updateRecord(ports.table, policy.name, (record) =>
          windows
            .filter(({ end }) => end > record.creditedThrough)
            .reduce((sum, window) => creditWindow(sum, window, minimumRecords), record),
        );
  let record = credited;
  for (const standing of newlyProven(credited, provenSeconds)) {
    const now = ports.clock.now();
    await putEvidenceEntry(
      ports.audit,
      policy.name,
      now,
      'deployment',
      proofName(standing, now),
      proofOf(policy.name, standing, now),
    );
    record = await updateRecord(ports.table, policy.name, (current) => {
      const held = current.standings.find(({ config }) => config === standing.config);
      // Red meanwhile, or proven by another: this proof is then nobody's.
      const isSame = held?.provenAt === undefined && held?.greenSeconds === standing.greenSeconds;
      return isSame && held.versions.join() === standing.versions.join()
        ? markProven(current, standing.config, now)
        : current;
    });
  }
  return record;
}

/** The record without the good names that evidence does not bear out. */
export async function readProvenRecord(ports: RecordPorts, model: string): Promise<DeploymentRecord> {
  const record = await readRecord(ports.table, model);
  const standings = await Promise.all(
    record.standings.map(async (standing) => {
      const { provenAt } = standing;
      if (provenAt === undefined) return standing;
      const isEvidenced = await isProofEvidenced(ports.audit, model, standing, provenAt);
      return isEvidenced ? standing : { ...standing, provenAt: undefined };
    }),
  );
  return { ...record, standings };
}

/** That a configuration is known to be good, once and for all of its later green time. */
function proofOf(model: string, { config }: ServingStanding, provenAt: number) {
  return { model, config, provenAt };
}

function proofName({ config }: ServingStanding, provenAt: number): string {
  return `${config}\n${provenAt}`;
}

function isProofEvidenced(audit: ObjectStore, model: string, standing: ServingStanding, provenAt: number) {
  const name = proofName(standing, provenAt);
  return hasEvidenceEntry(audit, model, provenAt, 'deployment', name, proofOf(model, standing, provenAt));
}

async function readRecord(table: StateTable, model: string): Promise<DeploymentRecord> {
  const row = await table.get(partition, model);
  return row ? (row.value as DeploymentRecord) : emptyDeploymentRecord;
}

async function updateRecord(
  table: StateTable,
  model: string,
  change: (record: DeploymentRecord) => DeploymentRecord,
): Promise<DeploymentRecord> {
  for (;;) {
    const row = await table.get(partition, model);
    const before = row ? (row.value as DeploymentRecord) : emptyDeploymentRecord;
    const after = change(before);
    if (after === before || (await table.put(partition, model, after, row?.revision ?? 0))) return after;
  }
}

/** Closed windows that end after a time and that all series have had time to be judged in, oldest first. */
async function listJudged(ports: RecordPorts, policy: ModelPolicy, after: number): Promise<readonly JudgedStretch[]> {
  const settled = ports.clock.now() - policy.graceSeconds * 1000 - judgingMilliseconds;
  if (after === 0 || after >= settled) return [];
  const series = new Map(
    (await listSeries(ports.table, policy.name)).map(({ variant, version }) => {
      const named: VerdictSeries = { model: policy.name, variant, version };
      return [verdictPrefix(named), named] as const;
    }),
  );
  const verdicts = new Map<string, EvidencedVerdict[]>();
  for (const named of series.values()) {
    for (const key of await newestRevisions(ports.state, named, after, policy.windowSeconds)) {
      const found = await readEvidencedVerdict(ports, policy.name, key);
      if (!found) continue;
      const { start, end } = found.verdict.window;
      if (Date.parse(end) <= after || Date.parse(end) > settled) continue;
      const window = `${start}/${end}`;
      verdicts.set(window, [...(verdicts.get(window) ?? []), found]);
    }
  }
  return [...verdicts.values()]
    .map(describeWindow)
    .sort((a, b) => a.end - b.end)
    .slice(0, windowsPerCall);
}

/** Keys of the newest revision of each window of a series that may end after a time. */
async function newestRevisions(
  state: ObjectStore,
  series: VerdictSeries,
  after: number,
  windowSeconds: number,
): Promise<readonly string[]> {
  const prefix = verdictPrefix(series);
  const from = Math.max(0, Math.floor(after / 1000) - windowSeconds - 1) * 1000;
  const newest = new Map<number, string>();
  // Live verdicts sort behind all windows.
  for await (const key of state.list(prefix, `${prefix}${windowKey(from)}`)) {
    if (key.startsWith(liveVerdictPrefix(series))) break;
    const parsed = parseVerdictKey(key);
    if (!parsed) continue;
    newest.set(parsed.windowStart, key);
    if (newest.size > 2 * windowsPerCall) break;
  }
  return [...newest.values()];
}

function describeWindow(found: readonly EvidencedVerdict[]): JudgedStretch {
  const verdicts = found.map(({ verdict }) => verdict);
  const [first] = verdicts;
  return {
    start: Date.parse(first?.window.start ?? ''),
    end: Date.parse(first?.window.end ?? ''),
    tier: worstTier(verdicts.map(({ tier }) => tier)),
    isBlamed: found.some(isBlaming),
    counted: verdicts.reduce((sum, { records }) => sum + records.counted, 0),
    versions: verdicts
      .filter(({ records }) => records.counted > 0)
      .map(({ variant, version }) => `${encodeSegment(variant)}/${encodeSegment(version)}`),
  };
}
