import { type AlertDocument, alertSchema } from '../model/alert-document.ts';
import { shortHash } from '../model/content-hash.ts';
import type { Message } from '../model/delivery.ts';
import { cut, escapeAscii, escapeText } from './plain-text.ts';

/** What is read of an alarm of CloudWatch that came by the direct way. */
export interface DirectAlarm {
  readonly alarm: string;
  readonly description?: string | undefined;
  readonly to: 'ALARM' | 'OK' | 'INSUFFICIENT_DATA';
  readonly reason: string;
  readonly time: number;
}

/**
 * An alarm on Tidewatch itself, which notify has not seen, as a document: its incident is the alarm.
 * @param text of the alarm's description without its runbook, and the runbook's link
 */
export function directDocument(
  { alarm, to, reason, time }: DirectAlarm,
  tier: Message['tier'],
  text: { readonly description: string; readonly runbook: string },
): AlertDocument {
  const event = to === 'ALARM' ? 'raised' : 'recovered';
  const headline = escapeText(cut(text.description, 300));
  const episode = shortHash(`alarm\n${alarm}`);
  return {
    schema: alertSchema,
    id: shortHash(`alarm\n${alarm}\n${to}\n${time}`),
    tier,
    event,
    model: 'fleet',
    episode,
    subject: escapeAscii(cut(`${tier.toUpperCase()} Tidewatch: ${headline}`, 99)),
    text: `${headline}\n${escapeText(cut(reason, 500))}\nRunbook: ${text.runbook}\n`,
    time,
    detail: {
      cause: 'tidewatch',
      // Newer changes of one alarm come after older ones.
      sequence: time,
      since: time,
      startedAt: time,
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
