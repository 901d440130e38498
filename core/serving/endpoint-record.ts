import type {
  EndpointDescription,
  EndpointRecord,
  EndpointSpell,
  ServedVersions,
  VariantModels,
} from '../model/endpoint.ts';
import type { Window } from '../model/profile.ts';

/** Of an endpoint that was never looked at. */
export const emptyEndpointRecord: EndpointRecord = { spells: [], looked: 0 };

/** No record and no window that is older than this is looked up: fragments expire a week after their window. */
const keptMilliseconds = 9 * 86_400_000;
const keptSpells = 50;
/** Not looked at for longer than this, an endpoint may have been changed and changed back. */
const unseenMilliseconds = 15 * 60_000;

/**
 * Notes what an endpoint says now. What was noted for times up to the last look never changes, so that what is read of them
 * does not depend on when it is read. Another configuration begins where the endpoint says that it was changed, though not
 * before the last look; a change that is given up ends one spell and begins another of the same configuration.
 * @param described undefined: nothing answers
 * @param now when it was asked
 * @returns the same record where it was looked at later already. A new spell has no models: see `nameModels`.
 */
export function observeEndpoint(
  record: EndpointRecord,
  described: EndpointDescription | undefined,
  now: number,
): EndpointRecord {
  if (now <= record.looked) return record;
  const last = record.spells.at(-1);
  const looked = { ...record, looked: now };
  if (!described) return last ? { ...looked, changing: record.changing ?? now } : looked;
  const { config, isSettled, modified, changingSince } = described;
  if (!last) {
    const since = Math.min(now, modified, changingSince ?? now);
    return { spells: [{ config, models: [], began: since, since }], changing: changingSince && since, looked: now };
  }
  if (!isSettled) {
    if (changingSince === undefined && config === last.config) return looked;
    return { ...looked, changing: record.changing ?? clip(changingSince ?? modified, last.since, now) };
  }
  const isUnseen = now - record.looked > unseenMilliseconds && modified > record.looked;
  if (config === last.config && record.changing === undefined && !isUnseen) return looked;
  const since = clip(modified, record.looked + 1, now);
  const began = Math.min(since, record.changing ?? record.looked);
  return { spells: keep([...record.spells, { config, models: [], began, since }], now), looked: now };
}

/** The record with the models of its last spell. */
export function nameModels(record: EndpointRecord, models: VariantModels): EndpointRecord {
  const last = record.spells.at(-1);
  return last ? { ...record, spells: [...record.spells.slice(0, -1), { ...last, models }] } : record;
}

/** Whether a look began a spell. */
export function isNewSpell(before: EndpointRecord, after: EndpointRecord): boolean {
  return after.spells.at(-1)?.since !== before.spells.at(-1)?.since;
}

/** Versions of a variant: its model, or where the configuration names none the configuration. */
export function versionsServed(record: EndpointRecord, variant: string): ServedVersions {
  const all = record.spells.map((spell) => [spell.since, modelOf(spell, variant) ?? spell.config] as const);
  return all.filter(([, version], index) => version !== all[index - 1]?.[1]);
}

/** What answered all calls last at a time; before all that is known, the first. Undefined: nothing is known. */
export function versionServedAt(versions: ServedVersions, time: number): string | undefined {
  return (versions.findLast(([since]) => since <= time) ?? versions[0])?.[1];
}

export interface ServedShare {
  readonly spell: EndpointSpell;
  /** Share of the window in which it answered alone, as far as is known. */
  readonly share: number;
}

/** The configurations that answered in a window, or may have, each with what is known of its share. */
export function servedShares({ spells, changing, looked }: EndpointRecord, window: Window): readonly ServedShare[] {
  const shares: ServedShare[] = [];
  for (const [index, spell] of spells.entries()) {
    const next = spells[index + 1];
    const aloneUntil = next?.began ?? changing ?? looked;
    if (spell.began >= window.end || (next?.since ?? looked) <= window.start) continue;
    const alone = Math.min(window.end, aloneUntil) - Math.max(window.start, spell.since);
    const share = Math.max(0, alone) / (window.end - window.start);
    const before = shares.at(-1);
    if (before?.spell.config === spell.config) shares.splice(-1, 1, { ...before, share: before.share + share });
    else shares.push({ spell, share });
  }
  return shares;
}

export function modelOf({ models }: EndpointSpell, variant: string): string | undefined {
  return models.find(([name]) => name === variant)?.[1];
}

function keep(spells: readonly EndpointSpell[], now: number): readonly EndpointSpell[] {
  const first = spells.findIndex((_, index) => (spells[index + 1]?.since ?? now) >= now - keptMilliseconds);
  return spells.slice(Math.max(first, spells.length - keptSpells));
}

function clip(time: number, from: number, to: number): number {
  return Math.min(Math.max(time, from), to);
}
