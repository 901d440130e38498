import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Door, Fault, ServiceRequest } from './door.ts';
import type { Emulator } from './emulator.ts';

const reading = new Set(['GET', 'HEAD', 'GetItem', 'Query', 'Scan', 'GetMetricData', 'GetSecretValue']);

/** @param mentions of which the write must name one */
function isWrite({ operation, path, body }: ServiceRequest, mentions: readonly string[]): boolean {
  return !reading.has(operation) && mentions.some((one) => `${path} ${body}`.includes(one));
}

/** Answers every write that names something with an outage of its service. */
export function refuseWrites(mentions: string): Fault {
  return (request) => (isWrite(request, [mentions]) ? { status: 503, headers: {}, body: '' } : 'pass');
}

/** Ends the processes in which the emulator runs a function, at once. Only the emulator's own group is looked at. */
export async function killFunction({ processGroup }: Emulator, functionName: string): Promise<number> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,pgid=,args='], { maxBuffer: 16 * 1024 * 1024 });
  let killed = 0;
  for (const line of stdout.split('\n')) {
    const [, pid, group, command = ''] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    if (Number(group) !== processGroup || !command.includes(`/ministack-lambda-${functionName}-`)) continue;
    try {
      process.kill(Number(pid), 'SIGKILL');
      killed++;
    } catch {
      // It ended by itself.
    }
  }
  return killed;
}

/**
 * Kills a function after each of its writes in turn: an attempt ends with the first successful write after which none
 * was killed before. The write stands, its answer never arrives.
 */
export class Killer {
  readonly #writes: string[] = [];
  readonly #emulator: Emulator;
  readonly #door: Door;
  readonly #functionName: string;
  readonly #mentions: readonly string[];
  #counts = new Map<string, number>();
  #armed = false;
  #pending: Promise<unknown> = Promise.resolve();

  /** @param mentions of which a write must name one to count; '' is named by every write. */
  constructor(emulator: Emulator, door: Door, functionName: string, mentions: readonly string[]) {
    this.#emulator = emulator;
    this.#door = door;
    this.#functionName = functionName;
    this.#mentions = mentions;
  }

  /** The writes it was killed after, in their order. */
  get writes(): readonly string[] {
    return this.#writes;
  }

  /** Before an attempt. @returns how many kills there have been. */
  arm(): number {
    this.#counts = new Map();
    this.#armed = true;
    this.#door.fault = (request) => {
      if (!this.#armed || !isWrite(request, this.#mentions)) return 'pass';
      const write = this.#name(request);
      if (this.#writes.includes(write)) return 'pass';
      return { afterSuccess: () => this.#strike(write) };
    };
    return this.#writes.length;
  }

  /** No more kills; those under way have happened. */
  async disarm(): Promise<void> {
    this.#armed = false;
    this.#door.fault = undefined;
    await this.#pending;
  }

  /** What else was under way meets the same end. */
  #strike(write: string): Promise<unknown> {
    if (this.#armed) {
      this.#armed = false;
      this.#counts = new Map();
      this.#writes.push(write);
      this.#pending = killFunction(this.#emulator, this.#functionName);
    }
    return this.#pending;
  }

  /** Like writes of one attempt are told apart by their number. */
  #name({ operation, path, body }: ServiceRequest): string {
    const row = /"pk":\{"S":"([^"]*)"\}/.exec(body)?.[1];
    const object = decodeURIComponent(path.split('?')[0] ?? '')
      .split('/')
      .slice(2, 3)[0];
    const write = [operation, row ?? (operation === 'PUT' ? object : undefined)].filter(Boolean).join(' ');
    const number = (this.#counts.get(write) ?? 0) + 1;
    this.#counts.set(write, number);
    return number === 1 ? write : `${write} #${number}`;
  }
}

/** As often as SQS delivers a message before it gives up. */
const attemptsWithoutKill = 5;

/**
 * Repeats an attempt, killed after each write in turn, until it gets through.
 * @param attempt resolves where it got through, and rejects where the function failed.
 * @throws the function's error where it keeps failing without being killed.
 */
export async function repeatUntilThrough(killer: Killer, attempt: () => Promise<unknown>): Promise<void> {
  for (let unharmed = 0; ; ) {
    const before = killer.arm();
    const failure = await attempt().then(
      () => undefined,
      (error: unknown) => error,
    );
    await killer.disarm();
    if (killer.writes.length > before) continue;
    if (failure === undefined) return;
    // The emulator may have given it to a process that was just killed.
    if (++unharmed === attemptsWithoutKill) throw failure;
  }
}
