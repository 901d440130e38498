import { expect, test } from 'vitest';
import type { Tier } from '../../core/model/verdict.ts';
import { checkDoorbell, type Doorbell, doorbellSeconds } from '../../core/route/doorbell.ts';
import { type EpisodeState, stepEpisode } from '../../core/route/episode.ts';

const minute = 60_000;

/** A model's tier in force, minute by minute, with the alarms that are heard; what rings in their place. */
function play(tiers: readonly Tier[], alarms: readonly (readonly [minute: number, to: 'ALARM' | 'OK'])[] = []) {
  let doorbell: Doorbell = {};
  let state: EpisodeState | undefined;
  const rings: string[] = [];
  for (const [at, inForce] of tiers.entries()) {
    const now = at * minute;
    const change = { model: 'm', cause: 'health', tier: 'red', time: now } as const;
    for (const [, to] of alarms.filter(([when]) => when === at))
      state = stepEpisode(state, { ...change, to }, now).state;
    const step = checkDoorbell(doorbell, inForce, state, now);
    doorbell = step.doorbell;
    for (const ring of step.rings) {
      rings.push(`${at} ${ring.tier} ${ring.to}`);
      state = stepEpisode(state, { ...change, ...ring }, now).state;
    }
  }
  return rings;
}

const of = (tier: Tier, minutes: number) => Array.from({ length: minutes }, () => tier);
const wait = doorbellSeconds / 60;

test('a verdict whose alarm is heard rings nothing', () => {
  expect(play([...of('green', 5), ...of('red', 60)], [[8, 'ALARM']])).toEqual([]);
});

test('a verdict that no alarm rings for rings after ten minutes, and once', () => {
  expect(play([...of('green', 5), ...of('red', 60), ...of('green', 30)])).toEqual([
    `${5 + wait} red ALARM`,
    '65 red OK',
  ]);
});

test('a shorter one, and one that comes and goes, rings nothing', () => {
  expect(play(Array.from({ length: 10 }, () => [...of('red', wait), ...of('green', 1)]).flat())).toEqual([]);
});

test('an alarm that was forged away rings again', () => {
  expect(
    play(of('red', 40), [
      [1, 'ALARM'],
      [5, 'OK'],
    ]),
  ).toEqual([`${5 + wait} red ALARM`]);
});

test('what becomes yellow stays told', () => {
  expect(play([...of('red', 20), ...of('yellow', 20), ...of('green', 5)])).toEqual([
    `${wait} red ALARM`,
    '20 yellow ALARM',
    '20 red OK',
    '40 yellow OK',
  ]);
});
