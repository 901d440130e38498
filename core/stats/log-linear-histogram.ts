import { bucketBounds, bucketMidpoint, clampToFinite } from './log-linear-bucket.ts';

export { chooseBinEdges } from './bin-edges.ts';
export { bucketBounds, bucketIndex } from './log-linear-bucket.ts';
export { momentsFromSums } from './moments.ts';

/** [bucket index, count], ascending by index, counts > 0. */
export type SparseCounts = readonly (readonly [index: number, count: number])[];

/**
 * Value below which the share `probability` of the values lies, interpolated inside its bucket, so its error is below
 * the bucket's width (1/128 of the distance from the centre, plus 1/128 unit). The bucket at the centre answers with the
 * centre itself, so a constant feature has its constant. An empty histogram answers with the centre: look at the count
 * first. Throws RangeError on a probability outside [0, 1].
 */
export function histogramQuantile(counts: SparseCounts, centre: number, unit: number, probability: number): number {
  if (!(probability >= 0 && probability <= 1)) {
    throw new RangeError(`histogram quantile: expected a probability in [0, 1], saw ${probability}`);
  }
  const rank = probability * totalOf(counts);
  let before = 0;
  for (const [position, [index, count]] of counts.entries()) {
    if (before + count < rank && position < counts.length - 1) {
      before += count;
      continue;
    }
    if (index === 0) return centre;
    const { lower, upper } = finiteBounds(index, centre, unit);
    const share = Math.min(1, (rank - before) / count);
    // Between neighbouring doubles rounding may lead out of the bucket.
    return Math.min(upper, Math.max(lower, lower * (1 - share) + upper * share));
  }
  return centre;
}

/** Counts per bin. Bin i holds the buckets from edge i − 1 up to, not including, edge i: B edges make B + 1 bins. */
export function histogramBins(counts: SparseCounts, binEdges: readonly number[]): number[] {
  const bins = new Array<number>(binEdges.length + 1).fill(0);
  let bin = 0;
  for (const [index, count] of counts) {
    while (bin < binEdges.length && index >= (binEdges[bin] ?? 0)) bin++;
    bins[bin] = (bins[bin] ?? 0) + count;
  }
  return bins;
}

/** Outer edges of the outermost occupied buckets, finite; the centre twice when there are none. */
export function histogramRange(counts: SparseCounts, centre: number, unit: number): { min: number; max: number } {
  const [first] = counts;
  const last = counts.at(-1);
  if (first === undefined || last === undefined) return { min: centre, max: centre };
  return { min: finiteBounds(first[0], centre, unit).lower, max: finiteBounds(last[0], centre, unit).upper };
}

/** Largest difference of the two cumulative distributions at a bucket edge, in [0, 1]; 0 when either side is empty. */
export function histogramKolmogorovSmirnov(a: SparseCounts, b: SparseCounts): number {
  const [totalA, totalB] = [totalOf(a), totalOf(b)];
  if (totalA === 0 || totalB === 0) return 0;
  let [cumulativeA, cumulativeB, largest] = [0, 0, 0];
  visitBoth(a, b, (_index, countA, countB) => {
    cumulativeA += countA;
    cumulativeB += countB;
    largest = Math.max(largest, Math.abs(cumulativeA / totalA - cumulativeB / totalB));
  });
  return Math.min(1, largest);
}

/**
 * Wasserstein-1 (earth mover's) distance in the feature's unit, each value at its bucket's middle: ∫|F − G|.
 * 0 when either side is empty; at most Number.MAX_VALUE.
 */
export function histogramWasserstein(a: SparseCounts, b: SparseCounts, centre: number, unit: number): number {
  const [totalA, totalB] = [totalOf(a), totalOf(b)];
  if (totalA === 0 || totalB === 0) return 0;
  let [cumulativeA, cumulativeB, sum] = [0, 0, 0];
  let previous: number | undefined;
  visitBoth(a, b, (index, countA, countB) => {
    const middle = bucketMidpoint(index, centre, unit);
    const difference = Math.abs(cumulativeA / totalA - cumulativeB / totalB);
    if (previous !== undefined && difference > 0) sum += difference * clampToFinite(middle - previous);
    previous = middle;
    cumulativeA += countA;
    cumulativeB += countB;
  });
  return clampToFinite(sum);
}

function totalOf(counts: SparseCounts): number {
  let total = 0;
  for (const [, count] of counts) total += count;
  return total;
}

function finiteBounds(index: number, centre: number, unit: number): { lower: number; upper: number } {
  const { lower, upper } = bucketBounds(index, centre, unit);
  return { lower: clampToFinite(lower), upper: clampToFinite(upper) };
}

/** Visits the buckets occupied on either side, ascending. */
function visitBoth(
  a: SparseCounts,
  b: SparseCounts,
  visit: (index: number, countA: number, countB: number) => void,
): void {
  let [i, j] = [0, 0];
  for (;;) {
    const [nextA, nextB] = [a[i], b[j]];
    if (nextA === undefined && nextB === undefined) return;
    const index = Math.min(nextA?.[0] ?? Number.POSITIVE_INFINITY, nextB?.[0] ?? Number.POSITIVE_INFINITY);
    const [takeA, takeB] = [nextA?.[0] === index, nextB?.[0] === index];
    visit(index, takeA ? (nextA?.[1] ?? 0) : 0, takeB ? (nextB?.[1] ?? 0) : 0);
    if (takeA) i++;
    if (takeB) j++;
  }
}
