import { describe, expect, test } from 'vitest';
import { calibrate } from '../../core/evaluate/calibration.ts';
import type { DriftContext } from '../../core/evaluate/drift-context.ts';
import { evaluateWindow } from '../../core/evaluate/evaluate-window.ts';
import { extendTrail, trailingCounts, windowsOfTrails } from '../../core/evaluate/trail.ts';
import { utcCalendar } from '../../core/model/calendar.ts';
import { canonicalJson } from '../../core/model/canonical-json.ts';
import { jensenShannonDistance } from '../../core/stats/divergence.ts';
import { pearsonTest } from '../../core/stats/pearson.ts';
import { populationStabilityIndex } from '../../core/stats/population-stability-index.ts';
import { baselineOf, type DrawnWindow, drawWindows, Follower, firstHour, hour } from './drawn-windows.ts';
import {
  createBaseline,
  createInput,
  createRandom,
  createSummary,
  drawNormal,
  learnNumeric,
  numericFromBins,
  plainPolicy,
  summariseCells,
} from './synthetic-model.ts';

const before = 24 * 28;
const policy = { ...plainPolicy, drift: { ...plainPolicy.drift, level: 0.1 / 1176 } };

/** Four weeks of baseline, then 20 live hours in which the first feature moves down after ten. */
const windows = drawWindows(
  {
    features: 4,
    hours: before + 20,
    recordsPerHour: 400,
    swing: 0.1,
    wander: 0.03,
    shift: (feature, at) => (feature === 0 && at >= before + 10 ? -0.7 : 0),
  },
  11,
);
const baseline = baselineOf(windows.slice(0, before));
const calibration = calibrate(baseline, { windowSeconds: 3600, calendar: utcCalendar });

function summaryOf({ counts }: DrawnWindow) {
  return createSummary(
    baseline.layout.features.map(([name], feature) => {
      const row = counts[feature] ?? [];
      return [name, numericFromBins(row.slice(0, 10), row[10])[1]] as const;
    }),
  );
}

/** The verdict of the live hour `at`, judged with all that came before it. */
function judge(at: number, overrides: Partial<Parameters<typeof createInput>[2]> = {}) {
  const follower = new Follower(baseline, calibration, policy);
  for (const window of windows.slice(before, before + at + 1)) follower.add(window);
  const context: DriftContext = {
    calibration,
    stretches: follower.stretches(),
    windowsOfTrail: windowsOfTrails(follower.trails),
  };
  const window = windows[before + at];
  if (!window) throw new Error('expected a window');
  const times = { start: window.start, end: window.start + hour };
  return evaluateWindow(createInput(baseline, summaryOf(window), { policy, window: times, context, ...overrides }));
}

describe('a window judged with what came before it', () => {
  test('says what, how much, how surely, at which scale and since when', () => {
    const verdict = judge(19);
    expect(verdict.tier).toBe('yellow');
    expect(verdict.findings.map(({ id }) => id)).toEqual(['drift:feature 000']);
    const [finding] = verdict.findings;
    expect(finding?.message).toMatch(
      /^feature 000: \d+ % of records now lie below -?[\d.]+, the lowest \w+ deciles of the baseline \(\d+ % expected\); PSI 0\.\d+, q = \S+, [\d,]+ records, seen at the \d-hour scale, began about 2026-03-30 \d\d:00 UTC$/,
    );
    const onset = String(finding?.evidence.onset);
    expect(Math.abs(Date.parse(onset) - (firstHour + (before + 10) * hour)) / hour).toBeLessThanOrEqual(1);
    expect(finding?.evidence).toMatchObject({ causes: 'distribution', unitChange: null });
    expect(verdict.rule.scales).toEqual([1, 2, 4, 8, 24, 72, 168]);
    expect(verdict.rule.calibration).toBe(calibration.description);
  });

  test('without drift every scale says what it could have shown', () => {
    const verdict = judge(9);
    expect(verdict).toMatchObject({ tier: 'green', findings: [] });
    for (const feature of Object.values(verdict.features)) {
      expect(feature.drifted).toBe(false);
      expect(feature.onset).toBeUndefined();
      expect(feature.scales).toHaveLength(7);
      for (const scale of feature.scales ?? []) expect(scale.minimumDetectableEffect).toBeGreaterThan(0.02);
    }
  });

  test('the scores and the statistic printed follow from the bins printed', () => {
    for (const feature of Object.values(judge(19).features)) {
      const { baseline: expected = [], current = [] } = feature.bins ?? {};
      expect(feature.scores.populationStabilityIndex).toBeCloseTo(populationStabilityIndex(expected, current), 9);
      expect(feature.scores.jensenShannonDistance).toBeCloseTo(jensenShannonDistance(expected, current), 9);
      expect(feature.tests.pearson?.statistic).toBeCloseTo(pearsonTest(expected, current).statistic, 6);
    }
  });

  test('the same input gives the same verdict, byte for byte', () => {
    expect(canonicalJson(judge(12))).toBe(canonicalJson(judge(12)));
  });

  test('an analysis leaves the context aside', () => {
    const verdict = judge(19, { mode: 'analysis' });
    expect(verdict.rule.calibration).toBe('independent records, no cells');
    expect(verdict.features['feature 000']?.scales).toBeUndefined();
  });

  test('a retest has a level of its own, and says so', () => {
    const follower = new Follower(baseline, calibration, policy);
    for (const window of windows.slice(before, before + 20)) follower.add(window);
    const context = { calibration, stretches: follower.stretches(), windowsOfTrail: [], level: 1e-300 };
    const verdict = judge(19, { context });
    expect(verdict.tier).toBe('green');
    expect(verdict.rule.level).toBe(1e-300);
  });

  test('a range is paid for by the quality of data, not by drift', () => {
    const follower = new Follower(baseline, calibration, policy);
    for (const window of windows.slice(before, before + 2)) follower.add(window);
    const last = windows[before + 1];
    if (!last) throw new Error('expected a window');
    const usual = summaryOf(last);
    const summary = {
      ...usual,
      features: usual.features.map(([name, feature]) =>
        feature.kind === 'numeric'
          ? ([name, { ...feature, buckets: [...feature.buckets, [8000, 8] as const] }] as const)
          : ([name, feature] as const),
      ),
    };
    const kinds = (levels: Partial<DriftContext>) => {
      const context = { calibration, stretches: follower.stretches(), windowsOfTrail: [], ...levels };
      const { findings } = evaluateWindow(createInput(baseline, summary, { policy, context }));
      return findings.map(({ kind }) => kind);
    };
    expect(kinds({ level: 1e-300, rangeLevel: 1e-5 })).toContain('range');
    expect(kinds({ level: 1e-4, rangeLevel: 1e-300 })).not.toContain('range');
    // Of a policy that leaves the quality of data out.
    expect(kinds({ level: 1e-4 })).not.toContain('range');
  });

  test('a short window is not "insufficient" where the stretch it ends is long enough', () => {
    const many = { ...policy, drift: { ...policy.drift, minimumRecords: 1000 } };
    expect(judge(9, { policy: many }).findings).toEqual([]);
    expect(judge(0, { policy: many }).findings.map(({ kind }) => kind)).toEqual(['insufficient-data']);
  });
});

describe('a baseline without times', () => {
  const spread = 0.8;
  const random = createRandom(21);
  const draw = (records: number) => Array.from({ length: records }, () => 700 * Math.exp(spread * drawNormal(random)));
  const [layout, feature] = learnNumeric(draw(20_000));
  const table = createBaseline([['distance', [layout, feature]]]);
  const uncalibrated = calibrate(table, { windowSeconds: 3600, calendar: utcCalendar });
  const live = draw(400);
  const judgeTable = (convert: (miles: number) => number) => {
    const summary = createSummary([['distance', summariseCells(layout, live.map(convert))]]);
    const trail = extendTrail(undefined, { start: firstHour }, summary, table.layout, '00|weekday');
    const stretches = trailingCounts(trail, [], [1], hour);
    const context: DriftContext = { calibration: uncalibrated, stretches, windowsOfTrail: windowsOfTrails([trail]) };
    return evaluateWindow(createInput(table, summary, { policy, context }));
  };

  test('does not know its ups and downs: what may be one of them is said and raises nothing', () => {
    const verdict = judgeTable((miles) => miles + 170);
    expect(verdict).toMatchObject({ tier: 'green', findings: [{ id: 'drift:distance', tier: 'green' }] });
    expect(verdict.findings[0]?.message).toMatch(/ PSI 0\.\d+, .*; provisional: .* ups and downs are not known yet$/);
    expect(verdict.features.distance).toMatchObject({ drifted: false, scales: [{ drifted: false }] });
  });

  test('a change of units is no up or down, where traffic itself does not move that far', () => {
    const verdict = judgeTable((inches) => inches * 2.54);
    expect(verdict.features.distance?.scores.populationStabilityIndex).toBeLessThan(2);
    expect(verdict).toMatchObject({ tier: 'yellow', features: { distance: { drifted: true } } });
    expect(verdict.findings[0]?.message).toContain('converted from inches to centimetres');
    expect(verdict.findings[0]?.message).not.toContain('provisional');
  });

  test('a change of units that may be an up or down is named and raises nothing', () => {
    const verdict = judgeTable((miles) => miles * 1.609344);
    expect(verdict).toMatchObject({ tier: 'green', features: { distance: { drifted: false } } });
    expect(verdict.findings[0]?.message).toMatch(/converted from miles to kilometres.*; provisional: /);
  });

  test('a shift that turns values around zero into their negatives is no change of units', () => {
    const values = Array.from({ length: 20_000 }, () => drawNormal(random) - 0.25);
    const [plain, learnt] = learnNumeric(values);
    const centred = createBaseline([['score', [plain, learnt]]]);
    const calibration = calibrate(centred, { windowSeconds: 3600, calendar: utcCalendar });
    const summary = createSummary([
      [
        'score',
        summariseCells(
          plain,
          values.slice(0, 2000).map((value) => value + 0.5),
        ),
      ],
    ]);
    const trail = extendTrail(undefined, { start: firstHour }, summary, centred.layout, '00|weekday');
    const context = { calibration, stretches: trailingCounts(trail, [], [1], hour), windowsOfTrail: [] };
    const verdict = evaluateWindow(createInput(centred, summary, { policy, context }));
    expect(verdict.findings[0]?.message).toContain('negatives');
    expect(verdict.tier).toBe('green');
  });

  test('what is gross raises the tier at once', () => {
    expect(judgeTable((miles) => miles + 2000).tier).toBe('yellow');
  });
});
