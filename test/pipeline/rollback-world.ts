import { createHash } from 'node:crypto';
import { lambdaAlias, parseConfig, sagemakerCapture, sagemakerEndpoint } from '../../core/contract/config.ts';
import { liveVerdictKey } from '../../core/contract/keys.ts';
import type { FleetPolicy, ModelPolicy } from '../../core/model/policy.ts';
import type { DeploymentRecord, RollbackHistory, RollbackPolicy, ServingState } from '../../core/model/rollback.ts';
import type { Finding, Verdict } from '../../core/model/verdict.ts';
import { putEvidenceEntry } from '../../core/pipeline/evidence.ts';
import type { ModelState } from '../../core/pipeline/model-state.ts';
import type { ObjectStore, PutOnceResult, StateRow, StateTable } from '../../core/pipeline/ports.ts';
import type { RollbackPorts } from '../../core/pipeline/rollback.ts';
import { encodeJson } from '../../core/pipeline/write-once.ts';

export const minute = 60_000;
export const hour = 60 * minute;
/** When the incident is looked at. */
export const noon = Date.UTC(2026, 2, 4, 12);

/** What the world did for a rollback. */
export interface AcceptedChange {
  /** What answered when it was accepted. */
  readonly from: string;
  readonly to: string;
  /** Whether the intent was evidenced before. */
  readonly isEvidenced: boolean;
}

/** Everything that lasts when processes end. Plain, so that it can be copied and compared. */
export interface WorldState {
  now: number;
  serving: { config: string; status: ServingState['status']; pending?: string; revision: number };
  rows: [name: string, value: string, revision: number][];
  state: [key: string, body: string][];
  audit: [key: string, body: string][];
  changes: AcceptedChange[];
  messages: string[];
}

/**
 * How a change gets through. An endpoint takes minutes and refuses others meanwhile; an alias compares and swaps at once; what
 * is unfenced takes whatever comes, so that nothing but the rollback itself keeps it from being done twice.
 */
export type LeverKind = 'endpoint' | 'alias' | 'unfenced';

export const episode = 'episode-1';
export const model = 'credit';

export function createPolicy(kind: LeverKind, changes: { readonly dryRun?: boolean } = {}) {
  const options = { dryRun: false, ...changes };
  const rollback =
    kind === 'alias' ? lambdaAlias({ function: 'credit', alias: 'live', ...options }) : sagemakerEndpoint(options);
  const { fleet, models } = parseConfig({
    models: [
      {
        name: model,
        source: sagemakerCapture({ bucket: 'captures', endpoint: 'credit' }),
        versions: [{ match: '*' }],
        rollback,
      },
    ],
  });
  const [policy] = models;
  if (!policy?.rollback) throw new Error('expected a model with a rollback');
  return { fleet, policy, rollback: policy.rollback };
}

export interface Deployed {
  readonly fleet: FleetPolicy;
  readonly policy: ModelPolicy;
  readonly rollback: RollbackPolicy;
}

export interface LiveVerdictFacts {
  readonly tier?: Verdict['tier'];
  /** When the judged hour ends. */
  readonly end?: number;
  /** When its trouble began. */
  readonly since?: number;
  readonly valid?: number;
  readonly kind?: Finding['kind'];
}

/** A live verdict of a broken objective. */
export function liveVerdict({
  tier = 'red',
  end = noon - 5 * minute,
  since,
  valid = 500,
  kind = 'slo',
}: LiveVerdictFacts) {
  const key = liveVerdictKey({ model, variant: 'AllTraffic', version: 'v2' }, Math.floor(end / minute) + 1);
  const iso = (time: number) => new Date(time).toISOString();
  const sinceMinute = Math.floor((since ?? end - 30 * minute) / minute);
  const finding: Finding = {
    id: `${kind}:availability`,
    tier: 'red',
    kind,
    message: 'failed',
    evidence: { valid, sinceMinute },
  };
  const verdict: Verdict = {
    schema: 'tidewatch.verdict/1',
    mode: 'live',
    model,
    variant: 'AllTraffic',
    version: 'v2',
    window: { start: iso(end - hour), end: iso(end) },
    revision: 0,
    tier,
    records: { captured: valid, counted: valid, quarantined: 0, duplicate: 0, pending: 0, expired: 0, late: 0 },
    rule: { level: 0.001, minimumEffect: 0.02, effectLevel: 0.001, calibration: 'none' },
    features: {},
    slos: [],
    quality: [],
    findings: tier === 'red' ? [finding] : [],
    evidence: { baseline: null, config: 'c', code: 'c', profiles: [] },
  };
  return { key, verdict };
}

/** What calls pass that others may come between. */
export type Gate = <T>(label: string, effect: () => T) => Promise<T>;
const openGate: Gate = async (_label, effect) => effect();

/**
 * A world's ports. The gate is passed by what is decided between processes: what answers, and the rollback's row. Objects are
 * written once, the deployments' record is a loop of compare-and-swap that says what was described, and the rows of notify and
 * of the tick stay as they are.
 */
export function connect(world: WorldState, kind: LeverKind, gate: Gate = openGate): RollbackPorts {
  const rowOf = (partition: string, key: string) => world.rows.find(([name]) => name === `${partition}|${key}`);
  const table: StateTable = {
    get: (partition, key) =>
      (partition === 'rollbacks' ? gate : openGate)(`get ${partition}`, (): StateRow | undefined => {
        const row = rowOf(partition, key);
        return row && { value: JSON.parse(row[1]), revision: row[2] };
      }),
    put: (partition, key, value, expected) =>
      (partition === 'rollbacks' ? gate : openGate)(`put ${partition}`, () => {
        const row = rowOf(partition, key);
        if ((row?.[2] ?? 0) !== expected) return false;
        const changed: WorldState['rows'][number] = [`${partition}|${key}`, JSON.stringify(value), expected + 1];
        world.rows = [...world.rows.filter((one) => one !== row), changed].sort(([a], [b]) => (a < b ? -1 : 1));
        return true;
      }),
    list: async (partition) =>
      world.rows
        .filter(([name]) => name.startsWith(`${partition}|`))
        .map(([name, value, revision]) => ({
          key: name.slice(partition.length + 1),
          row: { value: JSON.parse(value), revision },
        })),
    remove: async () => {
      throw new Error('expected no row to be removed');
    },
  };
  return {
    state: storeOf(() => world.state),
    audit: storeOf(() => world.audit),
    table,
    clock: { now: () => world.now },
    notifier: {
      deliver: async ({ id, subject }) => {
        const line = `${id} ${subject}`;
        if (!world.messages.includes(line)) world.messages.push(line);
      },
    },
    control: {
      describe: () =>
        gate('describe', (): ServingState => {
          const { config, status, pending, revision } = world.serving;
          return { config, status, revision: String(revision), ...(pending !== undefined && { pending }) };
        }),
      change: (_, { from, to }) =>
        gate('change', () => {
          const { serving } = world;
          if (kind === 'endpoint' && serving.status !== 'ready') return 'refused';
          if (kind === 'alias' && String(serving.revision) !== from.revision) return 'refused';
          const isEvidenced = world.audit.some(([, body]) => body.includes('"step":"intent"'));
          world.changes.push({ from: serving.config, to, isEvidenced });
          changeServing(world, kind, to);
          return 'started';
        }),
    },
  };
}

/** What anybody who deploys does. */
export function changeServing(world: WorldState, kind: LeverKind, to: string): void {
  const { serving } = world;
  world.serving =
    kind === 'endpoint'
      ? { config: serving.config, status: 'changing', pending: to, revision: serving.revision + 1 }
      : { config: to, status: 'ready', revision: serving.revision + 1 };
}

/** An update comes to its end. */
export function settleServing(world: WorldState): void {
  const { pending, revision } = world.serving;
  if (pending !== undefined) world.serving = { config: pending, status: 'ready', revision: revision + 1 };
}

function storeOf(objects: () => [key: string, body: string][]): ObjectStore {
  return {
    get: async (key) => {
      const held = objects().find(([name]) => name === key);
      return held && Buffer.from(held[1]);
    },
    list: async function* (prefix) {
      yield* objects()
        .map(([key]) => key)
        .filter((key) => key.startsWith(prefix))
        .sort();
    },
    putOnce: async (key, body): Promise<PutOnceResult> => {
      const text = Buffer.from(body).toString();
      const held = objects().find(([name]) => name === key);
      if (held) return held[1] === text ? 'same' : 'different';
      objects().push([key, text]);
      objects().sort(([a], [b]) => (a < b ? -1 : 1));
      return 'written';
    },
  };
}

export interface WorldFacts {
  readonly verdict?: LiveVerdictFacts;
  /** The verdict's evidence says the same. */
  readonly isEvidenced?: boolean;
  /** Whether A has been green for long enough, and whether that is evidenced. */
  readonly proven?: 'yes' | 'no' | 'unevidenced';
  readonly history?: RollbackHistory;
  readonly serving?: Partial<WorldState['serving']>;
  /** Until when A answered alone, and from when B did. */
  readonly deployed?: { readonly began: number; readonly since: number };
}

/** A answered for days and was good; U for hours, which proves nothing; B answers, and its objective is broken. */
export async function createWorldState(facts: WorldFacts = {}): Promise<WorldState> {
  const world: WorldState = {
    now: noon,
    serving: { config: 'B', status: 'ready', revision: 7, ...facts.serving },
    rows: [],
    state: [],
    audit: [],
    changes: [],
    messages: [],
  };
  const { table, state, audit } = connect(world, 'endpoint');
  const { key, verdict } = liveVerdict(facts.verdict ?? {});
  await state.putOnce(key, encodeJson(verdict));
  const keyMinute = (Math.floor(Date.parse(verdict.window.end) / minute) + 1) * minute;
  const day = new Date(keyMinute).toISOString().slice(0, 10);
  if (facts.isEvidenced ?? true) await putEvidenceEntry(audit, model, keyMinute, 'verdict', `${key}\n${day}`, verdict);
  const provenAt = noon - 20 * hour;
  if ((facts.proven ?? 'yes') === 'yes') {
    await putEvidenceEntry(audit, model, provenAt, 'deployment', `A\n${provenAt}`, { model, config: 'A', provenAt });
  }
  const { began, since } = facts.deployed ?? { began: noon - 3 * hour, since: noon - 175 * minute };
  const record: DeploymentRecord = {
    spells: [
      { config: 'A', began: noon - 50 * hour, since: noon - 50 * hour, seen: noon - 9 * hour },
      { config: 'U', began: noon - 9 * hour, since: noon - 9 * hour, seen: began },
      { config: 'B', began, since, seen: noon - minute },
    ],
    standings: [
      { config: 'U', versions: [], greenSeconds: 2 * 3600 },
      {
        config: 'A',
        versions: ['AllTraffic/v1'],
        greenSeconds: facts.proven === 'no' ? 3600 : 40 * 3600,
        ...(facts.proven !== 'no' && { provenAt }),
      },
      { config: 'B', versions: [], greenSeconds: 0 },
    ],
    creditedThrough: noon,
  };
  const modelState: ModelState = {
    since: noon - 100 * hour,
    live: { tier: 'red', found: 'f', key, since: noon - 20 * minute },
    rollUps: [],
    integrity: [],
  };
  const red = { inAlarm: true, changed: noon, heard: noon, since: noon, told: 'raised', sequence: 1 };
  await table.put('deployments', model, record, 0);
  await table.put('models', model, modelState, 0);
  await table.put('episodes', `${model}#health`, { state: { id: episode, model, cause: 'health', red, past: [] } }, 0);
  if (facts.history) await table.put('rollbacks', model, facts.history, 0);
  return world;
}

export function copyWorld(world: WorldState): WorldState {
  return structuredClone(world);
}

export function hashText(text: string): string {
  return createHash('sha1').update(text).digest('base64');
}
