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
 * names an alarm, never its incident. An OK of what nobody heard ring (a new alarm's first state) changes nothing, and
 * neither does what is heard again or late.
 * @returns the same list where there is nothing new
 */
export function hearAlarm(
  incidents: readonly AlarmIncident[],
  { to, time }: Pick<DirectAlarm, 'to' | 'time'>,
): readonly AlarmIncident[] {
  const last = incidents.at(-1);
  if (to === 'INSUFFICIENT_DATA' || (last && time <= (last.until ?? last.since))) return incidents;
  const isOpen = last !== undefined && last.until === undefined;
  // One that rings again without an OK has lost it.
  const ended = isOpen ? [...incidents.slice(0, -1), { ...last, until: time }] : incidents;
  return to === 'OK' ? ended : [...ended, { since: time }].slice(-keptIncidents);
}

export interface AlarmNews {
  readonly event: 'raised' | 'recovered';
  readonly incident: AlarmIncident;
}

/** What a state change, of the time given, means to people: the end of an incident, the beginning of one, or both. */
export function newsOf(incidents: readonly AlarmIncident[], time: number): readonly AlarmNews[] {
  return incidents.flatMap((incident): readonly AlarmNews[] => {
    if (incident.until === time) return [{ event: 'recovered', incident }];
    return incident.since === time ? [{ event: 'raised', incident }] : [];
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
