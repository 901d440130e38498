import type { Bins } from '../model/verdict.ts';
import { unusedLabel } from './feature-bins.ts';
import { formatName, formatNumber, formatShare } from './number-text.ts';

/** Where records lie that are in none of the baseline's categories. */
export const unknownCategories = 'are in categories the baseline does not know';

export interface BinSentenceOptions {
  /** True where the bins of values are the baseline's deciles. */
  readonly areDeciles: boolean;
  /** True where the baseline's counts are what the same hours had, not all of them. */
  readonly byHours: boolean;
  /** What is compared with, where it is not the baseline: `beside it in version v1`. */
  readonly reference?: string | undefined;
}

/** The run of bins (a category, or a range of numbers) whose share grew most, with both shares. */
export function describeBins(bins: Bins, { areDeciles, byHours, reference }: BinSentenceOptions): string {
  const before = bins.baseline.map((count) => share(count, sum(bins.baseline)));
  const after = bins.current.map((count) => share(count, sum(bins.current)));
  const gains = after.map((value, index) => value - (before[index] ?? 0));
  const values = bins.missing ? gains.length - 1 : gains.length;
  const run = bins.edges ? largestRun(gains.slice(0, values)) : largestSingle(gains);
  const missingGain = bins.missing ? (gains[values] ?? 0) : 0;
  const [first, last] = missingGain > run.gain ? [values, values] : [run.first, run.last];
  const shareBefore = formatShare(sum(before.slice(first, last + 1)));
  const now = `${formatShare(sum(after.slice(first, last + 1)))} of records ${placeOf(bins, first, last)}`;
  if (areDeciles && values === 10 && last < values && last - first < values - 1) {
    return `${now}, ${nameDeciles(first, last)} of the baseline (${shareBefore}${byHours ? ' expected' : ''})`;
  }
  return byHours ? `${now}, ${shareBefore} were expected` : `${now}, ${reference ?? 'in the baseline'} ${shareBefore}`;
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

function placeOf(bins: Bins, first: number, last: number): string {
  if (bins.missing && first === bins.baseline.length - 1) return 'have no value';
  if (!bins.edges)
    return isOther(bins, first) ? unknownCategories : `are now "${formatName(bins.categories?.[first] ?? '')}"`;
  const low = bins.edges[first - 1];
  const high = bins.edges[last];
  if (low !== undefined && high !== undefined) return `now lie between ${formatNumber(low)} and ${formatNumber(high)}`;
  if (low !== undefined) return `now lie at or above ${formatNumber(low)}`;
  return high === undefined ? 'now have a value' : `now lie below ${formatNumber(high)}`;
}

interface Run {
  readonly first: number;
  readonly last: number;
  readonly gain: number;
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

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function share(part: number, whole: number): number {
  return whole > 0 ? part / whole : 0;
}
