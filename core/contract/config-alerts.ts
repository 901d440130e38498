import { isDelivered } from '../model/policy.ts';
import { toContact } from './config-contacts.ts';
import type { PlacedModel } from './config-dependencies.ts';
import { checkDuplicates } from './config-duplicates.ts';
import { type ConfigPath, type ConfigProblem, problemAt } from './config-problems.ts';
import type { ParsedModel } from './config-schema.ts';

/** Addresses given twice, webhooks without or with two URLs, tiers that only Tidewatch's own delivery reaches. */
export function checkAlerts(model: ParsedModel, base: ConfigPath): readonly ConfigProblem[] {
  return (['yellow', 'red'] as const).flatMap((tier) => {
    const path = [...base, 'alerts', tier];
    const addresses = model.alerts[tier].map((contact) => {
      const { kind, address } = toContact(contact);
      return kind === 'email' ? address.toLowerCase() : address;
    });
    return [
      ...checkDuplicates(addresses, 'address', (at) => [...path, at]),
      ...model.alerts[tier].flatMap((contact, at) =>
        contact.kind === 'webhook' && (contact.url === undefined) === (contact.secret === undefined)
          ? [problemAt([...path, at], contact, 'webhook({ url }) or webhook({ secret }), one of them')]
          : [],
      ),
      ...checkFallback(model, tier, path),
    ];
  });
}

/** Where delivery itself fails, its alarm must reach somebody who is subscribed. */
function checkFallback(model: ParsedModel, tier: 'yellow' | 'red', path: ConfigPath): readonly ConfigProblem[] {
  const contacts = model.alerts[tier].map(toContact);
  if (contacts.length === 0 || contacts.some((contact) => !isDelivered(contact))) return [];
  const expected =
    'beside them a contact that takes messages directly, such as email(…), for when they can not be reached';
  return [problemAt(path, contacts, expected)];
}

/** Webhooks, and what SNS posts to, are hosts on the list alone; of a URL in a secret this is found out when it is used. */
export function checkWebhooks(models: readonly PlacedModel[], hosts: readonly string[]): readonly ConfigProblem[] {
  return models.flatMap(({ model, path }) =>
    (['yellow', 'red'] as const).flatMap((tier) =>
      model.alerts[tier].flatMap((contact, at) => {
        const where = [...path, 'alerts', tier, at];
        if (contact.kind === 'https') return checkHost(contact.address, hosts, [...where, 'address']);
        if (contact.kind !== 'webhook') return [];
        if (contact.url === undefined) {
          return hosts.length > 0 ? [] : [problemAt(['fleet', 'webhookHosts'], hosts, 'the hosts that webhooks go to')];
        }
        return checkHost(contact.url, hosts, [...where, 'url']);
      }),
    ),
  );
}

function checkHost(url: string, hosts: readonly string[], path: ConfigPath): readonly ConfigProblem[] {
  const host = URL.parse(url)?.hostname ?? '';
  if (hosts.includes(host)) return [];
  const listed = hosts.length === 0 ? 'none is listed' : hosts.join(', ');
  return [problemAt(path, host, `a host of fleet.webhookHosts (${listed})`)];
}
