import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AlarmStateValue } from '../../core/model/alarm.ts';
import type { FindingKind } from '../../core/model/verdict.ts';
import { cascadeSlackSeconds, companyOf, DependencyGraph, mutedBy } from '../../core/route/cascade.ts';
import {
  type EpisodeMessage,
  type EpisodeState,
  type EpisodeStep,
  type MessageTier,
  recoveryHoldSeconds,
  reportAffected,
  speak,
  stepEpisode,
} from '../../core/route/episode.ts';
import { isExplained } from '../../core/route/tier-policy.ts';

const minute = 60_000;
const hold = recoveryHoldSeconds / 60;
const slack = cascadeSlackSeconds / 60;
const start = Date.UTC(2001, 2, 10);

/** What rings when, because of what. */
type Change = readonly [minute: number, model: string, tier: MessageTier, to: AlarmStateValue, because?: FindingKind];

const members = [
  { name: 'root' },
  { name: 'middle', dependsOn: ['root'] },
  { name: 'leaf', dependsOn: ['middle'] },
  { name: 'other', dependsOn: ['root'] },
  { name: 'alone' },
].map((member) => ({ ...member, windowSeconds: 3600, graceSeconds: 600 }));

/** Plays a fleet, minute by minute, as the notifying function does. */
function play(changes: readonly Change[], last: number) {
  const graph = new DependencyGraph(members);
  const standings = new Map<string, EpisodeState>();
  const reasons = new Map<string, FindingKind>();
  const sent: (EpisodeMessage & { readonly said: number })[] = [];
  const keep = (model: string, { state, messages }: EpisodeStep, at: number) => {
    if (state) standings.set(model, JSON.parse(JSON.stringify(state)) as EpisodeState);
    sent.push(...messages.map((message) => ({ ...message, said: at })));
  };
  for (let at = 0; at <= last; at++) {
    const now = start + at * minute;
    const company = (model: string) =>
      companyOf(graph, model, standings, now, (tier) => {
        const kind = reasons.get(`${model} ${tier}`);
        return kind !== undefined && isExplained([{ id: kind, kind, tier, message: '', evidence: {} }], tier);
      });
    for (const [, model, tier, to, because = 'drift'] of changes.filter(([when]) => when === at)) {
      if (to === 'ALARM') reasons.set(`${model} ${tier}`, because);
      const transition = { model, cause: 'health', tier, to, time: now };
      keep(model, stepEpisode(standings.get(model), transition, now, company(model)), at);
    }
    for (const [model, state] of [...standings]) keep(model, speak(state, now, company(model)), at);
    for (const { name } of members) {
      const state = standings.get(name);
      if (state) keep(name, reportAffected(state, mutedBy(graph, state, standings), now), at);
    }
  }
  return { sent, standings, words: sent.map((m) => `${m.said} ${m.model} ${m.tier} ${m.event}`) };
}

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
