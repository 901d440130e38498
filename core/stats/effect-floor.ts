import { chiSquaredUpperQuantile } from './chi-squared.ts';
import { noncentralChiSquaredUpperTail } from './noncentral-chi-squared.ts';
import type { ChiSquaredTest } from './pearson.ts';
import { findRoot } from './root.ts';

/**
 * Is the true PSI above a floor? The statistic PSI/s, s = 1/n + 1/m, is about noncentral χ² with bins − 1 degrees of
 * freedom and noncentrality δ/s when the true PSI is δ = `minimumEffect`; the p-value is its upper tail.
 * With δ = 0 it is the plain test of PSI. `bins` is the number of bins the PSI was computed over.
 * Nothing to compare (fewer than two bins, an empty side): statistic 0, degrees of freedom 0, p-value 1.
 */
export function effectFloorTest(
  populationStabilityIndex: number,
  baselineSize: number,
  currentSize: number,
  bins: number,
  minimumEffect: number,
): ChiSquaredTest {
  if (!(populationStabilityIndex >= 0)) {
    throw new RangeError(
      `effect floor: expected a population stability index of at least 0, saw ${populationStabilityIndex}`,
    );
  }
  if (!(minimumEffect >= 0)) {
    throw new RangeError(`effect floor: expected a minimum effect of at least 0, saw ${minimumEffect}`);
  }
  if (!(bins >= 2 && baselineSize > 0 && currentSize > 0)) return { statistic: 0, degreesOfFreedom: 0, pValue: 1 };
  const scale = 1 / baselineSize + 1 / currentSize;
  const statistic = populationStabilityIndex / scale;
  const degreesOfFreedom = bins - 1;
  const pValue = noncentralChiSquaredUpperTail(statistic, degreesOfFreedom, minimumEffect / scale);
  return { statistic, degreesOfFreedom, pValue };
}

/** What a minimum detectable effect is asked for. */
export interface DetectionDesign {
  readonly baselineSize: number;
  readonly currentSize: number;
  /** Bins compared. */
  readonly bins: number;
  /** Level of the test, in (0, 1). */
  readonly level: number;
  /** Wanted probability of detection, in (0, 1). */
  readonly power: number;
}

/**
 * The smallest true PSI that Pearson's test at `level` finds with probability `power`: λ·(1/n + 1/m), where λ makes the
 * noncentral χ² exceed the critical value with that probability. A small-effect approximation: above PSI ≈ .5 read it
 * as "only gross changes". null when nothing can be detected: a side without records, fewer than two bins,
 * a level or power outside (0, 1).
 */
export function minimumDetectableEffect(design: DetectionDesign): number | null {
  const { baselineSize, currentSize, bins, level, power } = design;
  if (!(baselineSize > 0 && currentSize > 0 && bins >= 2)) return null;
  if (!(level > 0 && level < 1 && power > 0 && power < 1)) return null;
  if (power <= level) return 0;
  const degreesOfFreedom = bins - 1;
  const critical = chiSquaredUpperQuantile(level, degreesOfFreedom);
  const excessPower = (noncentrality: number) =>
    noncentralChiSquaredUpperTail(critical, degreesOfFreedom, noncentrality) - power;
  let upper = critical + 1;
  while (excessPower(upper) < 0) upper *= 2;
  return findRoot(excessPower, 0, upper) * (1 / baselineSize + 1 / currentSize);
}
