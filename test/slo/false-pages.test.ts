import { expect, test } from 'vitest';
import type { LatencySloPolicy } from '../../core/model/policy.ts';
import type { MinuteSlot } from '../../core/model/profile.ts';
import { judgeSlos } from '../../core/slo/judge-slos.ts';

const slo: LatencySloPolicy = {
  kind: 'latency',
  name: 'fast',
  thresholdMilliseconds: 100,
  objective: 0.999,
  periodSeconds: 30 * 86_400,
};
const minutesPerWeek = 10_080;

/** Seeded uniform numbers (xorshift32). */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Requests of each minute; each fails with exactly the budgeted probability. */
function simulate(requestsPerHour: number, minutes: number, random: () => number): MinuteSlot[] {
  const slots: MinuteSlot[] = [];
  for (let minute = 0; minute < minutes; minute++) {
    let valid = 0;
    let bad = 0;
    for (let chance = requestsPerHour / 60; chance > 0; chance--) {
      if (random() >= chance) continue;
      valid++;
      if (random() < 1 - slo.objective) bad++;
    }
    if (valid === 0) continue;
    slots.push({
      minute,
      rows: valid,
      requests: valid,
      schemaBreaks: 0,
      slis: [['fast', valid - bad, valid]],
      missing: [],
    });
  }
  return slots;
}

/** Minutes at which the rule pages, and minutes at which it would without the guard. */
function countPages(slots: readonly MinuteSlot[], minutes: number) {
  let [pages, unguarded, first, last] = [0, 0, 0, 0];
  for (let end = 1; end <= minutes; end++) {
    while ((slots[first]?.minute ?? end) < end - 60) first++;
    while ((slots[last]?.minute ?? end) < end) last++;
    const recent = slots.slice(first, last);
    // Nothing bad in the last five minutes can't page, with or without the guard.
    const hasBad = recent.some(({ minute, slis }) => minute >= end - 5 && slis.some(([, good, valid]) => good < valid));
    if (!hasBad) continue;
    const [verdict] = judgeSlos([slo], { hours: [], slots: recent, slotsFrom: 0 }, end);
    if (verdict?.broken) pages++;
    if ((verdict?.burnRateLong ?? 0) >= 14.4 && (verdict?.burnRateShort ?? 0) >= 14.4) unguarded++;
  }
  return { pages, unguarded };
}

test.each([10, 50, 100, 500])(
  'at exactly the budgeted error rate and %i requests an hour, eight weeks never page',
  (requestsPerHour) => {
    const minutes = 8 * minutesPerWeek;
    const slots = simulate(requestsPerHour, minutes, createRandom(requestsPerHour));
    const { pages, unguarded } = countPages(slots, minutes);
    expect(pages).toBe(0);
    // The guard is what keeps the low-traffic ones silent.
    if (requestsPerHour <= 50) expect(unguarded).toBeGreaterThan(0);
  },
);
