import type { MinuteSlot } from '../model/profile.ts';
import { countClusters } from './burn-guard.ts';

const minutesPerHour = 60;

/** Events of one objective in one hour. Without `clusters` nothing failed, or the sum is of before they were counted. */
export type HourSli = readonly [slo: string, good: number, valid: number, clusters?: number];

/** Exact SLI counts of one UTC hour: kept for longer than minute slots. */
export interface HourSum {
  /** Hours since the epoch. */
  readonly hour: number;
  readonly rows: number;
  readonly requests: number;
  /** Per SLO: [name, good events, valid events, clusters that the failures form], sorted by name. */
  readonly slis: readonly HourSli[];
}

/**
 * Adds up the slots of several fragments or profiles, minute by minute. Ascending by minute; the order of the groups
 * does not matter. Adding a group twice counts it twice.
 */
export function mergeMinuteSlots(groups: Iterable<readonly MinuteSlot[]>): readonly MinuteSlot[] {
  const minutes = new Map<number, MinuteSlot>();
  for (const group of groups) {
    for (const slot of group) {
      const known = minutes.get(slot.minute);
      minutes.set(slot.minute, known ? addSlots(known, slot) : slot);
    }
  }
  return [...minutes.values()].sort((a, b) => a.minute - b.minute);
}

function addSlots(a: MinuteSlot, b: MinuteSlot): MinuteSlot {
  return {
    minute: a.minute,
    rows: a.rows + b.rows,
    requests: a.requests + b.requests,
    schemaBreaks: a.schemaBreaks + b.schemaBreaks,
    slis: addSlis([a.slis, b.slis]),
    missing: addMissing(a.missing, b.missing),
  };
}

/** Adds up minute slots by hour, ascending. */
export function sumHours(slots: Iterable<MinuteSlot>): readonly HourSum[] {
  const hours = new Map<number, MinuteSlot[]>();
  for (const slot of slots) {
    const hour = Math.floor(slot.minute / minutesPerHour);
    const members = hours.get(hour);
    if (members) members.push(slot);
    else hours.set(hour, [slot]);
  }
  return [...hours]
    .map(([hour, members]) => ({
      hour,
      rows: members.reduce((sum, { rows }) => sum + rows, 0),
      requests: members.reduce((sum, { requests }) => sum + requests, 0),
      slis: sumSlis(mergeMinuteSlots([members])),
    }))
    .sort((a, b) => a.hour - b.hour);
}

/** @param slots of one hour, ascending, one per minute */
function sumSlis(slots: readonly MinuteSlot[]): readonly HourSli[] {
  return addSlis(slots.map(({ slis }) => slis)).map(([name, good, valid]): HourSli => {
    const clusters = countClusters(slots, name, 0, Number.POSITIVE_INFINITY);
    return clusters > 0 ? [name, good, valid, clusters] : [name, good, valid];
  });
}

function addSlis(groups: Iterable<MinuteSlot['slis']>): MinuteSlot['slis'] {
  const sums = new Map<string, readonly [good: number, valid: number]>();
  for (const group of groups) {
    for (const [name, good, valid] of group) {
      const [goodBefore, validBefore] = sums.get(name) ?? [0, 0];
      sums.set(name, [goodBefore + good, validBefore + valid]);
    }
  }
  return [...sums].map(([name, [good, valid]]) => [name, good, valid] as const).sort(byName);
}

function addMissing(a: MinuteSlot['missing'], b: MinuteSlot['missing']): MinuteSlot['missing'] {
  const sums = new Map(a);
  for (const [name, rows] of b) sums.set(name, (sums.get(name) ?? 0) + rows);
  return [...sums].sort(byName);
}

function byName(a: readonly [string, ...number[]], b: readonly [string, ...number[]]): number {
  return a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0;
}
