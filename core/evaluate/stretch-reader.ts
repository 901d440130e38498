import type { FeatureKind } from '../model/layout.ts';
import type { DriftPolicy } from '../model/policy.ts';
import type { TrailingCounts } from '../model/trailing-counts.ts';
import type { TestResult } from '../model/verdict.ts';
import { hypergeometricUpperTail } from '../stats/hypergeometric.ts';
import { overdispersedUpperTail } from '../stats/negative-binomial-tails.ts';
import { normalUpperQuantile } from '../stats/normal.ts';
import { studentUpperTailQuick } from '../stats/student-t.ts';
import { type Scatter, wanderTail } from '../stats/wander-tail.ts';
import { BinComparison } from './bin-comparison.ts';
import { foldCounts } from './bin-plan.ts';
import { type Calibration, type FeatureCalibration, uncalibrated } from './calibration.ts';
import { detectableShift } from './detectable-shift.ts';
import { combineTests } from './test-shares.ts';
import type { Wander } from './wander.ts';

/** What a stretch shows of a feature, before features are weighed against one another. */
export interface StretchMeasurement {
  readonly kind: FeatureKind;
  /** Nominal length in windows. */
  readonly scale: number;
  /** Judged windows and records that are really in it. */
  readonly windows: number;
  readonly records: number;
  /** Bins compared after pooling; 0: there was nothing to compare. */
  readonly bins: number;
  readonly populationStabilityIndex: number | null;
  /** Pearson's X², its p-value with the wander. */
  readonly pearson: TestResult | null;
  /** Wilcoxon's rank-sum test over the ordered bins of a numeric feature, its p-value with the wander. */
  readonly ranks: TestResult | null;
  /** Is the PSI above the floor? Null where the floor is 0. */
  readonly effectFloor: TestResult | null;
  readonly missing: TestResult | null;
  /** Share of missing values, less the share expected. */
  readonly missingRise: number;
  readonly unseen: TestResult | null;
  readonly unseenRise: number;
  readonly expectedUnseenShare: number;
  /** There are records, and none has a value. */
  readonly isEmpty: boolean;
  /** Is the PSI too gross for an ordinary up and down? Asked where those of the baseline are not known; else true. */
  readonly isGross: boolean;
  /** The feature's p-value over its tests (`combineTests`); null: not tested. */
  readonly combinedPValue: number | null;
}

/** A rise that chance explains this well needs no look at how the share wanders. */
const alarmingProbability = 0.05;
/** What measuring needs of the rule. */
export type StretchPolicy = Pick<DriftPolicy, 'minimumRecords' | 'effectLevel'>;

/**
 * Compares stretches with what a calibration expects of them. Opened on a stretch it weighs the cells once, then
 * measures feature after feature in buffers of its own.
 */
export class StretchReader {
  readonly comparison: BinComparison;
  /** Counts and expected shares of the feature measured last, in its compared bins. */
  readonly current: Float64Array;
  readonly expected: Float64Array;
  /** Records that the expected shares are worth. */
  effectiveSize = 0;
  readonly #calibration: Calibration;
  readonly #policy: StretchPolicy;
  readonly #weights: Float64Array;
  readonly #rows: Int32Array;
  #rowCount = 0;
  #stretch: TrailingCounts | undefined;
  #scaleIndex = 0;
  #tested = false;
  #rules: (MeasuredRule | undefined)[] = [];
  /** By level and effect floor, then by what else matters. Of the stretch that is open. */
  readonly #detectable = new Map<string, Map<number, number | null>>();

  constructor(calibration: Calibration, policy: StretchPolicy) {
    const bins = Math.max(2, ...calibration.features.map(({ plan }) => plan.bins));
    this.#calibration = calibration;
    this.#policy = policy;
    this.comparison = new BinComparison(bins);
    this.current = new Float64Array(bins);
    this.expected = new Float64Array(bins);
    this.#weights = new Float64Array(calibration.groups.size + 1);
    this.#rows = new Int32Array(calibration.groups.size + 1);
  }

  open(stretch: TrailingCounts): void {
    this.#stretch = stretch;
    this.#rules = [];
    this.#detectable.clear();
    this.#tested = stretch.records > 0 && stretch.records >= this.#policy.minimumRecords;
    this.#scaleIndex = this.#findScale(stretch);
    this.#weighCells(stretch);
  }

  /** @param counts the feature's coarse counts in the stretch; undefined: none were kept */
  measure(feature: FeatureCalibration, counts: ArrayLike<number> | undefined, floor: number): StretchMeasurement {
    const stretch = this.#stretch;
    if (!stretch || !counts || counts.length !== feature.plan.coarseBins) {
      this.#rules.push(undefined);
      return describeNothing(feature, stretch);
    }
    const expectedUnseen = this.load(feature, counts);
    const { plan } = feature;
    this.comparison.compare(plan, this.current, this.expected, this.effectiveSize);
    const wander = feature.wander[this.#scaleIndex];
    const provisionalBelow = feature.provisionalBelow ?? this.#calibration.provisionalBelow;
    const minimumEffect = floor > 0 && provisionalBelow !== undefined ? Math.max(floor, uncalibrated.floor) : floor;
    const scatter =
      wander && this.comparison.bins >= 2
        ? scatterOf(this.comparison.sampling, this.comparison.bins - 1, wander.shares)
        : undefined;
    this.#rules.push(scatter && { scatter, minimumEffect });
    if (!this.#tested || !wander) return describeNothing(feature, stretch);
    const rows = sumOf(this.current, plan.bins);
    const missing = this.#testRise(
      counts[plan.coarseBins - 1] ?? 0,
      rows,
      this.expected[plan.bins - 1] ?? 0,
      this.effectiveSize,
      wander.missing,
    );
    const present = rows - (counts[plan.coarseBins - 1] ?? 0);
    const presentShare = 1 - (this.expected[plan.bins - 1] ?? 0);
    const unseen =
      plan.unseen < 0 || !(presentShare > 0)
        ? undefined
        : this.#testRise(
            counts[plan.unseen] ?? 0,
            present,
            Math.min(1, (expectedUnseen + feature.newCategories) / presentShare),
            this.effectiveSize * presentShare,
            wander.unseen,
          );
    const { comparison } = this;
    const pearson = scatter ? testPearson(comparison, scatter) : null;
    const ranks = scatter ? testRanks(comparison, ofPresent(wander.shares, presentShare)) : null;
    const isAbove = (effect: number) =>
      scatter !== undefined && testFloor(comparison, scatter, effect).pValue <= this.#policy.effectLevel;
    return {
      kind: plan.kind,
      scale: stretch.scale,
      windows: stretch.windows,
      records: stretch.records,
      bins: scatter ? comparison.bins : 0,
      populationStabilityIndex: scatter ? comparison.populationStabilityIndex : null,
      pearson,
      ranks,
      effectFloor: scatter && minimumEffect > 0 ? testFloor(comparison, scatter, minimumEffect) : null,
      missing: missing?.test ?? null,
      missingRise: missing?.rise ?? 0,
      unseen: unseen?.test ?? null,
      unseenRise: unseen?.rise ?? 0,
      expectedUnseenShare: unseen?.expected ?? 0,
      isEmpty: rows > 0 && present === 0,
      isGross: provisionalBelow === undefined || isAbove(provisionalBelow),
      combinedPValue: combineTests(plan.kind, {
        pearson: pearson?.pValue,
        ranks: ranks?.pValue,
        missing: missing?.test.pValue,
        unseen: unseen?.test.pValue,
      }),
    };
  }

  /** Smallest lasting PSI that the stretch could have shown of the feature measured at a position since `open`. */
  detectable(position: number, level: number): number | null {
    const rule = this.#rules[position];
    if (!rule) return null;
    const { scatter, minimumEffect } = rule;
    // Features differ little in what matters here; steps of five per cent serve many at once.
    const sampling = stepOf(scatter.sampling);
    const wander = stepOf(scatter.wander);
    const certainty = stepOf(Math.min(scatter.certainty, 1e10));
    const key = ((sampling * steps + wander) * steps + certainty) * 64 + scatter.degreesOfFreedom;
    const remembered = this.#rememberedFor(`${level} ${minimumEffect}`);
    const known = remembered.get(key);
    if (known !== undefined) return known;
    const effect = detectableShift({
      scatter: {
        degreesOfFreedom: scatter.degreesOfFreedom,
        sampling: sizeOfStep(sampling),
        wander: scatter.wander > 0 ? sizeOfStep(wander) : 0,
        certainty: sizeOfStep(certainty),
      },
      level,
      minimumEffect,
      effectLevel: this.#policy.effectLevel,
    });
    remembered.set(key, effect);
    return effect;
  }

  #rememberedFor(rule: string): Map<number, number | null> {
    const known = this.#detectable.get(rule);
    if (known) return known;
    const remembered = new Map<number, number | null>();
    this.#detectable.set(rule, remembered);
    return remembered;
  }

  /** Fills `current`, `expected` and `effectiveSize` for a feature. @returns the share of unseen values expected. */
  load(feature: FeatureCalibration, counts: ArrayLike<number>): number {
    const { plan, shares, unseen, records, leansOn } = feature;
    const { bins } = plan;
    foldCounts(counts, plan, this.current);
    const { expected } = this;
    if (!feature.usesCells) {
      const last = records.length - 1;
      for (let bin = 0; bin < bins; bin++) expected[bin] = shares[last * bins + bin] ?? 0;
      this.effectiveSize = records[last] ?? 0;
      return unseen[last] ?? 0;
    }
    expected.fill(0, 0, bins);
    let uncertainty = leansOn ? 1 / leansOn : 0;
    let expectedUnseen = 0;
    for (let position = 0; position < this.#rowCount; position++) {
      const row = this.#rows[position] ?? 0;
      const weight = this.#weights[position] ?? 0;
      const size = records[row] ?? 0;
      const source = size > 0 ? row : records.length - 1;
      const offset = source * bins;
      for (let bin = 0; bin < bins; bin++) expected[bin] = (expected[bin] ?? 0) + weight * (shares[offset + bin] ?? 0);
      expectedUnseen += weight * (unseen[source] ?? 0);
      uncertainty += (weight * weight) / (records[source] ?? 0);
    }
    this.effectiveSize = uncertainty > 0 ? 1 / uncertainty : 0;
    return expectedUnseen;
  }

  /** The wander of a stretch is that of the windows really in it: after a gap a long one wanders like a short one. */
  #findScale(stretch: TrailingCounts): number {
    const { scales } = this.#calibration;
    const windows = Math.min(stretch.scale, Math.max(stretch.windows, 1));
    let best = 0;
    scales.forEach((scale, index) => {
      if (scale <= windows && scale > (scales[best] ?? 0)) best = index;
      if ((scales[best] ?? 0) > windows && scale < (scales[best] ?? 0)) best = index;
    });
    return best;
  }

  #weighCells(stretch: TrailingCounts): void {
    const { groups } = this.#calibration;
    const byRow = new Map<number, number>();
    let total = 0;
    for (const [cell, records] of stretch.cells) {
      // A cell that the baseline never saw is compared with the baseline as a whole.
      const row = groups.indexOf(cell) ?? groups.size;
      byRow.set(row, (byRow.get(row) ?? 0) + records);
      total += records;
    }
    this.#rowCount = 0;
    for (const [row, records] of byRow) {
      if (!(records > 0)) continue;
      this.#rows[this.#rowCount] = row;
      this.#weights[this.#rowCount] = records / total;
      this.#rowCount++;
    }
  }

  /** Is a share higher than expected? Exact, given the total, and no surer than the wander of the share allows. */
  #testRise(count: number, drawn: number, expected: number, size: number, wander: Wander) {
    const worth = Math.round(Math.min(size, 1e12));
    if (!(drawn > 0 && worth > 0)) return undefined;
    const rise = count / drawn - expected;
    const test = (pValue: number) => ({ test: { statistic: count, pValue }, rise, expected });
    if (!(rise > 0)) return test(1);
    const known = Math.min(worth, Math.ceil(expected * worth - 1e-6));
    const exact = hypergeometricUpperTail(count, drawn, known + count, worth + drawn);
    if (wander.variance === 0 && wander.uncertainty === 0) return test(exact);
    if (exact > alarmingProbability) return test(exact);
    // The share itself wanders: a count whose rate varies. That variance is an estimate: its tail is Student's. Where it
    // wanders by more than these hours expect, it is taken for exponential: a gamma law of a smaller mean has so heavy a
    // tail that even the loss of every value would be nothing.
    const share = Math.max(expected, Math.sqrt(wander.variance), 0.5 / worth);
    const sampling = (share * (1 - share)) / worth;
    const mean = drawn * share;
    const dispersion = (sampling + wander.variance) / (share * share);
    const varied = overdispersedUpperTail(count, mean, Math.min(dispersion, Number.MAX_VALUE));
    const variance = mean / (drawn * drawn) + sampling + wander.variance;
    // Variances so small that their squares vanish say nothing of how sure they are.
    const certainty = Math.max(1, (2 * variance * variance) / Math.max(wander.uncertainty, Number.MIN_VALUE));
    // A tail too small for a double must not become a certainty.
    const score = normalUpperQuantile(Math.min(Math.max(varied, Number.MIN_VALUE), 0.5));
    return test(Math.max(exact, studentUpperTailQuick(score, certainty)));
  }
}

interface MeasuredRule {
  readonly scatter: Scatter;
  readonly minimumEffect: number;
}

const nothing = {
  bins: 0,
  populationStabilityIndex: null,
  pearson: null,
  ranks: null,
  effectFloor: null,
  missing: null,
  missingRise: 0,
  unseen: null,
  unseenRise: 0,
  expectedUnseenShare: 0,
  isEmpty: false,
  isGross: true,
  combinedPValue: null,
} as const;

function scatterOf(sampling: number, degreesOfFreedom: number, wander: Wander): Scatter {
  const total = sampling + wander.variance;
  return {
    sampling,
    degreesOfFreedom,
    wander: wander.variance,
    certainty: wander.uncertainty > 0 ? (2 * total * total) / wander.uncertainty : Number.POSITIVE_INFINITY,
  };
}

function testPearson({ bins, distance, sampling }: BinComparison, scatter: Scatter): TestResult {
  return { statistic: distance / sampling, degreesOfFreedom: bins - 1, pValue: wanderTail(distance, scatter) };
}

/**
 * The wander of shares among records that have a value. It is learned over all records, of which Σ (p − q)²/q takes one
 * factor less of the present share than of records.
 */
function ofPresent({ variance, uncertainty }: Wander, presentShare: number): Wander {
  if (!(presentShare > 0)) return { variance, uncertainty };
  return { variance: variance / presentShare, uncertainty: uncertainty / (presentShare * presentShare) };
}

/** The wander lies in one direction, and that may be the one that ranks look in. */
function testRanks({ rankShift }: BinComparison, wander: Wander): TestResult | null {
  if (!rankShift) return null;
  const { distance, sampling } = rankShift;
  const pValue = wanderTail(distance, scatterOf(sampling, 1, wander));
  return { statistic: distance / sampling, degreesOfFreedom: 1, pValue };
}

function testFloor(comparison: BinComparison, scatter: Scatter, minimumEffect: number): TestResult {
  const { bins, sampling, populationStabilityIndex } = comparison;
  const pValue = wanderTail(populationStabilityIndex, scatter, minimumEffect);
  return { statistic: populationStabilityIndex / sampling, degreesOfFreedom: bins - 1, pValue };
}

function describeNothing({ plan }: FeatureCalibration, stretch: TrailingCounts | undefined): StretchMeasurement {
  const { scale = 0, windows = 0, records = 0 } = stretch ?? {};
  return { kind: plan.kind, scale, windows, records, ...nothing };
}

/** Steps from 1e-30 to 1e10 and more, each five per cent above the one before it. */
const steps = 4096;
const logStep = Math.log(1.05);
const lowestLog = Math.log(1e-30);

function stepOf(value: number): number {
  if (!(value > 0)) return 0;
  return Math.min(steps - 1, Math.max(0, Math.round((Math.log(value) - lowestLog) / logStep)));
}

function sizeOfStep(step: number): number {
  return Math.exp(lowestLog + step * logStep);
}

function sumOf(counts: Float64Array, bins: number): number {
  let total = 0;
  for (let bin = 0; bin < bins; bin++) total += counts[bin] ?? 0;
  return total;
}
