import { expect, test } from 'vitest';
import { calibrate } from '../../core/evaluate/calibration.ts';
import { addBeside, type BesideInput } from '../../core/evaluate/compare-beside.ts';
import type { TrailWindow } from '../../core/evaluate/trail.ts';
import { utcCalendar } from '../../core/model/calendar.ts';
import type { Verdict } from '../../core/model/verdict.ts';
import { textPolicy } from '../pipeline/embedding-world.ts';
import { baselineOf, countsOf } from './drawn-counts.ts';
import { createRandom } from './synthetic-model.ts';

const hour = 3_600_000;
const start = Date.UTC(2026, 0, 5);
const { policy } = textPolicy({});
const baseline = baselineOf(createRandom(3), 2000);
const calibration = calibrate(baseline, { windowSeconds: 3600, calendar: utcCalendar });

const green: Verdict = {
  schema: 'tidewatch.verdict/1',
  mode: 'closed',
  model: 'm',
  variant: 'canary',
  version: 'v2',
  window: { start: '', end: '' },
  revision: 0,
  tier: 'green',
  records: { captured: 0, counted: 0, quarantined: 0, duplicate: 0, pending: 0, expired: 0, late: 0 },
  rule: { level: 0, minimumEffect: 0, effectLevel: 1, calibration: '' },
  features: {},
  slos: [],
  quality: [],
  findings: [],
  evidence: { baseline: null, config: '', code: '', profiles: [] },
};

function windowsOf(random: () => number, sizes: readonly number[], shiftOf: (index: number) => number): TrailWindow[] {
  return sizes.map((records, index) => ({
    start: start + index * hour,
    cell: '00|weekday',
    records,
    counts: countsOf(random, records, shiftOf(index)),
  }));
}

function inputOf(own: TrailWindow[], other: TrailWindow[], changes: Partial<BesideInput> = {}): BesideInput {
  return {
    policy,
    features: calibration.features.map((feature, position) => [feature, position]),
    beside: { variant: 'AllTraffic', version: 'v1', own, other },
    windowSeconds: 3600,
    level: 1e-4,
    muted: new Set(),
    ...changes,
  };
}

test('two series that are alike differ no more often than the level says', () => {
  const random = createRandom(5);
  const noFloor = { ...policy, drift: { ...policy.drift, minimumEffect: 0 } };
  let found = 0;
  const runs = 400;
  // A day in which the mix of both changes hour by hour, and the smaller one's part of the traffic with it.
  const shiftOf = (index: number) => Math.sin(index);
  for (let run = 0; run < runs; run++) {
    const own = windowsOf(random, [30, 60, 120, 240], shiftOf);
    const other = windowsOf(random, [900, 700, 500, 300], shiftOf);
    const { findings } = addBeside(green, inputOf(own, other, { policy: noFloor, level: 0.025 }));
    if (findings.length > 0) found++;
  }
  // Two stretches at .025 each; four standard errors of 400 runs at .05 are .044.
  expect(found / runs).toBeLessThan(0.094);
  expect(found).toBeGreaterThan(0);
});

test('a difference is found, named, and muted where a version is being learned', () => {
  const random = createRandom(6);
  const own = windowsOf(random, [200, 200], () => 1);
  const other = windowsOf(random, [900, 900], () => 0);
  const verdict = addBeside(green, inputOf(own, other));
  expect(verdict.tier).toBe('yellow');
  expect(verdict.findings.map(({ id }) => id)).toEqual(['beside:a']);
  expect(verdict.findings[0]?.message).toMatch(
    /beside it in version v1 \(variant AllTraffic\) .*; PSI .*, 400 records against 1,800 of the same 2-hour stretch$/,
  );
  expect(verdict.beside?.stretches.map(({ windows, records }) => [windows, records])).toEqual([
    [1, 200],
    [2, 400],
  ]);
  expect(addBeside(green, inputOf(own, other, { muted: new Set(['a']) })).tier).toBe('green');
});

test('windows that only one of them has are left out', () => {
  const random = createRandom(7);
  const own = windowsOf(random, [200, 200, 200], () => 0);
  const other = windowsOf(random, [900, 900, 900], () => 0);
  const later = addBeside(green, inputOf(own, other.slice(1)));
  expect(later.beside?.stretches[1]).toMatchObject({ windows: 2, records: 400, otherRecords: 1800 });
  expect(addBeside(green, inputOf(own, other.slice(0, 2))).beside).toBeUndefined();
});
