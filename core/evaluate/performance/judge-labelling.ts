import { type Cohort, lagEdges } from '../../model/labels.ts';
import type { ModelPolicy } from '../../model/policy.ts';
import type { Finding } from '../../model/verdict.ts';
import { studentUpperTail } from '../../stats/student-t.ts';
import { formatDuration, formatName, formatNumber, formatProbabilityOf, formatShare } from '../number-text.ts';
import { addCounts, endOfCohort, hoursOf, labelledOf, recordsOf } from './quality-counts.ts';

const millisecondsPerDay = 86_400_000;
/** Days compared, whole weeks both: the newest matured ones with those before. */
const recentDays = 7;
const earlierDays = 28;
/** Fewest of them with enough labels. */
const fewestRecent = 5;
const fewestEarlier = 14;
const fewestLabels = 20;
/** False yellows a week that all comparisons of a model together may give: one look a day. */
const falseAlarmsPerWeek = 0.02;
const looksPerWeek = 7;
/** Where no objective says how long labels take. */
const usualWaitDays = 30;
/** Ids without an inference from which on nothing fits. */
const manyIds = 100;

/** What is known of a model's labels. */
export interface LabellingInput {
  readonly policy: ModelPolicy;
  /** Of all variants and versions. */
  readonly cohorts: readonly Cohort[];
  /** Ids with a label within the horizon, and of them those whose inference is known. */
  readonly ids: number;
  readonly matched: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** A figure of the labelling, day by day. */
interface Figure {
  readonly id: string;
  readonly name: string;
  /** Smallest change that matters: absolute, and as a share of what it was. */
  readonly floor: number;
  readonly relativeFloor: number;
  readonly valueOf: (day: LabelledDay) => number;
  readonly format: (value: number) => string;
}

interface LabelledDay {
  readonly end: number;
  readonly records: number;
  readonly labelled: number;
  readonly positives: number;
  readonly sources: ReadonlyMap<number, number>;
  readonly lags: ReadonlyMap<number, number>;
}

/**
 * Whether the labelling itself has changed: the share of positives, how long labels take, how many records get one, and from which
 * sources. Days of records whose labels had their time are compared, so that labels that are still to come look like no change.
 * The days' own spread is the yardstick; beyond it and above a floor a change is yellow.
 */
export function judgeLabelling(input: LabellingInput): {
  readonly findings: readonly Finding[];
  /** Labelled share of the newest matured days; null: there are none. */
  readonly coverage: number | null;
} {
  const { policy, now } = input;
  const waits = (policy.qualitySlos ?? []).map(({ labelsWithinSeconds }) => labelsWithinSeconds * 1000);
  const wait = waits.length > 0 ? Math.max(...waits) : usualWaitDays * millisecondsPerDay;
  const days = sumDays(input.cohorts).filter(({ end }) => end + wait <= now);
  const newest = days.filter(({ end }) => end + wait > now - recentDays * millisecondsPerDay);
  const earlier = days.filter(
    ({ end }) =>
      end + wait <= now - recentDays * millisecondsPerDay &&
      end + wait > now - (recentDays + earlierDays) * millisecondsPerDay,
  );
  const figures = listFigures(policy);
  const level = falseAlarmsPerWeek / looksPerWeek / figures.length;
  const findings = figures.flatMap((figure) => compareDays(figure, newest, earlier, level) ?? []);
  const unknown = findUnknown(input);
  const records = newest.reduce((sum, day) => sum + day.records, 0);
  const labelled = newest.reduce((sum, day) => sum + day.labelled, 0);
  return { findings: unknown ? [...findings, unknown] : findings, coverage: records > 0 ? labelled / records : null };
}

function sumDays(cohorts: readonly Cohort[]): readonly LabelledDay[] {
  return [...Map.groupBy(cohorts, ({ day }) => day).values()].flatMap((group): LabelledDay[] => {
    const [first] = group;
    if (!first) return [];
    const counts = addCounts(group.flatMap((cohort) => hoursOf(cohort).map((hour) => hour.counts)));
    return [
      {
        end: endOfCohort(first),
        records: recordsOf(counts),
        labelled: labelledOf(counts),
        positives: counts.truePositives + counts.falseNegatives,
        sources: sumPairs(group.map(({ sources }) => sources)),
        lags: sumPairs(group.map(({ lags }) => lags)),
      },
    ];
  });
}

function sumPairs(lists: readonly (readonly (readonly [number, number])[])[]): ReadonlyMap<number, number> {
  const sums = new Map<number, number>();
  for (const [key, count] of lists.flat()) sums.set(key, (sums.get(key) ?? 0) + count);
  return sums;
}

function listFigures({ labels }: ModelPolicy): readonly Figure[] {
  const share = { relativeFloor: 0, format: formatShare };
  const sources = labels?.sources ?? [];
  return [
    ...(labels?.task === 'binary'
      ? [
          {
            ...share,
            id: 'base-rate',
            name: 'share of positive labels',
            floor: 0.02,
            relativeFloor: 0.1,
            valueOf: ({ positives, labelled }: LabelledDay) => positives / labelled,
          },
        ]
      : []),
    {
      ...share,
      id: 'coverage',
      name: 'share of records with a label',
      floor: 0.05,
      valueOf: ({ labelled, records }) => labelled / records,
    },
    {
      id: 'lag',
      name: 'time from inference to label',
      // Buckets double: half a bucket is 41 %.
      floor: 0.5,
      relativeFloor: 0,
      valueOf: ({ lags, labelled }) => [...lags].reduce((sum, [bucket, count]) => sum + bucket * count, 0) / labelled,
      format: (bucket) => formatDuration(3600 * 2 ** Math.min(bucket, lagEdges.length)),
    },
    ...sources.map((name, index) => ({
      ...share,
      id: `source:${name}`,
      name: `share of labels from ${formatName(name)}`,
      floor: 0.05,
      valueOf: ({ sources: counts, labelled }: LabelledDay) => (counts.get(index + 1) ?? 0) / labelled,
    })),
  ];
}

/** Student's test of the days' values with a pooled spread: days wander, and records of one day are no independent trials. */
function compareDays(
  figure: Figure,
  newest: readonly LabelledDay[],
  earlier: readonly LabelledDay[],
  level: number,
): Finding | undefined {
  const valuesOf = (days: readonly LabelledDay[]) =>
    days.filter(({ labelled }) => labelled >= fewestLabels).map(figure.valueOf);
  const [now, before] = [valuesOf(newest), valuesOf(earlier)];
  if (now.length < fewestRecent || before.length < fewestEarlier) return undefined;
  const [a, b] = [momentsOf(now), momentsOf(before)];
  const change = a.mean - b.mean;
  if (Math.abs(change) < Math.max(figure.floor, figure.relativeFloor * b.mean)) return undefined;
  const degrees = now.length + before.length - 2;
  const variance = ((a.squares + b.squares) / degrees) * (1 / now.length + 1 / before.length);
  const pValue = variance > 0 ? 2 * studentUpperTail(Math.abs(change) / Math.sqrt(variance), degrees) : 0;
  if (pValue > level) return undefined;
  const verb = change > 0 ? 'risen' : 'fallen';
  return {
    id: `labelling:${figure.id}`,
    tier: 'yellow',
    kind: 'labelling',
    message: `labels: the ${figure.name} has ${verb} from ${figure.format(b.mean)} to ${figure.format(a.mean)} in the last ${now.length} days whose labels are due (${formatProbabilityOf('p', pValue)}): quality before and after can't be compared until it is known why`,
    evidence: {
      figure: figure.id,
      before: b.mean,
      value: a.mean,
      days: now.length,
      daysBefore: before.length,
      pValue,
      level,
    },
  };
}

function momentsOf(values: readonly number[]): { readonly mean: number; readonly squares: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean, squares: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) };
}

/** Labels of which none fits: they name other ids than the captures do. */
function findUnknown({ ids, matched }: LabellingInput): Finding | undefined {
  if (ids < manyIds || matched > 0) return undefined;
  return {
    id: 'labelling:unknown-ids',
    tier: 'yellow',
    kind: 'labelling',
    message: `labels: none of ${formatNumber(ids)} ids is that of a captured inference; they must be its inferenceId where it has one, else its eventId`,
    evidence: { ids, matched },
  };
}
