import { describe, expect, test } from 'vitest';
import type { Tier } from '../../core/model/verdict.ts';
import { checkDoorbell, type Doorbell, doorbellSeconds, outlivedSeconds } from '../../core/route/doorbell.ts';
import { type EpisodeState, type MessageTier, stepEpisode } from '../../core/route/episode.ts';

const minute = 60_000;

/** A model's tier in force, minute by minute, with the alarms that are heard; what rings in their place. */
function play(
  tiers: readonly Tier[],
  alarms: readonly (readonly [minute: number, to: 'ALARM' | 'OK', tier?: MessageTier])[] = [],
  ended: (minute: number) => readonly MessageTier[] = () => [],
) {
  let doorbell: Doorbell = {};
  let state: EpisodeState | undefined;
  const rings: string[] = [];
  for (const [at, inForce] of tiers.entries()) {
    const now = at * minute;
    const change = { model: 'm', cause: 'health', tier: 'red', time: now } as const;
    for (const [, to, tier = 'red'] of alarms.filter(([when]) => when === at))
      state = stepEpisode(state, { ...change, tier, to }, now).state;
    const step = checkDoorbell(doorbell, inForce, state, now, ended(at));
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

describe('an alarm whose OK is never heard', () => {
  const patience = outlivedSeconds / 60;
  const both = () => ['red', 'yellow'] as const;

  test('is over when the verdicts have said so for twenty minutes', () => {
    expect(play([...of('red', 10), ...of('green', 60)], [[0, 'ALARM']], both)).toEqual([`${10 + patience} red OK`]);
    expect(play([...of('red', 10), ...of('green', patience)], [[0, 'ALARM']], both)).toEqual([]);
  });

  test('leaves what is still yellow told', () => {
    const tiers = [...of('red', 10), ...of('yellow', 60), ...of('green', 60)];
    const over = 10 + patience;
    expect(play(tiers, [[0, 'ALARM']], both)).toEqual([`${over} yellow ALARM`, `${over} red OK`, '70 yellow OK']);
    expect(
      play(
        tiers,
        [
          [0, 'ALARM'],
          [12, 'ALARM', 'yellow'],
        ],
        both,
      ),
    ).toEqual([`${over} red OK`, `${70 + patience} yellow OK`]);
  });

  test('is not, while something else may ring it or the verdicts are not sure: the time begins anew', () => {
    const tiers = [...of('yellow', 10), ...of('green', 90)];
    const alarms = [[0, 'ALARM', 'yellow']] as const;
    expect(play(tiers, alarms, () => ['red'])).toEqual([]);
    expect(play(tiers, alarms, (at) => (at === 25 ? ['red'] : both()))).toEqual([`${26 + patience} yellow OK`]);
  });

  test('is not, where it comes and goes with what it rings for', () => {
    const tiers = Array.from({ length: 6 }, () => [...of('red', 1), ...of('green', patience)]).flat();
    expect(play(tiers, [[0, 'ALARM']], both)).toEqual([]);
  });
});
