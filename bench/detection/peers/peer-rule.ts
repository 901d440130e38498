import type { BinGrid } from '../feature-family.ts';
import type { RandomSource } from '../random-source.ts';

/** A numeric feature's healthy past, in a grid fine enough for other tools' distances. */
export interface PeerReference {
  readonly grid: BinGrid;
  readonly standardDeviation: number;
  /** Counts of all of the reference; the last bin, of missing values, is left out. */
  readonly counts: Float64Array;
  /** The same for each of its hours. */
  readonly chunks: readonly Float64Array[];
}

/** Another tool's documented default, by which a feature of one window has drifted or not. */
export interface PeerRule {
  readonly name: string;
  /** What is compared with what, in one sentence. */
  readonly description: string;
  /** Prepares the rule for one feature. */
  prepare(reference: PeerReference, random: RandomSource): (counts: Float64Array) => boolean;
}

export function sumOf(counts: ArrayLike<number>): number {
  let total = 0;
  for (let bin = 0; bin < counts.length; bin++) total += counts[bin] ?? 0;
  return total;
}

/** Largest difference between two cumulative distribution functions. */
export function largestCumulativeDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const [n, m] = [sumOf(a), sumOf(b)];
  if (n === 0 || m === 0) return 0;
  let [below, largest] = [0, 0];
  for (let bin = 0; bin < a.length; bin++) {
    below += (a[bin] ?? 0) / n - (b[bin] ?? 0) / m;
    largest = Math.max(largest, Math.abs(below));
  }
  return largest;
}

/** Jensen–Shannon distance, natural logarithms, as scipy computes it by default. */
export function jensenShannon(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const [n, m] = [sumOf(a), sumOf(b)];
  if (n === 0 || m === 0) return 0;
  let divergence = 0;
  for (let bin = 0; bin < a.length; bin++) {
    const [p, q] = [(a[bin] ?? 0) / n, (b[bin] ?? 0) / m];
    const middle = (p + q) / 2;
    if (p > 0) divergence += (p * Math.log(p / middle)) / 2;
    if (q > 0) divergence += (q * Math.log(q / middle)) / 2;
  }
  return Math.sqrt(Math.max(0, divergence));
}

/**
 * Which of so many bins of equal width, over the range that the reference occupies, each bin of the grid falls into by
 * its middle. What lies beyond falls into the outermost.
 */
export function equalWidthBins({ grid, counts }: PeerReference, bins: number): readonly number[] {
  const first = counts.findIndex((count) => count > 0);
  const last = counts.findLastIndex((count) => count > 0);
  const middle = (bin: number) => {
    const [lower, upper] = [grid.edges[bin - 1], grid.edges[bin]];
    return ((lower ?? upper ?? 0) + (upper ?? lower ?? 0)) / 2;
  };
  const low = grid.edges[first - 1] ?? grid.edges[0] ?? 0;
  const high = grid.edges[last] ?? grid.edges.at(-1) ?? 1;
  return Array.from(counts, (_, bin) =>
    Math.min(Math.max(Math.floor(((middle(bin) - low) / (high - low)) * bins), 0), bins - 1),
  );
}

export function regroup(counts: ArrayLike<number>, groupOf: readonly number[], groups: number): Float64Array {
  const sums = new Float64Array(groups);
  for (let bin = 0; bin < groupOf.length; bin++) {
    const group = groupOf[bin] ?? 0;
    sums[group] = (sums[group] ?? 0) + (counts[bin] ?? 0);
  }
  return sums;
}
