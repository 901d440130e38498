import { describe, expect, test } from 'vitest';
import {
  amongCauses,
  type CauseContext,
  followCauses,
  type Incidents,
  type KnownCause,
  ringOf,
  settlingSeconds,
} from '../../core/route/cause-owners.ts';
import type { FoundCause } from '../../core/route/causes.ts';
import { alone, type EpisodeState, type MessageTier } from '../../core/route/episode.ts';

const [minute, hour] = [60_000, 3_600_000];
const timing = { windowSeconds: 3600, graceSeconds: 600 };
const settling = settlingSeconds(timing) * 1000;
const start = Date.UTC(2001, 2, 10);

const of = (cause: string, tier: MessageTier = 'red', isLive = true): FoundCause => ({ cause, tier, isLive });
const known = (one: FoundCause, owner: string, since = start): KnownCause => ({ ...one, owner, since });

/** An incident that began so long after the start, and rings. */
function incident(after = 0, tier: MessageTier = 'red', more: Partial<EpisodeState> = {}): EpisodeState {
  const since = start + after;
  const state = { inAlarm: true, changed: since, heard: since, since, told: 'raised', sequence: 1 } as const;
  return { id: `e${after}`, model: 'm', cause: 'health', startedAt: since, past: [], [tier]: state, ...more };
}

function follow(
  before: readonly KnownCause[],
  found: readonly FoundCause[],
  after: number,
  incidents: Record<string, EpisodeState>,
  more: Partial<CauseContext> = {},
) {
  const context = { timing, isStale: false, isAftermath: () => false, ...more };
  return followCauses(before, found, { ...context, now: start + after, incidents: new Map(Object.entries(incidents)) });
}

const ownersOf = (causes: readonly KnownCause[]) =>
  causes.map(({ cause, tier, owner }) => `${cause} ${tier}: ${owner}`);

describe('a new cause belongs', () => {
  test('to the first incident, where nothing goes on', () => {
    expect(ownersOf(follow([], [of('silence')], 0, {}))).toEqual(['silence red: health']);
    const over = incident(0, 'red', { endedAt: start + hour });
    expect(ownersOf(follow([], [of('silence')], 9 * hour, { health: over }))).toEqual(['silence red: health']);
  });

  test.each([
    ['live, within an hour and a quarter', of('silence'), 75 * minute, 'health'],
    ['live, later', of('silence'), 76 * minute, 'silence'],
    ['of windows, until the next one must have been judged', of('quality', 'yellow', false), settling, 'health'],
    ['of windows, later', of('quality', 'yellow', false), settling + minute, 'quality'],
    ['found late, begun in time', { ...of('drift', 'yellow', false), began: start - hour }, 9 * hour, 'health'],
    ['begun long before', { ...of('drift', 'yellow', false), began: start - 3 * hour }, 9 * hour, 'drift'],
  ])('to the incident in whose founding period it begins: %s', (_, cause, after, owner) => {
    expect(follow([], [cause], after, { health: incident() })[0]?.owner).toBe(owner);
  });

  test('to the newest incident of those in their founding period, and together with what is new as well', () => {
    const incidents = { health: incident(), silence: incident(9 * hour) };
    const found = [of('objective:a'), of('objective:b')];
    expect(ownersOf(follow([], found, 9.5 * hour, incidents))).toEqual([
      'objective:a red: silence',
      'objective:b red: silence',
    ]);
    expect(ownersOf(follow([], found, 19 * hour, incidents))).toEqual([
      'objective:a red: objective:a',
      'objective:b red: objective:a',
    ]);
  });

  test('to the incident that tells of it in the other tier; a red not to one that is red already', () => {
    const slow = known(of('objective:a', 'yellow'), 'health');
    const red = of('objective:a');
    const owner = (tier: MessageTier) =>
      follow([slow], [slow, red], 99 * hour, { health: incident(0, tier) })[1]?.owner;
    expect([owner('yellow'), owner('red')]).toEqual(['health', 'objective:a']);
    const after = follow([known(red, 'objective:a')], [slow], 99 * hour, { health: incident() });
    expect(ownersOf(after)).toEqual(['objective:a red: objective:a', 'objective:a yellow: objective:a']);
  });

  test('to the incident of the red that has left it behind', () => {
    const incidents = { health: incident(), silence: incident(9 * hour, 'red', { endedAt: start + 10 * hour }) };
    const isAftermath: CauseContext['isAftermath'] = ({ cause }, { id }) =>
      cause === 'drift' && id === incidents.silence.id;
    const found = [of('drift', 'yellow', false)];
    expect(follow([], found, 12 * hour, incidents, { isAftermath })[0]?.owner).toBe('silence');
  });

  test('to an incident by another name, where the one of its name goes on for something else', () => {
    const incidents = { health: incident(), silence: incident(9 * hour) };
    const drift = known(of('drift', 'yellow'), 'silence');
    expect(follow([drift], [drift, of('silence')], 99 * hour, incidents)[1]?.owner).toBe('silence 2');
  });
});

describe('a known cause', () => {
  const live = known(of('silence'), 'health');
  const closed = known(of('drift', 'yellow', false), 'health');
  const health = { health: incident() };

  test('stays the same object as long as it is in force', () => {
    const before = [live, closed];
    expect(follow(before, [live, closed], 99 * hour, health)).toBe(before);
  });

  test('is forgotten a quarter of an hour after it is gone, of windows when the next one must have been judged', () => {
    const gone = follow([live, closed], [], 99 * hour, health);
    expect(gone.map(({ goneSince }) => goneSince)).toEqual([start + 99 * hour, start + 99 * hour]);
    expect(ownersOf(follow(gone, [], 99 * hour + 15 * minute - 1, health))).toHaveLength(2);
    expect(ownersOf(follow(gone, [], 99 * hour + 15 * minute, health))).toEqual(['drift yellow: health']);
    expect(follow(gone, [], 99 * hour + settling, health)).toEqual([]);
  });

  test('that returns before is the same, and after a new one', () => {
    const gone = follow([live], [], 99 * hour, health);
    expect(follow(gone, [live], 99 * hour + 14 * minute, health)).toEqual([live]);
    expect(follow(gone, [live], 99 * hour + 15 * minute, health)[0]?.owner).toBe('silence');
  });

  test('of windows goes on while judging is behind', () => {
    expect(ownersOf(follow([live, closed], [], 99 * hour, health, { isStale: true }))).toHaveLength(2);
    expect(follow([live, closed], [], 99 * hour, health, { isStale: true })[1]).toBe(closed);
  });

  test('red that joined parts from its incident when all that this was raised for has been over for an hour', () => {
    const first = known(of('objective:a'), 'health');
    const late = of('objective:b');
    const both = follow([first], [first, late], 30 * minute, health);
    expect(both.map(({ owner, joined }) => [owner, joined])).toEqual([
      ['health', undefined],
      ['health', true],
    ]);
    expect(follow(both, [first, late], 9 * hour, health)).toBe(both);
    const left = follow(both, [late], 40 * minute, health);
    const alone = follow(left, [late], 60 * minute, health);
    expect(alone).toEqual([
      { ...late, owner: 'health', since: start + 30 * minute, joined: true, aloneSince: start + hour },
    ]);
    expect(follow(alone, [late], 2 * hour - 1, health)).toBe(alone);
    const gone = follow(alone, [], 2 * hour - 1, health);
    expect(ownersOf(follow(gone, [], 2 * hour, health))).toEqual(['objective:b red: health']);
    const parted = follow(alone, [late], 2 * hour, health);
    expect(parted).toEqual([{ ...late, owner: 'objective:b', since: start + 30 * minute }]);
    // Before anybody was told of red it is one of those that are told.
    const untold = { health: incident(0, 'yellow') };
    expect(follow([first], [first, late], 30 * minute, untold)[1]?.joined).toBeUndefined();
  });

  test('whose incident is over and whose alarm is kept quiet by the red of another gets one of its own', () => {
    const over = incident(0, 'yellow', { endedAt: start + hour, yellow: undefined });
    const before = [known(of('silence'), 'silence'), closed];
    const incidents = { health: over, silence: incident(9 * hour) };
    expect(ownersOf(follow(before, before, 99 * hour, incidents))).toEqual([
      'silence red: silence',
      'drift yellow: drift',
    ]);
  });
});

describe('an incident of its own', () => {
  test('rings while a cause of it is in force, by a time that its alarm has not had yet', () => {
    const cause = known(of('silence'), 'silence', start + hour);
    const now = start + 2 * hour;
    expect(ringOf([cause], 'silence', 'red', undefined, now)).toEqual({ to: 'ALARM', time: start + hour });
    expect(ringOf([cause], 'silence', 'red', incident(hour), now)).toBeUndefined();
    expect(ringOf([cause], 'silence', 'yellow', undefined, now)).toBeUndefined();
    expect(ringOf([{ ...cause, goneSince: now }], 'silence', 'red', incident(hour), now)).toEqual({
      to: 'OK',
      time: now,
    });
    const red = { ...incident().red, inAlarm: false, changed: start + 1.5 * hour } as const;
    const quiet = incident(hour, 'red', { red: red as EpisodeState['red'] });
    expect(ringOf([cause], 'silence', 'red', quiet, now)).toEqual({ to: 'ALARM', time: now });
  });

  test('speaks for its tier alone, until a cause of the first is red as well', () => {
    const incidents: Incidents = new Map([['silence', incident(hour)]]);
    const other = known(of('silence'), 'silence');
    const company = (causes: readonly KnownCause[]) => amongCauses(alone, causes, 'health', incidents, timing);
    const health = incident();
    expect(company([other]).muteOf('red', health)).toEqual({ by: 'm', episode: `e${hour}` });
    expect(company([other]).isElsewhere('red')).toBe(true);
    expect(company([other]).isElsewhere('yellow')).toBe(false);
    expect(company([other, known(of('objective:a'), 'health')]).isElsewhere('red')).toBe(false);
    // A cause that no incident rings for is muted by none.
    expect(amongCauses(alone, [other], 'health', new Map(), timing).isElsewhere('red')).toBe(false);
  });

  test('is held as long as what windows found may return', () => {
    const gone = { ...known(of('drift', 'yellow', false), 'drift'), goneSince: start };
    const until = (one: KnownCause) => amongCauses(alone, [one], 'drift', new Map(), timing).holdUntil('yellow');
    expect(until(gone)).toBe(start + settling);
    expect(until({ ...gone, isLive: true })).toBe(0);
    expect(until({ ...gone, goneSince: undefined })).toBe(Number.POSITIVE_INFINITY);
    expect(until({ ...gone, owner: 'health' })).toBe(0);
  });
});
