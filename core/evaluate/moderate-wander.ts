import { fitVariancePrior, moderateVariance } from '../stats/moderated-variance.ts';
import type { RawWander } from './measure-wander.ts';
import { type FeatureWander, noWander } from './wander.ts';

/** Heavier tails than these are not told apart. */
const largestKurtosis = 4;
/** Likeness of features may make a wander known as well as this many times the baseline's days would. */
const largestGain = 4;
/**
 * A baseline of fewer days than this, with few records, tells so little of the wander that a change of any size might be
 * one. Where it can't tell an ordinary wander from none it is completed by days of an ordinary feature, whose mean moves by
 * a twentieth of its standard deviation from day to day: a wander of PSI 0.0025.
 */
const ordinaryDays = 14;
const ordinaryWander = 0.0025;
/**
 * Few days seldom hold one unlike the others: of normal days the excess kurtosis is seen too low by this over their number
 * (measured: 1.0, 0.5 and 0.25 of 7, 14 and 28 days).
 */
const kurtosisBias = 7;

/** Draws each feature's wander towards what the features have in common. */
export function moderateWander(
  raw: readonly (readonly (RawWander | undefined)[])[],
  scale: number,
  independent: number,
): readonly (FeatureWander | undefined)[] {
  const rows = raw.map((scales) => scales[scale]);
  const known = rows.filter((row) => row !== undefined && row.sampling > 0);
  // In units of sampling, so that features with missing values are like the others.
  const variances = known.map((row) => 1 + (row?.excess ?? 0) / (row?.sampling ?? 1));
  const uncertainties = known.map((row) => (row ? uncertaintyOf(row, Math.max(0, row.excess)) : 0));
  const typical = Math.max(1, variances.reduce((sum, variance) => sum + variance, 0) / Math.max(known.length, 1));
  const fitted = fitVariancePrior(variances, uncertainties);
  const kurtosis = excessKurtosis(rows, independent);
  const tail = kurtosis > 0 ? 4 + 6 / kurtosis : Number.POSITIVE_INFINITY;
  return rows.map((row) => {
    if (!row) return undefined;
    if (!(row.sampling > 0)) return { shares: noWander, missing: row.missing, unseen: row.unseen };
    const variance = 1 + row.excess / row.sampling;
    const likely = Math.max(variance, typical);
    const scatter = uncertaintyOf(row, (likely - 1) * row.sampling);
    const degreesOfFreedom = (2 * likely * likely) / scatter;
    const prior = {
      variance: fitted.variance,
      degreesOfFreedom: Math.min(fitted.degreesOfFreedom, Math.max(0, known.length - 1) * degreesOfFreedom),
    };
    const moderated = moderateVariance({ variance, degreesOfFreedom }, prior);
    // The days that a short baseline lacks are taken to be like those of an ordinary feature.
    const estimated = Math.max(1, moderated.variance) * row.sampling;
    const isVague = estimated * Math.sqrt(2 / moderated.degreesOfFreedom) > ordinaryWander;
    const lacking = isVague ? Math.max(0, ordinaryDays - independent) : 0;
    const completed = (independent * estimated + lacking * (row.sampling + ordinaryWander)) / (independent + lacking);
    const total = Math.max(estimated, completed);
    const wander = total - row.sampling;
    const shares = {
      variance: wander,
      // A heavy tail is as bad as a variance that is known badly: a Student t of the same kurtosis.
      uncertainty:
        Math.max(
          (2 * total * total) / (moderated.degreesOfFreedom + lacking),
          (2 * wander * wander) / (largestGain * Math.max(independent + lacking, 1)),
        ) +
        (2 * wander * wander) / tail,
    };
    return { shares, missing: row.missing, unseen: row.unseen };
  });
}

/**
 * How heavy the tail of the wander is, from all features together: the excess kurtosis of a day's movement. The square of
 * a normal wander has a variance of twice its squared mean; more than that says that there are days unlike the others, or
 * that small movements sometimes shift much.
 */
function excessKurtosis(rows: readonly (RawWander | undefined)[], days: number): number {
  let [scatter, squares] = [0, 0];
  for (const row of rows) {
    // Only a wander that stands out of its own uncertainty has a shape.
    if (!row || !(row.excess > 2 * row.sampling * Math.sqrt(uncertaintyOf(row, 0)))) continue;
    scatter += row.scatter;
    squares += row.excess * row.excess;
  }
  const seen = squares > 0 ? scatter / squares - 2 + kurtosisBias / Math.max(days, 1) : 0;
  return Math.min(Math.max(0, seen), largestKurtosis);
}

/** Variance of a feature's mean excess in units of sampling, if its wander is as given. */
function uncertaintyOf({ sampling, degreesOfFreedom, perDay, independent }: RawWander, wander: number): number {
  const ratio = wander / sampling;
  return (2 * ratio * ratio + (4 * ratio + 2 * degreesOfFreedom) / perDay) / Math.max(independent, 1);
}
