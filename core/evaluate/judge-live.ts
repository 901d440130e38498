import type { ModelPolicy } from '../model/policy.ts';
import type { MinuteSlot } from '../model/profile.ts';
import { type Finding, type SloVerdict, type Tier, worstTier } from '../model/verdict.ts';
import { binomialUpperTail } from '../stats/binomial.ts';
import { findShortStretch } from '../stats/short-stretch.ts';
import { formatDuration, formatMinute, formatName, formatNumber, formatShare } from './number-text.ts';

/** Objective of a required feature where the configuration sets none. */
export const defaultCompletenessObjective = 0.99;

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
  /** Of at least the last hour, ascending, one per minute: merged over fragments and variants. */
  readonly slots: readonly MinuteSlot[];
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** The minute (since the epoch) at which the observed windows end, exclusive: see `findWatermark` of core/slo. */
  readonly endMinute: number;
  /** Longest silence between two records of the baseline; absent where the baseline has no times. */
  readonly longestGapSeconds: number | undefined;
  /** Calls that the source reports since the last record and up to the capture delay ago; undefined: it can't tell. */
  readonly invocations: number | undefined;
  /** Latency and availability objectives, judged by core/slo. */
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
}

/**
 * Judges what must be known within minutes: required features below their completeness objective, schema breaks,
 * broken SLOs and silence. Every finding but a confirmed silence is red.
 *
 * A share counts as too high where it is above what is allowed both over the last hour, beyond what chance explains
 * (exact binomial tail at or below 1e-7), in three minutes at least, and over the last five minutes (with little
 * traffic the last five records), so that the finding ends soon after the trouble does.
 */
export function judgeLive(input: LiveInput): LiveJudgement {
  const completeness = judgeCompleteness(input);
  const findings = [
    ...input.slos.filter(({ broken }) => broken).map((slo) => describeBrokenSlo(slo, input)),
    ...completeness.flatMap(({ finding }) => finding ?? []),
    ...[findSchemaBreak(input), findSilence(input)].filter((finding) => finding !== undefined),
  ];
  return {
    tier: worstTier(findings.map(({ tier }) => tier)),
    findings,
    slos: [...input.slos, ...completeness.map(({ slo }) => slo)],
  };
}

/** Bad and all events of one minute. */
type MinuteCount = readonly [bad: number, all: number];

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

/** The likeliest start of an excess: the minute from which on most more bad events came than were allowed. */
function findStart(
  slots: readonly MinuteSlot[],
  allowedShare: number,
  count: (slot: MinuteSlot) => MinuteCount,
  endMinute: number,
): number {
  let start = endMinute;
  let excess = 0;
  let largest = 0;
  for (const slot of slots.toReversed()) {
    const [bad, all] = count(slot);
    excess += bad - allowedShare * all;
    if (excess <= largest) continue;
    largest = excess;
    start = slot.minute;
  }
  return start;
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
    const observed = `${formatNumber(bad)} of ${formatNumber(all)} records of the last hour (${formatShare(bad / all)}) have no value`;
    const finding: Finding = {
      id: `completeness:${feature}`,
      tier: 'red',
      kind: 'completeness',
      feature,
      message: `${formatName(feature)}: ${observed}, ${formatShare(1 - objective)} are allowed; since ${formatMinute(since)}`,
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
  const observed = `${formatNumber(bad)} of ${formatNumber(all)} records of the last hour (${formatShare(bad / all)})`;
  return {
    id: 'schema-break',
    tier: 'red',
    kind: 'schema-break',
    message: `${observed} no longer fit the schema, ${formatShare(allowed)} are allowed; since ${formatMinute(since)}`,
    evidence: { schemaBreaks: bad, records: all, allowedShare: allowed, sinceMinute: since },
  };
}

function describeBrokenSlo(slo: SloVerdict, input: LiveInput): Finding {
  const eventsIn = (slot: MinuteSlot): MinuteCount => {
    const [, good, valid] = slot.slis.find(([name]) => name === slo.name) ?? ['', 0, 0];
    return [valid - good, valid];
  };
  const recent = input.slots.filter(
    ({ minute }) => minute < input.endMinute && minute >= input.endMinute - longMinutes,
  );
  const since = findStart(recent, 1 - slo.objective, eventsIn, input.endMinute);
  const what = slo.kind === 'latency' ? 'were too slow' : 'failed';
  const observed = `${formatNumber(slo.valid - slo.good)} of ${formatNumber(slo.valid)} requests of the last hour ${what}`;
  const budget =
    slo.errorBudgetRemaining === undefined
      ? ''
      : slo.errorBudgetRemaining <= 0
        ? ', the error budget is spent'
        : `, ${formatShare(slo.errorBudgetRemaining)} of the error budget is left`;
  const rate =
    slo.burnRateLong === undefined ? '' : `, ${formatNumber(slo.burnRateLong)} times what the objective allows`;
  return {
    id: `slo:${slo.name}`,
    tier: 'red',
    kind: 'slo',
    message: `${formatName(slo.name)}: ${observed}${rate}${budget}; since ${formatMinute(since)}`,
    evidence: {
      good: slo.good,
      valid: slo.valid,
      objective: slo.objective,
      burnRateLong: slo.burnRateLong ?? null,
      burnRateShort: slo.burnRateShort ?? null,
      errorBudgetRemaining: slo.errorBudgetRemaining ?? null,
      sinceMinute: since,
    },
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
  const observed = `no record for ${formatDuration(silentSeconds)}, since ${since}; ${formatDuration(allowedSeconds)} are allowed`;
  const finding = { id: 'silence', kind: 'silence' } as const;
  const evidence = { silentSeconds, allowedSeconds, invocations: invocations ?? null, sinceTime: last };
  if (invocations === 0) {
    return { ...finding, tier: 'green', message: `${observed}; the source confirms that nobody called`, evidence };
  }
  const why =
    invocations === undefined
      ? 'nothing confirms that the model was not called'
      : `the source reports ${formatNumber(invocations)} calls: captures are missing`;
  return { ...finding, tier: 'red', message: `${observed}; ${why}`, evidence };
}

/**
 * How long no record may come. Without a configured span it is twice the baseline's longest gap, at least ten
 * minutes; without either it is one window, because a model that is called once a day must not page at night.
 */
export function silenceAfterSeconds(policy: ModelPolicy, longestGapSeconds: number | undefined): number {
  if (policy.silenceAfterSeconds !== undefined) return policy.silenceAfterSeconds;
  const yardstick = longestGapSeconds === undefined ? policy.windowSeconds : 2 * longestGapSeconds;
  return Math.max(shortestSilenceSeconds, yardstick);
}

/** Features whose missing values the minute slots must count. */
export function requiredFeatures(policy: ModelPolicy): readonly string[] {
  return policy.features.filter(([, { required, ignore }]) => required && !ignore).map(([name]) => name);
}
