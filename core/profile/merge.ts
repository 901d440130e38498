import type { FeatureSummary, MinuteSlot, RecordCounts, SparseCounts, Summary } from '../model/profile.ts';
import { mergeEmbeddings } from '../stats/embedding/embedding-sums.ts';
import { ExactSum } from '../stats/exact-sum.ts';
import { capColumns } from './extra-columns.ts';
import { compareNames } from './names.ts';
import { mergeSlices } from './slice-counter.ts';
import { noRecords } from './summarise.ts';

/** The summary of no records: the neutral element of merging. */
export const emptySummary: Summary = {
  records: noRecords,
  requests: noRecords,
  quarantine: [],
  features: [],
  extraColumns: [],
  minutes: [],
};

/**
 * The summary of the union of several disjoint sets of records. Associative and commutative to the last bit:
 * every part is an integer count or an exact sum. Callers add up to what was kept of them, not to what they would be of
 * all records at once: see `CallerCounter`.
 * @throws {TypeError} where the same feature was counted as two kinds, which layouts rule out.
 */
export function mergeSummaries(summaries: Iterable<Summary>): Summary {
  let merged = emptySummary;
  const parts: Summary['slices'][] = [];
  const callerParts: Summary['callers'][] = [];
  for (const summary of summaries) {
    merged = mergeTwo(merged, summary);
    parts.push(summary.slices);
    callerParts.push(summary.callers);
  }
  // All at once: their texts need not be read and written again for each summary.
  const slices = mergeSlices(parts);
  const callers = mergeSlices(callerParts);
  return slices || callers ? { ...merged, ...(slices && { slices }), ...(callers && { callers }) } : merged;
}

function mergeTwo(a: Summary, b: Summary): Summary {
  return {
    records: addCounts(a.records, b.records),
    requests: addCounts(a.requests, b.requests),
    quarantine: mergePairs(a.quarantine, b.quarantine, add),
    features: mergePairs(a.features, b.features, mergeFeatures),
    extraColumns: capColumns(mergePairs(a.extraColumns, b.extraColumns, add)),
    minutes: mergeSlots(a.minutes, b.minutes),
    ...mergeScores(a.scores, b.scores),
    firstTime: pick(Math.min, a.firstTime, b.firstTime),
    lastTime: pick(Math.max, a.lastTime, b.lastTime),
  };
}

function mergeScores(a: Summary['scores'], b: Summary['scores']): Pick<Summary, 'scores'> {
  if (!a && !b) return {};
  const addSteps = (left: readonly number[], right: readonly number[]) =>
    left.map((count, step) => count + (right[step] ?? 0));
  return { scores: mergePairs(a ?? [], b ?? [], addSteps) };
}

function addCounts(a: RecordCounts, b: RecordCounts): RecordCounts {
  return {
    captured: a.captured + b.captured,
    counted: a.counted + b.counted,
    quarantined: a.quarantined + b.quarantined,
    duplicate: a.duplicate + b.duplicate,
    pending: a.pending + b.pending,
    expired: a.expired + b.expired,
    late: a.late + b.late,
  };
}

function mergeFeatures(a: FeatureSummary, b: FeatureSummary): FeatureSummary {
  const count = a.count + b.count;
  const missing = a.missing + b.missing;
  if (a.kind === 'numeric' && b.kind === 'numeric') {
    return {
      kind: 'numeric',
      count,
      missing,
      sum: addExactly(a.sum, b.sum),
      sumOfSquares: addExactly(a.sumOfSquares, b.sumOfSquares),
      buckets: mergeCounts(a.buckets, b.buckets),
    };
  }
  if (a.kind === 'categorical' && b.kind === 'categorical') {
    return {
      kind: 'categorical',
      count,
      missing,
      categories: mergeCounts(a.categories, b.categories),
      unseen: a.unseen + b.unseen,
    };
  }
  if (a.kind === 'opaque' && b.kind === 'opaque') return { kind: 'opaque', count, missing };
  if (a.kind === 'embedding' && b.kind === 'embedding') {
    const fitted = (a.fitted ?? 0) + (b.fitted ?? 0);
    return { kind: 'embedding', ...mergeEmbeddings(a, b), ...(fitted > 0 && { fitted }) };
  }
  throw new TypeError(`merge of profiles: a feature was counted as ${a.kind} and as ${b.kind}, expected one layout`);
}

function addExactly(a: string, b: string): string {
  const sum = ExactSum.parse(a);
  sum.merge(ExactSum.parse(b));
  return sum.toString();
}

function mergeCounts(a: SparseCounts, b: SparseCounts): SparseCounts {
  return mergeSorted(
    a,
    b,
    ([left], [right]) => left - right,
    ([index, left], [, right]) => [index, left + right] as const,
  );
}

function mergeSlots(a: readonly MinuteSlot[], b: readonly MinuteSlot[]): readonly MinuteSlot[] {
  return mergeSorted(
    a,
    b,
    (left, right) => left.minute - right.minute,
    (left, right) => ({
      minute: left.minute,
      rows: left.rows + right.rows,
      requests: left.requests + right.requests,
      schemaBreaks: left.schemaBreaks + right.schemaBreaks,
      slis: mergeSorted(
        left.slis,
        right.slis,
        ([x], [y]) => compareNames(x, y),
        (x, y) => [x[0], x[1] + y[1], x[2] + y[2]] as const,
      ),
      missing: mergePairs(left.missing, right.missing, add),
    }),
  );
}

function mergePairs<T>(
  a: readonly (readonly [string, T])[],
  b: readonly (readonly [string, T])[],
  combine: (left: T, right: T) => T,
): readonly (readonly [string, T])[] {
  return mergeSorted(
    a,
    b,
    ([left], [right]) => compareNames(left, right),
    ([name, left], [, right]) => [name, combine(left, right)] as const,
  );
}

/** Merges two ascending lists, combining the items that compare as equal. */
function mergeSorted<T>(
  a: readonly T[],
  b: readonly T[],
  compare: (left: T, right: T) => number,
  combine: (left: T, right: T) => T,
): readonly T[] {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  const merged: T[] = [];
  let i = 0;
  let j = 0;
  for (;;) {
    const left = a[i];
    const right = b[j];
    if (left === undefined || right === undefined) return merged.concat(a.slice(i), b.slice(j));
    const order = compare(left, right);
    merged.push(order < 0 ? left : order > 0 ? right : combine(left, right));
    if (order <= 0) i++;
    if (order >= 0) j++;
  }
}

function pick(
  choose: (a: number, b: number) => number,
  a: number | undefined,
  b: number | undefined,
): number | undefined {
  return a === undefined ? b : b === undefined ? a : choose(a, b);
}

function add(a: number, b: number): number {
  return a + b;
}
