import type { ModelPolicy } from '../model/policy.ts';
import type { MinuteSlot } from '../model/profile.ts';
import { type Finding, type QualityVerdict, type SloVerdict, type Tier, worstTier } from '../model/verdict.ts';
import { binomialUpperTail } from '../stats/binomial.ts';
import { findShortStretch } from '../stats/short-stretch.ts';
import { findStart, type MinuteCount } from './excess-start.ts';
import {
  formatDuration,
  formatMinute,
  formatName,
  formatNumber,
  formatShareBeside,
  formatShareBound,
} from './number-text.ts';
import { callsUnknown } from './record-findings.ts';
import { describeBurningSlo } from './slo-finding.ts';

/** Objective of a required feature where the configuration sets none. */
const defaultCompletenessObjective = 0.99;

/** An excess must be sure over the hour that ends now, and go on in its last minutes. */
const longMinutes = 60;
const minimumRows = 5;
const shortStretch = { minutes: 5, maximumMinutes: longMinutes, events: minimumRows } as const;
/** Chance, at one look, that a share of exactly what is allowed passes for too high. A week has 10,080 looks. */
const guardLevel = 1e-7;
/** Bad rows in fewer minutes than this are no evidence: one bad call may carry many rows. */
const minimumBadMinutes = 3;
/** Quarantined share that live judgement allows even where the configuration allows none. */
const minimumAllowance = 0.001;
const shortestSilenceSeconds = 600;

/** Everything the judgement of a minute follows from. */
export interface LiveInput {
  readonly policy: ModelPolicy;
  /** Of at least the last hour, ascending, one per minute: merged over fragments and variants. What is older tells since when. */
  readonly slots: readonly MinuteSlot[];
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** The minute (since the epoch) at which the observed windows end, exclusive: see `findWatermark` of core/slo. */
  readonly endMinute: number;
  /** Longest silence that is usual after the last record (`usualGapSeconds`); absent where the baseline has no times. */
  readonly longestGapSeconds: number | undefined;
  /** Calls that the source reports since the last record and up to the capture delay ago; undefined: it can't tell. */
  readonly invocations: number | undefined;
  /** Objectives with an error budget, judged by core/slo. */
  readonly slos: readonly SloVerdict[];
  /** Milliseconds since the epoch of the newest record known; absent: none yet. */
  readonly lastRecordTime: number | undefined;
  /** Milliseconds since the epoch from which records were expected. */
  readonly monitoringSince: number;
}

export interface LiveJudgement {
  readonly tier: Tier;
  readonly findings: readonly Finding[];
  /** The objectives given, and one entry per required feature. */
  readonly slos: readonly SloVerdict[];
  /** By labels, as they were judged last; absent: there are none. */
  readonly quality?: readonly QualityVerdict[] | undefined;
  /** Labelled share of the newest matured records; absent: it is not known. */
  readonly labelCoverage?: number | undefined;
}

/**
 * Judges what must be known within minutes: required features below their completeness objective, schema breaks,
 * SLOs that burn their budget and silence. Every finding is red but a confirmed silence and a slow burn, which is yellow.
 *
 * A share counts as too high where it is above what is allowed both over the last hour, beyond what chance explains
 * (exact binomial tail at or below 1e-7), in three minutes at least, and over the last five minutes (with little
 * traffic the last five records), so that the finding ends soon after the trouble does.
 */
export function judgeLive(input: LiveInput): LiveJudgement {
  const completeness = judgeCompleteness(input);
  const missing = completeness.flatMap(({ finding }) => finding ?? []);
  // What lacks values is named; that the budget of all of them burns is not told beside it.
  const burning = input.slos.filter(({ kind }) => kind !== 'completeness' || missing.length === 0);
  const findings = [
    ...burning.flatMap((slo) => describeBurningSlo(slo, input.slots, input.endMinute) ?? []),
    ...missing,
    ...[findSchemaBreak(input), findSilence(input)].filter((finding) => finding !== undefined),
  ];
  return {
    tier: worstTier(findings.map(({ tier }) => tier)),
    findings,
    slos: [...input.slos, ...completeness.map(({ slo }) => slo)],
  };
}

interface Excess {
  readonly bad: number;
  readonly all: number;
  readonly isTooHigh: boolean;
  /** The minute the excess began. */
  readonly since: number;
}

function measureExcess(input: LiveInput, allowedShare: number, count: (slot: MinuteSlot) => MinuteCount): Excess {
  const recent = input.slots.filter(
    ({ minute }) => minute < input.endMinute && minute >= input.endMinute - longMinutes,
  );
  const sum = (slots: readonly MinuteSlot[]) =>
    slots.map(count).reduce(([bad, all], [moreBad, more]) => [bad + moreBad, all + more], [0, 0]);
  const [bad = 0, all = 0] = sum(recent);
  const events = recent.map((slot) => [slot.minute, count(slot)[1]] as const);
  const shortStart = findShortStretch(events, input.endMinute, shortStretch);
  const [shortBad = 0, shortAll = 0] = sum(recent.filter(({ minute }) => minute >= shortStart));
  const isTooHigh =
    all >= minimumRows &&
    recent.filter((slot) => count(slot)[0] > 0).length >= minimumBadMinutes &&
    bad > allowedShare * all &&
    shortBad > allowedShare * shortAll &&
    binomialUpperTail(bad, all, allowedShare) <= guardLevel;
  return { bad, all, isTooHigh, since: findStart(recent, allowedShare, count, input.endMinute) };
}

function judgeCompleteness(input: LiveInput): readonly { slo: SloVerdict; finding?: Finding }[] {
  const objectives = input.policy.slos.filter(({ kind }) => kind === 'completeness');
  const strictest = objectives.toSorted((a, b) => b.objective - a.objective)[0];
  const objective = strictest?.objective ?? defaultCompletenessObjective;
  return requiredFeatures(input.policy).map((feature) => {
    const missingIn = (slot: MinuteSlot): MinuteCount => [
      Math.min(slot.missing.find(([name]) => name === feature)?.[1] ?? 0, slot.rows),
      slot.rows,
    ];
    const { bad, all, isTooHigh, since } = measureExcess(input, 1 - objective, missingIn);
    const slo: SloVerdict = {
      name: strictest?.name ?? 'completeness',
      kind: 'completeness',
      objective,
      feature,
      good: all - bad,
      valid: all,
      broken: isTooHigh,
    };
    if (!isTooHigh) return { slo };
    const observed = `${formatNumber(bad)} of ${formatNumber(all)} records of the last hour (${formatShareBeside(bad / all, 1 - objective)}) have no value`;
    const finding: Finding = {
      id: `completeness:${feature}`,
      tier: 'red',
      kind: 'completeness',
      feature,
      message: `${formatName(feature)}: ${observed}, ${formatShareBound(1 - objective)} are allowed; since ${formatMinute(since)}`,
      evidence: { missing: bad, records: all, objective, sinceMinute: since },
    };
    return { slo, finding };
  });
}

function findSchemaBreak(input: LiveInput): Finding | undefined {
  const allowed = Math.min(Math.max(input.policy.drift.maximumQuarantineShare, minimumAllowance), 1);
  const breaksIn = (slot: MinuteSlot): MinuteCount => [slot.schemaBreaks, slot.rows + slot.schemaBreaks];
  const { bad, all, isTooHigh, since } = measureExcess(input, allowed, breaksIn);
  if (!isTooHigh) return undefined;
  const observed = `${formatNumber(bad)} of ${formatNumber(all)} records of the last hour (${formatShareBeside(bad / all, allowed)})`;
  return {
    id: 'schema-break',
    tier: 'red',
    kind: 'schema-break',
    message: `${observed} no longer fit the schema, ${formatShareBound(allowed)} are allowed; since ${formatMinute(since)}`,
    evidence: { schemaBreaks: bad, records: all, allowedShare: allowed, sinceMinute: since },
  };
}

function findSilence(input: LiveInput): Finding | undefined {
  const { policy, now, invocations } = input;
  const last = Math.max(input.lastRecordTime ?? input.monitoringSince, input.monitoringSince);
  const silentSeconds = (now - last) / 1000;
  // What was captured may still be on its way.
  const allowedSeconds = silenceAfterSeconds(policy, input.longestGapSeconds) + policy.captureDelaySeconds;
  if (!(silentSeconds > allowedSeconds)) return undefined;
  const since = formatMinute(Math.floor(last / 60_000));
  const observed = `no record for ${formatDuration(silentSeconds)}, since ${since}; more than the ${formatDuration(allowedSeconds)} that are allowed`;
  const finding = { id: 'silence', kind: 'silence' } as const;
  const evidence = { silentSeconds, allowedSeconds, invocations: invocations ?? null, sinceTime: last };
  if (invocations === 0) {
    return { ...finding, tier: 'green', message: `${observed}; the source confirms that nobody called`, evidence };
  }
  const why =
    invocations === undefined
      ? callsUnknown
      : `the source reports ${formatNumber(invocations)} calls: captures are missing`;
  return { ...finding, tier: 'red', message: `${observed}; ${why}`, evidence };
}

/**
 * How long no record may come. Without a configured span it is twice the longest gap that is usual, at least ten
 * minutes; without either it is one window, because a model that is called once a day must not page at night.
 */
export function silenceAfterSeconds(policy: ModelPolicy, longestGapSeconds: number | undefined): number {
  if (policy.silenceAfterSeconds !== undefined) return policy.silenceAfterSeconds;
  const yardstick = longestGapSeconds === undefined ? policy.windowSeconds : 2 * longestGapSeconds;
  return Math.max(shortestSilenceSeconds, yardstick);
}

/** Features whose missing values the minute slots must count. */
function requiredFeatures(policy: ModelPolicy): readonly string[] {
  return policy.features.filter(([, { required, ignore }]) => required && !ignore).map(([name]) => name);
}
