import { type AlertDocument, alertSchema } from '../model/alert-document.ts';
import { shortHash } from '../model/content-hash.ts';
import type { Message } from '../model/delivery.ts';
import { formatMinute } from './figures.ts';
import { cut, escapeAscii, escapeText } from './plain-text.ts';

/** What is read of an alarm of CloudWatch that came by the direct way. */
export interface DirectAlarm {
  readonly alarm: string;
  readonly description?: string | undefined;
  readonly to: 'ALARM' | 'OK' | 'INSUFFICIENT_DATA';
  readonly reason: string;
  readonly time: number;
}

/** A time during which an alarm rang. Milliseconds since the epoch of its state changes. */
export interface AlarmIncident {
  readonly since: number;
  /** Absent: it rings. */
  readonly until?: number | undefined;
}

/** Of an alarm so many incidents are remembered: what is delivered again hours later is recognised. */
const keptIncidents = 20;

/**
 * The incidents of one alarm, oldest first, after a state change: each ALARM begins one, the next OK ends it. CloudWatch
 * names an alarm, never its incident. An OK of what nobody heard ring (a new alarm's first state, or one whose ALARM is still
 * on its way) is kept as an incident that ended as it began: nobody is told, and the ALARM, if it comes, has its end. What is
 * heard again or late changes nothing else.
 * @returns the same list where there is nothing new
 */
export function hearAlarm(
  incidents: readonly AlarmIncident[],
  { to, time }: Pick<DirectAlarm, 'to' | 'time'>,
): readonly AlarmIncident[] {
  const last = incidents.at(-1);
  if (to === 'INSUFFICIENT_DATA') return incidents;
  if (last && isUnheard(last) && to === 'ALARM' && time < last.since) {
    const before = incidents.at(-2);
    if (before && time <= (before.until ?? before.since)) return incidents;
    return [...incidents.slice(0, -1), { since: time, until: last.until }];
  }
  if (last && time <= (last.until ?? last.since)) return incidents;
  const isOpen = last !== undefined && last.until === undefined;
  // One that rings again without an OK has lost it.
  const ended = isOpen ? [...incidents.slice(0, -1), { ...last, until: time }] : incidents;
  if (to === 'ALARM') return [...ended, { since: time }].slice(-keptIncidents);
  return isOpen
    ? ended
    : [...(last && isUnheard(last) ? incidents.slice(0, -1) : incidents), { since: time, until: time }].slice(
        -keptIncidents,
      );
}

/** Of which only the end was heard. */
function isUnheard({ since, until }: AlarmIncident): boolean {
  return since === until;
}

export interface AlarmNews {
  readonly event: 'raised' | 'recovered';
  readonly incident: AlarmIncident;
}

/** What a state change, of the time given, means to people: the end of an incident, the beginning of one, or both. */
export function newsOf(incidents: readonly AlarmIncident[], time: number): readonly AlarmNews[] {
  return incidents.flatMap((incident): readonly AlarmNews[] => {
    if (isUnheard(incident)) return [];
    const over: AlarmNews = { event: 'recovered', incident };
    if (incident.until === time) return [over];
    if (incident.since !== time) return [];
    // Heard after its end.
    return [{ event: 'raised', incident }, ...(incident.until === undefined ? [] : [over])];
  });
}

/**
 * An alarm on Tidewatch itself, which notify has not seen, as a document.
 * @param text of the alarm's description without its runbook, and the runbook's link
 */
export function directDocument(
  { alarm, reason, time }: DirectAlarm,
  tier: Message['tier'],
  { event, incident }: AlarmNews,
  text: { readonly description: string; readonly runbook: string },
): AlertDocument {
  const isOver = event === 'recovered';
  const headline = escapeText(cut(text.description, 300));
  const episode = shortHash(`alarm\n${alarm}\n${incident.since}`);
  const said = isOver ? `RECOVERED. This is over: ${headline}` : headline;
  return {
    schema: alertSchema,
    id: shortHash(`alarm\n${episode}\n${tier}\n${event}`),
    tier,
    event,
    model: 'fleet',
    episode,
    subject: escapeAscii(cut(`${isOver ? 'RECOVERED' : tier.toUpperCase()} Tidewatch: ${headline}`, 99)),
    text: `${said}\nSince ${formatMinute(incident.since)}. ${escapeText(cut(reason, 500))}\nRunbook: ${text.runbook}\n`,
    time,
    detail: {
      cause: 'tidewatch',
      sequence: isOver ? 2 : 1,
      since: incident.since,
      startedAt: incident.since,
      headline,
      alarm: escapeText(alarm),
      runbook: text.runbook,
      findings: [],
      verdicts: [],
      affected: [],
      mayFollow: [],
    },
  };
}
