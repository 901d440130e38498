import type { Message } from './delivery.ts';

/** `schema` of the full JSON of a message. */
export const alertSchema = 'tidewatch.alert/1';

/** The full JSON of a message: what queues, functions and webhooks get, and what pagers and chats are told from. */
export interface AlertDocument extends Message {
  readonly schema: typeof alertSchema;
}

export function alertDocument(message: Message): AlertDocument {
  return { schema: alertSchema, ...message };
}

/** Whether a parsed JSON is such a document, as far as it is used. */
export function isAlertDocument(value: unknown): value is AlertDocument {
  if (typeof value !== 'object' || value === null) return false;
  const members = new Map<string, unknown>(Object.entries(value));
  const { detail } = Object.fromEntries(members);
  return (
    members.get('schema') === alertSchema &&
    ['id', 'model', 'episode', 'subject', 'text'].every((name) => typeof members.get(name) === 'string') &&
    ['yellow', 'red'].includes(String(members.get('tier'))) &&
    ['raised', 'lowered', 'updated', 'acknowledged', 'recovered'].includes(String(members.get('event'))) &&
    typeof members.get('time') === 'number' &&
    typeof detail === 'object' &&
    detail !== null &&
    'sequence' in detail &&
    typeof detail.sequence === 'number'
  );
}
