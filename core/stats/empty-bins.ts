import { totalsOfSameBins } from './counts.ts';

/**
 * Leaves out the bins that are empty on both sides. They say nothing, but ½-smoothing would count each of them as a
 * difference of about ½·ln(n/m)/m in the PSI, so drop them before computing and before printing.
 */
export function dropEmptyBins(
  baseline: ArrayLike<number>,
  current: ArrayLike<number>,
): { baseline: number[]; current: number[]; kept: number[] } {
  totalsOfSameBins(baseline, current);
  const result = { baseline: [] as number[], current: [] as number[], kept: [] as number[] };
  for (let bin = 0; bin < baseline.length; bin++) {
    const [a, b] = [baseline[bin] ?? 0, current[bin] ?? 0];
    if (a + b === 0) continue;
    result.baseline.push(a);
    result.current.push(b);
    result.kept.push(bin);
  }
  return result;
}
