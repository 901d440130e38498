import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FindingKind } from '../../core/model/verdict.ts';
import { DependencyGraph } from '../../core/route/cascade.ts';
import type { MessageTier } from '../../core/route/episode.ts';

import { type Change, hold, members, minute, play, slack } from './played-fleet.ts';

describe('an incident of a root', () => {
  test('mutes the drift of all that depend on it, and names them with how long after', () => {
    const { words, sent } = play(
      [
        [0, 'root', 'red', 'ALARM', 'slo'],
        [30, 'middle', 'yellow', 'ALARM'],
        [45, 'leaf', 'yellow', 'ALARM', 'missing'],
        [60, 'leaf', 'yellow', 'OK'],
        [61, 'middle', 'yellow', 'OK'],
        [90, 'root', 'red', 'OK'],
      ],
      200,
    );
    expect(words).toEqual([
      '0 root red raised',
      '30 root red updated',
      '45 root red updated',
      '100 root red recovered',
    ]);
    expect(sent[2]?.affected).toEqual([
      { model: 'leaf', tier: 'yellow', lagMilliseconds: 45 * minute, muted: true },
      { model: 'middle', tier: 'yellow', lagMilliseconds: 30 * minute, muted: true },
    ]);
    expect(sent.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4]);
  });

  test.each<[FindingKind]>([['slo'], ['silence'], ['completeness'], ['integrity'], ['unknown-version']])(
    'does not mute %s of a dependent',
    (kind) => {
      const { words } = play(
        [
          [0, 'root', 'red', 'ALARM', 'slo'],
          [30, 'middle', 'red', 'ALARM', kind],
        ],
        40,
      );
      expect(words).toEqual(['0 root red raised', '30 middle red raised']);
    },
  );

  test('mutes quality that is red only where the root is red as well', () => {
    const changes = (tier: MessageTier): readonly Change[] => [
      [0, 'root', tier, 'ALARM', tier === 'red' ? 'slo' : 'drift'],
      [30, 'middle', 'red', 'ALARM', 'schema-break'],
    ];
    expect(play(changes('red'), 40).words).not.toContain('30 middle red raised');
    expect(play(changes('yellow'), 40).words).toContain('30 middle red raised');
  });

  test('does not mute one that failed before it', () => {
    const { words } = play(
      [
        [0, 'middle', 'yellow', 'ALARM'],
        [20, 'root', 'red', 'ALARM', 'slo'],
      ],
      60,
    );
    expect(words).toEqual([`${slack} middle yellow raised`, '20 root red raised']);
  });

  test('explains what begins within a day of it, or of its return, and no more', () => {
    const day = 1_440;
    const root: Change = [0, 'root', 'yellow', 'ALARM', 'slo'];
    const told = (since: number, more: readonly Change[] = []) =>
      play([root, ...more, [since, 'middle', 'yellow', 'ALARM']], since + slack + 1).words.includes(
        `${since + slack} middle yellow raised`,
      );
    expect([told(day), told(day + 1)]).toEqual([false, true]);
    expect(told(day + 600, [[700, 'root', 'red', 'ALARM', 'slo']])).toBe(false);
  });

  test('mutes one whose alarm rang first by a moment: windows close together', () => {
    const { words, sent } = play(
      [
        [0, 'middle', 'yellow', 'ALARM'],
        [2, 'root', 'yellow', 'ALARM'],
      ],
      60,
    );
    expect(words).toEqual(['2 root yellow raised']);
    expect(sent[0]?.affected?.[0]).toMatchObject({ model: 'middle', lagMilliseconds: -2 * minute });
  });

  test('mutes those further down as well where it had to wait itself', () => {
    const { words, sent } = play(
      [
        [0, 'leaf', 'yellow', 'ALARM'],
        [1, 'middle', 'yellow', 'ALARM'],
      ],
      60,
    );
    expect(words).toEqual([`${1 + slack} middle yellow raised`]);
    expect(sent[0]?.affected?.[0]).toMatchObject({ model: 'leaf' });
  });

  test('goes on muting for a window after it is over, though its echo rings', () => {
    const { words } = play(
      [
        [0, 'root', 'red', 'ALARM', 'slo'],
        [10, 'middle', 'yellow', 'ALARM'],
        [20, 'root', 'red', 'OK'],
        [20 + hold + 3, 'root', 'yellow', 'ALARM', 'missing'],
        [60, 'root', 'yellow', 'OK'],
        [75, 'middle', 'yellow', 'OK'],
      ],
      200,
    );
    expect(words).toEqual(['0 root red raised', '10 root red updated', `${20 + hold} root red recovered`]);
  });

  test('goes on muting what is nothing but its aftermath', () => {
    const changes: readonly Change[] = [
      [0, 'root', 'red', 'ALARM', 'slo'],
      [10, 'middle', 'yellow', 'ALARM'],
      [20, 'root', 'red', 'OK'],
    ];
    const told = ['0 root red raised', '10 root red updated', `${20 + hold} root red recovered`];
    expect(play([...changes, [500, 'middle', 'yellow', 'OK']], 600, () => 'past').words).toEqual(told);
    const broken = play(changes, 600, (at) => (at < 400 ? 'past' : 'present')).words;
    expect(broken).toEqual([...told, '400 middle yellow raised']);
  });

  test('that is over mutes nothing new; what is still bad a window later is told', () => {
    const { words } = play(
      [
        [0, 'root', 'red', 'ALARM', 'slo'],
        [10, 'middle', 'yellow', 'ALARM'],
        [20, 'root', 'red', 'OK'],
        [50, 'other', 'yellow', 'ALARM'],
      ],
      200,
    );
    expect(words).toEqual([
      '0 root red raised',
      '10 root red updated',
      `${20 + hold} root red recovered`,
      `${50 + slack} other yellow raised`,
      // A window and its grace after the end.
      '90 middle yellow raised',
    ]);
  });

  test('of one that nothing depends on mutes nobody', () => {
    const { words } = play(
      [
        [0, 'alone', 'red', 'ALARM', 'slo'],
        [9, 'middle', 'yellow', 'ALARM'],
      ],
      60,
    );
    expect(words).toEqual(['0 alone red raised', `${9 + slack} middle yellow raised`]);
  });
});

describe('graphs', () => {
  test('reach as far as they go, and end where they go round', () => {
    const graph = new DependencyGraph([
      ...members,
      { name: 'a', dependsOn: ['b'], windowSeconds: 60, graceSeconds: 0 },
      { name: 'b', dependsOn: ['a', '__proto__'], windowSeconds: 60, graceSeconds: 0 },
    ]);
    expect(graph.rootsOf('leaf')).toEqual(['middle', 'root']);
    expect(graph.dependentsOf('root')).toEqual(['leaf', 'middle', 'other']);
    expect(graph.rootsOf('a')).toEqual(['__proto__', 'b']);
    expect(graph.rootsOf('constructor')).toEqual([]);
  });

  test('of hundreds of models in a row are no deeper than memory', () => {
    const row = Array.from({ length: 5_000 }, (_, at) => ({
      name: `m${at}`,
      dependsOn: at === 0 ? [] : [`m${at - 1}`],
      windowSeconds: 60,
      graceSeconds: 0,
    }));
    expect(new DependencyGraph(row).rootsOf('m4999')).toHaveLength(4_999);
  });
});

test('laws of random cascades: never muted beside a silent root, never an objective, never for ever', () => {
  const names = members.map(({ name }) => name);
  const kinds: readonly FindingKind[] = ['drift', 'missing', 'schema-break', 'slo', 'silence', 'completeness'];
  const steps = fc.array(
    fc.tuple(
      fc.constantFrom(...names),
      fc.constantFrom<MessageTier>('yellow', 'red'),
      fc.integer({ min: 1, max: 20 }),
      fc.constantFrom(...kinds),
    ),
    { maxLength: 20 },
  );
  fc.assert(
    fc.property(steps, (list) => {
      const on = new Set<string>();
      let at = 0;
      const changes = list.map(([model, tier, gap, kind]): Change => {
        at += gap;
        const key = `${model} ${tier}`;
        const to = on.has(key) ? 'OK' : 'ALARM';
        if (!on.delete(key)) on.add(key);
        return [at, model, tier, to, kind];
      });
      const { sent, standings } = play(changes, at + 200);
      for (const [when, model, tier, to, kind] of changes) {
        const isObjective = kind === 'slo' || kind === 'silence' || kind === 'completeness';
        if (tier !== 'red' || to !== 'ALARM' || !(isObjective || model === 'root' || model === 'alone')) continue;
        const own = sent.filter((message) => message.model === model && message.tier === 'red' && message.said <= when);
        expect([when, model, own.at(-1)?.event]).not.toEqual([when, model, 'recovered']);
        expect([when, model, own.length > 0]).toEqual([when, model, true]);
      }
      for (const [model, { endedAt, red, yellow }] of standings) {
        if (endedAt !== undefined) continue;
        const muted = red?.inAlarm && red.told === 'nothing' ? red : undefined;
        const quiet = !red?.inAlarm && yellow?.inAlarm && yellow.told === 'nothing' ? yellow : muted;
        // Whoever rings and was not told of is muted by an incident that goes on, and is named in it.
        if (!quiet) continue;
        const root = standings.get(quiet.muted?.by ?? '');
        expect([model, root?.endedAt, root?.id]).toEqual([model, undefined, quiet.muted?.episode]);
        expect(root?.reported).toContain(model);
      }
      for (const { affected = [], model } of sent) {
        const graph = new DependencyGraph(members);
        for (const one of affected) expect(graph.dependentsOf(model)).toContain(one.model);
      }
    }),
    { numRuns: 150 },
  );
});
