import { expect, test } from 'vitest';
import { calibrate } from '../../core/evaluate/calibration.ts';
import { cellOfWindow } from '../../core/evaluate/cells.ts';
import { StretchReader } from '../../core/evaluate/stretch-reader.ts';
import type { Baseline, BaselineFeature } from '../../core/model/baseline.ts';
import { utcCalendar } from '../../core/model/calendar.ts';
import type { FeatureLayout } from '../../core/model/layout.ts';
import type { FeatureSummary } from '../../core/model/profile.ts';
import { normalQuantile, normalUpperTail } from '../../core/stats/normal.ts';
import { createRandom, type Random } from './charts/streams.ts';
import { firstHour, hour } from './drawn-windows.ts';
import { createBaseline, numericFromBins } from './synthetic-model.ts';

const weeks = 24 * 28;
const features = 40;
const presentPerHour = 400;
const bins = 10;
const edges = Array.from({ length: bins - 1 }, (_, index) => normalQuantile((index + 1) / bins));

/** Shares of what a feature's values are on a day: bins of a number whose mean wanders, or known categories and the unseen. */
type Day = (random: Random) => readonly number[];

const numericDay: Day = ({ normal }) => {
  const mean = 0.1 * normal();
  const above = [1, ...edges.map((edge) => normalUpperTail(edge - mean)), 0];
  return Array.from({ length: bins }, (_, bin) => (above[bin] ?? 0) - (above[bin + 1] ?? 0));
};

const categoricalDay: Day = ({ normal }) => {
  const unseen = Math.max(0, 0.1 + 0.02 * normal());
  return [0.6 * (1 - unseen), 0.4 * (1 - unseen), unseen];
};

/** Hourly counts of a feature: its values, then missing. Days wander, the share of missing values does not. */
function drawHours(day: Day, missing: number, hours: number, random: Random): number[][] {
  const missingPerHour = (presentPerHour * missing) / (1 - missing);
  let shares: readonly number[] = [];
  return Array.from({ length: hours }, (_, at) => {
    if (at % 24 === 0) shares = day(random);
    return [...shares.map((share) => random.poisson(presentPerHour * share)), random.poisson(missingPerHour)];
  });
}

function learn(kind: 'numeric' | 'categorical', rows: readonly number[][]): readonly [FeatureLayout, BaselineFeature] {
  const totals = (rows[0] ?? []).map((_, bin) => rows.reduce((sum, row) => sum + (row[bin] ?? 0), 0));
  const missing = totals.at(-1) ?? 0;
  const binCounts = { windows: rows, cells: [] };
  if (kind === 'numeric') {
    const [layout, summary] = numericFromBins(totals.slice(0, -1), missing);
    return [layout, { kind, summary, distinct: bins, singletons: 0, rare: 0, binCounts }];
  }
  const [a = 0, b = 0, unseen = 0] = totals;
  const categories = [
    [0, a],
    [1, b],
  ] as const;
  const summary: FeatureSummary = { kind, count: a + b + unseen, missing, categories, unseen };
  const layout: FeatureLayout = { kind, side: 'input', categories: ['a', 'b'] };
  return [layout, { kind, summary, distinct: 2, singletons: 0, rare: unseen, binCounts }];
}

/** How often each test rejects at .01 in windows that are like the baseline's. */
function measureSize(kind: 'numeric' | 'categorical', missing: number, seed: number) {
  const random = createRandom(seed);
  const day = kind === 'numeric' ? numericDay : categoricalDay;
  const drawn = Array.from({ length: features }, () => drawHours(day, missing, 2 * weeks, random));
  const records = Math.round(presentPerHour / (1 - missing));
  const baseline: Baseline = {
    ...createBaseline(drawn.map((rows, index) => [`f${index}`, learn(kind, rows.slice(0, weeks))] as const)),
    time: {
      first: new Date(firstHour).toISOString(),
      last: new Date(firstHour + weeks * hour - 1).toISOString(),
      windowSeconds: 3600,
      windows: Array.from({ length: weeks }, (_, at) => [new Date(firstHour + at * hour).toISOString(), records]),
      cells: [],
      longestGapSeconds: 60,
    },
  };
  const calibration = calibrate(baseline, { windowSeconds: 3600, calendar: utcCalendar });
  const reader = new StretchReader(calibration, { minimumRecords: 0, effectLevel: 0.001 });
  const rejected = { ranks: 0, unseen: 0 };
  let tested = 0;
  for (let at = weeks; at < 2 * weeks; at += 5) {
    const start = firstHour + at * hour;
    const counts = drawn.map((rows) => rows[at] ?? []);
    const cells = [[cellOfWindow(start, utcCalendar), records]] as const;
    reader.open({ scale: 1, start, end: start + hour, windows: 1, records, cells, counts });
    calibration.features.forEach((feature, index) => {
      const { ranks, unseen } = reader.measure(feature, counts[index], 0);
      tested++;
      if ((ranks?.pValue ?? 1) <= 0.01) rejected.ranks++;
      if ((unseen?.pValue ?? 1) <= 0.01) rejected.unseen++;
    });
  }
  return { ranks: rejected.ranks / tested, unseen: rejected.unseen / tested };
}

// Days are alike within, so that 1,120 of them are looked at: a true size of .01 stays below .02. The test of unseen values errs on the safe side.
test.each([0.01, 0.5, 0.9])('features with %f of their values missing are tested at their level', (missing) => {
  const { ranks } = measureSize('numeric', missing, 1);
  const { unseen } = measureSize('categorical', missing, 2);
  expect(ranks).toBeLessThan(0.02);
  expect(ranks).toBeGreaterThan(0.003);
  expect(unseen).toBeLessThan(0.02);
  expect(unseen).toBeGreaterThan(0.001);
});
