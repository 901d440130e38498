import type { Baseline } from '../model/baseline.ts';
import type { FeatureLayout } from '../model/layout.ts';
import type { FeatureSummary, RecordCounts, Summary } from '../model/profile.ts';
import type { TrailingCounts } from '../model/trailing-counts.ts';
import type { Finding } from '../model/verdict.ts';
import { logAllInOneClass } from '../stats/beta-binomial.ts';
import { logEvenSplit } from '../stats/even-split.ts';
import { hypergeometricUpperTail } from '../stats/hypergeometric.ts';
import { readConstant } from './constant-value.ts';
import {
  type ConstantFeature,
  describeConstant,
  describeDuplicates,
  describeRepeatedWindows,
  describeStaleFeature,
} from './quality-findings.ts';
import { type FeatureReference, onlyBin, type QualityReference, valuesOf } from './quality-reference.ts';
import { binCountsOf, type TrailWindow } from './trail.ts';

export { prepareQuality, type QualityReference } from './quality-reference.ts';

export interface QualityInput {
  readonly baseline: Baseline;
  /** `prepareQuality(baseline)`. */
  readonly reference: QualityReference;
  /** The window judged. */
  readonly summary: Summary;
  /** Trailing stretches that end with it; may be empty. */
  readonly stretches: readonly TrailingCounts[];
  /** Windows up to the one judged, ascending, that one the last; may be empty. */
  readonly windowsOfTrail: readonly TrailWindow[];
  /** Features that drifted by the main rule. */
  readonly drifted: ReadonlySet<string>;
  /** Features that the configuration ignores. */
  readonly ignored: ReadonlySet<string>;
  /** Chance that a window with nothing wrong shows any finding of these, or of ranges: shared out over checks and features. */
  readonly level: number;
}

/** Ranges (`findOutOfRange`), duplicates, constant features, stale features, repeated windows: each has a part of the level. */
const checks = 5;
/** Smallest rise of the share of repeated records that matters, and fewest of them. */
const minimumDuplicateRise = 0.01;
const minimumDuplicates = 5;
/** A stretch in one bin must be this many times as long as the longest that the baseline has in it. */
const aloneFactor = 2;
/** Fewest values that make a constant of a feature that drifted. */
const minimumConstantValues = 30;

/** Level of the check of all features' ranges, of the level that all checks of quality have. */
export function rangeLevelOf(qualityLevel: number): number {
  return qualityLevel / checks;
}

/**
 * Looks for trouble of the data themselves rather than of their distribution: records sent twice, features with a
 * single value, features and whole batches that have stopped changing. What the baseline's windows show of themselves
 * is never a finding: an hour of day is constant in every hour, an interest rate stays for weeks.
 */
export function judgeQuality(input: QualityInput): readonly Finding[] {
  const level = input.level / checks;
  const duplicates = findDuplicates(input.summary.records, input.baseline, level);
  const constants = findConstants(input, level);
  const named = new Set(constants.map(({ feature }) => feature));
  const stale = findStale(input, level).filter(({ feature = '' }) => !named.has(feature));
  return [...(duplicates ? [duplicates] : []), ...constants, ...stale, ...findRepeatedWindows(input, level)];
}

/**
 * Findings with those of data quality. Where a feature has a single value, or has stopped changing, that is what is
 * wrong: its drift and its range are left out.
 */
export function joinQuality(findings: readonly Finding[], quality: readonly Finding[]): readonly Finding[] {
  const explained = new Set(
    quality.flatMap(({ kind, feature }) => (kind === 'constant' || kind === 'stale' ? (feature ?? []) : [])),
  );
  const covered: ReadonlySet<Finding['kind']> = new Set(['drift', 'unseen-category', 'range']);
  const isCovered = ({ kind, feature }: Finding) =>
    feature !== undefined && covered.has(kind) && explained.has(feature);
  return [...findings.filter((finding) => !isCovered(finding)), ...quality];
}

/** Is the share of repeated records higher than the baseline's? One-sided, exact given the total, with a floor. */
function findDuplicates(records: RecordCounts, baseline: Baseline, level: number): Finding | undefined {
  const { captured, duplicate } = records;
  const before = baseline.duplicates ?? 0;
  const size = baseline.records + before;
  if (duplicate < minimumDuplicates || duplicate > captured || size === 0) return undefined;
  const [share, expected] = [duplicate / captured, before / size];
  if (share - expected < minimumDuplicateRise) return undefined;
  const pValue = hypergeometricUpperTail(duplicate, captured, before + duplicate, size + captured);
  return pValue <= level ? describeDuplicates({ duplicate, captured, expected, pValue }) : undefined;
}

/**
 * Features with a single value in the window, although the baseline has several, and in as many values that chance does
 * not explain it: Σ over bins of the beta-binomial chance that all values fall into it, with the correlation that the
 * baseline's windows show. Of the trailing stretches that keep to the same bin the longest is taken; where the baseline
 * has windows in that bin alone it must be twice as long as they were. Features that have drifted anyway are named
 * without that chance: so are all of a baseline without windows.
 */
function findConstants(input: QualityInput, level: number): readonly (Finding & { readonly feature: string })[] {
  const { baseline, reference, summary, stretches, ignored } = input;
  const summaries = new Map(summary.features);
  const testLevel = level / (Math.max(1, reference.features.size) * (stretches.length + 1));
  return baseline.layout.features.flatMap(([feature, layout], position) => {
    const known = reference.features.get(feature);
    const current = summaries.get(feature);
    if (!known || !current || ignored.has(feature) || known.distinct < 2) return [];
    const value = onlyValue(current, layout);
    if (value === undefined) return [];
    const bin = onlyBin(valuesOf(binCountsOf(current, layout))) ?? -1;
    const constant = { feature, value, distinct: known.distinct, count: current.count };
    const usual = known.alone[bin] ?? 0;
    const candidates: Pick<ConstantFeature, 'count' | 'stretch'>[] = [
      ...(usual === 0 ? [{ count: current.count, stretch: undefined }] : []),
      ...stretches.flatMap((stretch) => {
        const values = valuesOf(stretch.counts[position] ?? []);
        const isLonger = stretch.windows > aloneFactor * usual;
        return isLonger && onlyBin(values) === bin ? [{ count: sum(values), stretch }] : [];
      }),
    ];
    const [longest] = candidates.toSorted((a, b) => b.count - a.count);
    if (!longest) return [];
    const chances = candidates.map((each) => ({ ...each, chance: chanceOfOneBin(each.count, known) }));
    const [found] =
      reference.windows > 0
        ? chances.filter(({ chance }) => chance <= testLevel).sort((a, b) => b.count - a.count)
        : [];
    if (found) return [describeConstant({ ...constant, ...found })];
    // What has drifted anyway may be named without a test of its own.
    if (!input.drifted.has(feature) || longest.count < minimumConstantValues) return [];
    return [describeConstant({ ...constant, ...longest, chance: null })];
  });
}

/** Chance that a window of so many values has all of them in one bin, whichever. */
function chanceOfOneBin(count: number, { shares, correlations }: FeatureReference): number {
  let chance = 0;
  shares.forEach((share, bin) => {
    chance += Math.exp(logAllInOneClass(count, share, correlations[bin] ?? 1));
  });
  return Math.min(1, chance);
}

/** The value that all values of a window are; undefined where there are none, or several. */
function onlyValue(summary: FeatureSummary, layout: FeatureLayout): string | number | undefined {
  if (summary.kind === 'categorical' && layout.kind === 'categorical') {
    const [only, another] = summary.categories;
    if (!only || another || summary.unseen > 0) return undefined;
    return layout.categories[only[0]];
  }
  return summary.kind === 'numeric' && layout.kind === 'numeric' ? readConstant(summary, layout) : undefined;
}

/**
 * Features that have one value per window by nature, and have kept to one bin for much longer than ever in the baseline.
 * With R complete runs of which the longest took L, a further run of memoryless lengths exceeds k·L with probability
 * Γ(R + 1)·Γ(k + 1)/Γ(R + k + 1); k is taken so that runs which begin in a window do so with no more than the level.
 */
function findStale(input: QualityInput, level: number): readonly Finding[] {
  const { baseline, reference, windowsOfTrail, ignored } = input;
  const last = windowsOfTrail.at(-1);
  if (!last || reference.windows === 0) return [];
  const width = reference.windowSeconds * 1000;
  return baseline.layout.features.flatMap(([feature], position) => {
    const { runs } = reference.features.get(feature) ?? {};
    if (!runs || ignored.has(feature)) return [];
    const factor = staleFactor(runs.count, (level * reference.windows) / (runs.count * reference.features.size));
    const state = onlyBin(valuesOf(last.counts[position] ?? []));
    if (factor === undefined || state === undefined || state < 0) return [];
    let since = last.start;
    for (const window of windowsOfTrail.toReversed()) {
      const here = onlyBin(valuesOf(window.counts[position] ?? []));
      if (here === undefined) continue;
      if (here !== state) break;
      since = window.start;
    }
    const slots = Math.round((last.start - since) / width) + 1;
    if (slots < factor * runs.longest) return [];
    const seconds = slots * reference.windowSeconds;
    const longestSeconds = runs.longest * reference.windowSeconds;
    return [describeStaleFeature({ feature, seconds, longestSeconds, runs: runs.count, since })];
  });
}

/** Fewer runs than this tell nothing of how long one may take. */
const minimumRuns = 10;
const largestFactor = 20;

/** The smallest k of at least 2 with Γ(R + 1)·Γ(k + 1)/Γ(R + k + 1) at or below a probability; undefined: none. */
function staleFactor(runs: number, probability: number): number | undefined {
  if (runs < minimumRuns) return undefined;
  let chance = 1 / (runs + 1);
  for (let k = 2; k <= largestFactor; k++) {
    chance *= k / (runs + k);
    if (chance <= probability) return k;
  }
  return undefined;
}

/**
 * Windows with the very same counts as those before: the chance of it given all counts together is exact, and smaller
 * still where the distribution moves between windows. Features whose counts repeat in the baseline, too, are left out.
 */
function findRepeatedWindows(input: QualityInput, level: number): readonly Finding[] {
  const { baseline, reference, windowsOfTrail, ignored } = input;
  const last = windowsOfTrail.at(-1);
  if (!last || reference.windows === 0) return [];
  const testLevel = level / Math.max(1, reference.features.size);
  const width = reference.windowSeconds * 1000;
  const found = baseline.layout.features.flatMap(([feature], position) => {
    const known = reference.features.get(feature);
    const counts = last.counts[position];
    if (!known || known.repeats || !counts || ignored.has(feature)) return [];
    let windows = 1;
    for (let index = windowsOfTrail.length - 2; index >= 0; index--) {
      const window = windowsOfTrail[index];
      const row = window?.counts[position];
      const follows = window !== undefined && window.start === last.start - windows * width;
      if (!row || !follows || !isEqual(row, counts)) break;
      windows++;
    }
    if (windows < 2) return [];
    const logChance = logEvenSplit(valuesOf(counts), windows);
    return Math.exp(logChance) <= testLevel ? [{ feature, windows, chance: Math.exp(logChance) }] : [];
  });
  return found.length === 0
    ? []
    : [describeRepeatedWindows({ found, features: reference.features.size, records: last.records })];
}

function isEqual(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false;
  return true;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
