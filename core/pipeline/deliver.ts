import type { AlertDocument } from '../model/alert-document.ts';
import { canonicalJson } from '../model/canonical-json.ts';
import { shortHash } from '../model/content-hash.ts';
import type { Message } from '../model/delivery.ts';
import { DeliveryFailed, DeliveryRefused } from '../model/delivery-errors.ts';
import type { DeliveredContact, ModelPolicy, PagerDutyContact } from '../model/policy.ts';
import { isDelivered } from '../model/policy.ts';
import { rollbackEpisode } from '../rollback/rollback-message.ts';
import { fleetModel } from '../route/alarm-notice.ts';
import { chatNotification } from '../route/chat-notification.ts';
import { type PagerAction, pagerAction, pagerEvent } from '../route/pager-event.ts';
import type { HttpsSender, SecretTexts, StateTable, TopicSender } from './ports.ts';

export interface DeliverPorts {
  readonly table: StateTable;
  readonly secrets: SecretTexts;
  readonly https: HttpsSender;
  readonly topics: TopicSender;
}

/** What a contact was told of an incident. */
interface Told {
  readonly sequence: number;
  /** It was told that it began, so that it can be told that it is over. */
  readonly began: boolean;
  /** What it was about is over: news of it that comes late is closed as it is told. */
  readonly over?: boolean | undefined;
}

const partition = 'deliveries';
const pagerHosts = { us: 'events.pagerduty.com', eu: 'events.eu.pagerduty.com' } as const;

/** Whom Tidewatch delivers a document to by itself: those of its model; of what is about the fleet, all. */
export function contactsOf(policies: readonly ModelPolicy[], alert: AlertDocument): readonly DeliveredContact[] {
  const concerned = alert.model === fleetModel ? policies : policies.filter(({ name }) => name === alert.model);
  const contacts = concerned.flatMap(({ alerts }) => alerts[alert.tier].filter(isDelivered));
  return [...new Map(contacts.map((contact) => [contactId(contact), contact])).values()];
}

/** Names a contact without its address. */
export function contactId(contact: DeliveredContact): string {
  return `${contact.kind}-${shortHash(canonicalJson(contact)).slice(0, 12)}`;
}

/**
 * Brings a document to a contact, at least once and never an older one after a newer one: what comes again, or late, is
 * left out. Where the beginning of an incident did not get through, it is told before its end.
 * @param hosts that webhooks may go to
 * @throws {DeliveryRefused} where no attempt can succeed, {DeliveryFailed} or any other error where a later one may.
 */
export async function deliverTo(
  contact: DeliveredContact,
  alert: AlertDocument,
  hosts: readonly string[],
  ports: DeliverPorts,
): Promise<void> {
  const isOver = alert.event === 'recovered';
  // Not noted where it means nothing to a pager: a trigger that is still being tried must not be taken for an old one.
  if (contact.kind === 'pagerduty' && !pagerAction(alert)) return;
  const key = toldKey(contact, alert.episode, alert.tier);
  const row = await ports.table.get(partition, key);
  const told = row ? (row.value as Told) : { sequence: 0, began: false };
  if (told.sequence < alert.detail.sequence) {
    await sendTo(contact, alert, told, hosts, ports);
    const now: Told = { ...told, sequence: alert.detail.sequence, began: !isOver && !told.over };
    // False: somebody else told it of the same, or of something newer, which is as good.
    await ports.table.put(partition, key, now, row?.revision ?? 0);
  }
  if (isOver && contact.kind === 'pagerduty') await closeRollback(contact, alert, ports);
}

/**
 * A page about a rollback that failed is an incident of its own, and ends with the one that it was for, also where the page
 * is still being tried.
 */
async function closeRollback(contact: PagerDutyContact, alert: AlertDocument, ports: DeliverPorts): Promise<void> {
  const episode = rollbackEpisode(alert.episode);
  const key = toldKey(contact, episode, alert.tier);
  for (;;) {
    const row = await ports.table.get(partition, key);
    const told = row ? (row.value as Told) : { sequence: 0, began: false };
    if (told.over) return;
    if (told.began) await callPager(contact, { ...alert, episode }, ['resolve'], ports);
    const now: Told = { ...told, began: false, over: true };
    if (await ports.table.put(partition, key, now, row?.revision ?? 0)) return;
  }
}

function toldKey(contact: DeliveredContact, episode: string, tier: Message['tier']): string {
  return `${contactId(contact)}#${episode}#${tier}`;
}

async function sendTo(
  contact: DeliveredContact,
  alert: AlertDocument,
  told: Told,
  hosts: readonly string[],
  ports: DeliverPorts,
): Promise<void> {
  if (contact.kind === 'chat') return ports.topics.publish(contact.address, JSON.stringify(chatNotification(alert)));
  if (contact.kind === 'webhook') {
    const text = contact.isSecret ? (await ports.secrets.read(contact.address)).trim() : contact.address;
    const url = checkWebhook(text, hosts, contact);
    return post(ports, url, JSON.stringify(alert), { 'tidewatch-message': alert.id });
  }
  const action = pagerAction(alert);
  if (!action) return;
  const actions: readonly PagerAction[] = action === 'trigger' || told.began ? [action] : ['trigger', action];
  await callPager(contact, alert, told.over && action === 'trigger' ? [action, 'resolve'] : actions, ports);
}

async function callPager(
  contact: PagerDutyContact,
  alert: AlertDocument,
  actions: readonly PagerAction[],
  ports: DeliverPorts,
): Promise<void> {
  const url = new URL(`https://${pagerHosts[contact.region]}/v2/enqueue`);
  const routingKey = (await ports.secrets.read(contact.address)).trim();
  if (!/^[A-Za-z0-9]{32}$/.test(routingKey)) {
    throw new DeliveryRefused(
      `secret ${contact.address}: expected an integration key of 32 letters and digits, saw ${routingKey.length} characters`,
    );
  }
  for (const action of actions) await post(ports, url, JSON.stringify(pagerEvent(alert, action, routingKey)), {});
}

/** Of a URL in a secret only its host may be named. */
function checkWebhook(text: string, hosts: readonly string[], contact: DeliveredContact): URL {
  const url = URL.parse(text);
  const what = `webhook ${contactId(contact)}`;
  if (url?.protocol !== 'https:') throw new DeliveryRefused(`${what}: expected an https URL, saw another text`);
  if (url.username !== '' || url.password !== '') {
    throw new DeliveryRefused(`${what}: expected a URL without credentials, saw some`);
  }
  if (url.port !== '') throw new DeliveryRefused(`${what}: expected port 443, saw ${url.port}`);
  if (!hosts.includes(url.hostname)) {
    throw new DeliveryRefused(`${what}: expected a host of fleet.webhookHosts, saw ${url.hostname.slice(0, 253)}`);
  }
  return url;
}

async function post(
  { https }: DeliverPorts,
  url: URL,
  body: string,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  const { status } = await https.post(url, body, { 'content-type': 'application/json', ...headers });
  if (status >= 200 && status < 300) return;
  const seen = `${url.hostname}: expected an answer of 2xx, saw ${status}`;
  if (status === 408 || status === 425 || status === 429 || status >= 500) throw new DeliveryFailed(seen);
  throw new DeliveryRefused(status >= 300 && status < 400 ? `${seen}; redirects are not followed` : seen);
}
