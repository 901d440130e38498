import type { AlarmStatistic } from '../model/alarm.ts';

/** A statistic as CloudWatch writes it, read. */
type ParsedStatistic =
  | { readonly kind: 'Maximum' | 'Minimum' | 'Average' | 'Sum' | 'SampleCount' }
  /** In percent, above 0 and up to 100. */
  | { readonly kind: 'percentile'; readonly percentile: number }
  /** Values above `low`, up to and with `high`. */
  | { readonly kind: 'count' | 'rank'; readonly low: number; readonly high: number };

/** A statistic that is none, or that is not evaluated here. */
export class AlarmStatisticError extends Error {
  override readonly name = 'AlarmStatisticError';

  constructor(seen: string) {
    super(
      `alarm statistic: expected Maximum, Minimum, Average, Sum, SampleCount, p0.1 to p100, TC(low:high) or PR(low:high) with numbers for bounds, saw ${JSON.stringify(seen.slice(0, 60))}`,
    );
  }
}

const simple = ['Maximum', 'Minimum', 'Average', 'Sum', 'SampleCount'] as const;
const number = String.raw`(?:\d+(?:\.\d+)?|\.\d+)`;

/**
 * Whether a text is a statistic that is evaluated here. Trimmed and winsorized means and bounds in percent are not.
 */
export function isAlarmStatistic(text: string): text is AlarmStatistic {
  return parse(text) !== undefined;
}

/**
 * The statistic of a period's raw values, as CloudWatch defines it in "CloudWatch statistics definitions"; undefined
 * where it has no data. A percentile is the smallest value that has the share at or below it: CloudWatch's own way
 * between two values is not documented. TC and PR count exactly: the lower bound is not within, the upper one is.
 * @throws {AlarmStatisticError}
 */
export function statisticOf(statistic: AlarmStatistic, values: readonly number[]): number | undefined {
  const parsed = parse(statistic);
  if (!parsed) throw new AlarmStatisticError(statistic);
  if (values.length === 0) return undefined;
  switch (parsed.kind) {
    case 'Maximum':
      return values.reduce((a, b) => Math.max(a, b));
    case 'Minimum':
      return values.reduce((a, b) => Math.min(a, b));
    case 'Average':
      return values.reduce((sum, value) => sum + value / values.length, 0);
    case 'Sum':
      return values.reduce((sum, value) => sum + value, 0);
    case 'SampleCount':
      return values.length;
    case 'percentile': {
      const rank = Math.ceil((parsed.percentile / 100) * values.length - 1e-9);
      return values.toSorted((a, b) => a - b)[Math.max(rank, 1) - 1];
    }
    case 'count':
    case 'rank': {
      const within = values.filter((value) => value > parsed.low && value <= parsed.high).length;
      return parsed.kind === 'count' ? within : (100 * within) / values.length;
    }
  }
}

/**
 * Samples that a percentile needs to be statistically significant: 10/(1 - p) above the median, 10/p below it
 * ("Percentile-based alarms and low data samples"); 0 for other statistics.
 */
export function significantSamples(statistic: AlarmStatistic): number {
  const parsed = parse(statistic);
  if (parsed?.kind !== 'percentile') return 0;
  const share = parsed.percentile / 100;
  return 10 / (share >= 0.5 ? 1 - share : share);
}

const parsedStatistics = new Map<string, ParsedStatistic>();

function parse(text: string): ParsedStatistic | undefined {
  const known = parsedStatistics.get(text);
  if (known) return known;
  const parsed = read(text);
  // Templates name a handful; a hostile one must not fill the memory.
  if (parsed && parsedStatistics.size < 1_000) parsedStatistics.set(text, parsed);
  return parsed;
}

function read(text: string): ParsedStatistic | undefined {
  const kind = simple.find((name) => name === text);
  if (kind) return { kind };
  const percentile = Number(new RegExp(`^p(${number})$`).exec(text)?.[1] ?? Number.NaN);
  if (percentile > 0 && percentile <= 100) return { kind: 'percentile', percentile };
  const [, name, low, high] = new RegExp(`^(TC|PR)\\((${number})?:(${number})?\\)$`).exec(text) ?? [];
  if (name === undefined || (low === undefined && high === undefined)) return undefined;
  const bounds = { low: Number(low ?? Number.NEGATIVE_INFINITY), high: Number(high ?? Number.POSITIVE_INFINITY) };
  return bounds.low < bounds.high ? { kind: name === 'TC' ? 'count' : 'rank', ...bounds } : undefined;
}
