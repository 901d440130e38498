import { dayKey, liveVerdictKey } from '../contract/keys.ts';
import { judgeLive, type LiveJudgement } from '../evaluate/judge-live.ts';
import { createLiveVerdict } from '../evaluate/live-verdict.ts';
import { usualGapSeconds } from '../evaluate/usual-silence.ts';
import { shortHash } from '../model/content-hash.ts';
import type { MinuteSlot } from '../model/profile.ts';
import { restateSeconds } from '../model/rollback.ts';
import { type Finding, type Verdict, worstTier } from '../model/verdict.ts';
import { capTiers } from '../model/worst-tiers.ts';
import { noRecords } from '../profile/summarise.ts';
import { judgeSlos } from '../slo/judge-slos.ts';
import { isMeasured } from '../slo/measured-slis.ts';
import { mergeMinuteSlots } from '../slo/minute-slots.ts';
import { findWatermark } from '../slo/watermark.ts';
import { putEvidenceEntry } from './evidence.ts';
import { integrityMilliseconds } from './guard-integrity.ts';
import { fragmentLifeMilliseconds } from './intake.ts';
import { parseVerdict } from './judge-window.ts';
import { judgeMeasured } from './measured-slos.ts';
import type { Measurements } from './measurements.ts';
import type { ModelRuntime } from './model-runtime.ts';
import { type ModelState, updateModelState } from './model-state.ts';
import type { Clock, InvocationCounter, ObjectStore, StateTable } from './ports.ts';
import type { RollUpReader } from './roll-up.ts';
import { type SeriesState, seriesOfState, windowAt } from './series.ts';
import { readServedBy } from './served-endpoints.ts';
import { readQuality } from './stored-quality.ts';
import type { WindowReader } from './window-reader.ts';
import { encodeJson } from './write-once.ts';

export interface LivePorts {
  readonly state: ObjectStore;
  readonly audit: ObjectStore;
  readonly table: StateTable;
  readonly invocations: InvocationCounter;
  readonly clock: Clock;
  /** Where what is watched ends, as a recording does, live judgement stands still. Absent: it is `clock`. */
  readonly liveClock?: Clock | undefined;
  /** Whether nothing is found of a model live at a time, as it is known. Absent: it is judged. */
  readonly isQuiet?: ((model: string, time: number) => boolean) | undefined;
  readonly windows: WindowReader;
  readonly rollUps: RollUpReader;
  /** Absent: there are no metrics to count objectives from. */
  readonly measurements?: Measurements | undefined;
}

const millisecondsPerMinute = 60_000;
const minutesPerHour = 60;
const millisecondsPerHour = minutesPerHour * millisecondsPerMinute;

/**
 * Judges the model as of now from the minute slots of the newest windows and the daily SLI sums. A change of the tier, or
 * of what is found, is written and evidenced before it is published.
 */
export async function judgeNow(
  runtime: ModelRuntime,
  ports: LivePorts,
  series: readonly SeriesState[],
  state: ModelState,
): Promise<LiveJudgement> {
  const clock = ports.liveClock ?? ports.clock;
  const now = clock.now();
  const { policy } = runtime;
  const from = firstHourToRead(runtime, series, now);
  const slots = await readSlots(runtime, ports, series, from, now);
  const endMinute = findWatermark(slots, now, policy.captureDelaySeconds);
  const lastRecordTime = lastTimeWithRecords(runtime, slots) ?? state.lastRecordTime;
  const hours = await ports.rollUps.hours(state.rollUps.map(([, key]) => key));
  const slotsFrom = from / millisecondsPerHour;
  const counted = judgeSlos(
    policy.slos.filter((slo) => !isMeasured(slo)),
    { hours, slots, slotsFrom },
    endMinute,
    new Map(state.live.burning),
  );
  const measured = await judgeMeasured(
    runtime,
    { ...ports, clock },
    series,
    state,
    { slots, slotsFrom, endMinute },
    hours,
  );
  const judged = judgeLive({
    policy,
    slots: measured.slots.length > 0 ? mergeMinuteSlots([slots, measured.slots]) : slots,
    now,
    endMinute,
    longestGapSeconds: usualGapOf(runtime, series, (lastRecordTime ?? 0) > state.since ? lastRecordTime : undefined),
    invocations: await countInvocations(runtime, ports, slots, lastRecordTime ?? state.since, now),
    slos: [...counted, ...measured.slos],
    lastRecordTime,
    monitoringSince: state.since,
  });
  const integrity = state.integrity.filter(([, since]) => now - since < integrityMilliseconds).map(describeIntegrity);
  const labels = await readQuality(runtime, ports);
  const judgement = capTiers({
    ...judged,
    tier: worstTier([judged.tier, labels.tier, ...[...integrity, ...measured.findings].map(({ tier }) => tier)]),
    findings: [...integrity, ...judged.findings, ...measured.findings, ...labels.findings],
    quality: labels.quality,
    labelCoverage: labels.coverage ?? undefined,
  });
  return keepChange(runtime, ports, series, state, judgement, slots, endMinute, lastRecordTime);
}

/**
 * The start of the oldest hour whose slots are needed: an hour and the capture delay back, and further where windows
 * are not judged yet, for their SLIs are in no roll-up. Hours before it are in the roll-ups whole.
 */
function firstHourToRead(runtime: ModelRuntime, series: readonly SeriesState[], now: number): number {
  const { captureDelaySeconds } = runtime.policy;
  const lookBack = now - captureDelaySeconds * 1000 - 2 * millisecondsPerHour;
  const unjudged = series.filter((one) => one.judgedThrough <= one.newestWindow).map((one) => one.judgedThrough);
  const wanted = Math.max(Math.min(lookBack, ...unjudged), now - fragmentLifeMilliseconds);
  // Roll-ups know whole hours: where windows are shorter, or cut hours, the whole hour is read from its windows.
  return Math.floor(wanted / millisecondsPerHour) * millisecondsPerHour;
}

async function readSlots(
  runtime: ModelRuntime,
  ports: LivePorts,
  series: readonly SeriesState[],
  from: number,
  now: number,
): Promise<readonly MinuteSlot[]> {
  const groups: (readonly MinuteSlot[])[] = [];
  for (const one of series) {
    const named = seriesOfState(runtime.policy.name, one);
    const first = Math.max(windowAt(one, from).start, one.firstWindow);
    const last = Math.min(one.newestWindow, now);
    if (first > last) continue;
    for (const { summary } of await ports.windows.readRange(named, first, last)) groups.push(summary.minutes);
  }
  const [only] = groups;
  return only && groups.length === 1 ? only : mergeMinuteSlots(groups);
}

/** The end of the newest minute with an inference record; of any request where the model has no source of records. */
function lastTimeWithRecords(runtime: ModelRuntime, slots: readonly MinuteSlot[]): number | undefined {
  const hasRecords = runtime.policy.sources.some(({ role }) => role === 'inferences');
  const newest = slots.findLast((slot) => (hasRecords ? slot.rows > 0 || slot.schemaBreaks > 0 : slot.requests > 0));
  return newest && (newest.minute + 1) * millisecondsPerMinute - 1;
}

/**
 * Calls since the last record. Requests in the HTTP captures prove that the model was called; that they are silent as
 * well proves nothing.
 */
async function countInvocations(
  runtime: ModelRuntime,
  ports: LivePorts,
  slots: readonly MinuteSlot[],
  since: number,
  now: number,
): Promise<number | undefined> {
  // Whole minutes, which is what sources count by.
  const from = Math.ceil(since / millisecondsPerMinute);
  const to = Math.floor((now - runtime.policy.captureDelaySeconds * 1000) / millisecondsPerMinute);
  if (to <= from) return undefined;
  const reported = await ports.invocations.count(
    runtime.policy.name,
    from * millisecondsPerMinute,
    to * millisecondsPerMinute,
  );
  if (reported !== undefined) return reported;
  const requests = slots.reduce(
    (sum, slot) => (slot.minute >= from && slot.minute < to ? sum + slot.requests : sum),
    0,
  );
  return requests > 0 ? requests : undefined;
}

/** @param since the last record; undefined where monitoring began after it */
function usualGapOf(
  runtime: ModelRuntime,
  series: readonly SeriesState[],
  since: number | undefined,
): number | undefined {
  const gaps = series.flatMap(({ version }) => {
    const time = runtime.baselineOf(version)?.time;
    return time ? [usualGapSeconds(time, since)] : [];
  });
  return gaps.length > 0 ? Math.max(...gaps) : undefined;
}

function describeIntegrity([key]: readonly [key: string, since: number]): Finding {
  return {
    id: `integrity:${shortHash(key)}`,
    tier: 'red',
    kind: 'integrity',
    message: `${key} holds other content than was written before; nothing was overwritten, a person must look`,
    evidence: { key },
  };
}

/** @returns the judgement in force: this one, or another one of the same minute that was written before it. */
async function keepChange(
  runtime: ModelRuntime,
  ports: LivePorts,
  series: readonly SeriesState[],
  state: ModelState,
  judgement: LiveJudgement,
  slots: readonly MinuteSlot[],
  endMinute: number,
  lastRecordTime: number | undefined,
): Promise<LiveJudgement> {
  const { policy } = runtime;
  const now = ports.clock.now();
  const found = hashFindings(judgement);
  const unchanged = state.live.found === found || (state.live.found === undefined && judgement.findings.length === 0);
  const isRed = state.live.tier === 'red' && judgement.tier === 'red';
  const isRestated = policy.rollback !== undefined && isRed && now - state.live.since >= restateSeconds * 1000;
  if (unchanged && !isRestated) {
    // A row a minute would be a write a minute: the memory of the last record lags until an hour has passed.
    const moved = (lastRecordTime ?? 0) - (state.lastRecordTime ?? 0);
    const quiet = now - (lastRecordTime ?? now);
    if (moved === 0 || (moved < millisecondsPerHour && quiet < millisecondsPerHour)) return judgement;
    await updateModelState(ports.table, policy.name, now, (before) => ({ ...before, lastRecordTime }));
    return judgement;
  }
  const newest = [...series].sort((a, b) => b.newestWindow - a.newestWindow)[0];
  const named = { variant: newest?.variant ?? 'AllTraffic', version: newest?.version ?? runtime.defaultVersion };
  const rows = slots
    .filter(({ minute }) => minute >= endMinute - minutesPerHour && minute < endMinute)
    .reduce((sum, slot) => ({ counted: sum.counted + slot.rows, quarantined: sum.quarantined + slot.schemaBreaks }), {
      counted: 0,
      quarantined: 0,
    });
  const end = endMinute * millisecondsPerMinute;
  const servedBy = await readServedBy(ports.table, policy, named.variant, { start: end - millisecondsPerHour, end });
  const live = createLiveVerdict({
    policy,
    series: named,
    judgement,
    endMinute,
    records: { ...noRecords, ...rows, captured: rows.counted + rows.quarantined },
    evidence: {
      baseline: runtime.baselineOf(named.version)?.sha256 ?? null,
      config: runtime.configHash,
      code: runtime.code,
      profiles: [],
    },
  });
  const verdict = servedBy.length > 0 ? { ...live, servedBy } : live;
  const key = liveVerdictKey({ model: policy.name, ...named }, Math.floor(now / millisecondsPerMinute));
  const inForce = await putFirst(ports.state, key, verdict);
  await putEvidenceEntry(ports.audit, policy.name, now, 'verdict', `${key}\n${dayKey(now)}`, inForce);
  await updateModelState(ports.table, policy.name, now, (before) => ({
    ...before,
    lastRecordTime,
    live: { tier: inForce.tier, found: hashFindings(inForce), key, since: now, burning: burningIn(inForce) },
  }));
  return { ...judgement, tier: inForce.tier, findings: inForce.findings };
}

/** Of findings of objectives the tier is in it: one that burns faster or slower, or whose labels prove more, is news. */
function hashFindings({ tier, findings }: Pick<Verdict, 'tier' | 'findings'>): string {
  const names = findings.map((finding) =>
    finding.kind === 'slo' || finding.kind === 'quality' ? `${finding.tier} ${finding.id}` : finding.id,
  );
  return shortHash(JSON.stringify([tier, names.sort()]));
}

function burningIn({ slos }: Pick<Verdict, 'slos'>): ModelState['live']['burning'] {
  const burning = slos.flatMap((slo) => (slo.burning ? [[slo.name, slo.burning.tier] as const] : []));
  return burning.length > 0 ? burning : undefined;
}

/** Two judgements of one minute may differ where data came in between: the first one stands, the next minute sees more. */
async function putFirst(state: ObjectStore, key: string, verdict: Verdict): Promise<Verdict> {
  if ((await state.putOnce(key, encodeJson(verdict))) !== 'different') return verdict;
  const first = await state.get(key);
  if (!first) throw new Error(`${key}: the live verdict is gone, expected it to be kept`);
  return parseVerdict(key, first);
}
