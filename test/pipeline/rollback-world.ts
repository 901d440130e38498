import {
  lambdaAlias,
  parseConfig,
  sagemakerCapture,
  sagemakerEndpoint,
  sagemakerWeights,
  stepFunctions,
} from '../../core/contract/config.ts';
import { liveVerdictKey } from '../../core/contract/keys.ts';
import type { FleetPolicy, ModelPolicy } from '../../core/model/policy.ts';
import type { DeploymentRecord, RollbackHistory, RollbackPolicy, ServingState } from '../../core/model/rollback.ts';
import type { Finding, SloVerdict, Verdict } from '../../core/model/verdict.ts';
import { putEvidenceEntry } from '../../core/pipeline/evidence.ts';
import type { ModelState } from '../../core/pipeline/model-state.ts';
import type { ObjectStore, PutOnceResult, StateRow, StateTable } from '../../core/pipeline/ports.ts';
import type { RollbackPorts } from '../../core/pipeline/rollback.ts';
import { encodeJson } from '../../core/pipeline/write-once.ts';
import type { KnownCause } from '../../core/route/cause-owners.ts';
import { causeOf } from '../../core/route/causes.ts';
import type { EpisodeState } from '../../core/route/episode.ts';

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
  /** Whether a red verdict was in force at any time since processes last began. */
  readonly wasRed: boolean;
}

/** Everything that lasts when processes end. What its members hold is replaced and never changed, so that copies are cheap. */
export interface WorldState {
  now: number;
  serving: {
    readonly config: string;
    readonly status: ServingState['status'];
    readonly pending?: string;
    readonly revision: number;
  };
  rows: readonly (readonly [name: string, value: string, revision: number])[];
  state: readonly (readonly [key: string, body: string])[];
  audit: readonly (readonly [key: string, body: string])[];
  changes: readonly AcceptedChange[];
  messages: readonly string[];
  /** What answered, and from when on, oldest first. */
  answered: readonly (readonly [config: string, from: number])[];
  /** Configurations that an evidenced red verdict was about. */
  blamed: readonly string[];
  /** See `AcceptedChange`. */
  wasRed: boolean;
  /** What a workflow was told, and whether it has come to its end. Each is started once, by its name. */
  workflows: readonly { readonly id: string; readonly from: string; readonly to: string; readonly isOver: boolean }[];
  /** How often each actor beside the executions has acted. */
  turns: Readonly<Record<string, number>>;
}

/**
 * How a change gets through. An endpoint takes minutes and refuses others meanwhile, whether a configuration is changed or
 * weights are; an alias compares and swaps at once; a workflow is started, looks, and changes the endpoint some time later;
 * what is unfenced takes whatever comes, so that nothing but the rollback itself keeps it from being done twice.
 */
export type LeverKind = 'endpoint' | 'weights' | 'alias' | 'workflow' | 'unfenced';

/** The name that a configuration has under a lever: weights are told in full. U is of another endpoint configuration. */
export function configName(kind: LeverKind, label: string): string {
  if (kind !== 'weights') return label;
  return JSON.stringify([label === 'U' ? 'other' : 'both', [[label, 1]]]);
}

export const episode = 'episode-1';
export const model = 'credit';

export function createPolicy(kind: LeverKind, changes: { readonly dryRun?: boolean } = {}) {
  const options = { dryRun: false, ...changes };
  const rollback = (() => {
    switch (kind) {
      case 'alias':
        return lambdaAlias({ function: 'credit', alias: 'live', ...options });
      case 'weights':
        return sagemakerWeights(options);
      case 'workflow':
        return stepFunctions({ stateMachine: 'arn:aws:states:eu-west-1:123456789012:stateMachine:back', ...options });
      default:
        return sagemakerEndpoint(options);
    }
  })();
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
  readonly sloKind?: SloVerdict['kind'];
  readonly slos?: Verdict['slos'];
  /** More of its finding's evidence. */
  readonly evidence?: Finding['evidence'];
}

/** A live verdict of a broken objective. */
export function liveVerdict({
  tier = 'red',
  end = noon - 5 * minute,
  since,
  valid = 500,
  kind = 'slo',
  sloKind = 'availability',
  slos = [],
  evidence = {},
}: LiveVerdictFacts) {
  const key = liveVerdictKey({ model, variant: 'AllTraffic', version: 'v2' }, Math.floor(end / minute) + 1);
  const iso = (time: number) => new Date(time).toISOString();
  const sinceMinute = Math.floor((since ?? end - 30 * minute) / minute);
  const finding: Finding = {
    id: kind === 'slo' ? `${kind}:${sloKind}` : kind,
    tier: 'red',
    kind,
    message: 'failed',
    evidence: { valid, sinceMinute, sloKind, ...evidence },
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
    slos,
    quality: [],
    findings: tier === 'red' ? [finding] : [],
    evidence: { baseline: null, config: 'c', code: 'c', profiles: [] },
  };
  return { key, verdict };
}

/** What every call passes. Others may come before its effect. */
export type Gate = <T>(label: string, effect: () => T) => Promise<T>;
const openGate: Gate = async (_label, effect) => effect();

/** A world's ports, all calls of which pass a gate by a name that says what is asked for. */
export function connect(world: WorldState, kind: LeverKind, gate: Gate = openGate): RollbackPorts {
  const rowOf = (partition: string, key: string) => world.rows.find(([name]) => name === `${partition}|${key}`);
  const table: StateTable = {
    get: (partition, key) =>
      gate(`get ${partition} ${key}`, (): StateRow | undefined => {
        const row = rowOf(partition, key);
        return row && { value: JSON.parse(row[1]), revision: row[2] };
      }),
    put: (partition, key, value, expected) =>
      gate(`put ${partition} ${key}`, () => {
        const row = rowOf(partition, key);
        if ((row?.[2] ?? 0) !== expected) return false;
        const changed = [`${partition}|${key}`, JSON.stringify(value), expected + 1] as const;
        world.rows = [...world.rows.filter((one) => one !== row), changed].sort(([a], [b]) => (a < b ? -1 : 1));
        return true;
      }),
    list: (partition) =>
      gate(`list ${partition}`, () =>
        world.rows
          .filter(([name]) => name.startsWith(`${partition}|`))
          .map(([name, value, revision]) => ({
            key: name.slice(partition.length + 1),
            row: { value: JSON.parse(value), revision },
          })),
      ),
    remove: async () => {
      throw new Error('expected no row to be removed');
    },
  };
  return {
    state: storeOf(world, 'state', gate),
    audit: storeOf(world, 'audit', gate),
    table,
    clock: { now: () => world.now },
    notifier: {
      deliver: ({ id, subject }) =>
        gate(`deliver ${id}`, () => {
          const line = `${id} ${subject}`;
          if (!world.messages.includes(line)) world.messages = [...world.messages, line];
        }),
    },
    control: {
      describe: () =>
        gate('describe', (): ServingState => {
          const { config, status, pending, revision } = world.serving;
          return { config, status, revision: String(revision), ...(pending !== undefined && { pending }) };
        }),
      change: (_, { id, from, to }) =>
        gate('change', () => {
          const { serving, workflows } = world;
          if (kind === 'workflow') {
            if (!workflows.some((one) => one.id === id)) {
              world.workflows = [...workflows, { id, from: from.config, to, isOver: false }];
            }
            return 'started';
          }
          if ((kind === 'endpoint' || kind === 'weights') && serving.status !== 'ready') return 'refused';
          if (kind === 'alias' && String(serving.revision) !== from.revision) return 'refused';
          acceptChange(world, kind, to);
          return 'started';
        }),
    },
  };
}

/** A rollback gets through. */
export function acceptChange(world: WorldState, kind: LeverKind, to: string): void {
  const isEvidenced = world.audit.some(([, body]) => body.includes('"step":"intent"'));
  world.changes = [...world.changes, { from: world.serving.config, to, isEvidenced, wasRed: world.wasRed }];
  changeServing(world, kind, to);
}

/** What anybody who deploys does. */
export function changeServing(world: WorldState, kind: LeverKind, to: string): void {
  const { config, revision } = world.serving;
  const isSlow = kind === 'endpoint' || kind === 'weights' || kind === 'workflow';
  world.serving = isSlow
    ? { config, status: 'changing', pending: to, revision: revision + 1 }
    : { config: to, status: 'ready', revision: revision + 1 };
  if (!isSlow) world.answered = [...world.answered, [to, world.now]];
}

/** An update comes to its end. */
export function settleServing(world: WorldState): void {
  const { pending, revision } = world.serving;
  if (pending === undefined) return;
  world.serving = { config: pending, status: 'ready', revision: revision + 1 };
  world.answered = [...world.answered, [pending, world.now]];
}

function storeOf(world: WorldState, name: 'state' | 'audit', gate: Gate): ObjectStore {
  return {
    get: (key) =>
      gate(`${name} get ${key}`, () => {
        const held = world[name].find(([known]) => known === key);
        return held && Buffer.from(held[1]);
      }),
    list: async function* (prefix, after = '') {
      yield* await gate(`${name} list ${prefix} ${after}`, () =>
        world[name]
          .map(([key]) => key)
          .filter((key) => key.startsWith(prefix) && key > after)
          .sort(),
      );
    },
    putOnce: (key, body) =>
      gate(`${name} put ${key}`, (): PutOnceResult => {
        const text = Buffer.from(body).toString();
        const held = world[name].find(([known]) => known === key);
        if (held) return held[1] === text ? 'same' : 'different';
        world[name] = [...world[name], [key, text] as const].sort(([a], [b]) => (a < b ? -1 : 1));
        return 'written';
      }),
  };
}

export interface WorldFacts {
  readonly verdict?: LiveVerdictFacts;
  /** The verdict's evidence says the same. */
  readonly isEvidenced?: boolean;
  /** Whether A has been green for long enough, and whether that is evidenced. */
  readonly proven?: 'yes' | 'no' | 'unevidenced';
  readonly history?: RollbackHistory;
  /** What notify knows of the incident that tells of the verdict. */
  readonly incident?: Partial<EpisodeState['red']>;
  readonly serving?: Partial<WorldState['serving']>;
  /** Until when A answered alone, and from when B did. */
  readonly deployed?: { readonly began: number; readonly since: number };
  readonly kind?: LeverKind;
  /** Whether U lacks an hour and a half of green time, and an hour of it is still to be judged. */
  readonly isCredited?: boolean;
}

/** An hour that U answered alone. */
export const hourOfU = { start: noon - 6 * hour, end: noon - 5 * hour };

/** A answered for days and was good; U for hours, which proves nothing; B answers, and its objective is broken. */
export async function createWorldState(facts: WorldFacts = {}): Promise<WorldState> {
  const { kind = 'endpoint', isCredited = false } = facts;
  const [A, U, B] = [configName(kind, 'A'), configName(kind, 'U'), configName(kind, 'B')];
  const { began, since } = facts.deployed ?? { began: noon - 3 * hour, since: noon - 175 * minute };
  const world: WorldState = {
    now: noon,
    serving: { config: B, status: 'ready', revision: 7, ...facts.serving },
    rows: [],
    state: [],
    audit: [],
    changes: [],
    messages: [],
    answered: [[B, began]],
    blamed: [B],
    wasRed: true,
    workflows: [],
    turns: {},
  };
  const { table, audit } = connect(world, kind);
  const { key, verdict } = liveVerdict(facts.verdict ?? {});
  await writeLiveVerdict(world, { key, verdict }, facts.isEvidenced ?? true);
  const provenAt = noon - 20 * hour;
  if ((facts.proven ?? 'yes') === 'yes') {
    await putEvidenceEntry(audit, model, provenAt, 'deployment', `${A}\n${provenAt}`, { model, config: A, provenAt });
  }
  // Weights of another endpoint configuration may be as good as they like.
  const isOutOfReach = kind === 'weights';
  if (isOutOfReach) {
    await putEvidenceEntry(audit, model, provenAt, 'deployment', `${U}\n${provenAt}`, { model, config: U, provenAt });
  }
  const record: DeploymentRecord = {
    spells: [
      { config: A, began: noon - 50 * hour, since: noon - 50 * hour, seen: noon - 9 * hour },
      { config: U, began: noon - 9 * hour, since: noon - 9 * hour, seen: began },
      { config: B, began, since, seen: noon - minute },
    ],
    standings: [
      {
        config: U,
        versions: [],
        greenSeconds: (isCredited ? 22.5 : 2) * 3600,
        ...(isOutOfReach && { provenAt }),
      },
      {
        config: A,
        versions: ['AllTraffic/v1'],
        greenSeconds: facts.proven === 'no' ? 3600 : 40 * 3600,
        ...(facts.proven !== 'no' && { provenAt }),
      },
      { config: B, versions: [], greenSeconds: 0 },
    ],
    creditedThrough: isCredited ? hourOfU.start : noon,
  };
  const modelState: ModelState = {
    since: noon - 100 * hour,
    live: { tier: 'red', found: 'f', key, since: noon - 20 * minute },
    rollUps: [],
    integrity: [],
  };
  await table.put('deployments', model, record, 0);
  await table.put('models', model, modelState, 0);
  const red = { ...toldRed, ...facts.incident };
  await keepIncident(table, 'health', { ...incidentOf(episode, noon - hour), red });
  await keepCauses(
    table,
    liveVerdict(facts.verdict ?? {}).verdict.findings.map((finding) => redCause(causeOf(finding), 'health')),
  );
  if (facts.history) await table.put('rollbacks', model, facts.history, 0);
  return world;
}

const toldRed: NonNullable<EpisodeState['red']> = {
  inAlarm: true,
  changed: noon,
  heard: noon,
  since: noon,
  told: 'raised',
  sequence: 1,
};

/** An incident that is red and that people were told of. */
export function incidentOf(id: string, startedAt: number): EpisodeState {
  return { id, model, cause: 'health', startedAt, past: [], red: toldRed };
}

/** Keeps an incident of the model as notify does, whatever was known of it before. */
export async function keepIncident(table: StateTable, incident: string, state: EpisodeState): Promise<void> {
  const key = `${model}#${incident}`;
  const row = await table.get('episodes', key);
  await table.put('episodes', key, { schema: 'tidewatch.episode/1', state, pending: [] }, row?.revision ?? 0);
}

/** A red cause that is in force, and the name of the incident that tells of it. */
export function redCause(cause: string, owner: string): KnownCause {
  return { cause, tier: 'red', isLive: true, owner, since: noon - hour };
}

export async function keepCauses(table: StateTable, known: readonly KnownCause[]): Promise<void> {
  const key = `${model}#causes`;
  const row = await table.get('episodes', key);
  const ledger = { schema: 'tidewatch.causes/1', known, keys: [], found: [] };
  await table.put('episodes', key, ledger, row?.revision ?? 0);
}

/** Writes a verdict as the tick does: the verdict, its evidence, and nothing that points to it. */
export async function writeLiveVerdict(
  world: WorldState,
  { key, verdict }: { readonly key: string; readonly verdict: Verdict },
  isEvidenced = true,
): Promise<void> {
  const { state, audit } = connect(world, 'endpoint');
  await state.putOnce(key, encodeJson(verdict));
  const time = (Math.floor(Date.parse(verdict.window.end) / minute) + 1) * minute;
  const day = new Date(time).toISOString().slice(0, 10);
  if (isEvidenced) await putEvidenceEntry(audit, model, time, 'verdict', `${key}\n${day}`, verdict);
}
