import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const minute = 60_000;

/** Clocks of the functions. Each shows the time until it is put forward or back, and goes on from there. */
export class Clocks {
  readonly #folder: string;
  readonly #offsets = new Map<string, number>();

  /** @param handlers that have a clock of their own */
  constructor(folder: string, handlers: readonly string[]) {
    this.#folder = join(folder, 'clocks');
    mkdirSync(this.#folder, { recursive: true });
    for (const handler of handlers) this.#set(handler, 0);
  }

  /** What a function's process is given, so that it goes by the clock. */
  fileOf(handler: string): string {
    return join(this.#folder, handler);
  }

  /** What a function's clock shows, milliseconds since the epoch. */
  read(handler: string): number {
    return Date.now() + (this.#offsets.get(handler) ?? 0);
  }

  /** @param time that it shows from now on, milliseconds since the epoch */
  turn(handler: string, time: number): void {
    this.#set(handler, time - Date.now());
  }

  advance(handler: string, minutes: number): void {
    this.turn(handler, this.read(handler) + minutes * minute);
  }

  /** Back to the time of day. */
  release(handler: string): void {
    this.#set(handler, 0);
  }

  /** Written aside: a function never reads half of it. */
  #set(handler: string, offset: number): void {
    this.#offsets.set(handler, offset);
    const aside = join(this.#folder, `.${handler}`);
    writeFileSync(aside, String(Math.round(offset)));
    renameSync(aside, this.fileOf(handler));
  }
}
