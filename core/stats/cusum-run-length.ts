import { boundRunLength, solveRunLengths } from './arl-equation.ts';
import { findLimit } from './arl-limit.ts';
import { gaussLegendreRule } from './gauss-legendre.ts';
import { normalUpperTail } from './normal.ts';

const inverseRootTwoPi = 0.3989422804014327;

/**
 * Average run length of an upper CUSUM s ← max(0, s + x − k) that starts at 0 and alarms where s exceeds h, for
 * independent normal x of variance 1 and mean `shift`. Integral equation with an atom at 0, Gauss–Legendre nodes.
 * Infinity beyond 1e12.
 * @param reference k, in [0, 5].
 * @param limit h, in [0, 100].
 */
export function upperCusumRunLength(reference: number, limit: number, shift: number): number {
  if (!(reference >= 0 && reference <= 5)) throw new RangeError(`cusum: expected k in [0, 5], saw ${reference}`);
  if (!(limit >= 0 && limit <= 100)) throw new RangeError(`cusum: expected h in [0, 100], saw ${limit}`);
  if (!Number.isFinite(shift)) throw new RangeError(`cusum: expected a finite shift, saw ${shift}`);
  const drift = shift - reference;
  const nodes = Math.max(40, Math.ceil(4 * limit));
  const { points, weights } = gaussLegendreRule(nodes, 0, limit);
  // State 0 is the atom, states 1 … nodes are the nodes.
  const order = nodes + 1;
  const matrix = new Float64Array(order * order);
  [0, ...points].forEach((from, row) => {
    matrix[row * order] = normalUpperTail(from + drift);
    points.forEach((to, i) => {
      const x = to - from - drift;
      matrix[row * order + i + 1] = (weights[i] ?? 0) * inverseRootTwoPi * Math.exp(-0.5 * x * x);
    });
  });
  return boundRunLength(solveRunLengths(matrix, order)[0] ?? Number.NaN);
}

/**
 * Average run length of the two-sided CUSUM: an upper and a lower one with the same k and h, both starting at 0.
 * 1/L = 1/L₊ + 1/L₋, exact here because the one is at 0 whenever the other alarms (van Dobben de Bruyn 1968).
 */
export function cusumRunLength(reference: number, limit: number, shift: number): number {
  const upper = upperCusumRunLength(reference, limit, shift);
  const lower = upperCusumRunLength(reference, limit, -shift);
  return 1 / (1 / upper + 1 / lower);
}

/** The h at which the two-sided CUSUM's in-control average run length is the wanted one (1 … 1e9). */
export function cusumLimit(reference: number, runLength: number): number {
  // Siegmund's approximation, solved for h (k = 0: a random walk between walls).
  const guess =
    reference > 0.02
      ? Math.log(1 + 4 * reference * reference * runLength + 2 * Math.log(1 + runLength)) / (2 * reference) - 1.166
      : Math.sqrt(2 * runLength) - 1.166;
  return findLimit((limit) => 0.5 * upperCusumRunLength(reference, limit, 0), runLength, Math.max(0.1, guess), 100);
}
