import { describe, expect, test } from 'vitest';
import type { RollbackAct } from '../../core/model/rollback.ts';
import { stepRollback } from '../../core/pipeline/rollback.ts';
import { explore } from './interleavings.ts';
import { type Actor, closing, deployment, evaluators, notifier, secondIncident, workflow } from './rollback-actors.ts';
import { loadMutant, mutants } from './rollback-mutants.ts';
import {
  configName,
  createPolicy,
  createWorldState,
  episode,
  hour,
  type LeverKind,
  minute,
  model,
  noon,
  type WorldFacts,
  type WorldState,
} from './rollback-world.ts';

interface Scenario {
  readonly name: string;
  readonly kind?: LeverKind;
  readonly facts?: WorldFacts;
  readonly dryRun?: boolean;
  readonly actors?: readonly Actor[];
  /** Two by default. */
  readonly executions?: number;
  readonly epochs: number;
  /** Four by default: longer than a call may be taken for one that is still made. */
  readonly epochMinutes?: number;
  /** Rows before whose reads and writes executions are held. By default that of the rollback alone, which decides. */
  readonly contested?: readonly string[];
  /** Whether a rollback may be done at all. */
  readonly allowed: boolean;
  /** Versions that are rolled back in one way or another; B alone by default. */
  readonly allowedFrom?: readonly string[];
}

const rollbacks = `rollbacks ${model}`;
const deployments = `deployments ${model}`;
const incidents = [`episodes ${model}#causes`, `episodes ${model}#objective:precision`];
const judged = [`models ${model}`, `episodes ${model}#health`];

const closed: RollbackAct = {
  id: 'before',
  model,
  episode,
  from: 'B',
  to: 'A',
  verdict: 'v',
  finding: 'f',
  dryRun: false,
  time: noon - 48 * hour,
  phase: 'closed',
  attempts: 1,
  outcome: 'recovered',
};

const scenarios: readonly Scenario[] = [
  { name: 'a deployment at any time', actors: [deployment('endpoint', 'C')], epochs: 3, allowed: true },
  {
    name: 'what is red deployed once more at any time',
    actors: [deployment('endpoint', 'B')],
    epochs: 2,
    allowed: true,
  },
  {
    name: 'a deployment of an alias at any time',
    kind: 'alias',
    actors: [deployment('alias', 'C')],
    epochs: 2,
    allowed: true,
  },
  { name: 'nothing but itself', kind: 'unfenced', epochs: 3, allowed: true },
  { name: 'three executions at a time', kind: 'unfenced', executions: 3, epochs: 1, allowed: true },
  {
    name: 'two evaluators, a deployment and one execution',
    actors: [deployment('endpoint', 'C'), evaluators(2), notifier],
    contested: [rollbacks, deployments, ...judged],
    executions: 1,
    epochs: 1,
    allowed: true,
  },
  {
    name: 'an evaluator and a deployment at any time',
    actors: [deployment('endpoint', 'C'), evaluators(1)],
    contested: [rollbacks, ...judged],
    epochs: 1,
    allowed: true,
  },
  {
    name: 'evaluators that may find fault with what is deployed as well',
    kind: 'alias',
    actors: [deployment('alias', 'C'), evaluators(1), notifier],
    contested: [rollbacks, ...judged],
    executions: 1,
    epochs: 2,
    epochMinutes: 12,
    allowed: true,
    allowedFrom: ['B', 'C'],
  },
  {
    name: 'an hour that is still to be credited',
    facts: { isCredited: true },
    actors: [closing],
    contested: [deployments],
    epochs: 1,
    allowed: true,
  },
  {
    name: 'another incident at any time',
    actors: [secondIncident],
    contested: [rollbacks, ...incidents],
    epochs: 2,
    allowed: true,
  },
  {
    name: 'another incident beside one that another model explains',
    facts: { incident: { told: 'nothing', sequence: 0, muted: { by: 'root', episode: 'root-1' } } },
    actors: [secondIncident],
    contested: [rollbacks, ...incidents],
    epochs: 2,
    allowed: false,
  },
  {
    name: 'another incident beside one in which a rollback was done',
    facts: { history: { current: closed, past: [] } },
    actors: [secondIncident],
    contested: [rollbacks, ...incidents],
    epochs: 2,
    allowed: false,
  },
  { name: 'weights', kind: 'weights', actors: [deployment('weights', 'C')], epochs: 2, allowed: true },
  { name: 'a workflow', kind: 'workflow', actors: [deployment('workflow', 'C'), workflow], epochs: 2, allowed: true },
  { name: 'a dry run', dryRun: true, actors: [deployment('endpoint', 'C')], epochs: 2, allowed: false },
  { name: 'a forged verdict', facts: { isEvidenced: false }, epochs: 2, allowed: false },
  { name: 'a green verdict', facts: { verdict: { tier: 'green' } }, epochs: 1, allowed: false },
  { name: 'freshness', facts: { verdict: { sloKind: 'freshness' } }, epochs: 1, allowed: false },
  { name: 'silence', facts: { verdict: { kind: 'silence' } }, epochs: 1, allowed: false },
  { name: 'an old verdict', facts: { verdict: { end: noon - 40 * minute } }, epochs: 2, allowed: false },
  { name: 'few events', facts: { verdict: { valid: 99 } }, epochs: 1, allowed: false },
  {
    name: 'trouble from before the deployment',
    facts: {
      verdict: { since: noon - 40 * minute },
      deployed: { began: noon - 22 * minute, since: noon - 20 * minute },
    },
    epochs: 2,
    allowed: false,
  },
  { name: 'no target that is known to be good', facts: { proven: 'no' }, epochs: 1, allowed: false },
  { name: 'a target whose good name is forged', facts: { proven: 'unevidenced' }, epochs: 1, allowed: false },
  {
    name: 'a rollback two hours ago',
    facts: { history: { past: [{ episode: 'other', time: noon - 2 * hour, changed: true }] } },
    epochs: 2,
    allowed: false,
  },
  {
    name: 'a rollback earlier in the same incident',
    facts: { history: { current: closed, past: [] } },
    epochs: 2,
    allowed: false,
  },
  {
    name: 'an update under way',
    facts: { serving: { status: 'changing', pending: 'C' } },
    epochs: 3,
    allowed: false,
  },
];

/** Never two, never of a version that was not judged, never to a target that is not known to be good. */
function findWrong({ changes, workflows, blamed }: WorldState, kind: LeverKind, allowed: boolean): string | undefined {
  const [first, second] = changes;
  if (first && !allowed) return `a rollback from ${first.from} to ${first.to}`;
  if (second || workflows.length > 1) return 'two rollbacks';
  if (!first) return undefined;
  if (!blamed.includes(first.from)) return `rolled ${first.from} back, which was not judged`;
  if (first.to !== configName(kind, 'A')) return `rolled back to ${first.to}, which is not known to be good`;
  if (!first.wasRed) return 'rolled back what was not red any more';
  return first.isEvidenced ? undefined : 'rolled back without evidence of the intent';
}

async function run(scenario: Scenario, step = stepRollback) {
  const { kind = 'endpoint', facts = {}, dryRun = false, actors = [], allowed } = scenario;
  const { executions = 2, epochs, epochMinutes = 4, contested = [rollbacks] } = scenario;
  const start = await createWorldState({ kind, ...facts });
  return explore(start, {
    step,
    deployed: createPolicy(kind, { dryRun }),
    kind,
    actors,
    contested,
    executions,
    epochs,
    epochMinutes,
    findWrong: (world) => findWrong(world, kind, allowed),
  });
}

describe('every interleaving of executions, evaluators and a deployment', () => {
  test.each(scenarios)(
    '$name',
    async (scenario) => {
      const { wrong, states, worlds } = await run(scenario);
      expect(wrong).toBeUndefined();
      const { kind = 'endpoint', allowed, allowedFrom = ['B'] } = scenario;
      const from = new Set(worlds.flatMap(({ changes }) => changes.map((change) => change.from)));
      expect(from).toEqual(new Set(allowed ? allowedFrom.map((label) => configName(kind, label)) : []));
      // What may be done is done in many ways, what may not is refused in few.
      expect(states).toBeGreaterThan(allowed ? 300 : 3);
    },
    120_000,
  );
});

describe('a mutated implementation is caught', () => {
  test.each(mutants)(
    'one that $name',
    async (mutant) => {
      const scenario = scenarios.find(({ name }) => name === mutant.scenario);
      if (!scenario) throw new Error(`expected a scenario ${mutant.scenario}`);
      const { wrong } = await run(scenario, await loadMutant(mutant));
      expect(wrong).toMatch(/rollback|rolled/);
    },
    120_000,
  );

  test('ten at least', () => {
    expect(mutants.length).toBeGreaterThanOrEqual(10);
  });
});
