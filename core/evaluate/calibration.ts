import type { Baseline, BaselineFeature } from '../model/baseline.ts';
import type { Calendar } from '../model/calendar.ts';
import type { FeatureLayout } from '../model/layout.ts';
import { chooseScales } from '../model/scales.ts';
import { type BinPlan, foldCounts, planBins } from './bin-plan.ts';
import type { CellGroups, CellScheme } from './cell-groups.ts';
import { expectedUnseenRows } from './expected-unseen.ts';
import { binCountsOf } from './trail.ts';
import { type FeatureWander, noWander, scaleWander } from './wander.ts';
import { estimateWander } from './wander-estimate.ts';
import { createWindowSet, type GroupedWindows, groupWindows, type WindowSet } from './window-set.ts';

/** What a baseline is good enough for. */
export type CalibrationKind = 'cells' | 'wander' | 'learned' | 'uncalibrated';

/** Whether it was learned from the baseline's own windows. */
export function isOfOwnWindows({ kind }: Pick<Calibration, 'kind'>): boolean {
  return kind !== 'learned' && kind !== 'uncalibrated';
}

/** Windows seen live, in the order of their starts. */
export interface LearnedWindows {
  /** Milliseconds since the epoch, ascending. */
  readonly starts: readonly number[];
  /** Per feature of the layout, in its order, and per window: counts as `binCountsOf` gives them. */
  readonly counts: readonly (readonly (readonly number[])[])[];
  /** Features whose baseline these windows are, as predictions of a new model version have none of their own. */
  readonly replaces?: ReadonlySet<string> | undefined;
}

export interface CalibrationOptions {
  readonly windowSeconds: number;
  readonly calendar: Calendar;
  /** Trailing scales, in windows. Default: `chooseScales`. */
  readonly scales?: readonly number[] | undefined;
  /** Used where the baseline has no windows of its own, and for the features it replaces. */
  readonly learnedWindows?: LearnedWindows | undefined;
}

/** What is expected of a feature, by cell, and how much it wanders, by scale. */
export interface FeatureCalibration {
  readonly name: string;
  readonly layout: FeatureLayout;
  readonly plan: BinPlan;
  /** Shares of the compared bins: a row per group of cells, then one of all records. */
  readonly shares: Float64Array;
  /** Share of unseen values, per row of `shares`. */
  readonly unseen: Float64Array;
  /** Records behind each row. */
  readonly records: Float64Array;
  /** False: the rows are all alike, because the baseline of this feature does not know hours. */
  readonly usesCells: boolean;
  /** Share of unseen values to be expected beyond the baseline's own (Good–Turing). */
  readonly newCategories: number;
  /** In the order of `scales`. */
  readonly wander: readonly FeatureWander[];
  /** As that of the calibration, of a feature that has none of what others have learned. */
  readonly provisionalBelow?: number | undefined;
}

/** All that judging a window needs of a baseline, prepared once. */
export interface Calibration {
  readonly kind: CalibrationKind;
  /** The sentence that every verdict carries. */
  readonly description: string;
  /** Of an uncalibrated baseline: PSI below which drift is said and raises nothing. */
  readonly provisionalBelow?: number | undefined;
  readonly windowSeconds: number;
  readonly scales: readonly number[];
  /** Days that the wander was learned from. */
  readonly days: number;
  readonly groups: Pick<CellGroups, 'indexOf' | 'size' | 'hours' | 'scheme'>;
  /** In the order of the layout. */
  readonly features: readonly FeatureCalibration[];
}

const oneWeek = 7;
/** Fewer days than this say next to nothing of how days differ. */
const fewestDays = 3;
const minimumWindows = 24;
/** A baseline may lack this part of a day at its ends and still count as the week it was meant to be. */
const spanTolerance = 0.25;

/**
 * Where ordinary ups and downs are not known, or too badly: the PSI below which nothing is said, whatever the floor; the
 * PSI below which drift is provisional, without any and with some days to tell; and the rise of a missing or unseen share.
 */
export const uncalibrated = { floor: 0.1, grossEffect: 2, grossEffectOfDays: 0.5, grossRise: 0.2 } as const;

/**
 * Prepares a baseline for judging windows: expected shares by hour of day and kind of day, and how far each feature
 * wanders between stretches of every scale, learned by holding stretches of the baseline out.
 *
 * At least one week: cells of hour × weekday or weekend. At least three days, and 24 windows: no cells. Of a baseline of fewer days the wander is learned from three days of live windows; where it has no
 * times, from the first live day, of 24 windows at least. Until then too little is known of it ("uncalibrated").
 * @throws {RangeError} on windows that are not ascending, on an unknown time zone and on counts that do not fit.
 */
export function calibrate(baseline: Baseline, options: CalibrationOptions): Calibration {
  const scales = options.scales ?? chooseScales(options.windowSeconds);
  const own = readOwnWindows(baseline, options);
  const learned = readLearnedWindows(baseline, options);
  const known = new Map(baseline.features);
  const features = baseline.layout.features.flatMap(([name, layout], position) => {
    const feature = known.get(name);
    return feature ? [{ name, layout, feature, position, plan: planBins(layout) }] : [];
  });
  const replaces = options.learnedWindows?.replaces ?? new Set<string>();
  const isBrief = own !== undefined && own.set.spanDays < fewestDays - spanTolerance;
  const hasLearned = learned !== undefined && (!isBrief || learned.set.spanDays >= fewestDays - spanTolerance);
  const usesOwn = own !== undefined && !(isBrief && hasLearned);
  const main = usesOwn ? own : learned;
  if (!main) return createUncalibrated(features, scales, options.windowSeconds);
  const scheme = schemeOf(main.set);
  const grouped = groupWindows(main.set, scheme);
  const isReplaced = ({ name }: FeatureSource) => learned !== undefined && replaces.has(name);
  const kept = features.filter((feature) => !isReplaced(feature));
  const replaced = features.filter(isReplaced);
  // Each part learns its wander from windows that are compared as it will be: by hours, or with a whole.
  const calibrated = usesOwn
    ? [
        ...calibrateByWindows(kept, grouped, own, scales, true),
        ...(learned ? calibrateByWindows(replaced, groupWindows(learned.set, 'none'), learned, scales, false) : []),
      ]
    : [
        ...calibrateByTotal(kept, groupWindows(main.set, 'none'), main, scales, grouped.groups.size, daysOf(baseline)),
        ...calibrateByWindows(replaced, grouped, main, scales, true),
      ];
  const byName = new Map(calibrated.map((feature) => [feature.name, feature]));
  const kind = !usesOwn ? 'learned' : isBrief ? 'uncalibrated' : kindOfScheme(scheme);
  return {
    kind,
    description: describeCalibration(kind, main.set, grouped.groups, options.calendar),
    ...(kind === 'uncalibrated' && { provisionalBelow: uncalibrated.grossEffectOfDays }),
    windowSeconds: options.windowSeconds,
    scales,
    days: main.set.dayCount,
    groups: grouped.groups,
    features: features.flatMap(({ name }) => byName.get(name) ?? []),
  };
}

/** Expected shares and wander both from windows. */
function calibrateByWindows(
  features: readonly FeatureSource[],
  grouped: GroupedWindows,
  source: WindowSource,
  scales: readonly number[],
  usesCells: boolean,
): readonly FeatureCalibration[] {
  const rows = features.map(({ position, plan }) => ({ plan, counts: source.counts(position) }));
  const wander = estimateWander(grouped, rows, scales);
  return features.map((feature, index) => ({
    ...describeWindows(feature, rows[index]?.counts ?? [], grouped),
    usesCells: usesCells && grouped.groups.size > 1,
    wander: wander[index] ?? scales.map(() => noFeatureWander),
  }));
}

/**
 * Expected shares from the baseline as a whole, wander from windows seen live.
 * @param days of the baseline, the mean of which wanders as well
 */
function calibrateByTotal(
  features: readonly FeatureSource[],
  ungrouped: GroupedWindows,
  source: WindowSource,
  scales: readonly number[],
  groups: number,
  days: number,
): readonly FeatureCalibration[] {
  const rows = features.map(({ position, plan }) => ({ plan, counts: source.counts(position) }));
  const wander = estimateWander(ungrouped, rows, scales).map((byScale) =>
    byScale.map((each) => scaleWander(each, 1 + 1 / days)),
  );
  return features.map((feature, index) => ({
    ...describeTotal(feature, groups),
    usesCells: false,
    wander: wander[index] ?? scales.map(() => noFeatureWander),
  }));
}

interface FeatureSource {
  readonly name: string;
  readonly layout: FeatureLayout;
  readonly feature: BaselineFeature;
  readonly position: number;
  readonly plan: BinPlan;
}

interface WindowSource {
  readonly set: WindowSet;
  readonly counts: (position: number) => readonly (readonly number[])[];
}

const noFeatureWander: FeatureWander = { shares: noWander, missing: noWander, unseen: noWander };

function readOwnWindows(baseline: Baseline, options: CalibrationOptions): WindowSource | undefined {
  const { time } = baseline;
  if (!time || time.windowSeconds !== options.windowSeconds || time.windows.length < minimumWindows) return undefined;
  const known = new Map(baseline.features);
  const counts = baseline.layout.features.map(([name]) => known.get(name)?.binCounts?.windows);
  if (counts.some((rows) => rows?.length !== time.windows.length)) return undefined;
  const starts = time.windows.map(([start]) => Date.parse(start));
  const records = time.windows.map(([, count]) => count);
  const set = createWindowSet(starts, records, options.windowSeconds, options.calendar);
  return { set, counts: (position) => counts[position] ?? [] };
}

function readLearnedWindows(baseline: Baseline, options: CalibrationOptions): WindowSource | undefined {
  const learned = options.learnedWindows;
  if (!learned || learned.starts.length < minimumWindows) return undefined;
  if (
    learned.counts.length !== baseline.layout.features.length ||
    learned.counts.some((rows) => rows.length !== learned.starts.length)
  ) {
    throw new RangeError(
      `learned windows: expected ${learned.starts.length} windows of ${baseline.layout.features.length} features, saw ${learned.counts.length} features`,
    );
  }
  const records = learned.starts.map((_, window) =>
    Math.max(0, ...learned.counts.map((rows) => sum(rows[window] ?? []))),
  );
  const set = createWindowSet(learned.starts, records, options.windowSeconds, options.calendar);
  return { set, counts: (position) => learned.counts[position] ?? [] };
}

/** From the first record to the last; infinite where there are no times: a training table is long. */
function daysOf({ time }: Baseline): number {
  const days = time ? (Date.parse(time.last) - Date.parse(time.first)) / 86_400_000 : 0;
  return days > 0 ? Math.max(days, 0.5) : Number.POSITIVE_INFINITY;
}

function schemeOf(set: WindowSet): CellScheme {
  return set.spanDays >= oneWeek - spanTolerance ? 'hours and weekends' : 'none';
}

function kindOfScheme(scheme: CellScheme): CalibrationKind {
  return scheme === 'none' ? 'wander' : 'cells';
}

/** Shares by group of cells, counted from windows. */
function describeWindows(
  { name, layout, feature, plan }: FeatureSource,
  counts: readonly (readonly number[])[],
  grouped: GroupedWindows,
): Omit<FeatureCalibration, 'wander' | 'usesCells'> {
  const { bins } = plan;
  const rows = grouped.groups.size + 1;
  const shares = new Float64Array(rows * bins);
  const unseen = new Float64Array(rows);
  const records = new Float64Array(rows);
  const folded = new Float64Array(bins);
  counts.forEach((row, window) => {
    foldCounts(row, plan, folded);
    const here = sum(row);
    for (const target of [grouped.groupOf[window] ?? 0, rows - 1]) {
      for (let bin = 0; bin < bins; bin++) {
        const index = target * bins + bin;
        shares[index] = (shares[index] ?? 0) + (folded[bin] ?? 0);
      }
      records[target] = (records[target] ?? 0) + here;
      if (plan.unseen >= 0) unseen[target] = (unseen[target] ?? 0) + (row[plan.unseen] ?? 0);
    }
  });
  normalise(shares, unseen, records, bins);
  return { name, layout, plan, shares, unseen, records, newCategories: newCategoriesOf(feature) };
}

/** The same shares whatever the cell: the baseline knows no hours. */
function describeTotal(
  { name, layout, feature, plan }: FeatureSource,
  groups: number,
): Omit<FeatureCalibration, 'wander' | 'usesCells'> {
  const { bins } = plan;
  const rows = groups + 1;
  const coarse = binCountsOf(feature.summary, layout);
  if (plan.unseen >= 0) coarse[plan.unseen] = Math.max(coarse[plan.unseen] ?? 0, feature.rare);
  const folded = new Float64Array(bins);
  foldCounts(coarse, plan, folded);
  const shares = new Float64Array(rows * bins);
  for (let row = 0; row < rows; row++) shares.set(folded, row * bins);
  const total = sum(coarse);
  const records = new Float64Array(rows).fill(total);
  const unseen = new Float64Array(rows).fill(plan.unseen < 0 ? 0 : (coarse[plan.unseen] ?? 0));
  normalise(shares, unseen, records, bins);
  return { name, layout, plan, shares, unseen, records, newCategories: newCategoriesOf(feature) };
}

function normalise(shares: Float64Array, unseen: Float64Array, records: Float64Array, bins: number): void {
  records.forEach((count, row) => {
    if (!(count > 0)) return;
    for (let bin = 0; bin < bins; bin++) shares[row * bins + bin] = (shares[row * bins + bin] ?? 0) / count;
    unseen[row] = (unseen[row] ?? 0) / count;
  });
}

function newCategoriesOf(feature: BaselineFeature): number {
  if (feature.summary.kind !== 'categorical') return 0;
  const rows = feature.summary.count + feature.summary.missing;
  const known = Math.max(feature.summary.unseen, feature.rare);
  return rows > 0 ? Math.max(0, expectedUnseenRows(feature) - known) / rows : 0;
}

function createUncalibrated(
  features: readonly FeatureSource[],
  scales: readonly number[],
  windowSeconds: number,
): Calibration {
  return {
    kind: 'uncalibrated',
    description: describeUncalibrated("the baseline's ups and downs in time are not known", uncalibrated.grossEffect),
    provisionalBelow: uncalibrated.grossEffect,
    windowSeconds,
    scales,
    days: 0,
    groups: { hours: 24, scheme: 'none', size: 1, indexOf: () => 0 },
    features: features.map((feature) => ({
      ...describeTotal(feature, 1),
      usesCells: false,
      wander: scales.map(() => noFeatureWander),
    })),
  };
}

function describeUncalibrated(reason: string, effect: number): string {
  return `uncalibrated: ${reason}, so that drift is provisional below a PSI of ${effect}`;
}

function describeCalibration(kind: CalibrationKind, set: WindowSet, groups: CellGroups, calendar: Calendar): string {
  const days = `${set.dayCount} ${set.dayCount === 1 ? 'day' : 'days'}`;
  if (kind === 'uncalibrated') {
    return describeUncalibrated(`${days} of baseline tell too little of ups and downs`, uncalibrated.grossEffectOfDays);
  }
  if (kind === 'learned') return `no cells; ups and downs between windows learned from ${days} of live windows`;
  if (groups.scheme === 'none') return `no cells; ups and downs between windows learned from ${days} of baseline`;
  const hours = groups.hours === 1 ? 'the same hour' : `the same ${groups.hours} hours`;
  return `cells: ${hours} of weekdays or of weekends (${calendar.timeZone}); ups and downs between windows learned from ${days} of baseline`;
}

function sum(row: readonly number[]): number {
  let total = 0;
  for (const count of row) total += count;
  return total;
}
