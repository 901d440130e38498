import { boundRunLength, solveRunLengths } from './arl-equation.ts';
import { findLimit } from './arl-limit.ts';
import { gaussLegendreRule } from './gauss-legendre.ts';

const inverseRootTwoPi = 0.3989422804014327;

/** Standard deviation of the EWMA of independent values of standard deviation 1, once it has settled: √(λ/(2 − λ)). */
export function ewmaStandardDeviation(lambda: number): number {
  return Math.sqrt(lambda / (2 - lambda));
}

/**
 * Average run length of a two-sided EWMA chart z ← (1 − λ)·z + λ·x that starts at 0 and alarms where |z| exceeds
 * `limit` of its settled standard deviations (fixed limits), for independent normal x of variance 1 and mean `shift`.
 * Fredholm integral equation L(z) = 1 + ∫ L(y)·f(y | z) dy, Gauss–Legendre nodes: 40, more where λ is small
 * (Crowder 1987). Infinity beyond 1e12.
 * @param lambda in [.001, 1]; 1 is the Shewhart chart.
 * @param limit at least 0, at most 12.
 */
export function ewmaRunLength(lambda: number, limit: number, shift: number): number {
  if (!(lambda >= 0.001 && lambda <= 1)) throw new RangeError(`ewma: expected λ in [.001, 1], saw ${lambda}`);
  if (!(limit >= 0 && limit <= 12)) throw new RangeError(`ewma: expected a limit in [0, 12], saw ${limit}`);
  if (!Number.isFinite(shift)) throw new RangeError(`ewma: expected a finite shift, saw ${shift}`);
  const bound = limit * ewmaStandardDeviation(lambda);
  const order = Math.max(40, Math.ceil((8 * bound) / lambda));
  const step = (from: number, to: number) => {
    const x = (to - (1 - lambda) * from) / lambda - shift;
    return (inverseRootTwoPi / lambda) * Math.exp(-0.5 * x * x);
  };
  // In control L(−z) = L(z): half the interval, and an eighth of the work.
  const density = shift === 0 ? (from: number, to: number) => step(from, to) + step(from, -to) : step;
  const { points, weights } =
    shift === 0 ? gaussLegendreRule(Math.ceil(order / 2), 0, bound) : gaussLegendreRule(order, -bound, bound);
  const size = points.length;
  const matrix = new Float64Array(size * size);
  points.forEach((from, row) => {
    points.forEach((to, column) => {
      matrix[row * size + column] = (weights[column] ?? 0) * density(from, to);
    });
  });
  const lengths = solveRunLengths(matrix, size);
  const start = points.reduce((sum, to, i) => sum + (weights[i] ?? 0) * density(0, to) * (lengths[i] ?? 0), 1);
  return boundRunLength(start);
}

/** The limit, in settled standard deviations, at which the in-control average run length is the wanted one (1 … 1e9). */
export function ewmaLimit(lambda: number, runLength: number): number {
  const guess = Math.sqrt(2 * Math.log(Math.max(runLength, 1.1))) - 0.5;
  return findLimit((limit) => ewmaRunLength(lambda, limit, 0), runLength, Math.max(0.1, guess), 12);
}
