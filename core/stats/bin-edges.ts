import type { SparseCounts } from './log-linear-histogram.ts';

/** A run of occupied buckets: positions [from, to) in the counts. */
interface Segment {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

/**
 * Bucket indices at which the bins of a feature begin, ascending: deciles of the baseline, snapped to bucket edges.
 *
 * - An *atom*, a bucket that holds at least 1/bins of the values (a constant, zeros, a cap), is a bin of its own; the
 *   values between atoms share the remaining bins in equal counts as far as buckets allow.
 * - Each bin between the outermost edges holds baseline values. Where empty buckets lie between two bins they go with
 *   the lighter of the two buckets beside them (of equals, the right), so that values that leave a heavy bucket show.
 * - Where the lowest or highest occupied bucket is an atom, an empty bin lies beyond it, so that leaving it shows: a
 *   constant gives two edges and the bins below, at, and above it.
 *
 * No values give no edges. At most 2·bins edges, and at most bins − 1 where there is no atom.
 */
export function chooseBinEdges(counts: SparseCounts, bins = 10): number[] {
  if (!(Number.isSafeInteger(bins) && bins >= 1))
    throw new RangeError(`bin edges: expected at least 1 bin, saw ${bins}`);
  let total = 0;
  for (const [, count] of counts) total += count;
  const isAtom = (position: number) => (counts[position]?.[1] ?? 0) * bins >= total;
  const segments = splitAtAtoms(counts, isAtom);

  const atoms = segments.filter((segment) => isAtom(segment.from));
  const others = segments.filter((segment) => !isAtom(segment.from));
  const othersCount = others.reduce((sum, segment) => sum + segment.count, 0);
  const binsLeft = bins - atoms.length;
  const starts = segments.flatMap((segment) => {
    if (isAtom(segment.from)) return [segment.from];
    const share = Math.max(1, Math.round((binsLeft * segment.count) / Math.max(1, othersCount)));
    return splitEvenly(counts, segment, share);
  });

  const edges = starts.filter((start) => start > 0).map((start) => edgeBefore(counts, start));
  const [first] = counts;
  const last = counts.at(-1);
  if (first !== undefined && isAtom(0)) edges.unshift(first[0]);
  if (last !== undefined && isAtom(counts.length - 1)) edges.push(last[0] + 1);
  return edges;
}

/** Atoms, and the runs of buckets between them. */
function splitAtAtoms(counts: SparseCounts, isAtom: (position: number) => boolean): Segment[] {
  const segments: Segment[] = [];
  for (let from = 0; from < counts.length; ) {
    let to = from + 1;
    let count = counts[from]?.[1] ?? 0;
    while (!isAtom(from) && to < counts.length && !isAtom(to)) count += counts[to++]?.[1] ?? 0;
    segments.push({ from, to, count });
    from = to;
  }
  return segments;
}

/** First positions of `share` bins of nearly equal count; fewer where the buckets are too few. */
function splitEvenly(counts: SparseCounts, segment: Segment, share: number): number[] {
  const starts = [segment.from];
  let before = 0;
  for (let position = segment.from; position < segment.to && starts.length < share; position++) {
    const after = before + (counts[position]?.[1] ?? 0);
    const target = (segment.count * starts.length) / share;
    if (after >= target) {
      // The nearer of the bucket's two sides, as long as the bin it closes isn't empty.
      const closesBefore = target - before < after - target && position > (starts.at(-1) ?? position);
      const start = closesBefore ? position : position + 1;
      if (start < segment.to) starts.push(start);
      if (closesBefore) {
        position--;
        continue;
      }
    }
    before = after;
  }
  return starts;
}

/** Where the bin of the bucket at `start` begins: right after its left neighbour, or at itself if it is the heavier. */
function edgeBefore(counts: SparseCounts, start: number): number {
  const [leftIndex, leftCount] = counts[start - 1] ?? [0, 0];
  const [rightIndex, rightCount] = counts[start] ?? [0, 0];
  return rightCount > leftCount ? rightIndex : leftIndex + 1;
}
