import type { Estimate, PerformanceEstimate } from '../../model/verdict.ts';
import { formatNumber, formatShare } from '../number-text.ts';

/** Fewer predicted positives leave the interval of precision to chance. */
const fewPredicted = 30;

/** One sentence on estimates without labels. It always names what they assume. */
export function describeEstimate(estimate: PerformanceEstimate): string {
  if (estimate.records === 0) return 'no scores to estimate the performance from';
  const named: readonly (readonly [string, Estimate | undefined])[] = [
    ['precision', estimate.recall && estimate.precision],
    ['recall', estimate.recall],
    ['accuracy', estimate.accuracy],
  ];
  const figures = named.flatMap(([name, value]) =>
    value ? [`${name} ${formatShare(value.value)} (${formatShare(value.lower)} to ${formatShare(value.upper)})`] : [],
  );
  const few =
    estimate.predictedPositives < fewPredicted
      ? `; only ${formatNumber(estimate.predictedPositives)} predicted positives`
      : '';
  const assumption =
    'if scores still mean what they meant in the baseline; a change of that does not show here, only in labels';
  return `estimated without labels from ${formatNumber(estimate.records)} scores: ${figures.join(', ')}${few}; ${assumption}`;
}
