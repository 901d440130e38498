/** One line of an object. */
export interface Line {
  /** 1-based; blank lines count. */
  readonly number: number;
  /** Byte offset of its first byte. */
  readonly offset: number;
  /** Bytes without the newline (`\n` or `\r\n`). */
  readonly length: number;
  /** Undefined where the line is longer than the limit: its bytes were not kept. */
  readonly bytes: Uint8Array | undefined;
  /** False for the rest after the last newline. */
  readonly terminated: boolean;
}

const newline = 0x0a;
const carriageReturn = 0x0d;

/**
 * Cuts a stream of chunks into lines, whatever the chunking. Keeps at most `lineBytes` of an unfinished line; the rest
 * of a longer one is counted and forgotten.
 */
export class LineSplitter {
  readonly #lineBytes: number;
  #parts: Uint8Array[] = [];
  #length = 0;
  #number = 1;
  #offset = 0;

  constructor(lineBytes: number) {
    this.#lineBytes = lineBytes;
  }

  /** The number and offset of the line that would come next. */
  get position(): { readonly number: number; readonly offset: number; readonly length: number } {
    return { number: this.#number, offset: this.#offset, length: this.#length };
  }

  /** The lines that this chunk completes. Their bytes may share the chunk's memory. */
  *push(chunk: Uint8Array): Generator<Line> {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(newline, start);
      if (end < 0) break;
      const line = this.#finish(chunk.subarray(start, end), true);
      start = end + 1;
      yield line;
    }
    this.#keep(chunk.subarray(start));
  }

  /** The rest after the last newline, if there is one. */
  end(): Line | undefined {
    return this.#length === 0 ? undefined : this.#finish(new Uint8Array(0), false);
  }

  #keep(part: Uint8Array): void {
    if (part.length === 0) return;
    this.#length += part.length;
    if (this.#length > this.#lineBytes) this.#parts = [];
    // Copied: a long chunk must not stay in memory, nor be overwritten by its owner, for the sake of its last bytes.
    else this.#parts.push(part.slice());
  }

  #finish(last: Uint8Array, terminated: boolean): Line {
    const stored = this.#length + last.length;
    const bytes = stored > this.#lineBytes ? undefined : withoutCarriageReturn(joined(this.#parts, last));
    const line = { number: this.#number, offset: this.#offset, length: bytes?.length ?? stored, bytes, terminated };
    this.#parts = [];
    this.#length = 0;
    this.#number += 1;
    this.#offset += stored + (terminated ? 1 : 0);
    return line;
  }
}

function joined(parts: readonly Uint8Array[], last: Uint8Array): Uint8Array {
  if (parts.length === 0) return last;
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, last.length));
  let at = 0;
  for (const part of [...parts, last]) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function withoutCarriageReturn(bytes: Uint8Array): Uint8Array {
  return bytes.at(-1) === carriageReturn ? bytes.subarray(0, -1) : bytes;
}
