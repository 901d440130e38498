import type { FeatureLayout } from '../model/layout.ts';
import { featurePolicy, type ModelPolicy } from '../model/policy.ts';
import { type BesideVerdict, type Bins, type Finding, type Verdict, worstTier } from '../model/verdict.ts';
import { benjaminiHochberg } from '../stats/benjamini-hochberg.ts';
import { chiSquaredUpperTail } from '../stats/chi-squared.ts';
import { effectFloorTest } from '../stats/effect-floor.ts';
import { BinComparison } from './bin-comparison.ts';
import { foldCounts } from './bin-plan.ts';
import { describeBins } from './bin-sentence.ts';
import type { FeatureCalibration } from './calibration.ts';
import { rememberDetectableEffects } from './detectable-effect.ts';
import { labelBins } from './drift-context.ts';
import { formatName, formatNumber, formatProbabilityOf, formatScale } from './number-text.ts';
import type { TrailWindow } from './trail.ts';

/** Two versions or variants of a model that were called in the same windows. */
export interface BesideContext {
  /** The larger of the two, which the window is compared with. */
  readonly variant: string;
  readonly version: string;
  /** Windows of each, ascending, those of the window judged as the last. Counts lie by the same layout. */
  readonly own: readonly TrailWindow[];
  readonly other: readonly TrailWindow[];
}

/** Part of the level for drift that the comparison of a window with another series gets while there is one. */
const besideShare = 0.2;
/** The window, and up to a day. */
const besideStretches = 2;

/**
 * Shares the level for drift between the comparison with the baseline and that with another series. What both spend over
 * their stretches is at most what the baseline alone would: where it has fewer than two the other's are tested at less.
 * @param level per scale
 * @param scales of the comparison with the baseline
 */
export function shareWithBeside(level: number, scales: number): { readonly baseline: number; readonly beside: number } {
  const beside = level * besideShare * Math.min(1, scales / besideStretches);
  return { baseline: level * (1 - besideShare), beside };
}

/** Windows of the longer of the two stretches. */
export const besideWindows = 24;

export interface BesideInput {
  readonly policy: ModelPolicy;
  /** In the layout's order, with each feature's place in it. */
  readonly features: readonly (readonly [feature: FeatureCalibration, position: number])[];
  readonly beside: BesideContext;
  readonly windowSeconds: number;
  /** Benjamini–Hochberg level of one stretch. */
  readonly level: number;
  /** Outputs of a version that is still being learned: a difference raises nothing. */
  readonly muted: ReadonlySet<string>;
}

interface Pair {
  readonly own: TrailWindow;
  readonly other: TrailWindow;
}

interface Compared {
  readonly name: string;
  readonly layout: FeatureLayout;
  readonly bins: Bins;
  readonly pValue: number;
  readonly floorPValue: number | null;
  readonly populationStabilityIndex: number;
  readonly detectable: number | null;
}

/**
 * Adds to a verdict how a smaller series differs from the largest one beside it: the window by itself, and the windows of up to
 * a day, each weighed against the same window of the other, so that what hours and days do to both is in neither. Wander
 * that both share drops out, so Pearson's test is not corrected for it. Missing values are a bin like any other.
 */
export function addBeside(verdict: Verdict, input: BesideInput): Verdict {
  const { beside } = input;
  const others = new Map(beside.other.map((window) => [window.start, window]));
  const pairs = beside.own.flatMap((own): Pair[] => {
    const other = others.get(own.start);
    return other && own.records > 0 && other.records > 0 ? [{ own, other }] : [];
  });
  const last = pairs.at(-1);
  if (!last || last.own.start !== beside.own.at(-1)?.start) return verdict;
  const stretches = [[last], ...(pairs.length > 1 ? [pairs.slice(-besideWindows)] : [])];
  const judged = stretches.map((stretch) => judgeStretch(input, stretch));
  const findings = findDifferences(input, judged);
  const besideVerdict: BesideVerdict = {
    variant: beside.variant,
    version: beside.version,
    level: input.level,
    stretches: judged.map(({ windows, ownRecords, otherRecords, compared, qValues }) => ({
      windows,
      records: ownRecords,
      otherRecords,
      features: compared.map((each, index) => [each.name, round(each.populationStabilityIndex), round(qValues[index])]),
      minimumDetectableEffect: round(median(compared.flatMap(({ detectable }) => detectable ?? []))),
    })),
  };
  const all = [...verdict.findings, ...findings];
  return { ...verdict, beside: besideVerdict, findings: all, tier: worstTier(all.map(({ tier }) => tier)) };
}

interface Judged {
  readonly windows: number;
  readonly ownRecords: number;
  readonly otherRecords: number;
  readonly compared: readonly Compared[];
  readonly qValues: readonly number[];
  readonly differs: readonly boolean[];
}

function judgeStretch({ policy, features, level }: BesideInput, pairs: readonly Pair[]): Judged {
  const { minimumRecords, effectLevel } = policy.drift;
  const sizeOf = (side: 'own' | 'other') => pairs.reduce((sum, pair) => sum + pair[side].records, 0);
  const [ownRecords, otherRecords] = [sizeOf('own'), sizeOf('other')];
  const isEnough = Math.min(ownRecords, otherRecords) >= minimumRecords;
  const tested = isEnough ? features.filter(([{ name }]) => !featurePolicy(policy, name).ignore) : [];
  const comparison = new BinComparison(Math.max(2, ...tested.map(([{ plan }]) => plan.bins)));
  const detectable = rememberDetectableEffects();
  const compared = tested.flatMap(([feature, position]): Compared[] => {
    const minimumEffect = featurePolicy(policy, feature.name).minimumEffect ?? policy.drift.minimumEffect;
    compareFeature(comparison, feature, position, pairs);
    const { bins, distance, sampling, baselineSize, currentSize, populationStabilityIndex } = comparison;
    if (bins < 2) return [];
    const floor = effectFloorTest(populationStabilityIndex, baselineSize, currentSize, bins, minimumEffect);
    return [
      {
        name: feature.name,
        layout: feature.layout,
        bins: readBins(feature, comparison),
        pValue: chiSquaredUpperTail(distance / sampling, bins - 1),
        floorPValue: minimumEffect > 0 ? floor.pValue : null,
        populationStabilityIndex,
        detectable: detectable({
          baselineSize,
          currentSize,
          bins,
          level: level / Math.max(1, tested.length),
          minimumEffect,
          effectLevel,
        }),
      },
    ];
  });
  const qValues = benjaminiHochberg(compared.map(({ pValue }) => pValue));
  const differs = compared.map(
    ({ floorPValue }, index) => (qValues[index] ?? 1) <= level && (floorPValue === null || floorPValue <= effectLevel),
  );
  return { windows: pairs.length, ownRecords, otherRecords, compared, qValues, differs };
}

/** The other's shares, window by window, in the mix of windows that this series has. */
function compareFeature(
  comparison: BinComparison,
  { plan }: FeatureCalibration,
  position: number,
  pairs: readonly Pair[],
): void {
  const current = new Float64Array(plan.bins);
  const expected = new Float64Array(plan.bins);
  const folded = new Float64Array(plan.bins);
  const sides = pairs.flatMap(({ own, other }) => {
    const [here, there] = [own.counts[position], other.counts[position]];
    if (here?.length !== plan.coarseBins || there?.length !== plan.coarseBins) return [];
    const [size, otherSize] = [sum(here), sum(there)];
    return size > 0 && otherSize > 0 ? [{ here, there, size, otherSize }] : [];
  });
  const total = sides.reduce((all, { size }) => all + size, 0);
  let uncertainty = 0;
  for (const { here, there, size, otherSize } of sides) {
    const weight = size / total;
    foldCounts(here, plan, folded);
    for (let bin = 0; bin < plan.bins; bin++) current[bin] = (current[bin] ?? 0) + (folded[bin] ?? 0);
    foldCounts(there, plan, folded);
    for (let bin = 0; bin < plan.bins; bin++) {
      expected[bin] = (expected[bin] ?? 0) + (weight * (folded[bin] ?? 0)) / otherSize;
    }
    uncertainty += (weight * weight) / otherSize;
  }
  comparison.compare(plan, current, expected, uncertainty > 0 ? 1 / uncertainty : 0);
}

function readBins({ layout }: FeatureCalibration, comparison: BinComparison): Bins {
  return {
    ...labelBins(layout, comparison),
    missing: comparison.comparesMissing,
    baseline: [...comparison.baseline.subarray(0, comparison.bins)],
    current: [...comparison.current.subarray(0, comparison.bins)],
  };
}

/** One finding per feature, of the stretch that shows it most surely. */
function findDifferences({ beside, windowSeconds, muted }: BesideInput, judged: readonly Judged[]): readonly Finding[] {
  const found = new Map<string, { readonly compared: Compared; readonly qValue: number; readonly stretch: Judged }>();
  for (const stretch of judged) {
    stretch.compared.forEach((compared, index) => {
      const qValue = stretch.qValues[index] ?? 1;
      const known = found.get(compared.name);
      if (stretch.differs[index] && (!known || qValue < known.qValue)) {
        found.set(compared.name, { compared, qValue, stretch });
      }
    });
  }
  const other = nameOf(beside);
  return [...found].map(([name, { compared, qValue, stretch }]): Finding => {
    const { layout, bins, populationStabilityIndex, detectable } = compared;
    const reference = `beside it in ${other}`;
    const sentence = describeBins(bins, { layout, areDeciles: false, byHours: false, reference });
    const psi = formatNumber(Number(populationStabilityIndex.toPrecision(2)));
    const scale = formatScale({ scale: stretch.windows, windowSeconds });
    const records = `${formatNumber(stretch.ownRecords)} records against ${formatNumber(stretch.otherRecords)}`;
    return {
      id: `beside:${name}`,
      tier: muted.has(name) ? 'green' : 'yellow',
      kind: 'beside',
      feature: name,
      message: `${formatName(name)}: ${sentence}; PSI ${psi}, ${formatProbabilityOf('q', qValue)}, ${records} of the same ${scale} stretch`,
      evidence: {
        variant: beside.variant,
        version: beside.version,
        windows: stretch.windows,
        records: stretch.ownRecords,
        otherRecords: stretch.otherRecords,
        populationStabilityIndex,
        pearsonPValue: compared.pValue,
        effectFloorPValue: compared.floorPValue,
        qValue,
        minimumDetectableEffect: detectable,
      },
    };
  });
}

function nameOf({ variant, version }: BesideContext): string {
  return `version ${formatName(version)} (variant ${formatName(variant)})`;
}

/** To four digits: there is one for every feature. */
function round(value: number | undefined): number | null {
  return value === undefined || !Number.isFinite(value) ? null : Number(value.toPrecision(4));
}

function median(values: readonly number[]): number | undefined {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

function sum(counts: ArrayLike<number>): number {
  let total = 0;
  for (let index = 0; index < counts.length; index++) total += counts[index] ?? 0;
  return total;
}
