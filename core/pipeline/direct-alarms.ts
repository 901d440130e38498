import type { AlertDocument } from '../model/alert-document.ts';
import { shortHash } from '../model/content-hash.ts';
import type { Message } from '../model/delivery.ts';
import { type AlarmIncident, type DirectAlarm, directDocument, hearAlarm, newsOf } from '../route/direct-alarm.ts';
import type { StateTable } from './ports.ts';

const partition = 'deliveries';

/**
 * What there is to tell of an alarm on Tidewatch itself, whose message notify has not seen. An OK of what nobody was told of
 * is nothing.
 * @param text of the alarm's description without its runbook, and the runbook's link
 */
export async function hearDirectAlarm(
  alarm: DirectAlarm,
  tier: Message['tier'],
  text: { readonly description: string; readonly runbook: string },
  table: StateTable,
): Promise<readonly AlertDocument[]> {
  const key = `alarm#${shortHash(alarm.alarm)}#${tier}`;
  for (;;) {
    const row = await table.get(partition, key);
    const before = row ? (row.value as readonly AlarmIncident[]) : [];
    const incidents = hearAlarm(before, alarm);
    if (incidents === before || (await table.put(partition, key, incidents, row?.revision ?? 0)))
      return newsOf(incidents, alarm.time).map((news) => directDocument(alarm, tier, news, text));
  }
}
