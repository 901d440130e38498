import type { Decoded } from '../../core/decode/decode-plan.ts';
import type { Quarantined } from '../../core/model/quarantine.ts';

/** Records with times that can be read more than once. */
export interface TimedRecords {
  open(): AsyncIterable<Decoded>;
}

/** From the first to the last record, and their number. */
export interface TimeSpan {
  readonly first: number;
  readonly last: number;
  readonly records: number;
  /** The first row that could not be read. */
  readonly unread?: Quarantined | undefined;
}

export async function readTimeSpan(records: TimedRecords): Promise<TimeSpan> {
  let [first, last, count] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  let unread: Quarantined | undefined;
  for await (const { batch, quarantined } of records.open()) {
    for (const { time } of batch.invocations) {
      if (time < first) first = time;
      if (time > last) last = time;
    }
    count += batch.rows.length;
    unread ??= quarantined[0];
  }
  return { first, last, records: count, unread };
}

/** Gives rows that could not be read the time of the row before them, as ingest dates a damaged line by its neighbour. */
export async function* dateUnread(batches: AsyncIterable<Decoded>): AsyncGenerator<Decoded> {
  let last: number | undefined;
  for await (const decoded of batches) {
    const { invocations } = decoded.batch;
    const timeBefore = (line: number) => invocations.findLast((each) => each.line < line)?.time ?? last;
    const quarantined = decoded.quarantined.map((entry) => ({ ...entry, time: entry.time ?? timeBefore(entry.line) }));
    yield { ...decoded, quarantined };
    last = invocations.at(-1)?.time ?? last;
  }
}

/** Stamps rows with times that are evenly spaced, those that could not be read among them. */
export async function* stampRows(
  batches: AsyncIterable<Decoded>,
  start: number,
  step: number,
): AsyncGenerator<Decoded> {
  let rows = 0;
  for await (const decoded of batches) {
    const { batch, quarantined } = decoded;
    const lines = new Set([...batch.invocations, ...quarantined].map(({ line }) => line).sort((a, b) => a - b));
    const times = new Map([...lines].map((line, index) => [line, start + step * (rows + index)]));
    const stamp = <T extends { readonly line: number }>(each: T) => ({ ...each, time: times.get(each.line) ?? start });
    yield {
      ...decoded,
      batch: { ...batch, invocations: batch.invocations.map(stamp) },
      quarantined: quarantined.map(stamp),
    };
    rows += lines.size;
  }
}
