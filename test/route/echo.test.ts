import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Aftermath, ToldStretch } from '../../core/route/aftermath.ts';
import type { MessageTier } from '../../core/route/episode.ts';

import { type Change, hold, minute, play, slack, start } from './played-fleet.ts';

describe('the echo of a red', () => {
  const red: readonly Change[] = [
    [0, 'alone', 'red', 'ALARM', 'completeness'],
    [20, 'alone', 'red', 'OK'],
  ];
  const told = ['0 alone red raised', `${20 + hold} alone red recovered`];
  // Windows of an hour, ten minutes' grace.
  const patience = 70;

  test('is the same incident: the window that shows it is not told again', () => {
    const echo: readonly Change[] = [
      [60, 'alone', 'yellow', 'ALARM', 'missing'],
      [122, 'alone', 'yellow', 'OK'],
    ];
    expect(play([...red, ...echo], 300).words).toEqual(told);
  });

  test('is told where it outlasts the window after', () => {
    const { words } = play([...red, [60, 'alone', 'yellow', 'ALARM', 'missing']], 300);
    expect(words).toEqual([...told, `${60 + patience + slack} alone yellow raised`]);
  });

  test('is told at once where it is no drift, or begins more than a window later', () => {
    expect(play([...red, [60, 'alone', 'yellow', 'ALARM', 'unknown-version']], 70).words).toEqual([
      ...told,
      '60 alone yellow raised',
    ]);
    expect(play([...red, [20 + patience + 1, 'alone', 'yellow', 'ALARM']], 120).words).toEqual([
      ...told,
      `${20 + patience + 1} alone yellow raised`,
    ]);
  });

  test('is not told as long as it is past, for days', () => {
    const days: readonly Change[] = [
      [60, 'alone', 'yellow', 'ALARM', 'missing'],
      [2_000, 'alone', 'yellow', 'OK'],
    ];
    const { words, standings } = play([...red, ...days], 2_100, (at) => (at < 130 ? 'unclear' : 'past'));
    expect(words).toEqual(told);
    expect(standings.get('alone')?.endedAt).toBe(start + 2_000 * minute);
  });

  test.each([60, 61, 130, 131, 900])('is told in the minute in which it is present: %i', (since) => {
    const { words } = play([...red, [60, 'alone', 'yellow', 'ALARM', 'missing']], 1_000, (at) =>
      at >= since ? 'present' : at < 130 ? 'unclear' : 'past',
    );
    expect(words).toEqual([...told, `${since} alone yellow raised`]);
  });

  test('rings on for some minutes after its verdict has turned, and is told where it goes on', () => {
    const turned = (end: number) =>
      play([...red, [60, 'alone', 'yellow', 'ALARM', 'missing'], [end, 'alone', 'yellow', 'OK']], 600, (at) =>
        at < 130 ? 'unclear' : at < 500 ? 'past' : undefined,
      ).words;
    expect(turned(504)).toEqual(told);
    expect(turned(520)).toEqual([...told, '510 alone yellow raised', '530 alone yellow recovered']);
  });

  test('does not keep an incident open that is over', () => {
    const { words, sent } = play(
      [
        [0, 'alone', 'red', 'ALARM', 'completeness'],
        [20, 'alone', 'red', 'OK'],
        [22, 'alone', 'yellow', 'ALARM', 'missing'],
        [700, 'alone', 'red', 'ALARM', 'completeness'],
        [720, 'alone', 'red', 'OK'],
        [1_100, 'alone', 'yellow', 'OK'],
      ],
      1_200,
      (at) => (at < 130 ? 'unclear' : 'past'),
    );
    expect(words).toEqual([
      '0 alone red raised',
      `${20 + hold} alone red lowered`,
      '130 alone red recovered',
      '700 alone red raised',
      `${720 + hold} alone red lowered`,
      `${720 + hold} alone red recovered`,
    ]);
    expect(new Set(sent.map(({ episode }) => episode)).size).toBe(2);
  });

  test('of an incident that is over is told as a new one as soon as it is present', () => {
    const { words, sent, standings } = play(
      [
        [0, 'alone', 'red', 'ALARM', 'completeness'],
        [20, 'alone', 'red', 'OK'],
        [22, 'alone', 'yellow', 'ALARM', 'missing'],
        [900, 'alone', 'yellow', 'OK'],
      ],
      1_000,
      (at) => (at < 130 ? 'unclear' : at < 500 ? 'past' : 'present'),
    );
    expect(words.slice(2)).toEqual([
      '130 alone red recovered',
      '500 alone yellow raised',
      `${900 + hold} alone yellow recovered`,
    ]);
    expect(sent.at(3)).toMatchObject({ startedAt: start + 500 * minute, since: start + 500 * minute });
    expect(sent.at(3)?.episode).not.toBe(sent[0]?.episode);
    expect(standings.get('alone')?.endedAt).toBe(start + 900 * minute);
  });

  test('is one of reds that lie close together, and of each alone where they do not', () => {
    const seen: ToldStretch[] = [];
    const again = (from: number): readonly Change[] => [
      [from, 'alone', 'red', 'ALARM', 'completeness'],
      [from + 20, 'alone', 'red', 'OK'],
    ];
    const changes = [...red, ...again(80), ...again(400), [450, 'alone', 'yellow', 'ALARM', 'missing'] as const];
    play(changes, 460, (_, stretch) => {
      if (stretch.to > 0) seen.push(stretch);
      return 'unclear';
    });
    expect([...new Set(seen.map(({ from, to }) => `${(from - start) / minute} ${(to - start) / minute}`))]).toEqual([
      '0 100',
      '400 420',
    ]);
  });

  test('law: what is present is told in its minute, and no red waits for a look back', () => {
    const steps = fc.array(
      fc.tuple(
        fc.constantFrom('red', 'yellow', 'past', 'present', 'unclear', 'none'),
        fc.integer({ min: 1, max: 150 }),
      ),
      { maxLength: 20 },
    );
    fc.assert(
      fc.property(steps, (list) => {
        const on = new Set<MessageTier>();
        const changes: Change[] = [];
        const verdicts: [number, Aftermath | undefined][] = [[0, 'unclear']];
        let at = 0;
        for (const [what, gap] of list) {
          at += gap;
          if (what === 'none') verdicts.push([at, undefined]);
          else if (what !== 'red' && what !== 'yellow') verdicts.push([at, what]);
          else {
            const to = on.delete(what) ? 'OK' : 'ALARM';
            if (to === 'ALARM') on.add(what);
            changes.push([at, 'alone', what, to, what === 'red' ? 'slo' : 'drift']);
          }
        }
        const end = at + 30;
        const aftermathAt = (now: number) => verdicts.findLast(([since]) => since <= now)?.[1];
        const { sent } = play(changes, end, aftermathAt);
        for (let now = 0; now <= end; now++) {
          const isOn = (tier: MessageTier) =>
            changes.findLast(([when, , of]) => when <= now && of === tier)?.[3] === 'ALARM';
          const last = (tier: MessageTier) => sent.findLast((one) => one.tier === tier && one.said <= now);
          const isRaised = (tier: MessageTier) => last(tier)?.event === 'raised';
          if (isOn('red')) expect([now, isRaised('red')]).toEqual([now, true]);
          else if (isOn('yellow') && aftermathAt(now) === 'present' && !isRaised('red'))
            expect([now, isRaised('yellow')]).toEqual([now, true]);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('is none of a yellow: drift that comes back is told', () => {
    const { words } = play(
      [
        [0, 'alone', 'yellow', 'ALARM'],
        [20, 'alone', 'yellow', 'OK'],
        [60, 'alone', 'yellow', 'ALARM'],
      ],
      70,
    );
    expect(words).toEqual(['0 alone yellow raised', `${20 + hold} alone yellow recovered`, '60 alone yellow raised']);
  });
});
