import type { stepRollback } from '../../core/pipeline/rollback.ts';
import {
  changeServing,
  connect,
  copyWorld,
  type Deployed,
  hashText,
  type LeverKind,
  minute,
  settleServing,
  type WorldState,
} from './rollback-world.ts';

/** One call of the real code, held at every call of a port until it is let on. */
class Execution {
  waitsFor: string | undefined;
  isOver = false;
  failure: unknown;
  /**
   * Answers since it last asked what is served. What it will do next follows from them alone: each step of a rollback begins
   * with that question and with the row, and remembers nothing of the step before.
   */
  answers = '';
  #arrival = Promise.withResolvers<void>();
  #goOn: (isLost: boolean) => void = () => {};

  /** Resolves where it waits again, or is over. */
  get arrival(): Promise<void> {
    return this.#arrival.promise;
  }

  start(call: (gate: <T>(label: string, effect: () => T) => Promise<T>) => Promise<unknown>): void {
    const gate = async <T>(label: string, effect: () => T): Promise<T> => {
      this.waitsFor = label;
      const { promise, resolve } = Promise.withResolvers<boolean>();
      this.#goOn = resolve;
      this.#arrival.resolve();
      const isLost = await promise;
      const answer = effect();
      const known = label === 'describe' ? '' : this.answers;
      this.answers = hashText(`${known}${label}${isLost}${JSON.stringify(answer)}`);
      if (isLost) throw new Error('the answer was lost');
      return answer;
    };
    call(gate)
      .catch((error: unknown) => {
        this.failure = error;
      })
      .finally(() => {
        this.isOver = true;
        this.waitsFor = undefined;
        this.#arrival.resolve();
      });
  }

  async letOn(isLost: boolean): Promise<void> {
    this.#arrival = Promise.withResolvers<void>();
    this.#goOn(isLost);
    await this.arrival;
  }
}

export interface Exploration {
  readonly step: typeof stepRollback;
  readonly deployed: Deployed;
  readonly kind: LeverKind;
  /** What a deployment brings, at any time; absent: nobody deploys. */
  readonly deploys?: string | undefined;
  /** Executions at a time. */
  readonly executions: number;
  /** Times that all processes end at any point, minutes pass, and new ones begin. */
  readonly epochs: number;
  /** What is wrong with a world, if anything. */
  readonly findWrong: (world: WorldState) => string | undefined;
}

export interface Explored {
  /** The first thing found wrong, and by which way. */
  readonly wrong?: string | undefined;
  /** Different states seen, of world and processes together. */
  readonly states: number;
  /** Worlds in which everything may have ended. */
  readonly worlds: readonly WorldState[];
}

/**
 * Every interleaving of executions and a deployment, with a process that dies at any of its steps, an answer that is lost
 * after the change was taken, and updates that end or go on while time passes. Two ways that lead to the same world and the
 * same answers given to each process go on alike, so each such state is entered once.
 */
export async function explore(start: WorldState, exploration: Exploration): Promise<Explored> {
  let states = 0;
  let worlds = new Map([[JSON.stringify(start), start]]);
  const entered = new Set(worlds.keys());
  for (let epoch = 0; epoch < exploration.epochs; epoch++) {
    const next = new Map<string, WorldState>();
    for (const world of worlds.values()) {
      const epochOf = await exploreEpoch(world, exploration);
      states += epochOf.states;
      if (epochOf.wrong !== undefined) return { wrong: `epoch ${epoch}, ${epochOf.wrong}`, states, worlds: [] };
      for (const ended of epochOf.worlds) {
        for (const isSettled of ended.serving.status === 'changing' ? [true, false] : [false]) {
          const later = copyWorld(ended);
          later.now += 4 * minute;
          if (isSettled) settleServing(later);
          const text = JSON.stringify(later);
          if (!entered.has(text)) next.set(text, later);
          entered.add(text);
        }
      }
    }
    worlds = next;
  }
  return { states, worlds: [...worlds.values()] };
}

async function exploreEpoch(start: WorldState, exploration: Exploration): Promise<Explored> {
  const entered = new Set<string>();
  const worlds = new Map<string, WorldState>();
  const open: string[][] = [[]];
  for (let path = open.pop(); path; path = open.pop()) {
    const walk = await beginWalk(start, exploration);
    for (const choice of path) await walk.take(choice);
    const way = [...path];
    for (;;) {
      const wrong = exploration.findWrong(walk.world) ?? walk.failure();
      if (wrong !== undefined) return { wrong: `${way.join(' ')}: ${wrong}`, states: entered.size, worlds: [] };
      const world = JSON.stringify(walk.world);
      const state = hashText(world + walk.executions.map(({ answers }) => answers).sort());
      if (entered.has(state)) break;
      entered.add(state);
      if (!worlds.has(world)) worlds.set(world, copyWorld(walk.world));
      const [first, ...others] = walk.choices();
      if (first === undefined) break;
      for (const other of others) open.push([...way, other]);
      await walk.take(first);
      way.push(first);
    }
  }
  return { states: entered.size, worlds: [...worlds.values()] };
}

async function beginWalk(start: WorldState, { step, deployed, kind, deploys, executions: count }: Exploration) {
  const world = copyWorld(start);
  const executions = Array.from({ length: count }, () => new Execution());
  for (const execution of executions) {
    execution.start((gate) => step(deployed.policy, deployed.rollback, deployed.fleet, connect(world, kind, gate)));
    await execution.arrival;
  }
  const mayDeploy = () =>
    deploys !== undefined && world.serving.status === 'ready' && !world.messages.includes('deployed');
  return {
    world,
    executions,
    failure: () => {
      const failed = executions.find(({ failure }) => failure !== undefined && !isLostAnswer(failure));
      return failed && `an execution failed: ${String(failed.failure)}`;
    },
    choices: () => [
      ...executions.flatMap(({ isOver, waitsFor }, index) => {
        if (isOver) return [];
        return waitsFor === 'change' ? [`${index}`, `${index}!`] : [`${index}`];
      }),
      ...(mayDeploy() ? ['deploy'] : []),
    ],
    take: async (choice: string) => {
      if (choice === 'deploy') {
        world.messages.push('deployed');
        changeServing(world, kind, deploys ?? '');
        return;
      }
      await executions[Number(choice[0])]?.letOn(choice.endsWith('!'));
    },
  };
}

function isLostAnswer(error: unknown): boolean {
  return error instanceof Error && error.message === 'the answer was lost';
}
