import { createHash } from 'node:crypto';
import type { stepRollback } from '../../core/pipeline/rollback.ts';
import { type Actor, beginTurns } from './rollback-actors.ts';
import {
  connect,
  type Deployed,
  type Gate,
  type LeverKind,
  minute,
  model,
  settleServing,
  type WorldState,
} from './rollback-world.ts';

export interface Exploration {
  readonly step: typeof stepRollback;
  readonly deployed: Deployed;
  readonly kind: LeverKind;
  /** Who acts beside the executions. */
  readonly actors: readonly Actor[];
  /** Partitions whose rows of the model others write meanwhile, or executions write against each other. */
  readonly contested: readonly string[];
  /** Executions at a time. */
  readonly executions: number;
  /** Times that all processes end at any point, minutes pass, and new ones begin. */
  readonly epochs: number;
  readonly epochMinutes: number;
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

interface Answer {
  readonly label: string;
  readonly answer: unknown;
  readonly isLost: boolean;
}

/**
 * A call of the real code, held before one of its effects: the answers that it was given say how it got there. Each step of a
 * rollback begins with asking what is served and remembers nothing of the step before, so only the answers before the first
 * and since the last such question are kept.
 */
interface Execution {
  readonly answers: readonly Answer[];
  /** Answers before the first question of what is served; undefined: it was not asked yet. */
  readonly prologue: number | undefined;
  /** The effect it waits before; undefined: it is over. */
  readonly waitsFor: string | undefined;
  /** Two executions of one identity go on alike. */
  readonly identity: string;
}

interface Node {
  readonly world: WorldState;
  readonly executions: readonly Execution[];
  readonly way: readonly string[];
}

const unstarted: Execution = { answers: [], prologue: undefined, waitsFor: undefined, identity: '' };
/** Rows that executions write. */
const written = [`rollbacks ${model}`, `deployments ${model}`];
const lost = new Error('the answer was lost');

/**
 * Every interleaving of executions and actors, with a process that dies at any of its steps, an answer that is lost after the
 * change was taken, and updates that end or go on while time passes. Two ways that lead to the same world and the same
 * processes go on alike, so each such state is entered once; and a row that nobody else can write any more is read, or
 * written, at once, for nothing that comes first could change it.
 */
export async function explore(start: WorldState, exploration: Exploration): Promise<Explored> {
  let states = 0;
  let worlds = new Map([[worldText(start), start]]);
  const entered = new Set(worlds.keys());
  for (let epoch = 0; epoch < exploration.epochs; epoch++) {
    const next = new Map<string, WorldState>();
    const nodes = new Set<string>();
    for (const world of worlds.values()) {
      const epochOf = await exploreEpoch(world, exploration, nodes);
      states += epochOf.states;
      if (epochOf.wrong !== undefined) return { wrong: `epoch ${epoch}, ${epochOf.wrong}`, states, worlds: [] };
      for (const ended of epochOf.worlds) {
        for (const isSettled of ended.serving.status === 'changing' ? [true, false] : [false]) {
          const later = passTime(ended, exploration.epochMinutes, isSettled);
          const text = worldText(later);
          if (!entered.has(text)) next.set(text, later);
          entered.add(text);
        }
      }
    }
    worlds = next;
  }
  return { states, worlds: [...worlds.values()] };
}

function passTime(ended: WorldState, minutes: number, isSettled: boolean): WorldState {
  const later = { ...ended, now: ended.now + minutes * minute };
  beginTurns(later);
  const live = later.rows.find(([name]) => name === `models|${model}`);
  later.wasRed = live?.[1].includes('"tier":"red"') ?? false;
  if (isSettled) settleServing(later);
  return later;
}

/** @param entered states of the epoch that were entered, from wherever it began */
async function exploreEpoch(start: WorldState, exploration: Exploration, entered: Set<string>): Promise<Explored> {
  const before = entered.size;
  const worlds = new Map<string, WorldState>();
  let root: Node = { world: start, executions: [], way: [] };
  for (let index = 0; index < exploration.executions; index++) {
    const world = { ...root.world };
    root = { world, executions: [...root.executions, await advance(unstarted, world, exploration, false)], way: [] };
  }
  const open = [root];
  for (let node = open.pop(); node; node = open.pop()) {
    const text = worldText(node.world);
    const state = `${text} ${node.executions.map(({ identity }) => identity).sort()}`;
    if (entered.has(state)) continue;
    entered.add(state);
    const wrong = exploration.findWrong(node.world);
    if (wrong !== undefined)
      return { wrong: `${node.way.join(', ')}: ${wrong}`, states: entered.size - before, worlds: [] };
    if (!worlds.has(text)) worlds.set(text, node.world);
    for (const next of await successors(node, exploration)) open.push(next);
  }
  return { states: entered.size - before, worlds: [...worlds.values()] };
}

async function successors({ world, executions, way }: Node, exploration: Exploration): Promise<readonly Node[]> {
  const nodes: Node[] = [];
  const isAlone = executions.filter(({ waitsFor }) => waitsFor !== undefined).length === 1;
  const isWritable = (label = '') =>
    ['describe', 'change'].includes(label) ||
    (!isAlone && written.some((row) => label.endsWith(row))) ||
    exploration.actors.some((actor) => actor.mayWrite(world).some((row) => label.endsWith(row)));
  const free = executions.findIndex(({ waitsFor }) => waitsFor !== undefined && !isWritable(waitsFor));
  if (free >= 0) {
    const after = { ...world };
    const advanced = await advance(executions[free] ?? unstarted, after, exploration, false);
    return [{ world: after, executions: executions.with(free, advanced), way: [...way, `${free}`] }];
  }
  const tried = new Set<string>();
  for (const [index, execution] of executions.entries()) {
    // Of two that would go on alike one is enough.
    if (execution.waitsFor === undefined || tried.has(execution.identity)) continue;
    tried.add(execution.identity);
    for (const isLost of execution.waitsFor === 'change' ? [false, true] : [false]) {
      const after = { ...world };
      const advanced = await advance(execution, after, exploration, isLost);
      const step = `${index}: ${execution.waitsFor}${isLost ? ' (answer lost)' : ''}`;
      nodes.push({ world: after, executions: executions.with(index, advanced), way: [...way, step] });
    }
  }
  for (const actor of exploration.actors) {
    for (const choice of actor.choices(world)) {
      const after = { ...world };
      await actor.take(after, choice);
      nodes.push({ world: after, executions, way: [...way, choice] });
    }
  }
  return nodes;
}

/**
 * Lets an execution on: the effect that it waits before, and all that follows it up to the next one that it is held before.
 * The real code is called anew and given the answers it had.
 */
async function advance(
  execution: Execution,
  world: WorldState,
  { step, deployed, kind, contested }: Exploration,
  isLost: boolean,
): Promise<Execution> {
  const given = [...execution.answers];
  let answers = [...execution.answers];
  let { prologue } = execution;
  let isLetOn = execution.waitsFor !== undefined;
  const { promise, resolve, reject } = Promise.withResolvers<string | undefined>();
  const isHeld = (label: string) =>
    label === 'describe' ||
    label === 'change' ||
    contested.some((name) => label === `get ${name}` || label === `put ${name}`);
  const gate: Gate = async <T>(label: string, effect: () => T): Promise<T> => {
    const at = given.findIndex((one) => one.label === label);
    if (at >= 0) {
      const [known] = given.splice(at, 1);
      if (known?.isLost) throw lost;
      return known?.answer as T;
    }
    const held = isHeld(label);
    if (held && !isLetOn) {
      resolve(label);
      return new Promise<never>(() => {});
    }
    if (held) {
      isLetOn = false;
      if (given.length > 0) reject(new Error(`${label}: expected to be asked for ${given[0]?.label} as before`));
    }
    if (label === 'describe') {
      prologue ??= answers.length;
      answers = answers.slice(0, prologue);
    }
    const answer = effect();
    const lostNow = isLost && label === 'change';
    answers.push({ label, answer, isLost: lostNow });
    if (lostNow) throw lost;
    return answer;
  };
  step(deployed.policy, deployed.rollback, deployed.fleet, connect(world, kind, gate)).then(
    () => resolve(undefined),
    (error: unknown) => (error === lost ? resolve(undefined) : reject(error)),
  );
  const waitsFor = await promise;
  if (waitsFor === undefined) return { answers: [], prologue, waitsFor, identity: 'over' };
  const identity = hashText(
    `${waitsFor}\n${answers
      .slice(prologue ?? 0)
      .map(describeAnswer)
      .join('\n')}`,
  );
  return { answers, prologue, waitsFor, identity };
}

/** Objects are written once: that there is one says all, and who wrote it first nothing. */
function describeAnswer({ label, answer }: Answer): string {
  if (!/^(state|audit) /.test(label)) return `${label} ${JSON.stringify(answer)}`;
  return / list /.test(label)
    ? `${label} ${String(answer)}`
    : `${label} ${answer !== undefined && answer !== 'different'}`;
}

const hashes = new WeakMap<object, string>();

/** Members are replaced, never changed: each is read once. */
function worldText(world: WorldState): string {
  // What people were told is read by nobody.
  const parts = Object.values({ ...world, messages: '' }).map((member: unknown) => {
    if (typeof member !== 'object' || member === null) return String(member);
    const known = hashes.get(member);
    if (known !== undefined) return known;
    const hash = hashText(JSON.stringify(member));
    hashes.set(member, hash);
    return hash;
  });
  return parts.join(' ');
}

function hashText(text: string): string {
  return createHash('sha1').update(text).digest('base64');
}
