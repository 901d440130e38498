import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AlarmDefinition, AlarmStateValue } from '../../core/model/alarm.ts';
import { alarmNotice, episodeTransition } from '../../core/route/alarm-notice.ts';
import {
  alone,
  type EpisodeMessage,
  type EpisodeState,
  type EpisodeStep,
  type MessageTier,
  recoveryHoldSeconds,
  speak,
  stepEpisode,
} from '../../core/route/episode.ts';

const minute = 60_000;
const hold = recoveryHoldSeconds / 60;
const start = Date.UTC(2001, 2, 10);
/** When it happened, what, and when it was heard of; absent: at once. */
type Change = readonly [minute: number, tier: MessageTier, to: AlarmStateValue, heard?: number];

/** Plays state changes in the order they are heard; asks each minute in between. States pass through JSON. */
function play(changes: readonly Change[], lastMinute = 0, everyMinute = true) {
  let state: EpisodeState | undefined;
  const sent: (EpisodeMessage & { readonly said: number })[] = [];
  const keep = (step: EpisodeStep, said: number) => {
    state = step.state && (JSON.parse(JSON.stringify(step.state)) as EpisodeState);
    sent.push(...step.messages.map((message) => ({ ...message, said })));
  };
  const end = Math.max(lastMinute, ...changes.map(([at, , , heard]) => heard ?? at));
  for (let at = 0; at <= end; at++) {
    const now = start + at * minute;
    for (const [happened, tier, to] of changes.filter(([when, , , heard]) => (heard ?? when) === at))
      keep(stepEpisode(state, { model: 'm', cause: 'health', tier, to, time: start + happened * minute }, now), at);
    if (state !== undefined && (everyMinute || at === end)) keep(speak(state, now), at);
  }
  return { state, sent, words: sent.map((m) => `${m.said} ${m.tier} ${m.event}`) };
}

const episodesOf = (sent: readonly EpisodeMessage[]) => new Set(sent.map(({ episode }) => episode)).size;

describe('episodes', () => {
  test('yellow, red, yellow, green is one episode: red is lowered, and all recover together', () => {
    const { words, sent, state } = play(
      [
        [0, 'yellow', 'ALARM'],
        [60, 'red', 'ALARM'],
        [62, 'yellow', 'OK'],
        [120, 'red', 'OK'],
        [122, 'yellow', 'ALARM'],
        [300, 'yellow', 'OK'],
      ],
      400,
    );
    expect(words).toEqual([
      '0 yellow raised',
      '60 red raised',
      '130 red lowered',
      '310 red recovered',
      '310 yellow recovered',
    ]);
    expect(episodesOf(sent)).toBe(1);
    expect(new Set(sent.map((message) => message.id)).size).toBe(5);
    expect(sent.map(({ sequence }) => sequence)).toEqual([1, 1, 2, 3, 2]);
    expect(sent[4]).toMatchObject({ since: start, startedAt: start, time: start + 300 * minute });
    expect(state?.endedAt).toBe(start + 300 * minute);
  });

  test('a yellow that rings again under a red that was told keeps nothing from ending', () => {
    const { words, state } = play(
      [
        [0, 'yellow', 'ALARM'],
        [5, 'red', 'ALARM'],
        [42, 'yellow', 'ALARM'],
        [42, 'red', 'OK'],
        [60, 'yellow', 'OK'],
      ],
      200,
    );
    expect(words).toEqual([
      '0 yellow raised',
      '5 red raised',
      '52 red lowered',
      '70 red recovered',
      '70 yellow recovered',
    ]);
    expect(state?.endedAt).toBe(start + 60 * minute);
  });

  test('an alarm that was muted and is over is not told when it is delivered again', () => {
    const muted = { ...alone, muteOf: () => ({ by: 'root', episode: 'e' }) };
    const change = { model: 'm', cause: 'health', tier: 'yellow' } as const;
    const rang = { ...change, to: 'ALARM', time: start } as const;
    const over = { ...change, to: 'OK', time: start + 20 * minute } as const;
    const heard = stepEpisode(undefined, rang, start, muted);
    const quiet = stepEpisode(heard.state, over, over.time, muted);
    const ended = quiet.state && speak(quiet.state, start + 40 * minute);
    const again = stepEpisode(ended?.state, rang, start + 50 * minute);
    expect(ended?.state?.endedAt).toBe(over.time);
    expect([heard, quiet, ended, again].flatMap((step) => step?.messages ?? [])).toEqual([]);
  });

  test('red, then yellow for the first time', () => {
    const { words, sent } = play(
      [
        [0, 'red', 'ALARM'],
        [30, 'red', 'OK'],
        [32, 'yellow', 'ALARM'],
        [60, 'yellow', 'OK'],
      ],
      100,
    );
    expect(words).toEqual([
      '0 red raised',
      '40 red lowered',
      '40 yellow raised',
      '70 red recovered',
      '70 yellow recovered',
    ]);
    expect(episodesOf(sent)).toBe(1);
  });

  test('however often it flaps, it is raised once and recovers once', () => {
    const flaps = Array.from({ length: 20 }, (_, at) => [
      [at * 9, 'red', 'ALARM'] as const,
      [at * 9 + 4, 'red', 'OK'] as const,
    ]).flat();
    const { words, state } = play(flaps, 300);
    expect(words).toEqual(['0 red raised', `${19 * 9 + 4 + hold} red recovered`]);
    expect(state?.endedAt).toBe(start + (19 * 9 + 4) * minute);
  });

  test('a red that returns after it was lowered is raised again, in the same episode', () => {
    const { words, sent } = play(
      [
        [0, 'red', 'ALARM'],
        [20, 'red', 'OK'],
        [22, 'yellow', 'ALARM'],
        [90, 'red', 'ALARM'],
        [100, 'red', 'OK'],
        [100, 'yellow', 'OK'],
      ],
      200,
    );
    expect(words).toEqual([
      '0 red raised',
      '30 red lowered',
      '30 yellow raised',
      '90 red raised',
      '110 red recovered',
      '110 yellow recovered',
    ]);
    expect(episodesOf(sent)).toBe(1);
    expect(sent[3]?.since).toBe(start + 90 * minute);
  });

  test('a return after the hold is a new episode, also where nobody asked in between', () => {
    const changes: readonly Change[] = [
      [0, 'red', 'ALARM'],
      [20, 'red', 'OK'],
      [31, 'red', 'ALARM'],
    ];
    for (const everyMinute of [true, false]) {
      const { sent } = play(changes, 31, everyMinute);
      expect(sent.map(({ event }) => event)).toEqual(['raised', 'recovered', 'raised']);
      expect(episodesOf(sent)).toBe(2);
    }
  });

  test('a recovery that was never heard of does not swallow the next alarm', () => {
    const red = play([
      [0, 'red', 'ALARM'],
      [500, 'red', 'ALARM'],
    ]);
    expect(red.words).toEqual(['0 red raised', '500 red raised']);
    expect(new Set(red.sent.map(({ id }) => id)).size).toBe(2);
    expect(
      play([
        [0, 'yellow', 'ALARM'],
        [10, 'red', 'ALARM'],
        [20, 'red', 'OK'],
        [500, 'yellow', 'ALARM'],
      ]).words.at(-1),
    ).toBe('500 yellow raised');
  });

  test('an alarm heard after its own end is raised, and recovers after the hold', () => {
    const { words, sent } = play(
      [
        [5, 'red', 'OK', 6],
        [1, 'red', 'ALARM', 8],
      ],
      60,
    );
    expect(words).toEqual(['8 red raised', `${8 + hold} red recovered`]);
    expect(sent[0]?.since).toBe(start + minute);
  });

  test('of an alarm heard late nobody is told again who was told of its episode', () => {
    const { words } = play(
      [
        [0, 'red', 'ALARM'],
        [5, 'red', 'OK'],
        [8, 'red', 'ALARM', 30],
        [9, 'red', 'OK', 9],
      ],
      60,
    );
    // The hold counts from what was heard last, at 9; what came at 30 lies within the episode that ended at 9.
    expect(words).toEqual(['0 red raised', '19 red recovered']);
  });

  test('OK and INSUFFICIENT_DATA out of the blue say nothing', () => {
    expect(play([[0, 'yellow', 'OK']], 60).sent).toEqual([]);
    expect(play([[1, 'red', 'INSUFFICIENT_DATA']]).state).toBeUndefined();
    expect(
      play([
        [0, 'red', 'ALARM'],
        [5, 'red', 'INSUFFICIENT_DATA'],
      ]).words,
    ).toEqual(['0 red raised']);
  });

  const traces = fc
    .array(fc.tuple(fc.constantFrom<MessageTier>('yellow', 'red'), fc.integer({ min: 1, max: 25 })), { maxLength: 24 })
    .map((steps) => {
      // Each alarm goes on and off in turn, as CloudWatch's do.
      const on = new Set<MessageTier>();
      let at = 0;
      return steps.map(([tier, gap]): Change => {
        at += gap;
        const to = on.has(tier) ? 'OK' : 'ALARM';
        if (!on.delete(tier)) on.add(tier);
        return [at, tier, to];
      });
    });
  /** How late each change is heard, and whether it is heard twice or not at all. */
  const disturbances = fc.array(
    fc.record({ late: fc.integer({ min: 0, max: 9 }), again: fc.integer({ min: 0, max: 30 }), lost: fc.boolean() }),
    { minLength: 24, maxLength: 24 },
  );

  /** Stretches in which an alarm rings, those joined that the hold joins. */
  function incidentsOf(changes: readonly Change[], tier?: MessageTier): readonly (readonly [number, number])[] {
    const ringing: [number, number][] = [];
    for (const name of tier ? [tier] : (['yellow', 'red'] as const)) {
      const own = changes.filter(([, one]) => one === name);
      own.forEach(([at, , to], index) => {
        if (to === 'ALARM') ringing.push([at, own[index + 1]?.[0] ?? Number.POSITIVE_INFINITY]);
      });
    }
    const joined: [number, number][] = [];
    for (const [from, to] of ringing.sort(([a], [b]) => a - b)) {
      const last = joined.at(-1);
      if (last && from < last[1] + hold) last[1] = Math.max(last[1], to);
      else joined.push([from, to]);
    }
    return joined;
  }

  test('undisturbed: one episode an incident, and its people hear of its beginning and of its end', () => {
    fc.assert(
      fc.property(traces, (changes) => {
        const { sent } = play(changes, 900);
        expect(episodesOf(sent)).toBe(incidentsOf(changes).length);
        checkEpisodes(sent);
        for (const [at] of changes.filter(([, tier, to]) => tier === 'red' && to === 'ALARM')) {
          const last = sent.filter(({ tier, said }) => tier === 'red' && said <= at).at(-1);
          expect([at, last?.event]).toEqual([at, 'raised']);
        }
        for (const { said, event, tier } of sent) {
          if (event === 'recovered') expect(incidentsOf(changes).some(([, to]) => said === to + hold)).toBe(true);
          if (event === 'lowered') expect(incidentsOf(changes, tier).some(([, to]) => said >= to + hold)).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('no red is missed, and nothing follows a resolve: late, reordered and repeated', () => {
    fc.assert(
      fc.property(traces, disturbances, (changes, how) => {
        const heard = changes.flatMap(([at, tier, to], index): Change[] => {
          const { late = 0, again = 0 } = how[index] ?? {};
          return [
            [at, tier, to, at + late],
            [at, tier, to, at + late + again],
          ];
        });
        const { sent, state } = play(heard, 900);
        checkEpisodes(sent);
        // From each red until it is heard of there is a moment at which its people believe that it is red.
        const red = sent.filter((message) => message.tier === 'red');
        for (const [index, [at, tier, to]] of changes.entries()) {
          if (tier !== 'red' || to !== 'ALARM') continue;
          const known = at + (how[index]?.late ?? 0);
          const isBelieved = red.some(
            ({ event, said }, order) =>
              event === 'raised' && said <= known && (red[order + 1]?.said ?? Number.POSITIVE_INFINITY) >= at,
          );
          expect([at, isBelieved]).toEqual([at, true]);
        }
        if (state?.red?.inAlarm) expect(state.red.told).toBe('raised');
      }),
      { numRuns: 300 },
    );
  });

  test('lost messages: whoever is heard ringing was told, and episodes stay whole', () => {
    fc.assert(
      fc.property(traces, disturbances, (changes, how) => {
        const heard = changes.filter((_, index) => !how[index]?.lost);
        const { sent, state } = play(heard, 900);
        checkEpisodes(sent);
        if (state?.red?.inAlarm) expect(state.red.told).toBe('raised');
        else if (state?.yellow?.inAlarm) expect(state.yellow.told).toBe('raised');
        for (const [at] of heard.filter(([, tier, to]) => tier === 'red' && to === 'ALARM')) {
          const last = sent.filter(({ tier, said }) => tier === 'red' && said <= at).at(-1);
          expect([at, last?.event]).toEqual([at, 'raised']);
        }
      }),
      { numRuns: 300 },
    );
  });

  /** Of each episode and tier: raised first, numbered without a gap, each id once, nothing after it recovered. */
  function checkEpisodes(sent: readonly EpisodeMessage[]): void {
    expect(new Set(sent.map(({ id }) => id)).size).toBe(sent.length);
    for (const [, own] of Map.groupBy(sent, ({ episode, tier }) => `${episode} ${tier}`)) {
      expect(own[0]?.event).toBe('raised');
      expect(own.map(({ sequence }) => sequence)).toEqual(own.map((_, at) => at + 1));
      const over = own.findIndex(({ event }) => event === 'recovered');
      expect(over === -1 || over === own.length - 1).toBe(true);
    }
    for (const [, own] of Map.groupBy(sent, ({ episode }) => episode)) {
      const first = own.findIndex(({ event }) => event === 'recovered');
      if (first >= 0) expect(own.slice(first).every(({ event }) => event === 'recovered')).toBe(true);
    }
  }

  test('delivering every change twice changes nothing', () => {
    fc.assert(
      fc.property(traces, (list) => {
        const once = play(list, 900);
        const twice = play(
          list.flatMap((change) => [change, change]),
          900,
        );
        expect(twice.state).toEqual(once.state);
        expect(twice.sent).toEqual(once.sent);
      }),
    );
  });
});

describe('alarm notices', () => {
  const definition: AlarmDefinition = {
    type: 'composite',
    name: 'tidewatch/m/yellow',
    description: 'd',
    runbook: 'https://example.com#yellow',
    audience: 'yellow',
    model: 'm',
    rule: 'TRUE',
  };
  const report = {
    alarm: 'tidewatch/m/yellow',
    to: 'ALARM',
    reason: 'r',
    time: 5,
    children: [
      { alarm: 'tidewatch/m/lag', value: 'ALARM' },
      { alarm: 'tidewatch/m/red-tier', value: 'OK' },
    ],
  } as const;
  test('join the message with its definition', () => {
    const notice = alarmNotice(definition, report);
    expect(notice).toMatchObject({ tier: 'yellow', model: 'm', cause: 'health', triggers: ['lag'] });
    expect(episodeTransition(notice)).toEqual({ model: 'm', cause: 'health', tier: 'yellow', to: 'ALARM', time: 5 });
  });
  test('refuse another alarm, and one without people', () => {
    expect(() => alarmNotice(definition, { ...report, alarm: 'x' })).toThrow(/another alarm/);
    expect(() => alarmNotice({ ...definition, audience: 'none' }, report)).toThrow(/audience/);
  });
});
