import { findRoot } from '../../stats/root.ts';

/** Variance of a window's value: `between` windows, and `within` of one record, which a window of n records has 1/n of. */
export interface ResidualSpread {
  readonly between: number;
  readonly within: number;
}

/** E min(Z², 9) for a standard normal Z. */
const winsorisedUnit = 0.9950045;

/**
 * Robust standard deviation of centred numbers: the s at which min((r/s)², 9) has the mean it has under the normal law
 * (Huber's proposal 2). 0 where more than half of them, and so many that no s fits, are 0.
 */
export function robustDeviation(residuals: readonly number[]): number {
  const largest = residuals.reduce((most, residual) => Math.max(most, Math.abs(residual)), 0);
  if (!(largest > 0)) return 0;
  const excess = (s: number) => winsorisedSquare(residuals, s) - winsorisedUnit;
  let lower = largest;
  for (let halvings = 0; halvings < 400 && excess(lower) < 0; halvings++) lower /= 2;
  if (excess(lower) < 0) return 0;
  return excess(largest) >= 0
    ? largest * Math.sqrt(winsorisedSquare(residuals, largest))
    : findRoot(excess, lower, largest);
}

/**
 * Splits the variance of residuals into a part between windows and a part that falls with the number of records.
 * @param known variance of one record; undefined: the split under which robustly standardised residuals are likeliest.
 */
export function estimateSpread(
  residuals: readonly number[],
  weights: readonly number[],
  known: number | undefined,
): ResidualSpread {
  if (known !== undefined && known >= 0 && known < Number.POSITIVE_INFINITY) {
    return { between: betweenVariance(residuals, weights, known), within: known };
  }
  const mean = harmonicMean(weights);
  let best: ResidualSpread = { between: 0, within: 0 };
  let bestScore = Number.POSITIVE_INFINITY;
  for (let share = 0; share <= 1; share += 0.125) {
    const factors = weights.map((weight) => Math.sqrt(1 - share + (share * mean) / weight));
    const scale = robustDeviation(residuals.map((residual, i) => residual / (factors[i] ?? 1)));
    if (!(scale > 0)) continue;
    const score = factors.reduce((sum, factor) => sum + Math.log(factor * scale), 0);
    if (score < bestScore - 1e-9) {
      bestScore = score;
      best = { between: (1 - share) * scale * scale, within: share * mean * scale * scale };
    }
  }
  return best;
}

/** Standard deviation of a window of so many records. */
export function windowDeviation(spread: ResidualSpread, weight: number): number {
  return Math.sqrt(spread.between + spread.within / weight);
}

function betweenVariance(residuals: readonly number[], weights: readonly number[], within: number): number {
  const excess = (between: number) => {
    const standardised = residuals.map((residual, i) => residual / Math.sqrt(between + within / (weights[i] ?? 1)));
    return winsorisedSquare(standardised, 1) - winsorisedUnit;
  };
  if (within === 0) return robustDeviation(residuals) ** 2;
  if (excess(0) <= 0) return 0;
  const largest = residuals.reduce((most, residual) => Math.max(most, residual * residual), 0);
  return excess(2 * largest) >= 0 ? 2 * largest : findRoot(excess, 0, 2 * largest);
}

function winsorisedSquare(residuals: readonly number[], scale: number): number {
  return residuals.reduce((sum, residual) => sum + Math.min(9, (residual / scale) ** 2), 0) / residuals.length;
}

function harmonicMean(weights: readonly number[]): number {
  return weights.length / weights.reduce((sum, weight) => sum + 1 / weight, 0);
}
