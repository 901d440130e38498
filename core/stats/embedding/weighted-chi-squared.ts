import { chiSquaredUpperTail } from '../chi-squared.ts';
import { noncentralChiSquaredUpperTail } from '../noncentral-chi-squared.ts';
import { normalUpperTail } from '../normal.ts';
import { findRoot } from '../root.ts';

/**
 * A term of a weighted sum of independent χ²: weight·χ² with so many degrees of freedom, moved by `offset`, the squared
 * length that a true difference adds along its directions (weight times the usual noncentrality).
 */
export interface WeightedTerm {
  /** Positive and finite. */
  readonly weight: number;
  /** Above 0, need not be whole. */
  readonly degreesOfFreedom: number;
  /** At least 0. */
  readonly offset?: number | undefined;
}

/** Below this share of its mean a sum practically never lies. */
const negligibleShare = 1e-12;

/**
 * P(Σ terms ≥ x). One weight only: the exact (noncentral) χ² tail. Several: Lugannani and Rice's saddle-point form
 * (Kuonen 1999, "Saddlepoint approximations for distributions of quadratic forms"), whose relative error stays at a few
 * per cent out to the farthest tails. 1 for x ≤ 0 and for no terms at x ≤ 0; throws RangeError on impossible terms.
 */
export function weightedChiSquaredUpperTail(x: number, terms: readonly WeightedTerm[]): number {
  if (Number.isNaN(x)) throw new RangeError('weighted chi-squared: expected a number, saw NaN');
  terms.forEach(checkTerm);
  const [first] = terms;
  if (x <= 0) return 1;
  if (!first || x === Number.POSITIVE_INFINITY) return 0;
  if (terms.every(({ weight }) => weight === first.weight)) return singleWeightTail(x, terms, first.weight);
  return saddlePointTail(x, terms);
}

function singleWeightTail(x: number, terms: readonly WeightedTerm[], weight: number): number {
  let [degreesOfFreedom, offset] = [0, 0];
  for (const term of terms) {
    degreesOfFreedom += term.degreesOfFreedom;
    offset += term.offset ?? 0;
  }
  return offset > 0
    ? noncentralChiSquaredUpperTail(x / weight, degreesOfFreedom, offset / weight)
    : chiSquaredUpperTail(x / weight, degreesOfFreedom);
}

function saddlePointTail(x: number, terms: readonly WeightedTerm[]): number {
  // In units of the largest weight, so that the saddle point lies below ½.
  const largest = Math.max(...terms.map(({ weight }) => weight));
  const scaled = terms.map(({ weight, degreesOfFreedom, offset = 0 }) => ({
    weight: weight / largest,
    degreesOfFreedom,
    offset: offset / largest,
  }));
  const target = x / largest;
  const mean = slopeAt(scaled, 0);
  if (target < negligibleShare * mean) return 1;
  // Chernoff's bound at ¼: farther out the tail is below what a double can hold.
  if (logMomentAt(scaled, 0.25) - 0.25 * target < -800) return 0;
  const tilt = findTilt(scaled, target, mean);
  const u = tilt * Math.sqrt(curvatureAt(scaled, tilt));
  const exponent = Math.max(0, tilt * target - logMomentAt(scaled, tilt));
  const w = Math.sign(tilt) * Math.sqrt(2 * exponent);
  // Next to the mean both terms of the correction cancel; there it is −skewness/6.
  const correction = Math.abs(w) < 1e-4 ? -skewnessOf(scaled) / 6 : 1 / u - 1 / w;
  const density = Math.exp(-0.5 * w * w) / Math.sqrt(2 * Math.PI);
  return Math.min(1, Math.max(0, normalUpperTail(w) + density * correction));
}

interface ScaledTerm {
  readonly weight: number;
  readonly degreesOfFreedom: number;
  readonly offset: number;
}

/** The t at which the exponentially tilted distribution has its mean at `target`. */
function findTilt(terms: readonly ScaledTerm[], target: number, mean: number): number {
  const difference = (tilt: number) => slopeAt(terms, tilt) - target;
  if (target === mean) return 0;
  if (target > mean) {
    // The slope grows without bounds towards ½: halve the gap until it is beyond the target.
    let gap = 0.25;
    while (difference(0.5 - gap) < 0) gap /= 2;
    return findRoot(difference, 0, 0.5 - gap);
  }
  let lower = -1;
  while (difference(lower) > 0) lower *= 2;
  return findRoot(difference, lower, 0);
}

function logMomentAt(terms: readonly ScaledTerm[], tilt: number): number {
  return sum(terms, ({ weight, degreesOfFreedom, offset }) => {
    const rest = 1 - 2 * weight * tilt;
    return -0.5 * degreesOfFreedom * Math.log1p(-2 * weight * tilt) + (offset * tilt) / rest;
  });
}

function slopeAt(terms: readonly ScaledTerm[], tilt: number): number {
  return sum(terms, ({ weight, degreesOfFreedom, offset }) => {
    const rest = 1 - 2 * weight * tilt;
    return (weight * degreesOfFreedom) / rest + offset / (rest * rest);
  });
}

function curvatureAt(terms: readonly ScaledTerm[], tilt: number): number {
  return sum(terms, ({ weight, degreesOfFreedom, offset }) => {
    const rest = 1 - 2 * weight * tilt;
    return (2 * weight * weight * degreesOfFreedom) / rest ** 2 + (4 * weight * offset) / rest ** 3;
  });
}

function skewnessOf(terms: readonly ScaledTerm[]): number {
  const third = sum(
    terms,
    ({ weight, degreesOfFreedom, offset }) => 8 * weight ** 3 * degreesOfFreedom + 24 * weight ** 2 * offset,
  );
  return third / curvatureAt(terms, 0) ** 1.5;
}

function sum(terms: readonly ScaledTerm[], value: (term: ScaledTerm) => number): number {
  let total = 0;
  for (const term of terms) total += value(term);
  return total;
}

function checkTerm({ weight, degreesOfFreedom, offset = 0 }: WeightedTerm): void {
  const isFine =
    weight > 0 &&
    degreesOfFreedom > 0 &&
    offset >= 0 &&
    Number.isFinite(weight) &&
    Number.isFinite(degreesOfFreedom) &&
    Number.isFinite(offset);
  if (!isFine) {
    throw new RangeError(
      `weighted chi-squared: expected a positive weight and degrees of freedom and an offset of at least 0, saw ${weight}, ${degreesOfFreedom} and ${offset}`,
    );
  }
}
