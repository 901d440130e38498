import { describe, expect, test } from 'vitest';
import { type ModelState, updateModelState } from '../../core/pipeline/model-state.ts';
import { AlertedWorld, day, hour, minute, type SaidMessage, type Trouble, wordsOf } from './alerted-world.ts';

const end = 365 * day;
const quality: Trouble = { kind: 'quality', name: 'precision', tier: 'red', from: 0, to: end };
const slo = (from: number, to: number, name = 'availability', tier: 'yellow' | 'red' = 'red'): Trouble => {
  return { kind: 'slo', name, tier, from, to };
};

async function liveThrough(troubles: readonly Trouble[], to: number, graph?: Record<string, readonly string[]>) {
  const world = new AlertedWorld(graph);
  await world.live(troubles, 0, to);
  return world;
}

const episodesOf = (said: readonly SaidMessage[]) => new Set(said.map(({ episode }) => episode)).size;

describe('a cause beside an incident that goes on', () => {
  test('is told by itself, each time it returns: a red quality objective hides neither silence nor availability', async () => {
    const { said } = await liveThrough(
      [
        quality,
        { kind: 'silence', tier: 'red', from: 10 * day, to: 10 * day + 5 * hour },
        slo(20 * day, 20 * day + 3 * hour),
        slo(30 * day, 30 * day + 3 * hour),
      ],
      31 * day,
    );
    expect(wordsOf(said)).toEqual([
      '0d0h m red raised',
      '10d0h m red raised silence',
      '10d5h m red recovered silence',
      '20d0h m red raised objective:availability',
      '20d3h m red recovered objective:availability',
      '30d0h m red raised objective:availability',
      '30d3h m red recovered objective:availability',
    ]);
    expect(episodesOf(said)).toBe(4);
    const [, silence, over] = said;
    expect(silence?.detail).toMatchObject({ headline: 'no records arrive', runbook: 'https://example.com/book#red' });
    expect(silence?.detail.findings.map(({ kind }) => kind)).toEqual(['silence']);
    expect(silence?.subject).toMatch(/^RED m: no records arrive since /);
    expect(silence?.text).toContain('incidents of their own: objective precision (red).');
    expect(over?.subject).toBe('RECOVERED m (silence): no longer red for this, another cause goes on after 5 h');
  });

  test('of one time is one incident: what breaks together, and what follows within the window', async () => {
    const later = 20 * day;
    const { said } = await liveThrough(
      [
        quality,
        slo(later, later + 3 * hour, 'latency'),
        slo(later + 10 * minute, later + 3 * hour),
        { kind: 'missing', tier: 'yellow', from: later, to: later + 2 * hour },
        // Seen late, by a long stretch; its windows say since when.
        { kind: 'drift', tier: 'yellow', from: later + 2 * hour, to: later + 3 * hour, onset: later },
      ],
      22 * day,
    );
    expect(wordsOf(said)).toEqual([
      '0d0h m red raised',
      '20d0h m red raised objective:latency',
      '20d0h m red updated objective:latency',
      '20d3h m red lowered objective:latency',
      '20d4h m red recovered objective:latency',
    ]);
  });

  test('joins the first incident where it begins with it: latency, then drift, then labels', async () => {
    const { said } = await liveThrough(
      [
        slo(0, 2 * hour, 'latency'),
        { kind: 'drift', tier: 'yellow', from: 0, to: 5 * hour },
        { ...quality, tier: 'yellow', from: 70 * minute, to: 5 * hour },
      ],
      day,
    );
    expect(episodesOf(said)).toBe(1);
    expect(wordsOf(said).filter((words) => words.includes('raised'))).toEqual([
      '0d0h m red raised',
      '0d2h m yellow raised',
    ]);
  });

  test('is told where the first is yellow as well, and escalates within its own incident', async () => {
    const { said } = await liveThrough(
      [
        { kind: 'drift', tier: 'yellow', from: 0, to: end },
        { kind: 'unknown-version', tier: 'yellow', from: 5 * day, to: 6 * day },
        slo(9 * day, 9 * day + 4 * hour, 'latency', 'yellow'),
        slo(9 * day + 4 * hour, 9 * day + 6 * hour, 'latency', 'red'),
      ],
      12 * day,
    );
    const words = wordsOf(said);
    expect(words.filter((one) => one.includes('raised'))).toEqual([
      '0d1h m yellow raised',
      '5d1h m yellow raised set-up',
      '9d0h m yellow raised objective:latency',
      '9d4h m red raised objective:latency',
    ]);
    expect(episodesOf(said)).toBe(3);
    expect(words.slice(-2)).toEqual([
      '9d6h m red recovered objective:latency',
      '9d6h m yellow recovered objective:latency',
    ]);
  });

  test('of the first incident that went away and returns is told anew', async () => {
    const { said } = await liveThrough(
      [
        slo(0, 2 * hour),
        { kind: 'drift', tier: 'yellow', from: 0, to: end },
        slo(10 * day, 10 * day + 2 * hour),
        slo(20 * day, 20 * day + 2 * hour),
      ],
      21 * day,
    );
    expect(wordsOf(said)).toEqual([
      '0d0h m red raised',
      '0d2h m red lowered',
      '0d4h m yellow raised',
      '10d0h m red raised objective:availability',
      '10d2h m red recovered objective:availability',
      '20d0h m red raised objective:availability',
      '20d2h m red recovered objective:availability',
    ]);
  });

  test('outlives the first incident, which recovers by itself', async () => {
    const { said } = await liveThrough(
      [slo(0, 6 * hour), { ...quality, from: 3 * hour, to: 20 * day }, slo(10 * day, 10 * day + hour)],
      25 * day,
    );
    expect(wordsOf(said)).toEqual([
      '0d0h m red raised',
      '0d3h m red raised objective:precision',
      '0d6h m red recovered',
      '10d0h m red raised objective:availability',
      '10d1h m red recovered objective:availability',
      '20d0h m red recovered objective:precision',
    ]);
    expect(episodesOf(said)).toBe(3);
  });

  test('that is only what its red has left behind is not told', async () => {
    const { said } = await liveThrough(
      [
        { kind: 'unknown-version', tier: 'yellow', from: 0, to: end },
        slo(5 * day, 5 * day + 20 * minute),
        { kind: 'missing', tier: 'yellow', from: 5 * day, to: 5 * day + 20 * minute },
      ],
      8 * day,
    );
    expect(wordsOf(said)).toEqual([
      '0d1h m yellow raised',
      '5d0h m red raised objective:availability',
      '5d0h m red recovered objective:availability',
    ]);
  });

  test('is told where judging stops under a standing yellow', async () => {
    const world = await liveThrough([{ kind: 'drift', tier: 'yellow', from: 0, to: end }], 2 * day);
    world.said.length = 0;
    for (let at = 2 * day; at < 2 * day + 5 * hour; at += 5 * minute) {
      world.clock.set(world.clock.now() + 5 * minute);
      await world.overdue();
    }
    expect(wordsOf(world.said)).toEqual(['2d0h m yellow raised lag']);
    expect(world.said[0]?.detail.headline).toBe('judgement is late, drift is not being watched');
  });
});

describe('a red that joins an incident in its founding period', () => {
  const latency = slo(0, 3 * hour, 'latency');
  const breaks = (to: number): Trouble => ({ kind: 'schema-break', tier: 'red', from: 75 * minute, to });

  test('is told once, and is an incident of its own where it outlasts what people were called for', async () => {
    const { said } = await liveThrough([latency, slo(70 * minute, 2 * day), breaks(2 * day)], 3 * day);
    expect(wordsOf(said)).toEqual([
      '0d0h m red raised',
      '0d1h m red updated',
      '0d1h m red updated',
      '0d4h m red raised objective:availability',
      '0d4h m red recovered',
      '2d0h m red recovered objective:availability',
    ]);
    const [, update, , own, over] = said;
    expect(update?.subject).toMatch(/^UPDATE m: also red: objective availability since /);
    expect(update?.text).toContain('availability');
    expect(own?.subject).toMatch(/^RED m: .*since 01:10 UTC/);
    expect(own?.detail.findings.map(({ kind }) => kind)).toEqual(['slo', 'schema-break']);
    expect(over?.subject).toBe('RECOVERED m: no longer red for this, 2 other causes go on after 4 h 10 min');
  });

  test('stays a part of it where it ends first, and is not told again where it comes and goes', async () => {
    const flapping = Array.from({ length: 6 }, (_, index) =>
      slo(20 * minute * index + 10 * minute, 20 * minute * (index + 1)),
    );
    const { said } = await liveThrough([latency, ...flapping], day);
    expect(wordsOf(said)).toEqual(['0d0h m red raised', '0d0h m red updated', '0d3h m red recovered']);
  });

  test('stays a part of it where it outlasts what people were called for by an hour', async () => {
    const { said } = await liveThrough([latency, slo(hour, 4 * hour)], day);
    expect(wordsOf(said)).toEqual(['0d0h m red raised', '0d1h m red updated', '0d4h m red recovered']);
  });

  test('takes its yellow along', async () => {
    const { said } = await liveThrough(
      [latency, slo(hour, 9 * hour), slo(hour, 10 * hour, 'availability', 'yellow')],
      2 * day,
    );
    expect(wordsOf(said)).toEqual([
      '0d0h m red raised',
      '0d1h m red updated',
      '0d4h m red raised objective:availability',
      '0d4h m red recovered',
      '0d9h m red lowered objective:availability',
      '0d9h m yellow raised objective:availability',
      '0d10h m red recovered objective:availability',
      '0d10h m yellow recovered objective:availability',
    ]);
  });
});

test('stored bytes that do not match are told beside a red that goes on, though nothing is judged any more', async () => {
  const world = await liveThrough([quality], 3 * day);
  const now = world.clock.now();
  const distrust = (state: ModelState): ModelState => ({ ...state, integrity: [['profiles/x', now]] });
  await updateModelState(world.ports.table, 'm', now, distrust);
  await world.live([quality], 3 * day + 5 * minute, 5 * day);
  expect(wordsOf(world.said).slice(1)).toEqual(['3d0h m red raised evidence', '4d0h m red recovered evidence']);
});

test('windows that alternate are one incident, over when two in a row are green', async () => {
  const troubles = Array.from({ length: 12 }, (_, index): Trouble => {
    const from = 2 * index * hour;
    return { kind: 'drift', tier: 'yellow', from: from + 5 * minute, to: from + 50 * minute };
  });
  const { said } = await liveThrough(troubles, 30 * hour);
  expect(wordsOf(said)).toEqual(['0d1h m yellow raised', '1d1h m yellow recovered']);
});

describe('a dependent', () => {
  const graph = { root: [], m: ['root'] };
  const drift = (model: string, from: number): Trouble => ({ model, kind: 'drift', tier: 'yellow', from, to: end });

  test('whose drift begins long after its root was raised is told', async () => {
    const { said } = await liveThrough([drift('root', 0), drift('m', 20 * day)], 22 * day, graph);
    expect(wordsOf(said)).toEqual(['0d1h root yellow raised', '20d1h m yellow raised']);
  });

  test('whose drift begins within a day of it is muted, and so is what follows a later incident of the root', async () => {
    const { said } = await liveThrough(
      [
        { ...drift('root', 0), kind: 'unknown-version' },
        { ...drift('m', 20 * hour), to: 5 * day },
        { model: 'root', kind: 'schema-break', tier: 'red', from: 10 * day, to: 20 * day },
        { ...drift('m', 10 * day + 5 * hour), to: 12 * day },
      ],
      13 * day,
      graph,
    );
    expect(wordsOf(said)).toEqual([
      '0d1h root yellow raised',
      '0d21h root yellow updated',
      '10d0h root red raised quality',
      '10d6h root red updated quality',
    ]);
  });
});

test('killed at any write, each cause is told once', async () => {
  const troubles = [
    quality,
    slo(2 * day, 2 * day + 2 * hour),
    slo(2 * day + hour, end, 'freshness'),
    slo(2 * day + 4 * hour, end, 'latency'),
  ];
  const whole = await liveThrough(troubles, 2 * day + 6 * hour);
  const expected = whole.said.map(({ tier, event, detail }) => [tier, event, detail.cause]);
  expect(expected.length).toBeGreaterThan(3);
  for (let kill = 0; kill < 12; kill++) {
    const world = new AlertedWorld();
    await world.live(troubles, 0, 2 * day - 5 * minute);
    world.kill = kill;
    await world.live(troubles, 2 * day, 2 * day + 6 * hour);
    const said = new Map(world.said.map((message) => [message.id, message]));
    expect([kill, [...said.values()].map(({ tier, event, detail }) => [tier, event, detail.cause])]).toEqual([
      kill,
      expected,
    ]);
  }
});

test('an acknowledgement takes on what was told so far, and no later cause', async () => {
  const world = new AlertedWorld();
  const troubles = [quality, slo(2 * day, end), slo(5 * day, end, 'latency')];
  await world.live(troubles, 0, 3 * day);
  expect(await world.acknowledge()).toBe(true);
  await world.live(troubles, 3 * day, 6 * day);
  const words = wordsOf(world.said);
  expect(words.slice(2)).toEqual([
    '3d0h m red acknowledged',
    '3d0h m red acknowledged objective:availability',
    '5d0h m red raised objective:latency',
  ]);
});
