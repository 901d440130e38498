import type { Message } from '../model/delivery.ts';
import type { ModelPolicy } from '../model/policy.ts';
import { tierValue, worstTier } from '../model/verdict.ts';
import { type AlarmNotice, fleetModel } from './alarm-notice.ts';
import type { EpisodeMessage } from './episode.ts';
import { formatMinute, formatShortMinute, formatSpan } from './figures.ts';
import { firstSteps } from './first-steps.ts';
import { headline, verdictSpeaks } from './headline.ts';
import { type StoredVerdict, sortVerdicts } from './judgement.ts';
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
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** SNS refuses subjects of 100 characters and more. */
const maximumSubjectLength = 99;

/**
 * Puts a raised or recovered tier into words. The same facts give the same message. The tier is the episode's: an
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
    subject: episode.event === 'raised' ? raisedSubject(facts) : recoveredSubject(facts),
    text: `${(episode.event === 'raised' ? raisedText(facts) : recoveredText(facts)).join('\n')}\n`,
    time: now,
  };
}

function raisedSubject({ alarm, verdicts, episode, now }: MessageFacts): string {
  const start = `${episode.tier.toUpperCase()} ${escapeName(episode.model)}: `;
  return subject(start, headline(alarm, verdicts), ` since ${formatShortMinute(episode.since, now)}`);
}

function recoveredSubject(facts: MessageFacts): string {
  const { episode } = facts;
  const start = `RECOVERED ${escapeName(episode.model)}: `;
  const still = isStillYellow(facts) ? ', still yellow' : '';
  return subject(start, `no longer ${episode.tier}${still}`, ` after ${formatSpan(episode.time - episode.since)}`);
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
      ? episode.model === fleetModel
        ? 'RED. This is a page: Tidewatch is not watching.'
        : `RED. This is a page: an objective of ${model} is broken.`
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
    ...section('How sure', describeSureness(speaking, policy)),
    ...section('Objectives', describeSlos(speaking, policy)),
    ...section('Records', describeRecords(speaking)),
    ...section('Do first', firstSteps(alarm, speaking)),
    ...where(facts, speaking.length > 0 ? speaking : sortVerdicts(verdicts)),
  ];
}

function recoveredText(facts: MessageFacts): string[] {
  const { episode, verdicts, policy } = facts;
  const model = escapeName(episode.model);
  const sorted = sortVerdicts(verdicts);
  const worst = worstTier(sorted.map(({ verdict }) => verdict.tier));
  const remains =
    sorted.length === 0
      ? []
      : tierValue[worst] === 0
        ? wrapText(`The newest verdict is green.`)
        : [...wrapText(`The newest verdict is ${worst}:`), ...describeFindings(sorted)];
  return [
    ...wrapText(`RECOVERED. ${model} is no longer ${episode.tier}. Nothing has to be done at once.`),
    ...section('When', [
      ...wrapText(
        `${episode.tier} from ${formatMinute(episode.since)} to ${formatMinute(episode.time)}, ${formatSpan(episode.time - episode.since)}.`,
      ),
    ]),
    ...section('What remains', remains),
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
