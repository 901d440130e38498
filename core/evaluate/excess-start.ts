import type { MinuteSlot } from '../model/profile.ts';

/** Bad and all events of one minute. */
export type MinuteCount = readonly [bad: number, all: number];

/**
 * The likeliest start of an excess: the minute from which on most more bad events came than were allowed.
 * @param slots ascending by minute, all before `endMinute`
 */
export function findStart(
  slots: readonly MinuteSlot[],
  allowedShare: number,
  count: (slot: MinuteSlot) => MinuteCount,
  endMinute: number,
): number {
  let start = endMinute;
  let excess = 0;
  let largest = 0;
  for (const slot of slots.toReversed()) {
    const [bad, all] = count(slot);
    excess += bad - allowedShare * all;
    if (excess <= largest) continue;
    largest = excess;
    start = slot.minute;
  }
  return start;
}
