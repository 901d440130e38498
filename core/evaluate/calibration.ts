import type { Baseline } from '../model/baseline.ts';
import type { Calendar } from '../model/calendar.ts';
import { chooseScales } from '../model/scales.ts';
import { planBins } from './bin-plan.ts';
import type { CellGroups, CellScheme } from './cell-groups.ts';
import { describeTotal, describeWindows, type ExpectedShares, type FeatureSource } from './expected-shares.ts';
import { lendHours, mixOf } from './lent-hours.ts';
import { lacksHours } from './missing-hours.ts';
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
export interface FeatureCalibration extends ExpectedShares {
  /** False: the rows are all alike, because the baseline of this feature does not know hours. */
  readonly usesCells: boolean;
  /** In the order of `scales`. */
  readonly wander: readonly FeatureWander[];
  /**
   * As that of the calibration, of a feature that has none of what others have learned; infinite: whatever it does is
   * provisional.
   */
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
const fewestDays = 3;
export const minimumWindows = 24;
/** Fewer are enough where they span two weeks: windows of a day. */
export const minimumWindowsOfWeeks = 12;
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
 * At least one week: cells of hour × weekday or weekend. At least three days: no cells. Either asks for 24 windows, or
 * for 12 in two weeks. Of a baseline of fewer days, or without times, the wander is learned from three days of live
 * windows. Until then too little is known of it ("uncalibrated"); least where there are no times, before the first live day
 * of 24 windows at least. A week of live windows tells how hours differ: the baseline's shares vary over them as the live
 * ones do.
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
  const usesOwn = own !== undefined && (!isBrief(own) || learned === undefined || isBrief(learned));
  const main = usesOwn ? own : learned;
  if (!main) return createUncalibrated(features, scales, options.windowSeconds);
  const grouped = groupByHours(main.set);
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
        ...calibrateByTotal(kept, grouped, main, scales, { baseline, calendar: options.calendar }),
        ...calibrateByWindows(replaced, grouped, main, scales, true),
      ];
  const byName = new Map(calibrated.map((feature) => [feature.name, feature]));
  const kind = !usesOwn ? 'learned' : isBrief(main) ? 'uncalibrated' : kindOfScheme(grouped.groups.scheme);
  return {
    kind,
    description: describeCalibration(kind, main, grouped.groups, options.calendar),
    ...(isBrief(main) && { provisionalBelow: uncalibrated.grossEffectOfDays }),
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

/** Expected shares from the baseline as a whole, how hours differ and the wander from windows seen live. */
function calibrateByTotal(
  features: readonly FeatureSource[],
  grouped: GroupedWindows,
  source: WindowSource,
  scales: readonly number[],
  { baseline, calendar }: { readonly baseline: Baseline; readonly calendar: Calendar },
): readonly FeatureCalibration[] {
  const { groups } = grouped;
  const rows = features.map(({ position, plan }) => ({ plan, counts: source.counts(position) }));
  // The mean of the baseline's days wanders as well.
  const wander = estimateWander(grouped, rows, scales).map((byScale) =>
    byScale.map((each) => scaleWander(each, 1 + 1 / daysOf(baseline))),
  );
  const mix = mixOf(baseline, grouped, calendar);
  return features.map((feature, index) => {
    const total = describeTotal(feature, groups.size);
    const live = groups.size > 1 ? describeWindows(feature, rows[index]?.counts ?? [], grouped) : undefined;
    return {
      ...(live ? lendHours(total, live, mix) : total),
      usesCells: live !== undefined,
      wander: wander[index] ?? scales.map(() => noFeatureWander),
    };
  });
}

interface WindowSource {
  readonly set: WindowSet;
  readonly counts: (position: number) => readonly (readonly number[])[];
}

const noFeatureWander: FeatureWander = { shares: noWander, missing: noWander, unseen: noWander };

function readOwnWindows(baseline: Baseline, options: CalibrationOptions): WindowSource | undefined {
  const { time } = baseline;
  if (!time || time.windowSeconds !== options.windowSeconds || !tellsWander(time)) return undefined;
  const known = new Map(baseline.features);
  const counts = baseline.layout.features.map(([name]) => known.get(name)?.binCounts?.windows);
  if (counts.some((rows) => rows?.length !== time.windows.length)) return undefined;
  const starts = time.windows.map(([start]) => Date.parse(start));
  const records = time.windows.map(([, count]) => count);
  const set = createWindowSet(starts, records, options.windowSeconds, options.calendar);
  return { set, counts: (position) => counts[position] ?? [] };
}

/** True where a baseline has windows enough to tell how they differ. */
export function tellsWander({ windows, windowSeconds }: NonNullable<Baseline['time']>): boolean {
  if (windows.length >= minimumWindows) return true;
  const [first, last] = [windows[0]?.[0] ?? '', windows.at(-1)?.[0] ?? ''];
  const spanDays = (Date.parse(last) - Date.parse(first)) / 86_400_000 + windowSeconds / 86_400;
  return windows.length >= minimumWindowsOfWeeks && spanDays >= 2 * oneWeek - spanTolerance;
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
    Math.max(0, ...learned.counts.map((rows) => rows[window]?.reduce((all, count) => all + count, 0) ?? 0)),
  );
  const set = createWindowSet(learned.starts, records, options.windowSeconds, options.calendar);
  return { set, counts: (position) => learned.counts[position] ?? [] };
}

/** From the first record to the last; infinite where there are no times: a training table is long. */
function daysOf({ time }: Baseline): number {
  const days = time ? (Date.parse(time.last) - Date.parse(time.first)) / 86_400_000 : 0;
  return days > 0 ? Math.max(days, 0.5) : Number.POSITIVE_INFINITY;
}

/** Tells next to nothing of how days differ. */
function isBrief({ set }: WindowSource): boolean {
  return set.spanDays < fewestDays - spanTolerance;
}

/** By hours where there is a week of windows and most of them have their like on another day. */
function groupByHours(set: WindowSet): GroupedWindows {
  const ungrouped = groupWindows(set, 'none');
  if (set.spanDays < oneWeek - spanTolerance) return ungrouped;
  const grouped = groupWindows(set, 'hours and weekends');
  const days = new Map<number, Set<number>>();
  grouped.groupOf.forEach((group, window) => {
    days.set(group, (days.get(group) ?? new Set<number>()).add(set.days[window] ?? 0));
  });
  const recurring = grouped.groupOf.filter((group) => (days.get(group)?.size ?? 0) > 1);
  return 2 * recurring.length >= set.starts.length ? grouped : ungrouped;
}

function kindOfScheme(scheme: CellScheme): CalibrationKind {
  return scheme === 'none' ? 'wander' : 'cells';
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
      ...(lacksHours(feature.feature.summary) && { provisionalBelow: Number.POSITIVE_INFINITY }),
    })),
  };
}

function describeUncalibrated(reason: string, effect: number): string {
  return `uncalibrated: ${reason}, so that drift is provisional below a PSI of ${effect}`;
}

function describeCalibration(
  kind: CalibrationKind,
  main: WindowSource,
  groups: CellGroups,
  calendar: Calendar,
): string {
  const { dayCount } = main.set;
  const source = `${dayCount} ${dayCount === 1 ? 'day' : 'days'} of ${kind === 'learned' ? 'live windows' : 'baseline'}`;
  if (isBrief(main)) {
    return describeUncalibrated(`${source} tell too little of ups and downs`, uncalibrated.grossEffectOfDays);
  }
  const wander = `ups and downs between windows learned from ${source}`;
  if (groups.scheme === 'none') return `no cells; ${wander}`;
  const hours = groups.hours === 1 ? 'the same hour' : `the same ${groups.hours} hours`;
  const lent = kind === 'learned' ? ', as live windows differ by them' : '';
  return `cells: ${hours} of weekdays or of weekends (${calendar.timeZone})${lent}; ${wander}`;
}
