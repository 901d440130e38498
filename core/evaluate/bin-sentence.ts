import type { FeatureLayout } from '../model/layout.ts';
import type { Bins } from '../model/verdict.ts';
import { describeRange } from './edge-text.ts';
import { unusedLabel } from './feature-bins.ts';
import { formatName, formatShare } from './number-text.ts';

/** Where records lie that are in none of the baseline's categories. */
export const unknownCategories = 'are in categories the baseline does not know';

export interface BinSentenceOptions {
  /** That the bins are of. */
  readonly layout: FeatureLayout;
  /** True where the bins of values are the baseline's deciles. */
  readonly areDeciles: boolean;
  /** True where the baseline's counts are what the same hours had, not all of them. */
  readonly byHours: boolean;
  /** What is compared with, where it is not the baseline: `beside it in version v1`. */
  readonly reference?: string | undefined;
}

/** The other end of the numbers is told as well where its share grew by at least this part of the first one's growth. */
const alikeGain = 2 / 3;

/**
 * The run of bins (a category, or a range of numbers) whose share grew most, with both shares; both ends of the numbers where they
 * grew alike.
 */
export function describeBins(bins: Bins, { layout, areDeciles, byHours, reference }: BinSentenceOptions): string {
  const before = bins.baseline.map((count) => share(count, sum(bins.baseline)));
  const after = bins.current.map((count) => share(count, sum(bins.current)));
  const gains = after.map((value, index) => value - (before[index] ?? 0));
  const values = bins.missing ? gains.length - 1 : gains.length;
  const runs = findGrown(bins, gains, values);
  const isMissing = bins.missing && runs[0].first === values;
  const shareOf = (shares: readonly number[]) =>
    formatShare(sum(runs.flatMap(({ first, last }) => shares.slice(first, last + 1))));
  const now = `${shareOf(after)} of records ${isMissing ? 'have no value' : placeOf(bins, runs, layout)}`;
  const isPart = sum(runs.map(({ first, last }) => last - first + 1)) < values;
  if (areDeciles && values === 10 && !isMissing && isPart) {
    const deciles = runs.map(({ first, last }) => nameDeciles(first, last)).join(' and ');
    return `${now}, ${deciles} of the baseline (${shareOf(before)}${byHours ? ' expected' : ''})`;
  }
  return byHours
    ? `${now}, ${shareOf(before)} were expected`
    : `${now}, ${reference ?? 'in the baseline'} ${shareOf(before)}`;
}

/** True where bins of values each hold about a tenth. */
export function looksLikeDeciles(shares: readonly number[]): boolean {
  return shares.length === 10 && shares.every((each) => each >= 0.08 && each <= 0.12);
}

const words = ['', '', 'two ', 'three ', 'four ', 'five ', 'six ', 'seven ', 'eight ', 'nine '] as const;

/** `the lowest two deciles`, `the highest decile`, `deciles 4 to 6`. */
function nameDeciles(first: number, last: number): string {
  const count = last - first + 1;
  const noun = count === 1 ? 'decile' : 'deciles';
  if (first === 0) return `the lowest ${words[count] ?? ''}${noun}`;
  if (last === 9) return `the highest ${words[count] ?? ''}${noun}`;
  return count === 1 ? `decile ${first + 1}` : `deciles ${first + 1} to ${last + 1}`;
}

/** The last bin of values may join all categories that have none. */
function isOther({ categories = [], missing }: Bins, bin: number): boolean {
  const last = categories.length - (missing ? 2 : 1);
  return bin === last && categories[bin] === unusedLabel('(other)', categories.slice(0, bin));
}

function placeOf(bins: Bins, runs: Runs, layout: FeatureLayout): string {
  const { edges } = bins;
  const [{ first, last }] = runs;
  if (!edges || layout.kind !== 'numeric')
    return isOther(bins, first) ? unknownCategories : `are now "${formatName(bins.categories?.[first] ?? '')}"`;
  if (first === 0 && last === edges.length) return 'now have a value';
  return `now lie ${runs.map((run) => describeRange(layout, edges[run.first - 1], edges[run.last])).join(' or ')}`;
}

interface Run {
  readonly first: number;
  readonly last: number;
  readonly gain: number;
}

/** Ascending. */
type Runs = readonly [Run, ...Run[]];

/** Of missing values, of one category, of one range of numbers, or of both ends of them. */
function findGrown(bins: Bins, gains: readonly number[], values: number): Runs {
  const ofValues = gains.slice(0, values);
  const run = bins.edges ? largestRun(ofValues) : largestSingle(gains);
  const missingGain = bins.missing ? (gains[values] ?? 0) : 0;
  if (missingGain > run.gain) return [{ first: values, last: values, gain: missingGain }];
  const other = bins.edges && findOtherEnd(run, ofValues);
  if (!other || other.gain < alikeGain * run.gain) return [run];
  return other.first < run.first ? [other, run] : [run, other];
}

function largestSingle(gains: readonly number[]): Run {
  const gain = Math.max(...gains);
  const index = Math.max(gains.indexOf(gain), 0);
  return { first: index, last: index, gain };
}

/** Kadane's algorithm: the run of neighbours with the largest sum. */
function largestRun(gains: readonly number[]): Run {
  let best: Run = { first: 0, last: 0, gain: Number.NEGATIVE_INFINITY };
  let first = 0;
  let gain = 0;
  for (const [last, next] of gains.entries()) {
    if (gain <= 0) {
      first = last;
      gain = 0;
    }
    gain += next;
    if (gain > best.gain) best = { first, last, gain };
  }
  return best;
}

/** The bins from the other end of the numbers on whose share grew most; undefined where it did not, or the run is at no end. */
function findOtherEnd(run: Run, gains: readonly number[]): Run | undefined {
  const isLow = run.first === 0;
  const end = gains.length - 1;
  if (isLow === (run.last === end)) return undefined;
  let best: Run | undefined;
  let gain = 0;
  const rest = isLow ? gains.slice(run.last + 1).reverse() : gains.slice(0, run.first);
  for (const [index, next] of rest.entries()) {
    gain += next;
    if (gain > (best?.gain ?? 0))
      best = isLow ? { first: end - index, last: end, gain } : { first: 0, last: index, gain };
  }
  return best;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function share(part: number, whole: number): number {
  return whole > 0 ? part / whole : 0;
}
