import { cohortOf, createQualityPolicy, dayName, firstDay } from '../../../bench/alerting/label-streams.ts';
import { compareVersions } from '../../../core/evaluate/performance/compare-versions.ts';
import type { Cohort } from '../../../core/model/labels.ts';

const millisecondsPerDay = 86_400_000;
const slos = createQualityPolicy([{ labelsWithinSeconds: 3600 }]).qualitySlos ?? [];

/** Two versions in the same hours, four a day, whose precision swings by .05 with the hour. */
export interface CanaryStream {
  readonly labelsPerDay: number;
  /** Of the labels. */
  readonly canaryShare: number;
  readonly rate: number;
  readonly canaryRate: number;
}

/** Days until something is told of the two, looked at each day; Infinity: not in 28. */
export function daysUntilTold(stream: CanaryStream, uniform: () => number): number {
  const { labelsPerDay, canaryShare, rate, canaryRate } = stream;
  const draw = (trials: number, p: number) => {
    let truePositives = 0;
    for (let one = 0; one < trials; one++) if (uniform() < p) truePositives++;
    return { truePositives, falsePositives: trials - truePositives };
  };
  const size = (share: number) => Math.round((labelsPerDay * share) / 4);
  const cohorts: Cohort[] = [];
  for (let at = 0; at < 28; at++) {
    for (const hour of [3, 9, 15, 21]) {
      const [day, swing] = [dayName(at), 0.05 * Math.sin(at + hour)];
      const canary = { variant: 'canary', version: 'v2' };
      cohorts.push(
        cohortOf({ day, hour, ...draw(size(1 - canaryShare), rate + swing) }),
        cohortOf({ day, hour, ...draw(size(canaryShare), canaryRate + swing) }, canary),
      );
    }
    if (compareVersions(slos, cohorts, firstDay + (at + 1.1) * millisecondsPerDay).length > 0) return at + 1;
  }
  return Number.POSITIVE_INFINITY;
}
