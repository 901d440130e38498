import type { BaselineFeature } from '../model/baseline.ts';
import type { CategoricalLayout, FeatureKind, FeatureLayout } from '../model/layout.ts';
import type { CategoricalSummary, FeatureSummary } from '../model/profile.ts';
import type { Bins, FeatureVerdict, TestResult } from '../model/verdict.ts';
import { hellingerDistance, jensenShannonDistance, totalVariation } from '../stats/divergence.ts';
import { effectFloorTest } from '../stats/effect-floor.ts';
import { hypergeometricUpperTail } from '../stats/hypergeometric.ts';
import { pearsonTest } from '../stats/pearson.ts';
import { populationStabilityIndex } from '../stats/population-stability-index.ts';
import { rankTest } from '../stats/rank-test.ts';
import { presenceOf } from './embedding/presence.ts';
import { expectedUnseenRows } from './expected-unseen.ts';
import { poolCategoricalBins, poolNumericBins } from './feature-bins.ts';
import { keepFinite } from './feature-statistics.ts';
import { measureFineBuckets } from './fine-distances.ts';
import { combineTests } from './test-shares.ts';

/** What a window's values of one feature measure against the baseline's. Judges nothing. */
export interface FeatureComparison {
  readonly kind: FeatureKind;
  readonly scores: FeatureVerdict['scores'];
  readonly tests: FeatureVerdict['tests'];
  readonly bins?: Bins | undefined;
  /** The feature's p-value over its tests (`combineTests`); null where none of them could be run. */
  readonly combinedPValue: number | null;
  /** Current share of missing values minus the baseline's. */
  readonly missingRise: number;
  /** Current share of unseen categories minus the share expected of a window in which nothing changed. */
  readonly unseenRise: number;
  readonly expectedUnseenShare: number;
}

/**
 * Compares a feature's window with its baseline. PSI, Jensen–Shannon distance, Pearson's test and the effect floor
 * all come from the pooled `bins` that are returned; Kolmogorov–Smirnov and Wasserstein from the fine buckets. Only
 * the one-sided exact tests look at missing values and unseen categories that were too few for a bin.
 * @param minimumEffect PSI below which a difference does not matter; 0 leaves the effect-floor test out
 */
export function compareFeature(
  layout: FeatureLayout,
  baseline: BaselineFeature,
  current: FeatureSummary,
  minimumEffect: number,
): FeatureComparison {
  if (layout.kind === 'embedding')
    return comparePresence(presenceOf(baseline.summary), presenceOf(current), minimumEffect);
  const summary = baseline.summary;
  const missing = testMissing(summary, current);
  if (layout.kind === 'numeric' && summary.kind === 'numeric' && current.kind === 'numeric') {
    const bins = poolNumericBins(layout, summary, current);
    const fine = measureFineBuckets(layout, baseline, current);
    return assemble(summary, current, { bins, fine, missing, minimumEffect });
  }
  if (layout.kind === 'categorical' && summary.kind === 'categorical' && current.kind === 'categorical') {
    return compareCategorical(layout, baseline, summary, current, missing, minimumEffect);
  }
  return assemble(summary, current, { missing, minimumEffect });
}

/** Vectors themselves are compared by `judgeEmbeddings`. */
function comparePresence(baseline: FeatureSummary, current: FeatureSummary, minimumEffect: number): FeatureComparison {
  return assemble(baseline, current, { missing: testMissing(baseline, current), minimumEffect });
}

function compareCategorical(
  layout: CategoricalLayout,
  baseline: BaselineFeature,
  summary: CategoricalSummary,
  current: CategoricalSummary,
  missing: TestResult | undefined,
  minimumEffect: number,
): FeatureComparison {
  const bins = poolCategoricalBins(layout, summary, current, Math.max(summary.unseen, baseline.rare));
  const expected = expectedUnseenRows(baseline);
  const unseen = testUnseen(summary, current, expected);
  return assemble(summary, current, { bins, missing, unseen, expectedUnseen: expected, minimumEffect });
}

interface Measured {
  readonly bins?: Bins;
  readonly fine?: Pick<FeatureVerdict['scores'], 'kolmogorovSmirnov' | 'wasserstein'>;
  readonly missing: TestResult | undefined;
  readonly unseen?: TestResult | undefined;
  readonly expectedUnseen?: number;
  readonly minimumEffect: number;
}

function assemble(baseline: FeatureSummary, current: FeatureSummary, measured: Measured): FeatureComparison {
  const binned = measured.bins ? compareBins(measured.bins, measured.minimumEffect) : undefined;
  const expectedUnseenShare = share(measured.expectedUnseen ?? 0, baseline.count);
  const currentUnseen = current.kind === 'categorical' ? current.unseen : 0;
  return {
    kind: current.kind,
    scores: { ...binned?.scores, ...measured.fine },
    tests: {
      ...(binned?.pearson && { pearson: binned.pearson }),
      ...(binned?.ranks && { ranks: binned.ranks }),
      ...(measured.missing && { missing: measured.missing }),
      ...(measured.unseen && { unseen: measured.unseen }),
      ...(binned?.effectFloor && { effectFloor: binned.effectFloor }),
    },
    bins: measured.bins,
    combinedPValue: combineTests(current.kind, {
      pearson: binned?.pearson?.pValue,
      ranks: binned?.ranks?.pValue,
      missing: measured.missing?.pValue,
      unseen: measured.unseen?.pValue,
    }),
    missingRise: share(current.missing, rowsOf(current)) - share(baseline.missing, rowsOf(baseline)),
    unseenRise: share(currentUnseen, current.count) - expectedUnseenShare,
    expectedUnseenShare,
  };
}

function compareBins(bins: Bins, minimumEffect: number) {
  const baselineSize = bins.baseline.reduce((sum, count) => sum + count, 0);
  const currentSize = bins.current.reduce((sum, count) => sum + count, 0);
  if (bins.baseline.length < 2 || baselineSize === 0 || currentSize === 0) return undefined;
  const psi = populationStabilityIndex(bins.baseline, bins.current);
  const floor =
    minimumEffect > 0
      ? effectFloorTest(psi, baselineSize, currentSize, bins.baseline.length, minimumEffect)
      : undefined;
  return {
    scores: {
      populationStabilityIndex: keepFinite(psi),
      jensenShannonDistance: keepFinite(jensenShannonDistance(bins.baseline, bins.current)),
      hellingerDistance: keepFinite(hellingerDistance(bins.baseline, bins.current)),
      totalVariation: keepFinite(totalVariation(bins.baseline, bins.current)),
    },
    pearson: keepTest(pearsonTest(bins.baseline, bins.current)),
    ranks: testRanks(bins),
    effectFloor: floor && keepTest(floor),
  };
}

/** Of the values' bins, which have an order; over two it would be Pearson's test again. */
function testRanks({ edges, missing, baseline, current }: Bins): TestResult | undefined {
  const values = missing ? -1 : undefined;
  const [before, now] = [baseline.slice(0, values), current.slice(0, values)];
  return edges && before.length >= 3 ? keepTest(rankTest(before, now)) : undefined;
}

/** Is the share of missing values higher than the baseline's? One-sided, exact given the total of missing values. */
function testMissing(baseline: FeatureSummary, current: FeatureSummary): TestResult | undefined {
  const drawn = rowsOf(current);
  const population = rowsOf(baseline) + drawn;
  if (drawn === 0 || population === drawn) return undefined;
  const successes = baseline.missing + current.missing;
  return keepTest({
    statistic: current.missing,
    pValue: hypergeometricUpperTail(current.missing, drawn, successes, population),
  });
}

/** Is the share of unseen categories higher than expected? One-sided, exact given the total. */
function testUnseen(baseline: CategoricalSummary, current: CategoricalSummary, expected: number) {
  if (current.count === 0 || baseline.count === 0) return undefined;
  const population = baseline.count + current.count;
  return keepTest({
    statistic: current.unseen,
    pValue: hypergeometricUpperTail(current.unseen, current.count, expected + current.unseen, population),
  });
}

function keepTest(test: TestResult): TestResult | undefined {
  if (!Number.isFinite(test.statistic) || !Number.isFinite(test.pValue)) return undefined;
  return { ...test, pValue: Math.min(1, Math.max(0, test.pValue)) };
}

function rowsOf(summary: FeatureSummary): number {
  return summary.count + summary.missing;
}

function share(part: number, whole: number): number {
  return whole > 0 ? part / whole : 0;
}
