import { describe, expect, test } from 'vitest';
import type { RollbackAct } from '../../core/model/rollback.ts';
import { stepRollback } from '../../core/pipeline/rollback.ts';
import { explore } from './interleavings.ts';
import { loadMutant, mutants } from './rollback-mutants.ts';
import {
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
  readonly deploys?: string;
  /** Two by default. */
  readonly executions?: number;
  readonly epochs: number;
  /** Whether a rollback may be done at all. */
  readonly allowed: boolean;
}

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
  { name: 'a deployment at any time', deploys: 'C', epochs: 3, allowed: true },
  { name: 'what is red deployed once more at any time', deploys: 'B', epochs: 2, allowed: true },
  { name: 'a deployment of an alias at any time', kind: 'alias', deploys: 'C', epochs: 2, allowed: true },
  { name: 'nothing but itself', kind: 'unfenced', epochs: 3, allowed: true },
  { name: 'three executions at a time', kind: 'unfenced', executions: 3, epochs: 1, allowed: true },
  { name: 'a dry run', dryRun: true, deploys: 'C', epochs: 2, allowed: false },
  { name: 'a forged verdict', facts: { isEvidenced: false }, epochs: 2, allowed: false },
  { name: 'a green verdict', facts: { verdict: { tier: 'green' } }, epochs: 1, allowed: false },
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

/** Never two, never of another version than the one judged, never to a target that is not known to be good. */
function findWrong(world: WorldState, allowed: boolean): string | undefined {
  const [first, second] = world.changes;
  if (first && !allowed) return `a rollback from ${first.from} to ${first.to}`;
  if (second) return 'two rollbacks';
  if (first && first.from !== 'B') return `rolled ${first.from} back, which was not judged`;
  if (first && first.to !== 'A') return `rolled back to ${first.to}, which is not known to be good`;
  return first && !first.isEvidenced ? 'rolled back without evidence of the intent' : undefined;
}

async function run(scenario: Scenario, step = stepRollback) {
  const { kind = 'endpoint', facts = {}, dryRun = false, deploys, executions = 2, epochs, allowed } = scenario;
  const deployed = createPolicy(kind, { dryRun });
  const start = await createWorldState(facts);
  return explore(start, {
    step,
    deployed,
    kind,
    deploys,
    executions,
    epochs,
    findWrong: (world) => findWrong(world, allowed),
  });
}

describe('every interleaving of two executions and a deployment', () => {
  test.each(scenarios)(
    '$name',
    async (scenario) => {
      const { wrong, states, worlds } = await run(scenario);
      expect(wrong).toBeUndefined();
      expect(worlds.some(({ changes }) => changes.length === 1)).toBe(scenario.allowed);
      // What may be done is done in many ways, what may not is refused in few.
      expect(states).toBeGreaterThan(scenario.allowed ? 300 : 3);
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
