import type { CalibrationMap, StepCounts } from '../../model/calibration-map.ts';
import type { Estimate, PerformanceEstimate } from '../../model/verdict.ts';
import { normalUpperQuantile } from '../../stats/normal.ts';

/** A step as the estimates see it. */
interface CountedStep {
  readonly records: number;
  readonly isPredicted: boolean;
  /** Positives expected, and their variance. */
  readonly positives: number;
  readonly variance: number;
}

/**
 * Confidence-based performance estimation: how well a model does on records whose labels are not there yet, from the counts of
 * their scores and what scores meant in a labelled baseline (CBPE; Kivimäki et al. 2025). It assumes that a score still means
 * that. It follows a change of the inputs that the scores reflect, and it does not see a change of what the inputs mean: then
 * it stays where it was. Only labels show that.
 *
 * The interval holds both the chance in the labels to come and that in the calibration, by the delta method.
 * @param confidence in (0, 1)
 * @throws {RangeError} where counts and calibration do not fit
 */
export function estimatePerformance(map: CalibrationMap, counts: StepCounts, confidence = 0.95): PerformanceEstimate {
  if (!(confidence > 0 && confidence < 1)) {
    throw new RangeError(`performance: expected a confidence in (0, 1), saw ${confidence}`);
  }
  const steps = countSteps(map, counts);
  const z = normalUpperQuantile((1 - confidence) / 2);
  const predicted = steps.filter(({ isPredicted }) => isPredicted);
  const records = sumOf(steps.map((step) => step.records));
  const predictedPositives = sumOf(predicted.map((step) => step.records));
  const positives = sumOf(steps.map((step) => step.positives));
  const truePositives = sumOf(predicted.map((step) => step.positives));
  const base = { records, predictedPositives, positives };
  if (records === 0) return base;
  /** @param slope of the measure by the positives of a step */
  const measure = (value: number, slope: (step: CountedStep, index: number) => number): Estimate =>
    intervalOf(value, sumOf(steps.map((step, index) => slope(step, index) ** 2 * step.variance)), z);

  const accurate = truePositives + (records - predictedPositives) - (positives - truePositives);
  const accuracy = measure(accurate / records, ({ isPredicted }) => (isPredicted ? 1 : -1) / records);
  const both = predictedPositives + positives;
  // Without a threshold the score is that of the prediction being right, and every record is a positive one.
  const isJudged = map.threshold !== undefined;
  return {
    ...base,
    accuracy,
    ...(predictedPositives > 0 && {
      precision: measure(truePositives / predictedPositives, ({ isPredicted }) =>
        isPredicted ? 1 / predictedPositives : 0,
      ),
    }),
    ...(isJudged &&
      positives > 0 && {
        recall: measure(
          truePositives / positives,
          ({ isPredicted }) => ((isPredicted ? 1 : 0) - truePositives / positives) / positives,
        ),
      }),
    ...(isJudged &&
      both > 0 && {
        f1: measure(
          (2 * truePositives) / both,
          ({ isPredicted }) => ((isPredicted ? 2 : 0) - (2 * truePositives) / both) / both,
        ),
      }),
    ...(isJudged &&
      positives > 0 &&
      positives < records && { areaUnderCurve: estimateArea(steps, records, positives, measure) }),
  };
}

/** Adds up counts of the same steps. */
export function mergeStepCounts(parts: readonly StepCounts[]): StepCounts {
  return parts.reduce(
    (sum, part) => {
      if (part.length !== sum.length)
        throw new RangeError(`step counts: expected ${sum.length} steps, saw ${part.length}`);
      return sum.map((count, step) => count + (part[step] ?? 0));
    },
    parts[0]?.map(() => 0) ?? [],
  );
}

/** The chance that a positive has the higher score; scores of one step are ties, as the calibration can't order them. */
function estimateArea(
  steps: readonly CountedStep[],
  records: number,
  positives: number,
  measure: (value: number, slope: (step: CountedStep, index: number) => number) => Estimate,
): Estimate {
  const negatives = records - positives;
  const middles: { readonly negativesBelow: number; readonly positivesAbove: number }[] = [];
  let [below, above, area] = [0, positives, 0];
  for (const step of steps) {
    const ownNegatives = step.records - step.positives;
    above -= step.positives;
    const negativesBelow = below + ownNegatives / 2;
    middles.push({ negativesBelow, positivesAbove: above + step.positives / 2 });
    area += step.positives * negativesBelow;
    below += ownNegatives;
  }
  const value = area / (positives * negatives);
  return measure(value, (_, index) => {
    const { negativesBelow = 0, positivesAbove = 0 } = middles[index] ?? {};
    return (negativesBelow - positivesAbove) / (positives * negatives) - value * (1 / positives - 1 / negatives);
  });
}

/** The spread is taken with one pseudo-record of the average rate: no step is certain. */
function countSteps({ threshold, edges, steps }: CalibrationMap, counts: StepCounts): readonly CountedStep[] {
  if (steps.length !== edges.length + 1 || counts.length !== steps.length) {
    throw new RangeError(
      `step counts: expected ${edges.length + 1} steps and counts, saw ${steps.length} and ${counts.length}`,
    );
  }
  const labelled = sumOf(steps.map(([records]) => records));
  const average = (sumOf(steps.map(([, positives]) => positives)) + 0.5) / (labelled + 1);
  return steps.map(([records, positives], index) => {
    const count = counts[index] ?? 0;
    if (!(Number.isSafeInteger(count) && count >= 0)) {
      throw new RangeError(`step counts: expected a whole count of at least 0 in step ${index}, saw ${count}`);
    }
    const smoothed = (positives + average) / (records + 1);
    const spread = smoothed * (1 - smoothed);
    return {
      records: count,
      isPredicted: threshold === undefined || (edges[index - 1] ?? Number.NEGATIVE_INFINITY) >= threshold,
      positives: count * (records > 0 ? positives / records : average),
      variance: count * spread + (count * count * spread) / (records + 1),
    };
  });
}

/** The share that labels will show is itself chance, so that the interval is about the estimate and not Wilson's. */
function intervalOf(value: number, variance: number, z: number): Estimate {
  const share = Math.min(1, Math.max(0, value));
  const half = z * Math.sqrt(variance);
  return { value: share, lower: Math.max(0, share - half), upper: Math.min(1, share + half) };
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
