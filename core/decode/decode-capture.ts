import type { Quarantined } from '../model/quarantine.ts';
import type { Invocation } from '../model/record-batch.ts';
import { BatchBuilder, type PlacedRow } from './batch-builder.ts';
import type { CapturedRecord } from './captured-record.ts';
import { type DecodedLine, type LineDecoder, lineDecoder } from './decode-line.ts';
import type { Decoded, DecodePlan, DuplicateInvocation } from './decode-plan.ts';
import { Fault, type FaultOrigin } from './fault.ts';
import { decompress } from './gunzip.ts';
import { type Line, LineSplitter } from './line-splitter.ts';

/**
 * Decodes a capture object as it streams in. The result depends on the bytes alone, not on how they were chunked. Bad
 * lines and rows are quarantined and never stop the rest; an error of `chunks` itself is thrown on.
 */
export async function* decodeCapture(chunks: AsyncIterable<Uint8Array>, plan: DecodePlan): AsyncGenerator<Decoded> {
  const splitter = new LineSplitter(plan.limits.lineBytes);
  const decoder = new CaptureDecoder(plan);
  let broken: Fault | undefined;
  for await (const item of decompress(chunks, plan.limits.decompressedBytes)) {
    if (item instanceof Fault) broken = item;
    else for (const line of splitter.push(item)) yield* decoder.decode(line);
  }
  const { number, offset, length } = splitter.position;
  const rest = splitter.end();
  if (broken === undefined) {
    if (rest !== undefined) yield* decoder.decode(rest);
  } else {
    // The rest of the line at which reading stopped is a part of what was lost, unless it happens to be whole.
    if (rest !== undefined && broken.reason === 'broken-gzip') yield* decoder.decodeIfWhole(rest);
    decoder.quarantine(broken, { number, offset, length });
  }
  yield* decoder.take();
}

class CaptureDecoder {
  readonly #plan: DecodePlan;
  readonly #decodeLine: LineDecoder;
  /** Rows seen of each event id, by count: rows are numbered from 0. */
  readonly #rowsSeen = new Map<string, number>();
  #batch = new BatchBuilder();
  #quarantined: Quarantined[] = [];
  #duplicates: DuplicateInvocation[] = [];

  constructor(plan: DecodePlan) {
    this.#plan = plan;
    this.#decodeLine = lineDecoder(plan);
  }

  *decode(line: Line): Generator<Decoded> {
    const decoded = this.#decodeLine(line);
    if (decoded === undefined) return;
    if (decoded instanceof Fault) this.quarantine(decoded, line);
    else yield* this.#collect(decoded, line);
    const { batchRows } = this.#plan;
    const full = this.#batch.rows >= batchRows || this.#batch.invocations >= batchRows;
    if (full || this.#quarantined.length >= batchRows || this.#duplicates.length >= batchRows) yield* this.take();
  }

  /** Decodes a line of which the end may be missing, and forgets it where it is. */
  *decodeIfWhole(line: Line): Generator<Decoded> {
    const decoded = this.#decodeLine(line);
    if (decoded !== undefined && !(decoded instanceof Fault)) yield* this.#collect(decoded, line);
  }

  quarantine(fault: Fault, line: Pick<Line, 'number' | 'offset' | 'length'>, row?: number, origin?: FaultOrigin): void {
    const { reason, seen, expected } = fault;
    const { time, variant = this.#plan.variant, version = this.#plan.defaultVersion } = origin ?? fault.origin;
    const place = { line: line.number, offset: line.offset, length: line.length };
    this.#quarantined.push({ reason, ...place, row, seen, expected, time, variant, version });
  }

  /** Hands on what has been collected, if anything. */
  *take(): Generator<Decoded> {
    const batch = this.#batch.build();
    const quarantined = this.#quarantined;
    const duplicates = this.#duplicates;
    if (batch.invocations.length + quarantined.length + duplicates.length === 0) return;
    this.#batch = new BatchBuilder();
    this.#quarantined = [];
    this.#duplicates = [];
    yield { batch, quarantined, duplicates };
  }

  *#collect({ record, rows }: DecodedLine, line: Line): Generator<Decoded> {
    const { time, variant, version } = record;
    const seen = this.#noteEvent(record, rows.length);
    const repeated = seen === undefined ? 0 : Math.min(seen, rows.length);
    if (seen !== undefined && (repeated > 0 || rows.length === 0)) {
      this.#duplicates.push({ line: line.number, time, variant, version, rows: repeated });
    }
    const placed: PlacedRow[] = [];
    for (const [row, content] of rows.entries()) {
      if (row < repeated) continue;
      if (content instanceof Fault) this.quarantine(content, line, row, { time, variant, version });
      else placed.push({ row, record: content });
    }
    // A line that only repeats adds nothing, not even a request.
    if (seen !== undefined && repeated === rows.length) return;
    const { columns, cellsPerLine } = this.#plan.limits;
    if (!this.#batch.takes(placed, columns, cellsPerLine)) yield* this.take();
    this.#batch.add(invocationOf(record, line), placed);
  }

  /** Rows seen before of this event, undefined at its first appearance. */
  #noteEvent({ eventId, idIsSynthesised }: CapturedRecord, rows: number): number | undefined {
    if (idIsSynthesised) return undefined;
    const seen = this.#rowsSeen.get(eventId);
    if (seen === undefined || rows > seen) this.#rowsSeen.set(eventId, rows);
    return seen;
  }
}

function invocationOf(record: CapturedRecord, line: Line): Invocation {
  const { eventId, inferenceId, time, variant, version, status, latencyMilliseconds, route, caller } = record;
  const place = { line: line.number, offset: line.offset, length: line.length };
  const invocation = { eventId, inferenceId, time, variant, version, status, latencyMilliseconds, route, ...place };
  return caller === undefined ? invocation : { ...invocation, caller };
}
