import { binomialUpperTail } from '../../stats/binomial.ts';
import { chiSquaredQuantile } from '../../stats/chi-squared.ts';
import { overdispersedUpperTail } from '../../stats/negative-binomial-tails.ts';
import { findRoot } from '../../stats/root.ts';
import { studentUpperTail } from '../../stats/student-t.ts';
import {
  type CountedWindow,
  dispersionRisk,
  estimateDispersion,
  largestCount,
  smallestExpected,
  testCount,
} from './volume-model.ts';
import { medianOf } from './week-cells.ts';

/** What phase I shows of windows unlike their hour. Plain JSON. */
export interface VolumeHabits {
  /** False: phase I is shorter than four weeks, and says too little of what comes once a week or now and then. */
  readonly areKnown: boolean;
  /** [slot of the week, expected events, windows seen], where a slot is regularly unlike the other days of its hour. */
  readonly slots: readonly (readonly [slot: string, expected: number, windows: number])[];
  /** Runs of windows with far more events than usual, at no fixed time; absent: fewer than two, or all on one day. */
  readonly bursts?: BurstHabit | undefined;
}

export interface BurstHabit {
  readonly runs: number;
  /** Windows of phase I. */
  readonly windows: number;
  /** The highest of them, in multiples of what was expected. */
  readonly highest: number;
  /** Mean and standard deviation of the logarithms of the runs' highest windows, in the same multiples. */
  readonly logMean: number;
  readonly logDeviation: number;
}

/** First and last window of a run of bursts, milliseconds since the epoch. */
export type BurstRun = readonly [first: number, last: number];

export interface HabitOptions {
  readonly windowMilliseconds: number;
  /** Level of the test that live windows meet, and the smallest effect that matters to it. */
  readonly level: number;
  readonly minimumEffect: number;
  /** Independent windows in phase I. */
  readonly degreesOfFreedom: number;
}

/** A window of phase I. */
export interface DatedCount extends CountedWindow {
  readonly start: number;
}

/** Windows of one slot that make a habit, and the share of the slot's windows that they must be. */
const fewestOfSlot = 3;
const shareOfSlot = 0.75;
/** Chance that bursts at no fixed time make any slot look regular. */
const slotByChance = 0.001;
/** Runs that make a habit. */
const fewestRuns = 2;
/** A cell of fewer windows is compared with its neighbours as well. */
const fewestOfCell = 5;
/** A burst may be at least this many times as high as the highest of phase I. */
const higherThanHighest = 2;
/** No height is a finding by a smaller chance than this: the logarithm's tail is not known further out. */
const commonestHigher = 0.05;
/** Phase I that tells habits; it may lack some hours at its ends. */
const daysOfHabits = 28 - 0.25;
const millisecondsPerDay = 86_400_000;
const horizons = [1, 7] as const;
/** Runs remembered: beyond it nobody needs to know how many they are. */
const mostRuns = 100;

/** The place of a window in the week, more exactly than its cell says. */
export function slotOf(cell: string, start: number): string {
  const weekday = (((Math.floor(start / millisecondsPerDay) + 4) % 7) + 7) % 7;
  const minute = Math.floor((((start % 3_600_000) + 3_600_000) % 3_600_000) / 60_000);
  return `${cell}|${weekday}|${minute}`;
}

/**
 * Finds windows of phase I that the test of a live window would have flagged, and what of them is habit: the same slot
 * of the week in at least three weeks and three of four, or bursts now and then.
 * @returns the habits, and the windows with what was unlike its hour replaced by what is usual there
 */
export function findHabits(
  windows: readonly DatedCount[],
  options: HabitOptions,
): { readonly habits: VolumeHabits; readonly calm: readonly DatedCount[] } {
  const usual = usualCounts(windows);
  const dispersion = estimateDispersion(windows.map(({ count }, i) => ({ count, expected: usual[i] ?? 0, error: 0 })));
  const { degreesOfFreedom, level, minimumEffect } = options;
  const caution = degreesOfFreedom / chiSquaredQuantile(dispersionRisk, degreesOfFreedom);
  const cautious = Math.min(1e6, dispersion * caution);
  const ways = windows.map(({ count }, i) => {
    const [seen, expected] = [Math.min(largestCount, count), Math.min(largestCount, usual[i] ?? 0)];
    if (!(expected > smallestExpected) || Math.abs(seen / expected - 1) < minimumEffect) return 0;
    return testCount(seen, expected, cautious) <= level ? Math.sign(seen - expected) : 0;
  });
  const slots = findSlots(windows, ways);
  const bySlot = new Set(slots.map(([slot]) => slot));
  const isRegular = windows.map(({ cell, start }) => bySlot.has(slotOf(cell, start)));
  const bursts = findBursts(windows, usual, ways, isRegular, options);
  // What the chart expects of such a cell has its bursts in it.
  const unlikeCells = new Set(windows.filter((_, i) => (ways[i] ?? 0) > 0).map(({ cell }) => cell));
  const first = windows[0]?.start ?? 0;
  const span = (windows.at(-1)?.start ?? first) + options.windowMilliseconds - first;
  return {
    habits: { areKnown: span >= daysOfHabits * millisecondsPerDay, slots, ...(bursts && { bursts }) },
    calm: windows.map((window, i) => {
      const expected = usual[i] ?? window.count;
      if ((ways[i] ?? 0) > 0 || isRegular[i]) return { ...window, count: expected, typical: expected, score: 0 };
      return unlikeCells.has(window.cell) ? { ...window, typical: expected } : window;
    }),
  };
}

/**
 * The median of each window's cell. Of two or three windows, one of them a burst, the median says nothing: there it is
 * the median of the cells an hour before and after as well, but no less than the least of its own.
 */
function usualCounts(windows: readonly DatedCount[]): readonly number[] {
  const groups = new Map<string, number[]>();
  for (const { cell, count } of windows) {
    const group = groups.get(cell);
    if (group) group.push(count);
    else groups.set(cell, [count]);
  }
  const typical = new Map(
    [...groups].map(([cell, counts]) => {
      if (counts.length >= fewestOfCell) return [cell, medianOf(counts)] as const;
      const around = neighboursOf(cell).flatMap((other) => groups.get(other) ?? []);
      return [cell, Math.max(Math.min(...counts), medianOf([...counts, ...around]))] as const;
    }),
  );
  return windows.map(({ cell }) => typical.get(cell) ?? 0);
}

function neighboursOf(cell: string): readonly string[] {
  const [hour = '', ...kind] = cell.split('|');
  if (!/^\d\d$/.test(hour) || kind.length === 0) return [];
  return [23, 1].map((step) => [String((Number(hour) + step) % 24).padStart(2, '0'), ...kind].join('|'));
}

function findSlots(windows: readonly DatedCount[], ways: readonly number[]): VolumeHabits['slots'] {
  const bySlot = new Map<string, { readonly counts: number[]; windows: number; way: number }>();
  windows.forEach(({ cell, start, count }, i) => {
    const slot = slotOf(cell, start);
    const known = bySlot.get(slot) ?? { counts: [], windows: 0, way: 0 };
    bySlot.set(slot, known);
    known.windows++;
    if (cell === '' || ways[i] === 0) return;
    known.counts.push(count);
    known.way += ways[i] ?? 0;
  });
  const isRegular = ({ counts, windows: seen, way }: { counts: readonly number[]; windows: number; way: number }) =>
    counts.length >= fewestOfSlot && Math.abs(way) === counts.length && counts.length >= shareOfSlot * seen;
  const rest = [...bySlot.values()].filter((slot) => !isRegular(slot));
  const unlike = rest.reduce((sum, { counts }) => sum + counts.length, 1);
  const rate = Math.min(1, unlike / rest.reduce((sum, { windows: seen }) => sum + seen, 1));
  return [...bySlot].flatMap(([slot, known]) => {
    const { counts, windows: seen } = known;
    // Bursts that come often enough fall into the same hour of three weeks now and then.
    const isHabit = isRegular(known) && bySlot.size * binomialUpperTail(counts.length, seen, rate) <= slotByChance;
    return isHabit ? [[slot, medianOf(counts), counts.length] as const] : [];
  });
}

function findBursts(
  windows: readonly DatedCount[],
  usual: readonly number[],
  ways: readonly number[],
  isRegular: readonly boolean[],
  { windowMilliseconds }: HabitOptions,
): BurstHabit | undefined {
  let runs: readonly BurstRun[] = [];
  const heights: number[] = [];
  const days = new Set<number>();
  windows.forEach((window, i) => {
    if (!((ways[i] ?? 0) > 0) || isRegular[i]) return;
    const height = Math.min(largestCount, window.count / Math.max(smallestExpected, usual[i] ?? 1));
    if (!continues(runs, window.start, windowMilliseconds)) heights.push(height);
    else heights.push(Math.max(height, heights.pop() ?? 0));
    runs = extendRuns(runs, window.start, windowMilliseconds);
    days.add(window.day);
  });
  if (heights.length < fewestRuns || days.size < 2) return undefined;
  const logarithms = heights.map(Math.log);
  const logMean = logarithms.reduce((sum, each) => sum + each, 0) / heights.length;
  const squares = logarithms.reduce((sum, each) => sum + (each - logMean) ** 2, 0);
  return {
    runs: heights.length,
    windows: windows.length,
    highest: Math.max(...heights),
    logMean,
    logDeviation: Math.sqrt(squares / (heights.length - 1)),
  };
}

function continues(runs: readonly BurstRun[], start: number, width: number): boolean {
  const last = runs.at(-1)?.[1];
  return last !== undefined && start - last <= width;
}

/** The runs of a week, with one more window that is a burst. */
export function extendRuns(runs: readonly BurstRun[], start: number, windowMilliseconds: number): readonly BurstRun[] {
  const open = runs.at(-1);
  const extended =
    open && continues(runs, start, windowMilliseconds)
      ? [...runs.slice(0, -1), [open[0], start] as const]
      : [...runs, [start, start] as const];
  return extended.filter(([, last]) => last > start - 7 * millisecondsPerDay).slice(-mostRuns);
}

/** How often bursts came lately, and how often the baseline says they come. */
export interface BurstRate {
  readonly days: number;
  readonly runs: number;
  readonly expected: number;
}

/**
 * How high a burst may be, in multiples of what was expected: a new one of the log-normal law of phase I's is higher with
 * a chance that, with bursts as frequent as they are, costs a window the level given. The law is known from its few
 * bursts, so that Student's t bounds it; twice the highest at least, and of two or three bursts nearly anything.
 */
export function highestBurst(habit: BurstHabit, level: number): number {
  const freedom = habit.runs - 1;
  const chance = Math.min(commonestHigher, (level * habit.windows) / (habit.runs + 1));
  const excess = (logarithm: number) => Math.log(studentUpperTail(Math.exp(logarithm), freedom) / chance);
  const reach = Math.exp(excess(logOfFarthest) > 0 ? logOfFarthest : findRoot(excess, -5, logOfFarthest));
  const spread = habit.logDeviation * Math.sqrt(1 + 1 / habit.runs);
  return Math.max(higherThanHighest * habit.highest, Math.exp(Math.min(700, habit.logMean + reach * spread)));
}

/** Deviations of Student's t beyond which nothing is looked for. */
const logOfFarthest = 20;

/**
 * Is a burst more than a habit: higher than those of phase I let expect, or one too many in a day or a week? The number
 * of runs is a Poisson count whose rate phase I knows from its own runs: the predictive law is negative binomial. Heights
 * and both horizons have a third of the level each.
 * @param runs of the last week, that of the window judged included
 * @param ratio of the window's count to what was expected
 * @returns undefined where it is a habit; a rate where it comes too often
 */
export function exceedsHabit(
  habit: BurstHabit,
  runs: readonly BurstRun[],
  start: number,
  ratio: number,
  { windowMilliseconds, level }: Pick<HabitOptions, 'windowMilliseconds' | 'level'>,
): 'higher' | BurstRate | undefined {
  const part = level / (horizons.length + 1);
  if (ratio > highestBurst(habit, part)) return 'higher';
  for (const days of horizons) {
    const windows = Math.max(1, (days * millisecondsPerDay) / windowMilliseconds);
    const recent = runs.filter(([, last]) => last > start - windows * windowMilliseconds).length;
    const expected = (windows * (habit.runs + 1)) / habit.windows;
    const pValue = overdispersedUpperTail(recent, expected, 1 / (habit.runs + 1));
    if (pValue <= part) return { days, runs: recent, expected };
  }
  return undefined;
}
