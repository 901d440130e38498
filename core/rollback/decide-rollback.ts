import type { ModelPolicy } from '../model/policy.ts';
import {
  type DeploymentRecord,
  type RollbackHistory,
  type RollbackPolicy,
  restateSeconds,
  type ServingSpell,
  type ServingState,
} from '../model/rollback.ts';
import type { Finding, FindingKind, SloVerdict, Verdict } from '../model/verdict.ts';
import { currentSpell, knownGoodConfigs } from './deployment-record.ts';

/** A verdict whose evidence says the same. */
export interface EvidencedVerdict {
  readonly key: string;
  readonly verdict: Verdict;
}

/** An incident of the model's own that is red, and that people were told of. */
export interface RedIncident {
  readonly episode: string;
  /** Whether it is what tells of a finding. */
  isOwn(finding: Finding): boolean;
}

/** All that a rollback follows from. */
export interface RollbackFacts {
  readonly model: Pick<ModelPolicy, 'windowSeconds' | 'graceSeconds' | 'captureDelaySeconds'>;
  readonly policy: RollbackPolicy;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Newest first. */
  readonly incidents: readonly RedIncident[];
  /** The live verdict in force and the newest of each series, those alone that evidence bears out. */
  readonly verdicts: readonly EvidencedVerdict[];
  readonly serving: ServingState;
  readonly record: DeploymentRecord;
  readonly history: RollbackHistory;
}

/** Why nothing is done. */
export type RollbackRefusal =
  | 'no-incident'
  | 'done-in-episode'
  | 'cooldown'
  | 'not-ready'
  | 'not-judged-red'
  | 'other-incident'
  | 'stale'
  | 'too-few-records'
  | 'other-version-judged'
  | 'no-known-good';

export type RollbackDecision =
  | {
      readonly refusal: RollbackRefusal;
      /** The newest incident in which nothing was done yet; absent where there is none. */
      readonly episode?: string | undefined;
    }
  | {
      readonly refusal?: undefined;
      /** The incident that tells of the finding. */
      readonly episode: string;
      readonly from: string;
      readonly to: string;
      readonly verdict: string;
      readonly finding: string;
    };

/** A red finding that may be the deployed configuration's fault, and where it stands. */
interface Ground extends EvidencedVerdict {
  readonly finding: Finding;
}

/** One that people were told of. */
interface ToldGround extends Ground {
  readonly episode: string;
}

/** Red that says nothing of the configuration that answers: what is missing is captures, evidence or a judgement. */
const notOfTheVersion: ReadonlySet<FindingKind> = new Set<FindingKind>([
  'silence',
  // Its records are as old as their labels: another configuration may have answered them.
  'quality',
  'integrity',
  'stale',
  'insufficient-data',
  'no-baseline',
  'unknown-version',
  'learning',
]);

/**
 * Objectives that count what the configuration answered. Freshness is silence under another name, and what a metric that
 * somebody names says of the configuration nobody knows here.
 */
const ofTheVersion: ReadonlySet<unknown> = new Set<SloVerdict['kind']>(['latency', 'availability', 'completeness']);

/** Time for the work itself. */
const allowanceSeconds = 300;
const closedAllowanceSeconds = 900;
const minuteMilliseconds = 60_000;
/** A live red must still be going on when the configuration has answered alone for as long as its short window. */
const settleMilliseconds = 5 * minuteMilliseconds;

/**
 * Whether to go back, from what and to what. In this order: is there an incident, was nothing done in it yet, is the
 * cooldown over, is the endpoint ready, is there an evidenced red verdict, is it that incident which tells of it, is it
 * fresh, does it rest on enough events, is what it judged the configuration that answers now, and is there one that is
 * known to be good.
 */
export function decideRollback(facts: RollbackFacts): RollbackDecision {
  const { incidents, history, policy, now } = facts;
  if (incidents.length === 0) return { refusal: 'no-incident' };
  const acts = listActs(history);
  const open = incidents.filter(({ episode }) => !acts.some((act) => act.episode === episode));
  const [newest] = open;
  if (!newest) return { refusal: 'done-in-episode' };
  const { episode } = newest;
  const isCooling = acts.some((act) => act.changed && now - act.time < policy.cooldownSeconds * 1000);
  if (isCooling) return { refusal: 'cooldown', episode };
  const decision = decideTarget({ ...facts, incidents: open });
  return decision.refusal ? { ...decision, episode } : decision;
}

/** The same without what concerns other rollbacks: to be asked again, of the one incident, right before the service is. */
export function decideTarget(facts: RollbackFacts): RollbackDecision {
  const { serving, record, policy, incidents } = facts;
  if (incidents.length === 0) return { refusal: 'no-incident' };
  const spell = currentSpell(record);
  if (serving.status !== 'ready' || spell?.config !== serving.config) return { refusal: 'not-ready' };
  const reds = facts.verdicts.flatMap(redFindings);
  if (reds.length === 0) return { refusal: 'not-judged-red' };
  let grounds = reds.flatMap((red) => toldBy(red, incidents));
  if (grounds.length === 0) return { refusal: 'other-incident' };
  grounds = grounds.filter((ground) => isFresh(ground, facts));
  if (grounds.length === 0) return { refusal: 'stale' };
  grounds = grounds.filter((ground) => countEvents(ground) >= policy.minimumRecords);
  if (grounds.length === 0) return { refusal: 'too-few-records' };
  grounds = grounds.filter((ground) => isJudgementOf(ground, spell));
  const [ground] = grounds;
  if (!ground) return { refusal: 'other-version-judged' };
  const [target] = knownGoodConfigs(record, policy.lever);
  if (!target) return { refusal: 'no-known-good' };
  const { episode, key: verdict, finding } = ground;
  return { episode, from: serving.config, to: target.config, verdict, finding: finding.id };
}

/** What no told incident tells of is no reason, whatever else people were told of meanwhile. */
function toldBy(ground: Ground, incidents: readonly RedIncident[]): readonly ToldGround[] {
  const incident = incidents.find(({ isOwn }) => isOwn(ground.finding));
  return incident ? [{ ...ground, episode: incident.episode }] : [];
}

/** All rollbacks known, the newest one included. One that never got to ask the service changed nothing. */
function listActs({ current, past }: RollbackHistory): RollbackHistory['past'] {
  if (!current) return past;
  return [...past, { episode: current.episode, time: current.time, changed: current.attempts > 0 || current.dryRun }];
}

/** Adds a new rollback to those known. */
export function pastActs(history: RollbackHistory): RollbackHistory['past'] {
  return listActs(history).slice(-100);
}

function redFindings({ key, verdict }: EvidencedVerdict): readonly Ground[] {
  if (verdict.tier !== 'red') return [];
  return verdict.findings
    .filter(({ tier, kind }) => tier === 'red' && !notOfTheVersion.has(kind))
    .filter(({ kind, evidence }) => kind !== 'slo' || ofTheVersion.has(evidence.sloKind))
    .map((finding) => ({ key, verdict, finding }));
}

/** Whether a verdict is red for something that may be the fault of what answered. */
export function isBlaming(verdict: EvidencedVerdict): boolean {
  return redFindings(verdict).length > 0;
}

/** The same, of what has answered since a spell began: the trouble is that spell's own. */
export function isBlamingSpell(verdict: EvidencedVerdict, spell: Pick<ServingSpell, 'began' | 'since'>): boolean {
  return redFindings(verdict).some((ground) => isJudgementOf(ground, spell));
}

/** Seconds since the end of what was judged beyond which a verdict is no longer acted on. */
export function maximumAgeSeconds(model: RollbackFacts['model'], mode: Verdict['mode']): number {
  return mode === 'live'
    ? model.captureDelaySeconds + restateSeconds + allowanceSeconds
    : model.windowSeconds + model.graceSeconds + closedAllowanceSeconds;
}

function isFresh(ground: Ground, { model, now }: RollbackFacts): boolean {
  return now - stretchOf(ground).end <= maximumAgeSeconds(model, ground.verdict.mode) * 1000;
}

/** What the finding was counted from: requests or records of an objective in the stretch that it rests on, else records. */
function countEvents({ verdict, finding: { evidence } }: Ground): number {
  const events = evidence.events ?? evidence.valid ?? evidence.records;
  return typeof events === 'number' ? events : verdict.records.counted;
}

/**
 * A closed window must lie in the time of the configuration whole. What is judged live may reach back before it: then the
 * trouble must have begun no sooner than the configuration could answer, and have lasted into the time it answers alone.
 */
function isJudgementOf(ground: Ground, spell: Pick<ServingSpell, 'began' | 'since'>): boolean {
  const { start, end } = stretchOf(ground);
  if (start >= spell.since) return true;
  const { sinceMinute } = ground.finding.evidence;
  if (ground.verdict.mode !== 'live' || typeof sinceMinute !== 'number') return false;
  return sinceMinute * minuteMilliseconds >= spell.began && end >= spell.since + settleMilliseconds;
}

/**
 * The time that a finding rests on: its verdict's window, or the longer one of a pair that burns a budget, which may also
 * end sooner than the verdict's where the objective is counted from metrics.
 */
function stretchOf({ verdict, finding: { evidence } }: Ground): { readonly start: number; readonly end: number } {
  const { endMinute, longMinutes } = evidence;
  const end = typeof endMinute === 'number' ? endMinute * minuteMilliseconds : endOf(verdict);
  const start = Date.parse(verdict.window.start);
  return {
    start: typeof longMinutes === 'number' ? Math.min(start, end - longMinutes * minuteMilliseconds) : start,
    end,
  };
}

function endOf(verdict: Verdict): number {
  return Date.parse(verdict.window.end);
}

/**
 * Whether verdicts say that the model has recovered since the change: none of those in force is red for a reason that a
 * rollback answers to, and one of them at least has seen records of the time after it.
 * @param servingAt when the configuration was back
 */
export function hasRecovered(verdicts: readonly EvidencedVerdict[], servingAt: number): boolean {
  const later = verdicts.filter(({ verdict }) =>
    verdict.mode === 'live' ? endOf(verdict) > servingAt : Date.parse(verdict.window.start) >= servingAt,
  );
  const stillRed = verdicts.some((one) => (one.verdict.mode === 'live' || later.includes(one)) && isBlaming(one));
  return !stillRed && later.some(({ verdict }) => hasSeenEvents(verdict));
}

/** Minutes of freshness or of a metric are no events, and where captures are missing nothing was seen. */
function hasSeenEvents({ records, slos, findings }: Verdict): boolean {
  if (findings.some(({ kind, tier }) => kind === 'silence' && tier === 'red')) return false;
  return records.counted > 0 || slos.some(({ kind, valid }) => valid > 0 && ofTheVersion.has(kind));
}
