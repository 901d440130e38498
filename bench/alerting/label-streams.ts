import { judgeQuality } from '../../core/evaluate/performance/judge-quality.ts';
import type { Cohort, LabelPolicy, QualitySloPolicy } from '../../core/model/labels.ts';
import type { ModelPolicy } from '../../core/model/policy.ts';

const day = 86_400_000;
export const firstDay = Date.UTC(2026, 0, 5);

export const labelPolicy: LabelPolicy = {
  task: 'binary',
  threshold: 0.5,
  horizonDays: 400,
  sources: [],
  columns: { id: 'event_id', label: 'label', time: 'time', source: 'source', row: 'row' },
};

export function createQualityPolicy(slos: readonly Partial<QualitySloPolicy>[], labels = labelPolicy): ModelPolicy {
  const usual: QualitySloPolicy = {
    name: 'precision',
    measure: 'precision',
    bound: 0.85,
    periodSeconds: 7 * 86_400,
    labelsWithinSeconds: 60 * 86_400,
    labelCoverage: 1,
  };
  return {
    schema: 'tidewatch.config/1',
    name: 'm',
    sources: [],
    versions: [],
    windowSeconds: 3600,
    graceSeconds: 600,
    captureDelaySeconds: 600,
    features: [],
    slos: [],
    labels,
    qualitySlos: slos.map((slo) => ({ ...usual, ...slo })),
    drift: {
      level: 1e-4,
      minimumEffect: 0.02,
      effectLevel: 0.001,
      minimumMissingRise: 0.01,
      minimumUnseenRise: 0.01,
      minimumRecords: 30,
      maximumQuarantineShare: 0.01,
    },
    publishedFeatures: 5,
    alerts: { yellow: [], red: [] },
  };
}

export interface DayCounts {
  readonly day: string;
  readonly truePositives?: number;
  readonly falsePositives?: number;
  readonly falseNegatives?: number;
  readonly trueNegatives?: number;
  readonly openPredicted?: number;
  readonly openOthers?: number;
  readonly hour?: number;
}

export function cohortOf(counts: DayCounts, rest: Partial<Cohort> = {}): Cohort {
  const { truePositives = 0, falsePositives = 0, falseNegatives = 0, trueNegatives = 0 } = counts;
  const predicted = truePositives + falsePositives + (counts.openPredicted ?? 0);
  const others = falseNegatives + trueNegatives + (counts.openOthers ?? 0);
  const outcomes = { truePositives, falsePositives, falseNegatives, trueNegatives };
  return {
    day: counts.day,
    variant: 'AllTraffic',
    version: 'v1',
    hours: [{ hour: counts.hour ?? 23, predicted, others, ...outcomes }],
    bins: [],
    lags: [],
    sources: [],
    corrected: 0,
    ...rest,
  };
}

export function dayName(index: number): string {
  return new Date(firstDay + index * day).toISOString().slice(0, 10);
}

/** Predicted positives of which bad ones are known after so many days, and good ones after so many more. */
export interface UnevenStream {
  readonly perDay: number;
  readonly badAfterDays: number;
  readonly goodAfterDays: number;
  readonly days: number;
  readonly labelsWithinDays: number;
  readonly labelCoverage?: number;
  readonly rateOf: (day: number) => number;
  /** Days between two looks. */
  readonly everyDays: number;
}

export interface UnevenOutcome {
  /** Day of the first red; Infinity: none. */
  readonly red: number;
  /** Day of the first yellow or red. */
  readonly yellow: number;
  /** Day on which the share of labels that are there is first so low that the evidence of these alone would be red. */
  readonly naiveRed: number;
}

export function runUneven(stream: UnevenStream, uniform: () => number): UnevenOutcome {
  const policy = createQualityPolicy([
    { labelsWithinSeconds: stream.labelsWithinDays * 86_400, labelCoverage: stream.labelCoverage ?? 1 },
  ]);
  const drawn: { readonly good: number; readonly bad: number }[] = [];
  let red = Number.POSITIVE_INFINITY;
  let yellow = Number.POSITIVE_INFINITY;
  let naiveRed = Number.POSITIVE_INFINITY;
  for (let today = 0; today < stream.days; today++) {
    let good = 0;
    for (let one = 0; one < stream.perDay; one++) if (uniform() < stream.rateOf(today)) good++;
    drawn.push({ good, bad: stream.perDay - good });
    if (today % stream.everyDays !== 0) continue;
    const cohorts = drawn.map(({ good: all, bad }, index) => {
      const [knownGood, knownBad] = [
        today - index >= stream.goodAfterDays ? all : 0,
        today - index >= stream.badAfterDays ? bad : 0,
      ];
      const openPredicted = stream.perDay - knownGood - knownBad;
      return cohortOf({ day: dayName(index), truePositives: knownGood, falsePositives: knownBad, openPredicted });
    });
    const now = firstDay + (today + 1) * day;
    const judged = judgeQuality({ policy, cohorts, ids: 0, matched: 0, now, calibrations: new Map() });
    const finding = judged.findings.find(({ kind }) => kind === 'quality');
    if (finding?.tier === 'red') red = Math.min(red, today);
    if (finding) yellow = Math.min(yellow, today);
    const value = judged.quality[0]?.matured;
    if (value?.upper !== null && (value?.upper ?? 1) < 0.85) naiveRed = Math.min(naiveRed, today);
  }
  return { red, yellow, naiveRed };
}
