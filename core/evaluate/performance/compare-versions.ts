import type { Cohort, QualitySloPolicy } from '../../model/labels.ts';
import type { Finding } from '../../model/verdict.ts';
import { logOddsEvidence, type PairedOutcomes } from '../../stats/odds-evidence.ts';
import { formatEvidence, formatName, formatNumber, formatShare } from '../number-text.ts';
import { firstFollowedDay } from './outcome-evidence.ts';
import { addCounts, groupByVersion, hoursOf, type OutcomeShare, shareOutcomes, showShare } from './quality-counts.ts';

const millisecondsPerDay = 86_400_000;
/** Evidence that one version is unlike the other: in at most 1 % of the 28-day periods of a version that is not. */
const differenceEvidence = 100;
/** Smallest difference of a measure that matters. */
const minimumDifference = 0.02;

/** The outcomes of a variant and version by the hour of the inference. */
interface ServedHours {
  readonly variant: string;
  readonly version: string;
  /** Its first day with records, as far as they are kept. */
  readonly since: string;
  readonly hours: ReadonlyMap<number, OutcomeShare>;
}

/**
 * Compares each version or variant with the largest one that answered in the same hours, by records with a label whose
 * labels had their time: what an hour does to both is in neither, nor are labels that come late or not at all. Worse than
 * what was there before is yellow, better is told in green.
 * @param cohorts of all variants and versions
 */
export function compareVersions(
  slos: readonly QualitySloPolicy[],
  cohorts: readonly Cohort[],
  now: number,
): readonly Finding[] {
  const shares = slos.filter(({ measure }) => shareOutcomes(measure, addCounts([]), 1) !== undefined);
  const needed = differenceEvidence * shares.length;
  return shares.flatMap((slo) => {
    const all = listServed(slo, cohorts, now);
    return all.flatMap((own, index) => {
      const beside = findBeside(own, all.slice(0, index), all.slice(index + 1));
      return beside ? (describeDifference(slo, own, beside.other, beside.blocks, needed) ?? []) : [];
    });
  });
}

/** Hours that count, from a day on that is the same for 28 days. */
function listServed(
  { measure, labelsWithinSeconds }: QualitySloPolicy,
  cohorts: readonly Cohort[],
  now: number,
): readonly ServedHours[] {
  const wait = labelsWithinSeconds * 1000;
  const from = firstFollowedDay(Math.floor(now / millisecondsPerDay)) * millisecondsPerDay;
  return groupByVersion(cohorts).flatMap(({ variant, version, cohorts: group }): ServedHours[] => {
    const hours = new Map<number, OutcomeShare>();
    for (const { end, counts } of group.flatMap(hoursOf)) {
      if (end + wait > now || end + wait <= from) continue;
      const share = shareOutcomes(measure, { ...counts, openPredicted: 0, openOthers: 0 }, 1);
      if (share && share.trials > 0) hours.set(end, share);
    }
    const [since = ''] = group.map(({ day }) => day).sort();
    return hours.size > 0 ? [{ variant, version, since, hours }] : [];
  });
}

interface Beside {
  readonly other: ServedHours;
  /** Of the hours of both, ascending. */
  readonly blocks: readonly PairedOutcomes[];
}

/** The largest of those that have more outcomes in the hours they share; of two that are alike the first is the larger one. */
function findBeside(
  own: ServedHours,
  before: readonly ServedHours[],
  after: readonly ServedHours[],
): Beside | undefined {
  let largest: (Beside & { readonly trials: number }) | undefined;
  for (const [index, other] of [...before, ...after].entries()) {
    const blocks = [...own.hours]
      .sort(([a], [b]) => a - b)
      .flatMap(([end, { successes, trials }]): PairedOutcomes[] => {
        const there = other.hours.get(end);
        return there ? [{ successes, trials, otherSuccesses: there.successes, otherTrials: there.trials }] : [];
      });
    const [trials, ownTrials] = [sumOf(blocks, 'otherTrials'), sumOf(blocks, 'trials')];
    const isLarger = trials > ownTrials || (trials === ownTrials && index < before.length);
    if (isLarger && trials > (largest?.trials ?? 0)) largest = { other, blocks, trials };
  }
  return largest;
}

function describeDifference(
  { name, measure }: QualitySloPolicy,
  own: ServedHours,
  other: ServedHours,
  blocks: readonly PairedOutcomes[],
  needed: number,
): Finding | undefined {
  const logEvidence = logOddsEvidence(blocks);
  if (logEvidence < Math.log(needed)) return undefined;
  const [records, otherRecords] = [sumOf(blocks, 'trials'), sumOf(blocks, 'otherTrials')];
  const value = showShare(measure, sumOf(blocks, 'successes') / records);
  // In the mix of hours that this version has.
  const expected = blocks.reduce((sum, block) => sum + (block.trials * block.otherSuccesses) / block.otherTrials, 0);
  const otherValue = showShare(measure, expected / records);
  if (Math.abs(value - otherValue) < minimumDifference) return undefined;
  const isWorse = value < otherValue;
  const isNewer = own.since >= other.since;
  return {
    id: `quality-beside:${name}:${own.variant}/${own.version}`,
    tier: isWorse === isNewer ? 'yellow' : 'green',
    kind: 'quality-beside',
    message: `${formatName(name)}: ${nameOf(own)} is ${isWorse ? 'worse' : 'better'} than ${nameOf(other)} beside it: ${measure} ${formatShare(value)} of ${formatNumber(records)} labelled against ${formatShare(otherValue)} of ${formatNumber(otherRecords)} of the same ${formatNumber(blocks.length)} hours; evidence ${formatEvidence(logEvidence)} to 1 (told from ${formatNumber(needed)})`,
    evidence: {
      measure,
      variant: own.variant,
      version: own.version,
      otherVariant: other.variant,
      otherVersion: other.version,
      value,
      otherValue,
      records,
      otherRecords,
      hours: blocks.length,
      logEvidence,
    },
  };
}

function nameOf({ variant, version }: ServedHours): string {
  return `version ${formatName(version)} (variant ${formatName(variant)})`;
}

function sumOf(blocks: readonly PairedOutcomes[], of: keyof PairedOutcomes): number {
  return blocks.reduce((sum, block) => sum + block[of], 0);
}
