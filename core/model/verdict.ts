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
  | 'silence'
  | 'quarantine'
  | 'duplicate'
  | 'constant'
  | 'stale'
  | 'chart'
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

export interface FeatureVerdict {
  readonly kind: FeatureKind;
  readonly baseline: FeatureStatistics;
  readonly current: FeatureStatistics;
  readonly scores: {
    readonly populationStabilityIndex?: number | undefined;
    readonly jensenShannonDistance?: number | undefined;
    readonly kolmogorovSmirnov?: number | undefined;
    /** In baseline standard deviations. */
    readonly wasserstein?: number | undefined;
  };
  /** `pearson`, `missing`, `unseen`, `effectFloor`. */
  readonly tests: Readonly<Partial<Record<'pearson' | 'missing' | 'unseen' | 'effectFloor', TestResult>>>;
  /**
   * Benjamini–Hochberg adjusted p = min(1, 3·min(Pearson, missing, unseen)) over the model's features, the smallest of
   * the scales; null: not tested.
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
  /** Of a feature that drifted. */
  readonly onset?: Onset | undefined;
}

export interface SloVerdict {
  readonly name: string;
  readonly kind: 'latency' | 'availability' | 'completeness';
  readonly objective: number;
  readonly feature?: string | undefined;
  readonly good: number;
  readonly valid: number;
  /** Error rate over the long and short burn windows, in multiples of the budgeted rate. */
  readonly burnRateLong?: number | undefined;
  readonly burnRateShort?: number | undefined;
  /** Share of the period's error budget left; negative when overspent. */
  readonly errorBudgetRemaining?: number | undefined;
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
  /** The rule applied, so that the verdict can be recomputed. */
  readonly rule: {
    readonly level: number;
    readonly minimumEffect: number;
    readonly effectLevel: number;
    /** How the p-values were calibrated ("independent records, no cells"). */
    readonly calibration: string;
    /** Trailing stretches judged, in windows; absent: the window alone. */
    readonly scales?: readonly number[] | undefined;
  };
  readonly features: Readonly<Record<string, FeatureVerdict>>;
  readonly slos: readonly SloVerdict[];
  readonly quality: readonly never[];
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
