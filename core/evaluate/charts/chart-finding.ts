import {
  formatDuration,
  formatInstant,
  formatMinute,
  formatName,
  formatNumber,
  formatProbabilityOf,
  formatShare,
} from '../number-text.ts';
import type { ChartFinding, ChartReading, UnlikeVolume } from './judge-charts.ts';
import type { PreparedChart, PreparedCharts } from './prepare-charts.ts';
import { restoreValue } from './scalar-series.ts';
import type { ChartSignal } from './update-chart.ts';
import type { BurstRate } from './volume-habits.ts';

interface Facts {
  readonly chart: PreparedChart;
  readonly prepared: PreparedCharts;
  readonly reading: ChartReading;
  /** Start of the window judged. */
  readonly start: number;
}

const secondsPerYear = 31_557_600;

/** "confidence: 0.81 in this window, 0.9 expected; 0.088 too low on average for 6 h, since about …; …" */
export function describeShift(facts: Facts, signal: ChartSignal): ChartFinding {
  const { chart, prepared, reading, start } = facts;
  const { excursion } = signal;
  const span = formatDuration((start - excursion.since) / 1000 + prepared.windowSeconds);
  const by = describeSize(chart, reading, excursion.shift);
  const message =
    `${formatName(chart.name)}: ${formatValue(chart, reading.value)} in this window, ` +
    `${formatValue(chart, reading.expected)} expected at this time of the week; ${by} on average for ${span}, ` +
    `since about ${formatMinute(Math.floor(excursion.since / 60_000))}; ${describeRarity(prepared)}`;
  return finding(facts, message, {
    direction: signal.direction,
    excess: signal.excess,
    shift: excursion.shift,
    since: formatInstant(excursion.since),
    windows: excursion.windows,
  });
}

/** "requests: 12 in this window, 510 expected …, 98 % too few (p = 2e-9)" */
export function describeVolume(
  facts: Facts,
  { expected, pValue, rate }: UnlikeVolume,
  signal: ChartSignal | undefined,
): ChartFinding {
  const { chart, reading, prepared } = facts;
  const ratio = clampFinite(reading.value / expected);
  const size = ratio < 1 ? `${formatShare(1 - ratio)} too few` : `${formatNumber(ratio)} times as many`;
  const message =
    `${formatName(chart.name)}: ${formatNumber(reading.value)} in this window, ${formatNumber(expected)} expected at ` +
    `this time of the week; ${size} (${formatProbabilityOf('p', pValue)})${rate ? describeRate(rate) : ''}; ${describeRarity(prepared)}`;
  return finding(facts, message, {
    direction: ratio < 1 ? 'down' : 'up',
    pValue,
    ratio,
    expectedCount: expected,
    dispersion: chart.volume?.dispersion ?? 0,
    ...(rate && { bursts: rate.runs, burstsExpected: rate.expected, burstDays: rate.days }),
    excess: signal?.excess ?? reading.excess,
  });
}

function describeRate({ runs, expected, days }: BurstRate): string {
  const usual = formatNumber(Number(expected.toPrecision(2)));
  return `, ${formatNumber(runs)} such bursts in ${formatDuration(days * 86_400)} where ${usual} are usual`;
}

/** The id of what the chart of a series finds. */
export function chartId(name: string): string {
  return `chart:${name}`;
}

function finding(
  { chart, prepared, reading }: Facts,
  message: string,
  evidence: ChartFinding['evidence'],
): ChartFinding {
  return {
    id: chartId(chart.name),
    tier: 'yellow',
    kind: 'chart',
    message,
    evidence: {
      value: clampFinite(reading.value),
      expected: clampFinite(reading.expected),
      score: reading.score,
      limit: chart.design.limit,
      runLength: prepared.runLength,
      phaseOneWindows: chart.windows,
      degreesOfFreedom: chart.memory.degreesOfFreedom,
      autocorrelation: chart.memory.autocorrelation,
      cells: chart.scheme,
      ...evidence,
    },
  };
}

function describeSize(chart: PreparedChart, { expected }: ChartReading, shift: number): string {
  switch (chart.kind) {
    case 'mean': {
      return `${formatNumber(Math.abs(shift))} too ${shift < 0 ? 'low' : 'high'}`;
    }
    case 'share': {
      const angle = Math.asin(Math.sqrt(expected));
      const points = (restoreValue('share', angle + shift) - expected) * 100;
      return `${formatNumber(Math.abs(points))} percentage points too ${shift < 0 ? 'low' : 'high'}`;
    }
    default:
      return shift < 0
        ? `${formatShare(-Math.expm1(shift))} too low`
        : `${formatNumber(Math.exp(Math.min(700, shift)))} times as high`;
  }
}

function formatValue({ kind }: PreparedChart, value: number): string {
  return kind === 'share' ? formatShare(value) : formatNumber(value);
}

function describeRarity({ runLength, windowSeconds }: PreparedCharts): string {
  const seconds = runLength * windowSeconds;
  const span =
    seconds < 2 * secondsPerYear
      ? formatDuration(seconds)
      : `${formatNumber(Number((seconds / secondsPerYear).toPrecision(2)))} years`;
  return `without a change such an alarm comes once in ${span}`;
}

function clampFinite(value: number): number {
  return Math.min(Number.MAX_VALUE, Math.max(-Number.MAX_VALUE, value));
}
