import type { ServedBy } from './endpoint.ts';
import type { QualityMeasure } from './labels.ts';
import type { FeatureKind } from './layout.ts';
import type { RecordCounts } from './profile.ts';

/** green: nothing to do. yellow: potential drift, look into it. red: an objective is broken, page. */
export type Tier = 'green' | 'yellow' | 'red';

/** As published in the `Tier` metric. */
export const tierValue: Readonly<Record<Tier, number>> = { green: 0, yellow: 1, red: 2 };

export function worstTier(tiers: Iterable<Tier>): Tier {
  let worst: Tier = 'green';
  for (const tier of tiers) if (tierValue[tier] > tierValue[worst]) worst = tier;
  return worst;
}

export type FindingKind =
  | 'drift'
  | 'missing'
  | 'unseen-category'
  | 'missing-column'
  | 'extra-column'
  | 'range'
  | 'type'
  | 'schema-break'
  | 'completeness'
  | 'slo'
  | 'unmeasured'
  | 'silence'
  | 'quarantine'
  | 'duplicate'
  | 'constant'
  | 'stale'
  | 'chart'
  | 'performance'
  | 'quality'
  | 'quality-beside'
  | 'labelling'
  | 'beside'
  | 'caller'
  | 'learning'
  | 'insufficient-data'
  | 'no-baseline'
  | 'unknown-version'
  | 'integrity';

/** One judged fact. `evidence` holds the numbers behind the sentence. */
export interface Finding {
  /** Stable across revisions and windows: `kind`, `kind:feature` or `kind:feature@slice`. No two of a verdict share it. */
  readonly id: string;
  readonly tier: Tier;
  readonly kind: FindingKind;
  readonly feature?: string | undefined;
  readonly slice?: string | undefined;
  /** One sentence a person understands, with the numbers. */
  readonly message: string;
  readonly evidence: Readonly<Record<string, number | string | boolean | null>>;
}

/** A test's outcome. `degreesOfFreedom` where the reference distribution has them. */
export interface TestResult {
  readonly statistic: number;
  readonly degreesOfFreedom?: number | undefined;
  readonly pValue: number;
}

/** What a side of the comparison looks like. min and max are the edges of the outermost occupied buckets. */
export interface FeatureStatistics {
  readonly count: number;
  readonly missing: number;
  readonly mean?: number | undefined;
  readonly standardDeviation?: number | undefined;
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  readonly quantiles?: readonly (readonly [probability: number, value: number])[] | undefined;
}

/** Counts of both sides in the bins that PSI, JS and χ² were computed from, pooled already. */
export interface Bins {
  /** Numeric: the inner edges, ascending; values below the first are bin 0. The last bin is "missing" where `missing` is true. */
  readonly edges?: readonly number[] | undefined;
  /** Categorical: the bins' labels; pooled categories are joined under "(other)", missing under "(missing)". */
  readonly categories?: readonly string[] | undefined;
  /** True where the last bin counts missing values. */
  readonly missing: boolean;
  readonly baseline: readonly number[];
  readonly current: readonly number[];
}

/** What one trailing stretch of windows shows of a feature, to four digits. */
export interface ScaleVerdict {
  /** Nominal length in windows, and judged windows and records that are really in it. */
  readonly scale: number;
  readonly windows: number;
  readonly records: number;
  /** Against what the baseline expects of the stretch's hours; null: nothing could be compared. */
  readonly populationStabilityIndex: number | null;
  /** With the wander between windows; null: not tested. */
  readonly pearsonPValue: number | null;
  /** Wilcoxon's rank-sum test over the ordered bins of a numeric feature, with the wander; null: not tested. */
  readonly ranksPValue: number | null;
  readonly effectFloorPValue: number | null;
  readonly missingPValue: number | null;
  readonly unseenPValue: number | null;
  /** Adjusted over the features of this scale. */
  readonly qValue: number | null;
  readonly drifted: boolean;
  /** There was drift in it, and a shorter stretch shows that it is over. */
  readonly ended?: true | undefined;
  /** Smallest lasting PSI that the stretch would have shown with power 0.8; null: none could be. */
  readonly minimumDetectableEffect: number | null;
}

/** When a drift began, as far as its windows tell. ISO 8601, starts of windows. */
export interface Onset {
  readonly start: string;
  /** First and last window it may have begun in (about 95 %). */
  readonly earliest: string;
  readonly latest: string;
  /** True where `start` is the first window looked at: it may have begun before. */
  readonly beforeFirst: boolean;
}

/** How far vectors have moved, in units a person can picture. */
export interface EmbeddingEffects {
  /** How far the mean vector has moved, in baseline standard deviations, less what noise alone would show. */
  readonly shift: number;
  /** The main axis along which it moved most, from 1; 0: there is none. And by how much. */
  readonly mainAxis: number;
  readonly mainAxisChange: number;
  /** Change of the mean distance from the space of the main axes, in baseline standard deviations. */
  readonly distanceChange: number;
  /** Population stability index of the distance. */
  readonly distanceIndex: number;
  /** Share of vectors farther away than about 95 % of the baseline's, and the baseline's own share. */
  readonly farShare: number;
  readonly baselineFarShare: number;
  /** Share of vectors nearer than about 95 % of the baseline's, and the baseline's own share. */
  readonly nearShare: number;
  readonly baselineNearShare: number;
}

/** Tests of an embedding: the mean vector, the mean distance from the baseline's main axes, and the distance's bins. */
export type EmbeddingTest = 'shift' | 'distance' | 'spread';

/** What one trailing stretch shows of an embedding, to four digits. */
export interface EmbeddingScaleVerdict {
  readonly scale: number;
  readonly windows: number;
  /** Usable ones. */
  readonly vectors: number;
  readonly shiftPValue: number | null;
  readonly shiftFloorPValue: number | null;
  readonly distancePValue: number | null;
  readonly distanceFloorPValue: number | null;
  readonly spreadPValue: number | null;
  readonly spreadFloorPValue: number | null;
  /** Adjusted over the embeddings of this scale. */
  readonly qValue: number | null;
  readonly drifted: boolean;
  /** There was drift in it, and a shorter stretch shows that it is over. */
  readonly ended?: true | undefined;
}

/** What is said of a column of vectors beside its missing values. */
export interface EmbeddingVerdict {
  readonly dimensions: number;
  /** Main axes measured along. */
  readonly axes: number;
  /** Of the shortest stretch: the window alone. Absent where it could not be compared. */
  readonly effects?: EmbeddingEffects | undefined;
  readonly tests?: Readonly<Partial<Record<EmbeddingTest, TestResult>>> | undefined;
  readonly floors?: Readonly<Partial<Record<EmbeddingTest, TestResult>>> | undefined;
  /** What it would have shown with power 0.8: changes in standard deviations, and the share of a new topic. */
  readonly detectable?:
    | { readonly shift: number | null; readonly distance: number | null; readonly newTopicShare: number | null }
    | undefined;
  readonly scales: readonly EmbeddingScaleVerdict[];
}

export interface FeatureVerdict {
  readonly kind: FeatureKind;
  readonly baseline: FeatureStatistics;
  readonly current: FeatureStatistics;
  readonly scores: {
    readonly populationStabilityIndex?: number | undefined;
    readonly jensenShannonDistance?: number | undefined;
    readonly hellingerDistance?: number | undefined;
    /** The largest difference in probability that any set of bins shows. */
    readonly totalVariation?: number | undefined;
    readonly kolmogorovSmirnov?: number | undefined;
    /** In baseline standard deviations. */
    readonly wasserstein?: number | undefined;
  };
  readonly tests: Readonly<Partial<Record<'pearson' | 'ranks' | 'missing' | 'unseen' | 'effectFloor', TestResult>>>;
  /**
   * Benjamini–Hochberg adjusted p over the model's features, the smallest of the scales; null: not tested. The p of a
   * feature is the smallest of its tests' p/share, at most 1; the shares of a numeric one are .45 Pearson, .45 ranks
   * and .1 missing, of a categorical one .8 Pearson, .1 missing and .1 unseen.
   */
  readonly qValue: number | null;
  /** Smallest PSI this window would have shown with power 0.8; null: none could be. */
  readonly minimumDetectableEffect: number | null;
  readonly drifted: boolean;
  /** Of the window itself; the baseline's counts are what its hours expect, in effective records. */
  readonly bins?: Bins | undefined;
  /** Where trailing stretches were judged: each of them. */
  readonly scales?: readonly ScaleVerdict[] | undefined;
  /** The scale whose test is the surest. */
  readonly decidingScale?: number | undefined;
  /** Of an embedding. */
  readonly embedding?: EmbeddingVerdict | undefined;
  /** Of a feature that drifted. */
  readonly onset?: Onset | undefined;
}

/** A share with its confidence interval, within [0, 1]. */
export interface Estimate {
  readonly value: number;
  readonly lower: number;
  readonly upper: number;
}

/** Estimates of what labels would show; a measure without a denominator is absent (no record predicted positive: precision). */
export interface PerformanceEstimate {
  readonly records: number;
  readonly predictedPositives: number;
  /** Expected positives among all records. */
  readonly positives: number;
  readonly accuracy?: Estimate | undefined;
  readonly precision?: Estimate | undefined;
  readonly recall?: Estimate | undefined;
  readonly f1?: Estimate | undefined;
  readonly areaUnderCurve?: Estimate | undefined;
}

/** How well the model does on records without labels, if scores still mean what they meant in the labelled baseline. */
export interface PerformanceVerdict {
  /** Nothing here was seen in labels of the window: it is provisional. */
  readonly estimated: true;
  /** The output that holds the score, and what it is the score of. */
  readonly score: string;
  readonly of: 'positives' | 'right';
  readonly threshold: number | null;
  /** What the baseline's labels showed; without the chance in labels to come. */
  readonly baseline: PerformanceEstimate;
  readonly scales: readonly (PerformanceEstimate & {
    /** Nominal length in windows, and judged windows really in it. */
    readonly scale: number;
    readonly windows: number;
  })[];
}

/** How a window differs from the same windows of a larger series beside it, another version or variant. */
export interface BesideVerdict {
  readonly variant: string;
  readonly version: string;
  /** Benjamini–Hochberg level of each stretch. */
  readonly level: number;
  /** The window, then the windows of up to a day in which both had records. */
  readonly stretches: readonly {
    readonly windows: number;
    readonly records: number;
    readonly otherRecords: number;
    /** [feature, population stability index, q-value], to four digits. */
    readonly features: readonly (readonly [name: string, index: number | null, qValue: number | null])[];
    /** Smallest index that it would have shown with power 0.8, of the feature in the middle; null: none could be. */
    readonly minimumDetectableEffect: number | null;
  }[];
}

export interface SloVerdict {
  readonly name: string;
  readonly kind: 'latency' | 'availability' | 'completeness' | 'freshness' | 'metric';
  readonly objective: number;
  readonly feature?: string | undefined;
  readonly good: number;
  readonly valid: number;
  /** Error rate over the long and short burn windows, in multiples of the budgeted rate. */
  readonly burnRateLong?: number | undefined;
  readonly burnRateShort?: number | undefined;
  /** Share of the period's error budget left; negative when overspent. */
  readonly errorBudgetRemaining?: number | undefined;
  /** Until the budget is spent at the rate of the last six hours; absent where that is not beyond chance, or it is spent. */
  readonly errorBudgetExhaustionSeconds?: number | undefined;
  /** True where it is red. */
  readonly broken: boolean;
  /** The pair of windows that burns the budget too fast; absent: none. */
  readonly burning?: BurningPair | undefined;
}

/** A pair of windows over which an objective's budget burns too fast. */
export interface BurningPair {
  readonly tier: 'yellow' | 'red';
  /** Burn rate asked of both windows. */
  readonly threshold: number;
  readonly longMinutes: number;
  readonly shortMinutes: number;
  /** Bad and all events of the long window. */
  readonly bad: number;
  readonly valid: number;
  readonly longRate: number;
  readonly shortRate: number;
  /** The minute (since the epoch) at which both windows end, exclusive; absent: with the verdict's own. */
  readonly endMinute?: number | undefined;
}

/** What labels show of some records. */
export interface QualityReading {
  /** Captured, and of them those with a label. */
  readonly records: number;
  readonly labelled: number;
  /** Of those with a label; null: it can't be told. */
  readonly value: number | null;
  /** 95 % confidence interval of a share; null: of other measures. */
  readonly lower: number | null;
  readonly upper: number | null;
  /** What scores alone let expect of all of these records, where the baseline has a calibration. */
  readonly estimated: Estimate | null;
}

/** What labels show of the records of one variant and version. */
export interface VersionQuality {
  readonly variant: string;
  readonly version: string;
  readonly matured: QualityReading;
  readonly provisional: QualityReading;
}

/** An objective of the model's quality, by its labels. */
export interface QualityVerdict {
  readonly name: string;
  readonly measure: QualityMeasure;
  /** Smallest good value, or of an error the largest. */
  readonly bound: number;
  readonly periodDays: number;
  readonly labelsWithinSeconds: number;
  /** Records whose labels had their time within the last period: these can be red. */
  readonly matured: QualityReading;
  /** Records whose labels may still come: yellow at most, whatever they show. */
  readonly provisional: QualityReading;
  /** The same by variant and version, the largest first, at most ten; absent: all records are of one. */
  readonly versions?: readonly VersionQuality[] | undefined;
  /** Share of the records of the last period and since that are matured, 0 to 1. */
  readonly labelMaturity: number;
  /** ln of the evidence that the objective is broken; red at that of `redEvidence`. Null: not tested. */
  readonly logEvidence: number | null;
  /** 100, times the objectives of the model that share the level of false alarms. */
  readonly redEvidence: number;
  /** The same with all records so far, those without a label counted as good. */
  readonly provisionalLogEvidence: number | null;
  readonly broken: boolean;
}

/** All findings of a window, or of the live judgement of a minute, and the tier that follows. */
export interface Verdict {
  readonly schema: 'tidewatch.verdict/1';
  readonly mode: 'closed' | 'live' | 'analysis';
  readonly model: string;
  readonly variant: string;
  readonly version: string;
  /** ISO 8601, UTC, half-open. */
  readonly window: { readonly start: string; readonly end: string };
  /** 0 at first judgement; one more each time late data restates it. */
  readonly revision: number;
  readonly tier: Tier;
  readonly records: RecordCounts;
  readonly requests?: RecordCounts | undefined;
  /** What answered in the window, of models whose captures come from SageMaker endpoints; absent: nobody knows. */
  readonly servedBy?: readonly ServedBy[] | undefined;
  /** The rule applied, so that the verdict can be recomputed. */
  readonly rule: {
    /** Benjamini–Hochberg level of this series' window, per stretch. */
    readonly level: number;
    readonly minimumEffect: number;
    readonly effectLevel: number;
    /** How the p-values were calibrated ("independent records, no cells"). */
    readonly calibration: string;
    /** Trailing stretches judged, in windows; absent: the window alone. */
    readonly scales?: readonly number[] | undefined;
    /** Series of the model in service that shared its budget evenly at the window's first judgement; absent: this one alone. */
    readonly series?: number | undefined;
  };
  readonly features: Readonly<Record<string, FeatureVerdict>>;
  readonly slos: readonly SloVerdict[];
  /** Present where a larger series of the model was called in the same window. */
  readonly beside?: BesideVerdict | undefined;
  /** Present where the baseline had labels. */
  readonly performance?: PerformanceVerdict | undefined;
  readonly quality: readonly QualityVerdict[];
  readonly findings: readonly Finding[];
  readonly evidence: {
    /** SHA-256 of the baseline, canonical config and code; keys of the profiles judged. */
    readonly baseline: string | null;
    readonly config: string;
    readonly code: string;
    readonly profiles: readonly string[];
    /** Keys of what was known from before the window: trails of the series, and what was learned from its first windows. */
    readonly trails?: readonly string[] | undefined;
  };
}
