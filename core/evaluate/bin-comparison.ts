import { measureRankShift, type RankShift } from '../stats/rank-test.ts';
import type { BinPlan } from './bin-plan.ts';

/** Expected count below which the χ² approximation is not trusted. */
export const minimumExpectedCount = 10;

/**
 * Compares counts with expected shares, bins pooled. One object serves many comparisons: it keeps its buffers, and
 * each comparison overwrites what the one before it measured.
 *
 * Neighbouring bins are pooled until each expects ten records on both sides, rare categories go to "other", and
 * "other" and missing are left out where they expect fewer. What a bin expects follows from both sides together, not
 * from how they differ, so that the test stays valid and values where the baseline had none are still seen.
 */
export class BinComparison {
  /** Bins compared after pooling; with fewer than two there is nothing to compare. */
  bins = 0;
  /** Records of both sides in those bins. */
  baselineSize = 0;
  currentSize = 0;
  /** 1/baselineSize + 1/currentSize. */
  sampling = 0;
  /** Σ(p − q)²/(pooled share): Pearson's X² is distance/sampling. */
  distance = 0;
  /** ½-smoothed PSI. */
  populationStabilityIndex = 0;
  /** Of the ordered bins of a numeric feature's values; absent where there are fewer than three. */
  rankShift: RankShift | undefined;
  /** Counts of the pooled bins, of which the first `bins` are valid. */
  readonly baseline: Float64Array;
  readonly current: Float64Array;
  /** First compared bin of each group; for categories the bin itself. */
  readonly first: Int32Array;
  /** True where the last group is that of missing values. */
  comparesMissing = false;
  /** True where the last group before missing is "other". */
  comparesOther = false;

  constructor(maximumBins: number) {
    this.baseline = new Float64Array(maximumBins);
    this.current = new Float64Array(maximumBins);
    this.first = new Int32Array(maximumBins);
  }

  /**
   * @param current counts, laid out by the plan
   * @param expected shares of the baseline, laid out alike; they add up to 1
   * @param effectiveSize records that the shares are worth
   */
  compare(plan: BinPlan, current: Float64Array, expected: Float64Array, effectiveSize: number): void {
    this.bins = 0;
    this.comparesMissing = false;
    this.comparesOther = false;
    let rows = 0;
    for (let bin = 0; bin < plan.bins; bin++) rows += current[bin] ?? 0;
    if (rows > 0 && effectiveSize > 0 && plan.kind !== 'opaque') {
      const missing = plan.bins - 1;
      const currentMissing = current[missing] ?? 0;
      const baselineMissing = effectiveSize * (expected[missing] ?? 0);
      const [currentValues, baselineValues] = [rows - currentMissing, effectiveSize - baselineMissing];
      const valueLimit = limitOf(currentValues, baselineValues);
      if (plan.kind === 'numeric') this.#poolNeighbours(plan, current, expected, effectiveSize, valueLimit);
      else this.#poolRare(plan, current, expected, effectiveSize, valueLimit);
      if (currentMissing + baselineMissing >= limitOf(rows, effectiveSize)) {
        this.#push(missing, baselineMissing, currentMissing);
        this.comparesMissing = true;
      }
    }
    this.#measure();
    const values = this.bins - (this.comparesMissing ? 1 : 0);
    // Over two bins it would be Pearson's test again.
    const isOrdered = plan.kind === 'numeric' && values >= 3;
    this.rankShift = isOrdered ? measureRankShift(this.baseline, this.current, values) : undefined;
  }

  #poolNeighbours(plan: BinPlan, current: Float64Array, expected: Float64Array, size: number, limit: number): void {
    let [openFirst, openBaseline, openCurrent] = [0, 0, 0];
    for (let bin = 0; bin < plan.values; bin++) {
      openBaseline += size * (expected[bin] ?? 0);
      openCurrent += current[bin] ?? 0;
      if (openBaseline + openCurrent < limit) continue;
      this.#push(openFirst, openBaseline, openCurrent);
      [openFirst, openBaseline, openCurrent] = [bin + 1, 0, 0];
    }
    if (openBaseline + openCurrent === 0) return;
    if (this.bins === 0) this.#push(0, openBaseline, openCurrent);
    else this.#add(this.bins - 1, openBaseline, openCurrent);
  }

  #poolRare(plan: BinPlan, current: Float64Array, expected: Float64Array, size: number, limit: number): void {
    let otherBaseline = size * (expected[plan.values] ?? 0);
    let otherCurrent = current[plan.values] ?? 0;
    for (let bin = 0; bin < plan.values; bin++) {
      const a = size * (expected[bin] ?? 0);
      const b = current[bin] ?? 0;
      if (a + b >= limit) {
        this.#push(bin, a, b);
      } else {
        otherBaseline += a;
        otherCurrent += b;
      }
    }
    if (otherBaseline + otherCurrent < limit || otherBaseline + otherCurrent === 0) return;
    this.#push(plan.values, otherBaseline, otherCurrent);
    this.comparesOther = true;
  }

  #push(first: number, baseline: number, current: number): void {
    this.first[this.bins] = first;
    this.baseline[this.bins] = baseline;
    this.current[this.bins] = current;
    this.bins++;
  }

  #add(group: number, baseline: number, current: number): void {
    this.baseline[group] = (this.baseline[group] ?? 0) + baseline;
    this.current[group] = (this.current[group] ?? 0) + current;
  }

  #measure(): void {
    let [n, m] = [0, 0];
    for (let group = 0; group < this.bins; group++) {
      n += this.baseline[group] ?? 0;
      m += this.current[group] ?? 0;
    }
    this.baselineSize = n;
    this.currentSize = m;
    this.distance = 0;
    this.populationStabilityIndex = 0;
    this.sampling = 0;
    if (this.bins < 2 || !(n > 0 && m > 0)) {
      this.bins = 0;
      return;
    }
    const sampling = 1 / n + 1 / m;
    const half = this.bins / 2;
    let squares = 0;
    let index = 0;
    for (let group = 0; group < this.bins; group++) {
      const a = this.baseline[group] ?? 0;
      const b = this.current[group] ?? 0;
      const difference = b / m - a / n;
      // (p − q)²/((a + b)/(n + m)), with n + m = n·m·sampling.
      if (a + b > 0) squares += (difference * difference) / (a + b);
      const p = (a + 0.5) / (n + half);
      const q = (b + 0.5) / (m + half);
      index += (p - q) * Math.log(p / q);
    }
    this.sampling = sampling;
    this.distance = squares * n * m * sampling;
    this.populationStabilityIndex = index;
  }
}

/** What a bin must hold on both sides together so that the smaller side expects ten. */
function limitOf(current: number, baseline: number): number {
  const smaller = Math.min(current, baseline);
  return smaller > 0 ? (minimumExpectedCount * (current + baseline)) / smaller : Number.POSITIVE_INFINITY;
}
