import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AlarmDefinition, AlarmStateValue } from '../../core/model/alarm.ts';
import { alarmNotice, episodeTransition } from '../../core/route/alarm-notice.ts';
import {
  type EpisodeMessage,
  type EpisodeState,
  type MessageTier,
  nextEpisode,
  overdueMessage,
} from '../../core/route/episode.ts';

const minute = 60_000;
const start = Date.UTC(2001, 2, 10);
type Change = readonly [minute: number, tier: MessageTier, to: AlarmStateValue];

/** Plays state changes; asks for overdue messages each minute in between, as the tick does. States pass through JSON. */
function play(changes: readonly Change[], lastMinute = 0) {
  let state: EpisodeState | undefined;
  const sent: EpisodeMessage[] = [];
  const keep = (step: { state: EpisodeState | undefined; message?: EpisodeMessage | undefined }) => {
    state = step.state && (JSON.parse(JSON.stringify(step.state)) as EpisodeState);
    if (step.message) sent.push(step.message);
  };
  const end = Math.max(lastMinute, ...changes.map(([at]) => at));
  for (let at = 0; at <= end; at++) {
    for (const [, tier, to] of changes.filter(([when]) => when === at))
      keep(nextEpisode(state, { model: 'm', cause: 'health', tier, to, time: start + at * minute }));
    if (state !== undefined) keep(overdueMessage(state, start + at * minute));
  }
  return { state, sent, words: sent.map((m) => `${(m.time - start) / minute} ${m.tier} ${m.event}`) };
}

describe('episodes', () => {
  test('yellow, red, yellow, green is one episode', () => {
    const { words, sent, state } = play([
      [0, 'yellow', 'ALARM'],
      [60, 'red', 'ALARM'],
      [120, 'red', 'OK'],
      [120, 'yellow', 'ALARM'],
      [300, 'yellow', 'OK'],
    ]);
    expect(words).toEqual(['0 yellow raised', '60 red raised', '120 red recovered', '300 yellow recovered']);
    expect(new Set(sent.map((message) => message.episode)).size).toBe(1);
    expect(new Set(sent.map((message) => message.id)).size).toBe(4);
    expect(sent[3]).toMatchObject({ since: start, startedAt: start, time: start + 300 * minute });
    expect(state?.endedAt).toBe(start + 300 * minute);
  });

  test('red, then yellow for the first time', () => {
    const { words, sent } = play([
      [0, 'red', 'ALARM'],
      [30, 'red', 'OK'],
      [30, 'yellow', 'ALARM'],
      [60, 'yellow', 'OK'],
    ]);
    expect(words).toEqual(['0 red raised', '30 red recovered', '30 yellow raised', '60 yellow recovered']);
    expect(new Set(sent.map((message) => message.episode)).size).toBe(1);
  });

  test('yellow, red, green: both recover', () => {
    expect(
      play([
        [0, 'yellow', 'ALARM'],
        [10, 'red', 'ALARM'],
        [30, 'red', 'OK'],
        [32, 'yellow', 'OK'],
      ]).words,
    ).toEqual(['0 yellow raised', '10 red raised', '30 red recovered', '32 yellow recovered']);
  });

  test('a short return within the hold-off is silent', () => {
    const { words, state } = play(
      [
        [0, 'red', 'ALARM'],
        [20, 'red', 'OK'],
        [25, 'red', 'ALARM'],
        [28, 'red', 'OK'],
      ],
      90,
    );
    expect(words).toEqual(['0 red raised', '20 red recovered']);
    expect(state?.endedAt).toBe(start + 28 * minute);
  });

  test('a return that lasts is raised when the hold-off is over', () => {
    const { sent, words } = play([
      [0, 'red', 'ALARM'],
      [20, 'red', 'OK'],
      [25, 'red', 'ALARM'],
      [90, 'red', 'OK'],
    ]);
    expect(words).toEqual(['0 red raised', '20 red recovered', '25 red raised', '90 red recovered']);
    expect(new Set(sent.map((message) => message.episode)).size).toBe(1);
    expect(sent[3]?.since).toBe(start + 25 * minute);
  });

  test('a return after the hold-off is a new episode', () => {
    const { sent } = play([
      [0, 'red', 'ALARM'],
      [20, 'red', 'OK'],
      [31, 'red', 'ALARM'],
    ]);
    expect(sent.map(({ event }) => event)).toEqual(['raised', 'recovered', 'raised']);
    expect(sent[2]?.episode).not.toBe(sent[0]?.episode);
  });

  test('a recovery that was never heard of does not swallow the next alarm', () => {
    expect(
      play([
        [0, 'red', 'ALARM'],
        [500, 'red', 'ALARM'],
      ]).words,
    ).toEqual(['0 red raised', '500 red raised']);
    expect(
      play([
        [0, 'yellow', 'ALARM'],
        [10, 'red', 'ALARM'],
        [20, 'red', 'OK'],
        [500, 'yellow', 'ALARM'],
      ]).words.at(-1),
    ).toBe('500 yellow raised');
  });

  test('a redelivery gives the same message again, an older change none', () => {
    const raise = { model: 'm', cause: 'health', tier: 'red', to: 'ALARM', time: start } as const;
    const first = nextEpisode(undefined, raise);
    const again = nextEpisode(first.state, raise);
    expect(again).toEqual(first);
    const over = nextEpisode(first.state, { ...raise, to: 'OK', time: start + minute });
    expect(nextEpisode(over.state, raise)).toEqual({ state: over.state });
    expect(nextEpisode(over.state, { ...raise, to: 'OK', time: start + minute }).message).toEqual(over.message);
  });

  test('OK and INSUFFICIENT_DATA out of the blue say nothing', () => {
    expect(
      play([
        [0, 'yellow', 'OK'],
        [1, 'red', 'INSUFFICIENT_DATA'],
      ]).state,
    ).toBeUndefined();
    expect(
      play([
        [0, 'red', 'ALARM'],
        [5, 'red', 'INSUFFICIENT_DATA'],
      ]).words,
    ).toEqual(['0 red raised']);
  });

  const changes = fc
    .uniqueArray(
      fc.tuple(
        fc.integer({ min: 0, max: 120 }),
        fc.constantFrom<MessageTier>('yellow', 'red'),
        fc.constantFrom<AlarmStateValue>('OK', 'ALARM'),
      ),
      // Two changes of one tier at one instant are a redelivery.
      { maxLength: 12, selector: ([at, tier]) => `${at} ${tier}` },
    )
    .map((list) => list.sort(([a], [b]) => a - b));

  test('whoever is in alarm at the end was told so, and nobody recovers who was not raised', () => {
    fc.assert(
      fc.property(changes, (list) => {
        const { state, sent } = play(list, 200);
        for (const tier of ['yellow', 'red'] as const) {
          const events = sent.filter((message) => message.tier === tier).map((message) => message.event);
          if (state?.[tier]?.inAlarm && !(tier === 'yellow' && state.red?.inAlarm))
            expect(events.at(-1)).toBe('raised');
          events.forEach((event, index) => {
            if (event === 'recovered') expect(events[index - 1]).toBe('raised');
          });
          if (state?.endedAt !== undefined && events.length > 0) expect(events.at(-1)).toBe('recovered');
        }
        expect(new Set(sent.map((message) => message.id)).size).toBe(sent.length);
      }),
      { numRuns: 300 },
    );
  });

  test('delivering every change twice changes nothing but repeats', () => {
    fc.assert(
      fc.property(changes, (list) => {
        const once = play(list);
        const twice = play(list.flatMap((change) => [change, change]));
        expect(twice.state).toEqual(once.state);
        expect([...new Set(twice.sent.map(({ id }) => id))]).toEqual([...new Set(once.sent.map(({ id }) => id))]);
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
