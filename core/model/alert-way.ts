import type { Message } from './delivery.ts';

type Tier = Message['tier'];

/** Ways that are tried out: through the alarm topic of a tier to notify, and through its deliver topic to deliver. */
export type AlertWay = Tier | `deliver-${Tier}`;

/** Cause of the incident of a cut way. */
export function pathCause(way: AlertWay): string {
  return `alert-path-${way}`;
}

/** The tier by whose deliver topic a message reaches pagers, chats and webhooks: its own; that one is cut, the other's. */
export function deliverTier({ tier, detail }: Pick<Message, 'tier' | 'detail'>): Tier {
  if (detail.cause !== pathCause(`deliver-${tier}`)) return tier;
  return tier === 'red' ? 'yellow' : 'red';
}
