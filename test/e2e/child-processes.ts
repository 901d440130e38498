import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';

export interface Command {
  readonly program: string;
  readonly arguments: readonly string[];
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Takes standard output and standard error. */
  readonly log: string;
}

/** A command that failed, or took too long. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

/**
 * The processes this run started, each in a process group of its own, so that what they start goes with them. Nothing
 * else is ever signalled.
 */
export class ChildProcesses {
  readonly #running = new Set<ChildProcess>();

  constructor() {
    process.once('exit', () => this.stopNow());
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.once(signal, () => {
        process.stdout.write(`\nstopped by ${signal}\n`);
        process.exit(signal === 'SIGINT' ? 130 : 143);
      });
    }
  }

  /** Starts a command and leaves it running. */
  start({ program, arguments: args, folder, environment, log }: Command): ChildProcess {
    const child = spawn(program, args, {
      cwd: folder,
      env: environment,
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const file = createWriteStream(log, { flags: 'a' });
    child.stdout?.pipe(file, { end: false });
    child.stderr?.pipe(file, { end: false });
    this.#running.add(child);
    // Whoever waits for it hears of the failure; without a listener it would end this process.
    child.on('error', () => this.#running.delete(child));
    return child;
  }

  /**
   * Runs a command to its end.
   * @returns what it wrote, standard output and standard error together.
   * @throws {CommandError} where it ends with another status than 0, or not in time.
   */
  async run(command: Command, timeoutSeconds: number): Promise<string> {
    const named = [command.program, ...command.arguments].join(' ');
    const child = this.start(command);
    let output = '';
    const keep = (chunk: Buffer) => {
      output += chunk.toString('utf8');
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    child.stdin?.end();
    const status = await new Promise<number | NodeJS.Signals | Error | 'late'>((resolve) => {
      const timer = setTimeout(() => resolve('late'), timeoutSeconds * 1000);
      child.once('error', resolve);
      child.once('close', (code, signal) => {
        clearTimeout(timer);
        resolve(code ?? signal ?? 'late');
      });
    });
    await this.stop(child);
    if (status === 0) return output;
    const why =
      status === 'late'
        ? `not done after ${timeoutSeconds} s`
        : status instanceof Error
          ? status.message
          : `ended with ${status}`;
    throw new CommandError(`${named}: ${why}\n${output.slice(-4000)}`);
  }

  /** Ends a process and all that it started: politely, and after two seconds not. */
  async stop(child: ChildProcess): Promise<void> {
    if (!this.#running.has(child)) return;
    signalGroup(child, 'SIGTERM');
    for (let tries = 0; tries < 40 && isGroupAlive(child); tries++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    signalGroup(child, 'SIGKILL');
    this.#running.delete(child);
  }

  /** Ends a process and all that it started at once, as a crash would. */
  async kill(child: ChildProcess): Promise<void> {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    signalGroup(child, 'SIGKILL');
    this.#running.delete(child);
    if (child.exitCode === null && child.signalCode === null) await ended;
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#running].map((child) => this.stop(child)));
  }

  /** The last resort, when this process ends: no waiting. */
  stopNow(): void {
    for (const child of this.#running) signalGroup(child, 'SIGKILL');
    this.#running.clear();
  }
}

/** Whether a process of the group is left. */
export function isGroupAlive({ pid }: ChildProcess): boolean {
  if (pid === undefined) return false;
  try {
    process.kill(-pid, 0);
    return true;
  } catch {
    return false;
  }
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // The group is gone already.
  }
}
