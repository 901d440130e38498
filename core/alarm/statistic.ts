import type { AlarmStatistic } from '../model/alarm.ts';
import { type ParsedStatistic, parseStatistic } from '../model/statistic.ts';

/** A statistic that is none, or that is not evaluated here. */
export class AlarmStatisticError extends Error {
  override readonly name = 'AlarmStatisticError';

  constructor(seen: string) {
    super(
      `alarm statistic: expected Maximum, Minimum, Average, Sum, SampleCount, p0.1 to p100, TC(low:high) or PR(low:high) with numbers for bounds, saw ${JSON.stringify(seen.slice(0, 60))}`,
    );
  }
}

/**
 * Whether a text is a statistic that is evaluated here. Trimmed and winsorized means and bounds in percent are not.
 */
export function isAlarmStatistic(text: string): text is AlarmStatistic {
  return evaluated(text) !== undefined;
}

/**
 * The statistic of a period's raw values, as CloudWatch defines it in "CloudWatch statistics definitions"; undefined
 * where it has no data. A percentile is the smallest value that has the share at or below it: CloudWatch's own way
 * between two values is not documented. TC and PR count exactly: the lower bound is not within, the upper one is.
 * @throws {AlarmStatisticError}
 */
export function statisticOf(statistic: AlarmStatistic, values: readonly number[]): number | undefined {
  const parsed = evaluated(statistic);
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

type EvaluatedStatistic = Exclude<ParsedStatistic, { kind: 'trimmed' }>;

function evaluated(text: string): EvaluatedStatistic | undefined {
  const parsed = parse(text);
  return parsed?.kind === 'trimmed' ? undefined : parsed;
}

const parsedStatistics = new Map<string, ParsedStatistic>();

function parse(text: string): ParsedStatistic | undefined {
  const known = parsedStatistics.get(text);
  if (known) return known;
  const parsed = parseStatistic(text);
  // Templates name a handful; a hostile one must not fill the memory.
  if (parsed && parsedStatistics.size < 1_000) parsedStatistics.set(text, parsed);
  return parsed;
}
