import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AlarmStateValue } from '../../core/model/alarm.ts';
import type { FindingKind } from '../../core/model/verdict.ts';
import type { Aftermath, ToldStretch } from '../../core/route/aftermath.ts';
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

/** What the newest verdicts say in a minute of what is yellow beside a red of before; nothing: no verdict is yellow. */
type Aftermaths = (minute: number, red: ToldStretch) => Aftermath | undefined;

/** Plays a fleet, minute by minute, as the notifying function does. */
function play(changes: readonly Change[], last: number, aftermaths: Aftermaths = () => 'unclear') {
  const graph = new DependencyGraph(members);
  const standings = new Map<string, EpisodeState>();
  const all = () => new Map([...standings].map(([model, state]) => [model, [state]]));
  const reasons = new Map<string, FindingKind>();
  const sent: (EpisodeMessage & { readonly said: number })[] = [];
  const keep = (model: string, { state, messages }: EpisodeStep, at: number) => {
    if (state) standings.set(model, JSON.parse(JSON.stringify(state)) as EpisodeState);
    sent.push(...messages.map((message) => ({ ...message, said: at })));
  };
  for (let at = 0; at <= last; at++) {
    const now = start + at * minute;
    const company = (model: string) =>
      companyOf(
        graph,
        model,
        all(),
        now,
        (tier) => {
          const kind = reasons.get(`${model} ${tier}`);
          return kind !== undefined && isExplained([{ id: kind, kind, tier, message: '', evidence: {} }], tier);
        },
        {
          isFound: (tier) => tier === 'red' || aftermaths(at, { from: 0, to: 0 }) !== undefined,
          aftermathOf: (red) => aftermaths(at, red) ?? 'unclear',
        },
      );
    for (const [, model, tier, to, because = 'drift'] of changes.filter(([when]) => when === at)) {
      if (to === 'ALARM') reasons.set(`${model} ${tier}`, because);
      const transition = { model, cause: 'health', tier, to, time: now };
      keep(model, stepEpisode(standings.get(model), transition, now, company(model)), at);
    }
    for (const [model, state] of [...standings]) keep(model, speak(state, now, company(model)), at);
    for (const { name } of members) {
      const state = standings.get(name);
      if (state) keep(name, reportAffected(state, mutedBy(graph, state, all()), now), at);
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
