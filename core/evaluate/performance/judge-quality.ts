import type { ScoreCalibration, StepCounts } from '../../model/calibration-map.ts';
import type { Cohort, QualityMeasure, QualitySloPolicy } from '../../model/labels.ts';
import {
  type Estimate,
  type Finding,
  type QualityReading,
  type QualityVerdict,
  type Tier,
  type VersionQuality,
  worstTier,
} from '../../model/verdict.ts';
import { compareVersions } from './compare-versions.ts';
import { estimatePerformance, mergeStepCounts } from './estimate-performance.ts';
import { judgeLabelling, type LabellingInput } from './judge-labelling.ts';
import { describeObjective } from './objective-finding.ts';
import { addBins, type DatedCounts, endOfCohort, groupByVersion, hoursOf, readQuality } from './quality-counts.ts';
import { type CountingDay, measureQualityEvidence, type QualityEvidence } from './quality-evidence.ts';

const millisecondsPerDay = 86_400_000;
/**
 * Evidence from which an objective counts as broken, where it is the only one: in at most 1 % of the 28-day periods in which
 * all objectives of the model hold any is. Each of several is asked for as many times more (Bonferroni).
 */
const redEvidence = 100;
/** Part of it from which an objective is worth a look: in at most 5 %. */
const yellowPart = 0.2;
/** Variants and versions that are told apart, the largest ones. */
const maximumVersions = 10;

export interface QualityInput extends LabellingInput {
  /** By its id, what scores meant in a labelled baseline. */
  readonly calibrations: ReadonlyMap<string, ScoreCalibration>;
}

export interface QualityJudgement {
  readonly tier: Tier;
  readonly quality: readonly QualityVerdict[];
  /** Labelled share of the records of the last matured week; null: none are matured. */
  readonly coverage: number | null;
  readonly findings: readonly Finding[];
}

/**
 * Judges the objectives of a model's quality by its labels, and the labelling itself. Only records whose labels had their time can be
 * red. What newer ones show is provisional: yellow at most.
 */
export function judgeQuality(input: QualityInput): QualityJudgement {
  const { policy } = input;
  const slos = policy.qualitySlos ?? [];
  const tested = slos.filter(({ measure }) => measure !== 'calibration').length;
  const judged = slos.map((slo) => judgeObjective(slo, input, Math.max(1, tested)));
  const labelling = judgeLabelling(input);
  const findings = [
    ...judged.flatMap(({ finding }) => finding ?? []),
    ...compareVersions(slos, input.cohorts, input.now),
    ...labelling.findings,
  ];
  return {
    tier: worstTier(findings.map(({ tier }) => tier)),
    quality: judged.map(({ verdict }) => verdict),
    coverage: labelling.coverage,
    findings,
  };
}

interface Stretch {
  readonly hours: readonly DatedCounts[];
  /** That all belong to it. */
  readonly cohorts: readonly Cohort[];
}

/** @param sharing objectives that share the level of false alarms */
function judgeObjective(
  slo: QualitySloPolicy,
  input: QualityInput,
  sharing: number,
): { readonly verdict: QualityVerdict; readonly finding: Finding | undefined } {
  const { measure, bound, periodSeconds, labelsWithinSeconds } = slo;
  const { cohorts, now } = input;
  const wait = labelsWithinSeconds * 1000;
  const from = now - wait - periodSeconds * 1000;
  const isMatured = (end: number) => end + wait <= now && end > from;
  const isOpen = (end: number) => end + wait > now;
  const isCounted = (end: number) => end + wait <= now;
  const evidence = measureQualityEvidence(measure, bound, slo.labelCoverage, byDay(cohorts, wait, isCounted), now);
  // All records count here, by the day on which they were made, and all that wait count as good.
  const early = measureQualityEvidence(
    measure,
    bound,
    1,
    byDay(cohorts, 0, (end) => end <= now),
    now,
  );
  const read = (some: readonly Cohort[]): Pick<QualityVerdict, 'matured' | 'provisional'> => ({
    matured: readStretch(measure, pickStretch(some, isMatured), input),
    provisional: readStretch(measure, pickStretch(some, isOpen), input),
  });
  const readings = read(cohorts);
  const versions = readVersions(cohorts, read);
  const total = readings.matured.records + readings.provisional.records;
  const verdict: QualityVerdict = {
    name: slo.name,
    measure,
    bound,
    periodDays: periodSeconds / 86_400,
    labelsWithinSeconds,
    ...readings,
    ...(versions.length > 1 && { versions }),
    labelMaturity: total === 0 ? 1 : readings.matured.records / total,
    redEvidence: redEvidence * sharing,
    logEvidence: evidence?.logEvidence ?? null,
    provisionalLogEvidence: early?.logEvidence ?? null,
    broken: (evidence?.logEvidence ?? 0) >= Math.log(redEvidence * sharing),
  };
  return { verdict, finding: findMissed(slo, verdict, evidence, early) };
}

/** Hours that end at certain times, and the cohorts all of whose hours do. */
function pickStretch(cohorts: readonly Cohort[], picks: (end: number) => boolean): Stretch {
  return {
    hours: cohorts.flatMap((cohort) => hoursOf(cohort).filter(({ end }) => picks(end))),
    cohorts: cohorts.filter((cohort) => hoursOf(cohort).every(({ end }) => picks(end))),
  };
}

/** By the day on which records have waited for so long. That does not depend on when their labels come. */
function byDay(cohorts: readonly Cohort[], wait: number, isCounted: (end: number) => boolean): readonly CountingDay[] {
  const days = new Map<number, { hours: DatedCounts[]; cohorts: Cohort[] }>();
  const dayOf = (time: number) => {
    const day = Math.floor(time / millisecondsPerDay);
    const known = days.get(day) ?? { hours: [], cohorts: [] };
    days.set(day, known);
    return known;
  };
  for (const cohort of cohorts) {
    // The hour before midnight belongs to its own day.
    for (const hour of hoursOf(cohort)) if (isCounted(hour.end)) dayOf(hour.end - 1 + wait).hours.push(hour);
    const end = endOfCohort(cohort);
    if (isCounted(end)) dayOf(end - 1 + wait).cohorts.push(cohort);
  }
  return [...days].sort(([a], [b]) => a - b).map(([day, counted]) => ({ day, ...counted }));
}

function readStretch(measure: QualityMeasure, { hours, cohorts }: Stretch, input: QualityInput): QualityReading {
  const reading = readQuality(measure, hours, addBins(cohorts.map(({ bins }) => bins)));
  return { ...reading, estimated: estimateOf(measure, cohorts, input.calibrations) ?? null };
}

/** The largest variants and versions that have records in either stretch, the largest first. */
function readVersions(
  cohorts: readonly Cohort[],
  read: (some: readonly Cohort[]) => Pick<QualityVerdict, 'matured' | 'provisional'>,
): readonly VersionQuality[] {
  const sizeOf = ({ matured, provisional }: VersionQuality) => matured.records + provisional.records;
  return groupByVersion(cohorts)
    .map(({ variant, version, cohorts: own }): VersionQuality => ({ variant, version, ...read(own) }))
    .filter((one) => sizeOf(one) > 0)
    .sort((a, b) => sizeOf(b) - sizeOf(a))
    .slice(0, maximumVersions);
}

/** What scores let expect of all records, with a label or without. */
function estimateOf(
  measure: QualityMeasure,
  cohorts: readonly Cohort[],
  calibrations: QualityInput['calibrations'],
): Estimate | undefined {
  const id = cohorts.findLast(({ scores }) => scores)?.scores?.[0];
  const calibration = id === undefined ? undefined : calibrations.get(id);
  if (!calibration) return undefined;
  const parts: StepCounts[] = cohorts.flatMap(({ scores }) => (scores?.[0] === id && scores ? [scores[1]] : []));
  const estimate = estimatePerformance(calibration.map, mergeStepCounts(parts));
  if (measure === 'auc') return estimate.areaUnderCurve;
  return measure === 'rmse' || measure === 'calibration' ? undefined : estimate[measure];
}

/** What is to be said of an objective: by records whose labels had their time, or else by all so far. */
function findMissed(
  slo: QualitySloPolicy,
  verdict: QualityVerdict,
  evidence: QualityEvidence | undefined,
  early: QualityEvidence | undefined,
): Finding | undefined {
  const tier = tierOf(slo, verdict, evidence, early);
  if (tier === 'green') return undefined;
  const isProvisional =
    (evidence?.logEvidence ?? 0) < Math.log(yellowPart * verdict.redEvidence) && slo.measure !== 'calibration';
  return describeObjective(slo, verdict, { tier, isProvisional, evidence: isProvisional ? early : evidence });
}

function tierOf(
  { measure, bound }: QualitySloPolicy,
  { matured, broken, redEvidence: needed }: QualityVerdict,
  evidence: QualityEvidence | undefined,
  early: QualityEvidence | undefined,
): Tier {
  if (broken) return 'red';
  if (measure === 'calibration') return (matured.value ?? 0) > bound ? 'yellow' : 'green';
  const isSlow = (evidence?.logEvidence ?? 0) >= Math.log(yellowPart * needed);
  const isEarly = (early?.logEvidence ?? 0) >= Math.log(needed);
  return isSlow || isEarly ? 'yellow' : 'green';
}
