import { type EndpointRecord, endpointsOf, type ServedBy, type ServedVersions } from '../model/endpoint.ts';
import type { ModelPolicy } from '../model/policy.ts';
import type { Window } from '../model/profile.ts';
import {
  emptyEndpointRecord,
  isNewSpell,
  modelOf,
  nameModels,
  observeEndpoint,
  servedShares,
  versionsServed,
} from '../serving/endpoint-record.ts';
import type { Clock, EndpointReader, StateTable } from './ports.ts';

export interface LookPorts {
  readonly table: StateTable;
  readonly endpoints: EndpointReader;
  readonly clock: Clock;
}

const partition = 'endpoints';

/**
 * Looks what an endpoint serves, and notes it. To be called at each of its events and every minute: two that look at once
 * leave what the later one saw.
 * @returns whether another configuration, or the first one, was seen to answer.
 * @throws where the service can't tell; then nothing is noted.
 */
export async function lookAtEndpoint({ table, endpoints, clock }: LookPorts, endpoint: string): Promise<boolean> {
  const now = clock.now();
  const described = await endpoints.describe(endpoint);
  for (;;) {
    const row = await table.get(partition, endpoint);
    const before = row ? (row.value as EndpointRecord) : emptyEndpointRecord;
    const observed = observeEndpoint(before, described, now);
    if (observed === before) return false;
    const isNew = isNewSpell(before, observed);
    const config = observed.spells.at(-1)?.config;
    const after = isNew && config !== undefined ? nameModels(observed, await endpoints.models(config)) : observed;
    if (await table.put(partition, endpoint, after, row?.revision ?? 0)) return isNew;
  }
}

/** What one variant of an endpoint served, and when it was last looked at; undefined: it never was. */
export async function readServedVersions(
  table: StateTable,
  endpoint: string,
  variant: string,
): Promise<{ readonly versions: ServedVersions; readonly looked: number } | undefined> {
  const record = await readRecord(table, endpoint);
  return record && { versions: versionsServed(record, variant), looked: record.looked };
}

/** What answered a model's calls in a window, endpoint by endpoint. Empty: nobody knows. */
export async function readServedBy(
  table: StateTable,
  { sources }: Pick<ModelPolicy, 'sources'>,
  variant: string,
  window: Window,
): Promise<readonly ServedBy[]> {
  const served: ServedBy[] = [];
  for (const endpoint of endpointsOf(sources)) {
    const record = await readRecord(table, endpoint);
    for (const { spell, share } of record ? servedShares(record, window) : []) {
      const model = modelOf(spell, variant);
      served.push({
        endpoint,
        config: spell.config,
        ...(model !== undefined && { model }),
        since: new Date(spell.since).toISOString(),
        share: Math.round(share * 10_000) / 10_000,
      });
    }
  }
  return served;
}

async function readRecord(table: StateTable, endpoint: string): Promise<EndpointRecord | undefined> {
  const row = await table.get(partition, endpoint);
  return row && (row.value as EndpointRecord);
}
