import { calibrate } from '../../core/evaluate/calibration.ts';
import { judgeDrift } from '../../core/evaluate/judge-drift.ts';
import type { Baseline } from '../../core/model/baseline.ts';
import { utcCalendar } from '../../core/model/calendar.ts';
import { makeBaseline } from './counted-baseline.ts';
import { deciles } from './feature-family.ts';
import { ModelStream } from './model-stream.ts';
import { type MeasuredSize, measureSizes } from './p-value-size.ts';
import type { RandomSource } from './random-source.ts';
import { baselineHours, hourMilliseconds, plan, type Scenario, scenarios } from './scenario.ts';
import { shippedPolicy } from './shipped-policy.ts';

/** The tests of a feature's shares, and the p-value that they have together. */
const testNames = ['pearson', 'ranks', 'combined'] as const;
type TestName = (typeof testNames)[number];

/** Size over level of each test, and its standard error. */
export type SizesByTest = Readonly<Record<TestName, readonly MeasuredSize[]>>;

/** Sizes of the shipped tests of a feature's shares, one window of 500 records. */
export interface ShippedSizes {
  /** P(p ≤ level) of Pearson's test, by level. Of the baseline that is known to hold independent records. */
  readonly size: Readonly<Record<string, number>>;
  readonly details: {
    /** Where the records are known to be independent. */
    readonly independent: SizesByTest;
    /** The same where the wander was learned from four weeks that had none. */
    readonly calibrated: SizesByTest;
  };
}

export interface SizeEffort {
  /** Windows per level. */
  readonly samples: number;
  /** Baselines that they are shared out over, so that one baseline's luck averages out. */
  readonly baselines: number;
}

const records = 500;
/** Keys as they are written in the report: `0.000001`, not `1e-6`. */
const levelKeys = new Map([
  [0.05, '0.05'],
  [0.01, '0.01'],
  [1e-4, '0.0001'],
  [1e-6, '0.000001'],
]);

/**
 * Sizes through the real `calibrate` and `judgeDrift`: the windows' tails are drawn by importance sampling, each window
 * standing for one feature of a judgement.
 */
export function measureShippedSizes(random: RandomSource, effort: SizeEffort): ShippedSizes {
  const independent = measureOver(random.fork('independent'), effort, false);
  const calibrated = measureOver(random.fork('calibrated'), effort, true);
  return {
    size: Object.fromEntries(
      independent.pearson.map(({ level, ratio }) => [levelKeys.get(level) ?? String(level), ratio * level]),
    ),
    details: { independent, calibrated },
  };
}

function measureOver(random: RandomSource, { samples, baselines }: SizeEffort, timed: boolean): SizesByTest {
  const runs = Array.from({ length: baselines }, (_, index) => {
    const fork = random.fork(String(index));
    const pValuesOf = createShippedTests(drawBaseline(fork, timed));
    return measureSizes(fork, deciles, records, Math.ceil(samples / baselines), pValuesOf);
  });
  const sizesOf = (test: TestName) => averageSizes(runs.map((sizes) => sizes[testNames.indexOf(test)] ?? []));
  return { pearson: sizesOf('pearson'), ranks: sizesOf('ranks'), combined: sizesOf('combined') };
}

/** Over baselines. */
function averageSizes(runs: readonly (readonly MeasuredSize[])[]): readonly MeasuredSize[] {
  return (runs[0] ?? []).map(({ level }, index) => {
    const measured = runs.flatMap((sizes) => sizes[index] ?? []);
    const ratio = measured.reduce((sum, size) => sum + size.ratio, 0) / measured.length;
    const variance = measured.reduce((sum, size) => sum + size.standardError ** 2, 0) / measured.length ** 2;
    return { level, ratio, standardError: Math.sqrt(variance) };
  });
}

/** Four weeks of features in which nothing happens and nothing is missing. */
function drawBaseline(random: RandomSource, timed: boolean): Baseline {
  const quiet = scenarios.find(({ name }) => name === 'independent null');
  if (!quiet) throw new Error('bench: expected the scenario "independent null", saw none');
  const complete: Scenario = { ...quiet, missingShare: 0 };
  // Without times only the totals matter: one window holds them all.
  const inOne = { ...complete, traffic: { ...quiet.traffic, recordsPerHour: records * baselineHours } };
  const stream = timed ? new ModelStream(complete, random) : new ModelStream(inOne, random, { baselineHours: 1 });
  const windows = stream.drawBaseline();
  return makeBaseline(stream.features, windows, timed);
}

type WindowTests = (windows: readonly (readonly number[])[]) => readonly (readonly number[])[];

/** The p-values of each window's counts, by test; as many windows to a judgement as there are features. */
function createShippedTests(baseline: Baseline): WindowTests {
  const policy = shippedPolicy();
  const calibration = calibrate(baseline, { windowSeconds: 3600, calendar: utcCalendar, scales: [1] });
  return (windows) => {
    const [pearson, ranks, combined]: [number[], number[], number[]] = [[], [], []];
    for (let first = 0; first < windows.length; first += plan.features) {
      const some = windows.slice(first, first + plan.features);
      const stretch = {
        scale: 1,
        start: plan.start,
        end: plan.start + hourMilliseconds,
        windows: 1,
        records,
        cells: [['00|weekday', records] as const],
        counts: baseline.layout.features.map((_, index) => [...(some[index] ?? []), 0]),
      };
      const { features } = judgeDrift({ policy, baseline, calibration, stretches: [stretch] });
      for (const [index, { scales }] of features.entries()) {
        if (index >= some.length) continue;
        pearson.push(scales[0]?.pearson?.pValue ?? 1);
        ranks.push(scales[0]?.ranks?.pValue ?? 1);
        combined.push(scales[0]?.combinedPValue ?? 1);
      }
    }
    return [pearson, ranks, combined];
  };
}
