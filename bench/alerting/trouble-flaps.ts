import type { FleetMember } from '../../core/route/cascade.ts';
import type { RandomSource } from '../detection/random-source.ts';

const minute = 60_000;

/** From and to, in milliseconds. */
export type Stretch = readonly [from: number, to: number];

/** How long something is wrong at a time, and rests in between, in minutes. */
export interface Flaps {
  readonly rings: readonly [least: number, most: number];
  readonly rests: readonly [least: number, most: number];
}

/** An alarm rests for so long that even a late notice of its return comes within the hold of its recovery. */
const longestRest = 6.5;

export const usualFlaps: Flaps = { rings: [1, 20], rests: [1, longestRest] };
export const burstFlaps: Flaps = { rings: [1, 3], rests: [1, 4] };

/** What the judgement of a minute finds: it comes and goes within minutes. */
export function flapInMinutes(from: number, count: number, random: RandomSource, flaps = usualFlaps): Stretch[] {
  const draw = ([least, most]: readonly [number, number]) => (least + (most - least) * random.uniform()) * minute;
  const stretches: Stretch[] = [];
  let at = from;
  for (let index = 0; index < count; index++) {
    const to = at + draw(flaps.rings);
    stretches.push([at, to]);
    at = to + draw(flaps.rests);
  }
  return stretches;
}

/**
 * What closed windows find: trouble that rests for up to two windows at a time, which leaves one of them whole at most. A
 * window that holds any of it is in force from when it was judged until the next one is.
 */
export function flapInWindows(
  from: number,
  count: number,
  { windowSeconds, graceSeconds }: FleetMember,
  random: RandomSource,
): Stretch[] {
  const [window, grace] = [windowSeconds * 1000, graceSeconds * 1000];
  const inMinutes = window / minute;
  const trouble = flapInMinutes(from, count, random, { rings: [10, 1.5 * inMinutes], rests: [1, 2 * inMinutes] });
  const stretches: Stretch[] = [];
  const last = trouble.at(-1)?.[1] ?? from;
  // Judged some minutes after it is due; the one that follows ends what it says.
  const judgedAt = (end: number, delay: number) => end + grace + delay * minute;
  let delay = 5 * random.uniform();
  for (let start = Math.floor(from / window) * window; start < last; start += window) {
    const end = start + window;
    const isFound = trouble.some(([begin, over]) => begin < end && over > start);
    const next = 5 * random.uniform();
    const own: Stretch = [judgedAt(end, delay), judgedAt(end + window, next)];
    delay = next;
    if (!isFound) continue;
    const before = stretches.at(-1);
    if (before && before[1] === own[0]) stretches[stretches.length - 1] = [before[0], own[1]];
    else stretches.push(own);
  }
  return stretches;
}
