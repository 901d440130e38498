import { estimatePerformance } from '../../../core/evaluate/performance/estimate-performance.ts';
import { measureEvidence } from '../../../core/evaluate/performance/outcome-evidence.ts';
import type { OutcomeDay } from '../../../core/model/outcome-days.ts';
import { fitCalibration, stepOf } from '../../../core/stats/calibration-steps.ts';
import { seededUniform } from '../../stats/reference.ts';

/** A stream of labelled outcomes, `perHour` an hour, looked at each hour. */
export interface OutcomeStream {
  readonly perHour: number;
  readonly firstDay: number;
  readonly healthyHours: number;
  readonly healthyRate: number;
  /** From then on, for at most so many hours. */
  readonly rate: number;
  readonly hours: number;
  /** Hours between two looks. */
  readonly everyHours?: number | undefined;
}

/** Hours after the change at which the evidence against .85 reaches 100; Infinity: not within the stream. */
export function hoursToRed(stream: OutcomeStream, uniform: () => number): number {
  const { perHour, firstDay, healthyHours, healthyRate, rate, hours, everyHours = 1 } = stream;
  const days: OutcomeDay[] = [];
  for (let hour = 0; hour < healthyHours + hours; hour++) {
    const day = firstDay + Math.floor(hour / 24);
    let successes = 0;
    for (let label = 0; label < perHour; label++) {
      if (uniform() < (hour < healthyHours ? healthyRate : rate)) successes++;
    }
    const last = days.at(-1);
    if (last?.[0] === day) days[days.length - 1] = [day, last[1] + successes, last[2] + perHour];
    else days.push([day, successes, perHour]);
    const after = hour - healthyHours + 1;
    if (after < 1 || after % everyHours !== 0) continue;
    if (measureEvidence(days, day, 0.85).logEvidence >= Math.log(100)) return after;
  }
  return Number.POSITIVE_INFINITY;
}

/** Binary classification of x ~ N(mean, 1): a yes with the logit intercept + slope·x. */
export interface World {
  readonly mean: number;
  readonly intercept: number;
  readonly slope: number;
}

interface ScoredRecord {
  readonly score: number;
  readonly isPositive: boolean;
}

export const measures = ['accuracy', 'precision', 'recall', 'f1', 'areaUnderCurve'] as const;
export type Measure = (typeof measures)[number];

export interface EstimateQuality {
  /** Per measure: windows, mean of the truth, mean error of the estimate, share of intervals that hold the truth. */
  readonly measures: ReadonlyMap<Measure, { runs: number; truth: number; bias: number; coverage: number }>;
}

/** Calibrates in one world and estimates in another, against the labels there; the model is overconfident in both. */
export function measureEstimates(
  worlds: { readonly baseline: World; readonly current: World },
  sizes: { readonly labelled: number; readonly window: number; readonly runs: number },
  uniform: () => number,
): EstimateQuality {
  const threshold = 0.5;
  const sums = new Map<Measure, { runs: number; truth: number; bias: number; coverage: number }>();
  for (let run = 0; run < sizes.runs; run++) {
    const baseline = drawRecords(worlds.baseline, worlds.baseline, sizes.labelled, uniform);
    const map = fitCalibration(
      baseline.map(({ score, isPositive }) => ({ score, records: 1, positives: isPositive ? 1 : 0 })),
      threshold,
    );
    if (map === undefined) continue;
    const window = drawRecords(worlds.baseline, worlds.current, sizes.window, uniform);
    const counts = map.steps.map(() => 0);
    for (const { score } of window) {
      const step = stepOf(map.edges, score);
      counts[step] = (counts[step] ?? 0) + 1;
    }
    const estimate = estimatePerformance(map, counts);
    const truth = measureTruth(window, threshold);
    for (const measure of measures) {
      const [estimated, true_] = [estimate[measure], truth[measure]];
      if (estimated === undefined || Number.isNaN(true_)) continue;
      const sum = sums.get(measure) ?? { runs: 0, truth: 0, bias: 0, coverage: 0 };
      const covers = estimated.lower <= true_ && true_ <= estimated.upper;
      sums.set(measure, {
        runs: sum.runs + 1,
        truth: sum.truth + true_,
        bias: sum.bias + estimated.value - true_,
        coverage: sum.coverage + (covers ? 1 : 0),
      });
    }
  }
  return {
    measures: new Map(
      [...sums].map(([measure, { runs, truth, bias, coverage }]) => [
        measure,
        { runs, truth: truth / runs, bias: bias / runs, coverage: coverage / runs },
      ]),
    ),
  };
}

function drawRecords(model: World, world: World, count: number, uniform: () => number): readonly ScoredRecord[] {
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
  return Array.from({ length: count }, () => {
    const x = world.mean + Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
    const score = sigmoid(1.6 * (model.intercept + model.slope * x));
    return { score, isPositive: uniform() < sigmoid(world.intercept + world.slope * x) };
  });
}

function measureTruth(records: readonly ScoredRecord[], threshold: number): Readonly<Record<Measure, number>> {
  let [truePositives, falsePositives, falseNegatives, positives, negatives, ordered] = [0, 0, 0, 0, 0, 0];
  for (const { score, isPositive } of records.toSorted((a, b) => a.score - b.score)) {
    if (isPositive) {
      positives++;
      ordered += negatives;
    } else negatives++;
    if (score >= threshold && isPositive) truePositives++;
    else if (score >= threshold) falsePositives++;
    else if (isPositive) falseNegatives++;
  }
  return {
    accuracy: (records.length - falsePositives - falseNegatives) / records.length,
    precision: truePositives / (truePositives + falsePositives),
    recall: truePositives / (truePositives + falseNegatives),
    f1: (2 * truePositives) / (2 * truePositives + falsePositives + falseNegatives),
    areaUnderCurve: ordered / (positives * negatives),
  };
}

export { seededUniform };
