import { parseCsv } from './csv.ts';
import type { DecodeLimits } from './decode-plan.ts';
import { countOf, Fault } from './fault.ts';
import { decompress } from './gunzip.ts';
import { type Line, LineSplitter } from './line-splitter.ts';

/** A CSV record: one line, or several where a quoted field holds newlines. */
export interface CsvRecord {
  /** 1-based number of its first line. */
  readonly line: number;
  /** Byte offset of its first byte in the decompressed file. */
  readonly offset: number;
  /** Bytes, without the last newline. */
  readonly length: number;
  readonly fields: readonly string[] | Fault;
}

/**
 * The records of a CSV file (RFC 4180, gzip detected), streaming. Empty lines between records are skipped; a newline
 * inside a quoted field is always `\n`. A quote that is never closed costs the line it stands on, not those after it.
 */
export async function* readCsvRecords(
  chunks: AsyncIterable<Uint8Array>,
  limits: DecodeLimits,
): AsyncGenerator<CsvRecord> {
  const splitter = new LineSplitter(limits.lineBytes);
  const joiner = new LineJoiner(limits.lineBytes);
  for await (const item of decompress(chunks, limits.decompressedBytes)) {
    if (item instanceof Fault) {
      const { number, offset, length } = splitter.position;
      yield* joiner.end();
      yield { line: number, offset, length, fields: item };
      return;
    }
    for (const line of splitter.push(item)) yield* joiner.push(line);
  }
  const rest = splitter.end();
  if (rest) yield* joiner.push(rest);
  yield* joiner.end();
}

interface TextLine {
  readonly line: Line;
  readonly text: string;
}

/** Joins the lines of a record whose quotes are still open. */
class LineJoiner {
  readonly #limit: number;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  /** Lines of a record that began with a quote not yet closed. */
  #open: TextLine[] = [];
  #openLength = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  *push(line: Line): Generator<CsvRecord> {
    const text = this.#decode(line);
    if (text instanceof Fault) {
      yield* this.end();
      yield { line: line.number, offset: line.offset, length: line.length, fields: text };
    } else {
      yield* this.#join({ line, text });
    }
  }

  /** The quotes that are still open will not be closed: each line is read by itself. */
  *end(): Generator<CsvRecord> {
    const lines = this.#open;
    this.#open = [];
    this.#openLength = 0;
    for (const line of lines) yield* readRecord([line]);
  }

  *#join(line: TextLine): Generator<CsvRecord> {
    const state = followQuotes(line.text, this.#open.length > 0);
    if (state === 'broken' && this.#open.length > 0) {
      // This line shows that the quote was opened by mistake, and may begin a record of its own.
      yield* this.end();
      yield* this.#join(line);
    } else if (state === 'open') {
      this.#open.push(line);
      this.#openLength += line.line.length + 1;
      if (this.#openLength > this.#limit) yield* this.end();
    } else {
      const lines = [...this.#open, line];
      this.#open = [];
      this.#openLength = 0;
      yield* readRecord(lines);
    }
  }

  #decode(line: Line): string | Fault {
    if (!line.bytes) return new Fault('line-too-long', countOf(line.length, 'byte'), `at most ${this.#limit} bytes`);
    try {
      return this.#decoder.decode(line.bytes);
    } catch {
      return new Fault('bad-encoding', 'bytes that are no UTF-8', 'UTF-8 text');
    }
  }
}

function* readRecord(lines: readonly TextLine[]): Generator<CsvRecord> {
  const [first, last] = [lines[0]?.line, lines.at(-1)?.line];
  const text = lines.map((line) => line.text).join('\n');
  if (!first || !last || text === '') return;
  const place = { line: first.number, offset: first.offset, length: last.offset + last.length - first.offset };
  const rows = parseCsv(text, true);
  if (rows instanceof Fault) yield { ...place, fields: rows };
  else for (const fields of rows) yield { ...place, fields };
}

/**
 * Whether a quoted field is open at a line's end. `broken`: text follows a closing quote.
 * @param open whether one is open at its beginning
 */
function followQuotes(line: string, open: boolean): 'open' | 'closed' | 'broken' {
  let at = 0;
  let inside = open;
  for (;;) {
    if (!inside && line[at] === '"') {
      inside = true;
      at += 1;
    }
    if (inside) {
      at = closingQuote(line, at) + 1;
      if (at === 0) return 'open';
      if (at < line.length && line[at] !== ',') return 'broken';
    }
    inside = false;
    const comma = line.indexOf(',', at);
    if (comma < 0) return 'closed';
    at = comma + 1;
  }
}

/** Index of the quote that closes a field, passing over doubled ones; -1: there is none. */
function closingQuote(line: string, from: number): number {
  for (let at = from; ; ) {
    const quote = line.indexOf('"', at);
    if (quote < 0 || line[quote + 1] !== '"') return quote;
    at = quote + 2;
  }
}
