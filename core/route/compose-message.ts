import type { AffectedModel, AlertDetail, Message } from '../model/delivery.ts';
import type { ModelPolicy } from '../model/policy.ts';
import { tierValue, worstTier } from '../model/verdict.ts';
import { type AlarmNotice, fleetModel, healthCause } from './alarm-notice.ts';
import { describeCause, type FoundCause } from './causes.ts';
import type { EpisodeMessage } from './episode.ts';
import { formatMinute, formatShortMinute, formatSpan } from './figures.ts';
import { firstSteps } from './first-steps.ts';
import { headline, verdictSpeaks } from './headline.ts';
import { type StoredVerdict, sortFindings, sortVerdicts } from './judgement.ts';
import { describeFindings, describeRecords, describeSlos, describeSureness } from './message-sections.ts';
import { cut, escapeAscii, escapeName, escapeText, wrapText } from './plain-text.ts';

/** What a message is made of. */
export interface MessageFacts {
  readonly alarm: AlarmNotice;
  /** The newest verdict of each series of the model; empty where none is known. */
  readonly verdicts: readonly StoredVerdict[];
  readonly episode: EpisodeMessage;
  /** Absent for fleet-wide alarms. */
  readonly policy?: ModelPolicy | undefined;
  /** Every model that depends on this one. */
  readonly dependents?: readonly string[] | undefined;
  /** Causes in force that other incidents of the model tell of. The verdicts are without them while this one goes on. */
  readonly besides?: readonly Pick<FoundCause, 'cause' | 'tier'>[] | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** SNS refuses subjects of 100 characters and more. */
const maximumSubjectLength = 99;

/** Dependents that a text names; the message's detail names all. */
const maximumDependents = 20;
const maximumDetailFindings = 10;

/**
 * Puts what happened to a tier into words. The same facts give the same message. The tier is the episode's: an
 * overdue message may speak of another tier than the alarm heard last.
 */
export function composeMessage(given: MessageFacts): Message {
  const { episode, now } = given;
  const facts: MessageFacts = { ...given, alarm: { ...given.alarm, tier: episode.tier } };
  return {
    id: episode.id,
    tier: episode.tier,
    event: episode.event,
    model: episode.model,
    episode: episode.episode,
    subject: subjects[episode.event](facts),
    text: `${texts[episode.event](facts).join('\n')}\n`,
    time: now,
    detail: detailOf(facts),
  };
}

type Words<T> = Readonly<Record<Message['event'], (facts: MessageFacts) => T>>;

const subjects: Words<string> = {
  raised: raisedSubject,
  lowered: (facts) => {
    const { tier, time, since } = facts.episode;
    const remains = isStillYellow(facts) ? ', still yellow' : ', not yet quiet';
    return subject(
      `LOWERED ${incidentName(facts.episode)}: `,
      `no longer ${tier}${remains}`,
      ` after ${formatSpan(time - since)}`,
    );
  },
  updated: ({ episode, now }) => {
    if (episode.joined) {
      const what = `also ${episode.tier}: ${episode.joined.map(describeCause).join(', ')}`;
      return subject(`UPDATE ${incidentName(episode)}: `, what, ` since ${formatShortMinute(episode.time, now)}`);
    }
    const count = episode.affected?.length ?? 0;
    const what = `${count} ${count === 1 ? 'model that depends' : 'models that depend'} on it affected`;
    return subject(`UPDATE ${incidentName(episode)}: `, what, ` since ${formatShortMinute(episode.since, now)}`);
  },
  acknowledged: ({ episode, now }) =>
    subject(
      `ACKNOWLEDGED ${incidentName(episode)}: `,
      `somebody is at it, ${episode.tier}`,
      ` since ${formatShortMinute(episode.since, now)}`,
    ),
  recovered: recoveredSubject,
};

const texts: Words<readonly string[]> = {
  raised: raisedText,
  lowered: recoveredText,
  updated: (facts) => {
    if (facts.episode.joined) return joinedText(facts, facts.episode.joined);
    const words = `UPDATE. The incident of ${incidentName(facts.episode)} reaches models that depend on it. Their people are not told as long as it lasts.`;
    return [...wrapText(words), ...describeAffected(facts), ...where(facts, sortVerdicts(facts.verdicts))];
  },
  acknowledged: (facts) => {
    const words = `ACKNOWLEDGED. A person has taken the incident of ${incidentName(facts.episode)} on.`;
    return [...wrapText(words), ...where(facts, sortVerdicts(facts.verdicts))];
  },
  recovered: recoveredText,
};

/** What machines read. */
function detailOf({ alarm, episode, verdicts, dependents = [] }: MessageFacts): AlertDetail {
  const sorted = sortVerdicts(verdicts);
  const affected = episode.affected ?? [];
  const named = new Set(affected.map(({ model }) => model));
  const findings = sorted.flatMap(({ verdict }) => sortFindings(verdict.findings));
  return {
    cause: escapeText(episode.cause),
    sequence: episode.sequence,
    since: episode.since,
    startedAt: episode.startedAt,
    headline: headline(alarm, verdicts),
    alarm: escapeText(alarm.alarm),
    runbook: alarm.runbook,
    findings: findings.slice(0, maximumDetailFindings).map(({ kind, tier, feature, message }) => ({
      kind,
      tier,
      ...(feature !== undefined && { feature: escapeName(feature) }),
      message: escapeText(cut(message, 300)),
    })),
    verdicts: sorted.map(({ key }) => escapeText(key)),
    affected,
    mayFollow: dependents.filter((model) => !named.has(model)),
  };
}

/** The models behind it: those that are not green, with how long after, and those that may follow. */
function describeAffected({ episode, dependents = [] }: MessageFacts): string[] {
  const affected = episode.affected ?? [];
  const named = new Set(affected.map(({ model }) => model));
  const others = dependents.filter((model) => !named.has(model));
  const list = affected.slice(0, maximumDependents).flatMap((one) => wrapText(describeOne(one), '- ', '  '));
  const more = affected.length - maximumDependents;
  return section('Blast radius: models that depend on it', [
    ...list,
    ...(more > 0 ? wrapText(`- and ${more} more`) : []),
    ...(others.length > 0 && episode.event !== 'recovered'
      ? wrapText(`may follow: ${listNames(others)}`, '- ', '  ')
      : []),
  ]);
}

function describeOne({ model, tier, lagMilliseconds, muted }: AffectedModel): string {
  const lag =
    lagMilliseconds < 0 ? `${formatSpan(-lagMilliseconds)} before it` : `${formatSpan(lagMilliseconds)} after it`;
  return `${escapeName(model)}: ${tier}, ${lag}${muted ? '; its people are not told as long as this lasts' : ''}`;
}

function listNames(names: readonly string[]): string {
  const shown = names.slice(0, maximumDependents).map(escapeName).join(', ');
  return names.length > maximumDependents ? `${shown} and ${names.length - maximumDependents} more` : shown;
}

function raisedSubject({ alarm, verdicts, episode, now }: MessageFacts): string {
  const start = `${episode.tier.toUpperCase()} ${escapeName(episode.model)}: `;
  return subject(start, headline(alarm, verdicts), ` since ${formatShortMinute(episode.since, now)}`);
}

function recoveredSubject(facts: MessageFacts): string {
  const { episode, besides = [] } = facts;
  const start = `RECOVERED ${incidentName(episode)}: `;
  if (besides.length > 0) {
    const others = `${besides.length === 1 ? 'another cause goes' : `${besides.length} other causes go`} on`;
    return subject(start, `no longer ${episode.tier} for this, ${others}`, afterText(episode));
  }
  const still = isStillYellow(facts) ? ', still yellow' : '';
  return subject(start, `no longer ${episode.tier}${still}`, afterText(episode));
}

function afterText({ time, since }: EpisodeMessage): string {
  return ` after ${formatSpan(time - since)}`;
}

/** The model, and of an incident that began while another one went on, its cause. */
function incidentName({ model, cause }: EpisodeMessage): string {
  const isFirst = cause === healthCause || model === fleetModel;
  return isFirst ? escapeName(model) : `${escapeName(model)} (${describeCause(cause)})`;
}

/** Cuts the middle where the whole would be too long: who and since when stay readable. */
function subject(start: string, middle: string, end: string): string {
  const room = maximumSubjectLength - [...start].length - [...end].length;
  return escapeAscii(`${start}${cut(middle, room)}${end}`);
}

function raisedText(facts: MessageFacts): string[] {
  const { alarm, verdicts, episode, now, policy } = facts;
  const model = escapeName(episode.model);
  const speaking = verdictSpeaks(alarm) ? sortVerdicts(verdicts).filter(({ verdict }) => verdict.tier !== 'green') : [];
  const opening =
    episode.tier === 'red'
      ? `RED. This is a page: ${pageReason(facts, speaking)}.`
      : `YELLOW. This is not a page: look into ${model} in working hours.`;
  const began = episode.startedAt < episode.since ? ` The episode began at ${formatMinute(episode.startedAt)}.` : '';
  return [
    ...wrapText(opening),
    ...section('What', [
      ...wrapText(`${escapeText(headline(alarm, verdicts))}.`),
      ...describeFindings(speaking),
      ...(speaking.length === 0
        ? [...wrapText(`${escapeText(cut(alarm.description, 300))}.`), ...wrapText(escapeText(cut(alarm.reason, 500)))]
        : []),
    ]),
    ...section('Since', wrapText(`${formatMinute(episode.since)}${agoText(now - episode.since)}.${began}`)),
    ...describeBesides(facts),
    ...describeAffected(facts),
    ...section('How sure', describeSureness(speaking, policy)),
    ...section('Objectives', describeSlos(speaking, policy)),
    ...section('Records', describeRecords(speaking)),
    ...section('Do first', firstSteps(alarm, speaking)),
    ...where(facts, speaking.length > 0 ? speaking : sortVerdicts(verdicts)),
  ];
}

/** Says what turned red in an incident whose people were called for something else. */
function joinedText(facts: MessageFacts, joined: readonly string[]): string[] {
  const { alarm, episode, verdicts, policy } = facts;
  const sorted = verdictSpeaks(alarm) ? sortVerdicts(verdicts) : [];
  const words = `UPDATE. More is ${episode.tier} in the incident of ${incidentName(episode)}: ${joined.map(describeCause).join(', ')}. It is taken for a part of it, and nobody is called anew as long as what it began with lasts.`;
  return [
    ...wrapText(words),
    ...section('What', describeFindings(sorted)),
    ...describeBesides(facts),
    ...describeAffected(facts),
    ...section('Objectives', describeSlos(sorted, policy)),
    ...where(facts, sortVerdicts(verdicts)),
  ];
}

/** What is wrong beside it, and told of by itself. */
function describeBesides({ besides = [] }: MessageFacts): string[] {
  const causes = besides.map(({ cause, tier }) => `${describeCause(cause)} (${tier})`);
  return causes.length === 0
    ? []
    : section('Beside it', wrapText(`incidents of their own: ${[...new Set(causes)].join(', ')}.`));
}

/** What the worst red finding breaks. */
function pageReason({ alarm, episode }: MessageFacts, speaking: readonly StoredVerdict[]): string {
  if (episode.model === fleetModel) {
    return alarm.triggers.includes('heartbeat') ? 'Tidewatch is not watching' : 'a part of the alerting is cut';
  }
  const model = escapeName(episode.model);
  const findings = speaking.flatMap(({ verdict }) => sortFindings(verdict.findings));
  switch (findings.find(({ tier }) => tier === 'red')?.kind) {
    case 'slo':
    case 'completeness':
    case 'quality':
      return `an objective of ${model} is broken`;
    case 'silence':
      return `no records of ${model} arrive`;
    case 'schema-break':
    case 'missing-column':
      return `payloads of ${model} break its schema`;
    case 'integrity':
      return `stored evidence of ${model} does not match what was written`;
    default:
      return `${model} was judged red`;
  }
}

function recoveredText(facts: MessageFacts): string[] {
  const { episode, verdicts, policy } = facts;
  const model = incidentName(episode);
  const sorted = sortVerdicts(verdicts);
  const worst = worstTier(sorted.map(({ verdict }) => verdict.tier));
  const remains =
    sorted.length === 0
      ? []
      : tierValue[worst] === 0
        ? wrapText(`The newest verdict is green.`)
        : [...wrapText(`The newest verdict is ${worst}:`), ...describeFindings(sorted)];
  const opening =
    episode.event === 'lowered'
      ? `LOWERED. ${model} is no longer ${episode.tier}. The incident goes on until nothing rings.`
      : `RECOVERED. ${model} is no longer ${episode.tier}. Nothing has to be done at once.`;
  return [
    ...wrapText(opening),
    ...section('When', [
      ...wrapText(
        `${episode.tier} from ${formatMinute(episode.since)} to ${formatMinute(episode.time)}, ${formatSpan(episode.time - episode.since)}.`,
      ),
    ]),
    ...section('What remains', remains),
    ...describeBesides(facts),
    ...describeAffected(facts),
    ...section('Objectives', describeSlos(sorted, policy)),
    ...where(facts, sorted),
  ];
}

function isStillYellow({ episode, verdicts }: MessageFacts): boolean {
  return episode.tier === 'red' && worstTier(verdicts.map(({ verdict }) => verdict.tier)) === 'yellow';
}

/** Links and keys stand on lines of their own and are never broken, so that they can be copied. */
function where({ alarm, episode }: MessageFacts, verdicts: readonly StoredVerdict[]): string[] {
  const keys = verdicts.slice(0, 3).map(({ key }) => `  ${escapeText(key)}`);
  return [
    ...section('Runbook', [`  ${alarm.runbook.replace(/[^\x21-\x7e]/gu, '?')}`]),
    ...section(
      keys.length > 1 ? 'Verdicts (keys in the state bucket or folder)' : 'Verdict (key in the state bucket or folder)',
      keys,
    ),
    ...section('Reference', wrapText(`alarm ${escapeText(alarm.alarm)}, episode ${episode.episode}`, '  ')),
  ];
}

/** Nothing for what has just begun. */
function agoText(milliseconds: number): string {
  return milliseconds < 60_000 ? '' : `, ${formatSpan(milliseconds)} ago`;
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', `${title}:`, ...lines];
}
