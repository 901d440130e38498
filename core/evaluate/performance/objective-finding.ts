import { isError, type QualityMeasure, type QualitySloPolicy } from '../../model/labels.ts';
import type { Finding, QualityReading, QualityVerdict, Tier } from '../../model/verdict.ts';
import {
  formatBeside,
  formatBound,
  formatDuration,
  formatEvidence,
  formatInstant,
  formatName,
  formatNumber,
  formatShare,
  formatShareBeside,
  formatShareBound,
} from '../number-text.ts';
import type { QualityEvidence } from './quality-evidence.ts';

const millisecondsPerDay = 86_400_000;

/** Why an objective of quality is said to be missed. */
export interface MissedObjective {
  readonly tier: Tier;
  /** True where all records so far show it, and those whose labels had their time do not yet. */
  readonly isProvisional: boolean;
  /** Undefined where the measure is not tested. */
  readonly evidence: QualityEvidence | undefined;
}

/** Says that an objective of quality is missed: what is wrong, since when, how surely, and by which records. */
export function describeObjective(slo: QualitySloPolicy, verdict: QualityVerdict, missed: MissedObjective): Finding {
  const { measure, bound } = slo;
  const { matured, provisional } = verdict;
  const ofMatured = `records of the ${formatNumber(verdict.periodDays)} days whose labels had ${formatDuration(slo.labelsWithinSeconds)}`;
  const ofNewer = 'newer records, provisional';
  const [told, ofTold, other, ofOther] = missed.isProvisional
    ? [provisional, ofNewer, matured, ofMatured]
    : [matured, ofMatured, provisional, ofNewer];
  const parts = [
    `${measure} is ${formatValue(slo, told)}, ${isError(measure) ? 'at most' : 'at least'} ${formatWanted(slo)} is wanted`,
    describeProof(slo, verdict, missed),
    `${ofTold}: ${describeLabelled(told)}${formatEstimate(slo, told)}`,
    `${ofOther}: ${formatValue(slo, other)}, ${describeLabelled(other)}${formatEstimate(slo, other)}`,
  ];
  return {
    id: `quality:${slo.name}`,
    tier: missed.tier,
    kind: 'quality',
    message: `${formatName(slo.name)}: ${parts.join('; ')}`,
    evidence: {
      measure,
      bound,
      value: matured.value,
      records: matured.records,
      labelled: matured.labelled,
      estimated: matured.estimated?.value ?? null,
      provisionalValue: provisional.value,
      provisionalRecords: provisional.records,
      provisionalLabelled: provisional.labelled,
      provisionalEstimated: provisional.estimated?.value ?? null,
      labelMaturity: verdict.labelMaturity,
      logEvidence: verdict.logEvidence,
      redEvidence: verdict.redEvidence,
      provisionalLogEvidence: verdict.provisionalLogEvidence,
      sinceDay: missed.evidence?.sinceDay ?? null,
    },
  };
}

/** "missed since about 2026-01-11: evidence 180 to 1 (red from 100 to 1)" */
function describeProof(
  { labelsWithinSeconds }: QualitySloPolicy,
  { broken, redEvidence }: QualityVerdict,
  { evidence, isProvisional }: MissedObjective,
): string {
  if (!evidence) return 'yellow by the value alone, which is not tested';
  // Counted when their labels had their time; told by when they were made.
  const wait = isProvisional ? 0 : labelsWithinSeconds * 1000;
  const since =
    evidence.sinceDay === undefined
      ? ''
      : ` since about ${formatInstant(evidence.sinceDay * millisecondsPerDay - wait).slice(0, 10)}`;
  const odds = `evidence ${formatEvidence(evidence.logEvidence)} to 1`;
  const red = `red from ${formatNumber(redEvidence)} to 1`;
  const proof = isProvisional
    ? `${odds} by all records so far, provisional (${red} by records whose labels had their time)`
    : `${odds} (${red})`;
  return `${broken ? 'missed' : 'probably missed'}${since}: ${proof}`;
}

function formatValue({ measure, bound }: QualitySloPolicy, { value }: Pick<QualityReading, 'value'>): string {
  if (value === null) return 'unknown';
  return isShare(measure) ? formatShareBeside(value, bound) : formatBeside(value, bound);
}

function formatWanted({ measure, bound }: QualitySloPolicy): string {
  return isShare(measure) ? formatShareBound(bound) : formatBound(bound);
}

function isShare(measure: QualityMeasure): boolean {
  return measure !== 'rmse' && measure !== 'calibration';
}

function describeLabelled({ lower, upper, labelled, records }: QualityReading): string {
  const of = `${formatNumber(labelled)} of ${formatNumber(records)} labelled`;
  return lower === null || upper === null ? of : `${of} (95 %: ${formatShare(lower)} to ${formatShare(upper)})`;
}

function formatEstimate(slo: QualitySloPolicy, { estimated }: QualityReading): string {
  return estimated === null ? '' : `, ${formatValue(slo, estimated)} estimated from scores alone`;
}
