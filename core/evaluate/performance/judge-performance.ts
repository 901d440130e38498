import type { ScoreCalibration, StepCounts } from '../../model/calibration-map.ts';
import type { Summary } from '../../model/profile.ts';
import type { Trail } from '../../model/trailing-counts.ts';
import {
  type Estimate,
  type FeatureVerdict,
  type Finding,
  type PerformanceVerdict,
  type Verdict,
  worstTier,
} from '../../model/verdict.ts';
import { formatScale, formatShare } from '../number-text.ts';
import { describeEstimate } from './describe-estimate.ts';
import { estimatePerformance } from './estimate-performance.ts';

/** Scores of a trailing stretch of windows, by step. */
export interface ScoreStretch {
  readonly scale: number;
  readonly windows: number;
  readonly counts: StepCounts;
}

/** What performance is estimated from. */
export interface PerformanceContext {
  readonly calibration: ScoreCalibration;
  readonly stretches: readonly ScoreStretch[];
  /** Absent: the records are compared by themselves. */
  readonly windowSeconds?: number | undefined;
}

/** [id of a calibration, records per step] of a series, cumulated like its counts. */
export type ScoreTrail = readonly [calibration: string, counts: StepCounts];

/** The scores of a summary; zeros where it has none by this calibration. */
export function scoresOf({ id, map }: ScoreCalibration, summary: Pick<Summary, 'scores'>): StepCounts {
  const counts = summary.scores?.find(([calibration]) => calibration === id)?.[1];
  return map.steps.map((_, step) => counts?.[step] ?? 0);
}

/** Adds a window to the cumulated scores. Those by another calibration are left behind. */
export function extendScores(
  previous: ScoreTrail | undefined,
  calibration: ScoreCalibration,
  summary: Pick<Summary, 'scores'>,
): ScoreTrail {
  const before = previous?.[0] === calibration.id ? previous[1] : [];
  return [calibration.id, scoresOf(calibration, summary).map((count, step) => count + (before[step] ?? 0))];
}

/** The scores of stretches that end with a trail, as `trailingCounts` finds them. */
export function trailingScores(
  [id, now]: ScoreTrail,
  earlier: readonly (Pick<Trail, 'windowStart'> & { readonly scores?: ScoreTrail | undefined })[],
  stretches: readonly { readonly scale: number; readonly start: number; readonly windows: number }[],
): readonly ScoreStretch[] {
  return stretches.map(({ scale, start, windows }) => {
    const before = earlier
      .filter(({ windowStart }) => windowStart < start)
      .reduce<(typeof earlier)[number] | undefined>(
        (newest, trail) => (newest && newest.windowStart > trail.windowStart ? newest : trail),
        undefined,
      )?.scores;
    const taken = before?.[0] === id ? before[1] : [];
    return { scale, windows, counts: now.map((count, step) => Math.max(0, count - (taken[step] ?? 0))) };
  });
}

/** Change of a share, beyond its interval, that is worth a finding. */
const minimumChange = 0.02;

const measures = ['precision', 'recall', 'accuracy'] as const;

/**
 * Adds to a verdict what labels would show, if scores still mean what they meant in the labelled baseline. Where the scores
 * have drifted, and the estimate of the stretch that shows it has left the baseline's performance, a finding says so:
 * yellow for a fall, green for a rise, never red. Without a drift of the scores there is none: an estimate is a function of
 * them, and how far they wander in health is what the rule of drift knows.
 */
export function addPerformance(verdict: Verdict, context: PerformanceContext | undefined): Verdict {
  if (!context) return verdict;
  const { calibration, stretches } = context;
  const { map, score } = calibration;
  const baseline = estimatePerformance(
    map,
    map.steps.map(([records]) => records),
  );
  const scales = stretches.map(({ scale, windows, counts }) => ({
    scale,
    windows,
    ...estimatePerformance(map, counts),
  }));
  const performance: PerformanceVerdict = {
    estimated: true,
    score,
    of: calibration.of,
    threshold: map.threshold ?? null,
    baseline,
    scales,
  };
  const finding = findChange(performance, verdict.features[score], context.windowSeconds);
  const findings = finding ? [...verdict.findings, finding] : verdict.findings;
  return { ...verdict, performance, findings, tier: worstTier([verdict.tier, finding?.tier ?? 'green']) };
}

interface Change {
  readonly measure: (typeof measures)[number];
  readonly before: number;
  readonly now: Estimate;
  /** Share by which the whole interval lies beyond the floor. */
  readonly beyond: number;
  readonly estimate: PerformanceVerdict['scales'][number];
}

function findChange(
  { score, of, baseline, scales }: PerformanceVerdict,
  feature: FeatureVerdict | undefined,
  windowSeconds: number | undefined,
): Finding | undefined {
  if (feature?.drifted !== true) return undefined;
  const seen = scales.filter(({ scale }) => scale === (feature.decidingScale ?? 1));
  // Without a threshold every record is predicted: precision is accuracy.
  const watched = of === 'right' ? (['accuracy'] as const) : measures;
  const changes = seen.flatMap((estimate) =>
    watched.flatMap((measure): Change[] => {
      const [before, now] = [baseline[measure]?.value, estimate[measure]];
      if (before === undefined || !now) return [];
      const beyond = Math.max(before - now.upper, now.lower - before) - minimumChange;
      return beyond > 0 ? [{ measure, before, now, beyond, estimate }] : [];
    }),
  );
  const [first, ...others] = [...changes].sort((a, b) => Number(rises(a)) - Number(rises(b)) || b.beyond - a.beyond);
  if (!first) return undefined;
  const { measure, before, now, estimate } = first;
  const scale =
    windowSeconds === undefined ? '' : `, at the ${formatScale({ scale: estimate.scale, windowSeconds })} scale`;
  const verb = rises(first) ? 'risen' : 'fallen';
  return {
    id: `performance:${score}`,
    tier: rises(first) ? 'green' : 'yellow',
    kind: 'performance',
    feature: score,
    message: `${measure} is estimated to have ${verb} from ${formatShare(before)} to ${formatShare(now.value)}${scale}; ${describeEstimate(estimate)}`,
    evidence: {
      estimated: true,
      measure,
      baseline: before,
      value: now.value,
      lower: now.lower,
      upper: now.upper,
      scale: estimate.scale,
      records: estimate.records,
      predictedPositives: estimate.predictedPositives,
      othersChanged: others.length,
    },
  };
}

function rises({ before, now }: Change): boolean {
  return now.value > before;
}

/** The estimate of one set of records by itself. */
export function estimateOf(calibration: ScoreCalibration, summary: Summary): PerformanceContext {
  return { calibration, stretches: [{ scale: 1, windows: 1, counts: scoresOf(calibration, summary) }] };
}
