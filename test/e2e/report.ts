/** What the run says: one line per fact, and a count of the checks that failed. */
export class Report {
  readonly #started = performance.now();
  readonly #failures: string[] = [];
  #checks = 0;

  get failures(): readonly string[] {
    return this.#failures;
  }

  get checks(): number {
    return this.#checks;
  }

  /** Seconds since the run began. */
  get elapsedSeconds(): number {
    return (performance.now() - this.#started) / 1000;
  }

  title(text: string): void {
    this.#write(`\n== ${text}`);
  }

  say(text: string): void {
    this.#write(`   ${text}`);
  }

  /** Records a check. It does not stop the run: one failure should not hide the next. */
  check(what: string, holds: boolean, seen?: unknown): boolean {
    this.#checks++;
    if (holds) this.#write(`ok ${what}`);
    else {
      const failure = seen === undefined ? what : `${what}: saw ${describe(seen)}`;
      this.#failures.push(failure);
      this.#write(`NOT OK ${failure}`);
    }
    return holds;
  }

  equal(what: string, seen: unknown, expected: unknown): boolean {
    const [a, b] = [describe(seen), describe(expected)];
    return this.check(a === b ? what : `${what}: expected ${b}`, a === b, seen);
  }

  /** Equal to nine significant digits: both sides add up the same numbers in other orders. */
  close(what: string, seen: number | undefined, expected: number): boolean {
    const holds = seen !== undefined && Math.abs(seen - expected) <= 1e-9 * Math.max(1e-3, Math.abs(expected));
    return this.check(holds ? `${what} = ${expected}` : `${what}: expected ${expected}`, holds, seen ?? 'nothing');
  }

  #write(line: string): void {
    process.stdout.write(`${this.elapsedSeconds.toFixed(1).padStart(6)} ${line}\n`);
  }
}

function describe(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
}

/** Waits until `look` gives something. @throws {Error} when it has not in time. */
export async function waitFor<T>(
  what: string,
  timeoutSeconds: number,
  look: () => Promise<T | undefined>,
  intervalSeconds = 0.25,
): Promise<T> {
  const end = performance.now() + timeoutSeconds * 1000;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > end) throw new Error(`waited ${timeoutSeconds} s for ${what}, saw none`);
    await new Promise((resolve) => setTimeout(resolve, intervalSeconds * 1000));
  }
}
