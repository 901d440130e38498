import { expect, test } from 'vitest';
import { metricNames } from '../../core/contract/metric-names.ts';
import { createRandom } from '../evaluate/synthetic-model.ts';
import { type Call, linesOf, minute, payloadKey, payloadLine, requestKey, requestLine } from './capture-lines.ts';
import { createWorld, start, usualRow, type World } from './embedded-world.ts';

type Trouble = 'none' | 'schema' | 'null' | 'latency' | 'failures' | 'silence';

/** Objects of five minutes, delivered a minute after their end. */
const objectMinutes = 5;
const callsPerMinute = 4;

interface Simulation {
  readonly minutes: number;
  readonly seed: number;
  readonly trouble?: Trouble;
  /** Minutes after `start`. */
  readonly from?: number;
  readonly to?: number;
}

/** Lives a model's life minute by minute. @returns the published tier of every minute. */
async function simulate(world: World, { minutes, seed, trouble = 'none', from = 0, to = 0 }: Simulation) {
  const random = createRandom(seed);
  const tiers: (number | undefined)[] = [];
  let calls: Call[] = [];
  let requests: string[] = [];
  for (let at = 0; at < minutes; at++) {
    const troubled = at >= from && at < to ? trouble : 'none';
    for (let index = 0; index < callsPerMinute; index++) {
      const time = start + at * minute + Math.floor((index * minute) / callsPerMinute);
      const id = `${seed}-${at}-${index}`;
      const [amount, country] = usualRow(random);
      const row = [troubled === 'schema' ? 'n/k' : amount, troubled === 'null' ? '' : country] as const;
      if (troubled !== 'silence') calls.push({ time, id, rows: [row] });
      const latencyMilliseconds = troubled === 'latency' ? 400 : 20 + 60 * random();
      requests.push(requestLine({ time, id, status: troubled === 'failures' ? 503 : 200, latencyMilliseconds }));
    }
    if ((at + 1) % objectMinutes === 0) {
      const first = start + (at + 1 - objectMinutes) * minute;
      const arrived = start + (at + 2) * minute;
      const objects = [
        { key: requestKey(first, `r${at}`), body: linesOf(requests), arrived },
        ...(calls.length > 0
          ? [{ key: payloadKey(first, `p${at}`), body: linesOf(calls.map(payloadLine)), arrived }]
          : []),
      ];
      for (const object of objects) await world.deliver(object);
      calls = [];
      requests = [];
    }
    const before = world.metrics.data.length;
    // A minute's objects were delivered a minute after its end.
    await world.tick(start + (at + 2) * minute);
    tiers.push(world.metrics.data.slice(before).find(({ name }) => name === metricNames.tier)?.value);
  }
  return tiers;
}

test.each([
  ['schema', 'schema-break', 12],
  // Half an hour longer: the page of six hours looks at the last thirty minutes.
  ['null', 'completeness', 42],
  ['latency', 'slo', 42],
  ['failures', 'slo', 42],
] as const)(
  '%s trouble is red within minutes of its arrival, and over soon after it ends',
  async (trouble, kind, soon) => {
    const world = await createWorld();
    const [from, to] = [92, 132];
    const hasBudget = kind !== 'schema-break';
    const tiers = await simulate(world, { minutes: hasBudget ? 230 : 190, seed: 5, trouble, from, to });
    const red = tiers.indexOf(2);
    // Five minutes of an object, one of delivery, and what it takes to be sure.
    expect(red).toBeGreaterThanOrEqual(from);
    expect(red).toBeLessThanOrEqual(from + 12);
    const recovered = tiers.findIndex((tier, at) => at > red && tier !== 2);
    expect(recovered).toBeGreaterThan(to);
    expect(recovered).toBeLessThanOrEqual(to + soon);
    expect(tiers.slice(0, red).every((tier) => tier === 0)).toBe(true);
    expect(tiers.slice(red, recovered).every((tier) => tier === 2)).toBe(true);
    expect(tiers.slice(recovered).every((tier) => tier !== 2)).toBe(true);
    // What is left of it is a ticket: a day's budget is gone, and the last two hours were not good.
    if (hasBudget) expect(new Set(tiers.slice(recovered))).toEqual(new Set([1]));
    const [first, last] = [world.liveVerdicts()[0], world.liveVerdicts().at(-1)];
    expect(first?.findings.map((finding) => finding.kind)).toEqual([kind]);
    expect(last?.tier).toBe(hasBudget ? 'yellow' : 'green');
    // What is missing is named first, and never together with the budget that it burns.
    for (const { findings } of world.liveVerdicts()) expect(findings.length).toBeLessThanOrEqual(1);
  },
);

test('captures that stop while calls go on are red within a quarter of an hour', async () => {
  const world = await createWorld();
  const tiers = await simulate(world, { minutes: 150, seed: 6, trouble: 'silence', from: 90, to: 120 });
  const red = tiers.indexOf(2);
  expect(red).toBeGreaterThan(100);
  expect(red).toBeLessThanOrEqual(106);
  expect(world.liveVerdicts()[0]?.findings[0]?.message).toContain('captures are missing');
  const recovered = tiers.findIndex((tier, at) => at > red && tier !== 2);
  expect(recovered).toBeGreaterThan(120);
  expect(recovered).toBeLessThanOrEqual(126);
});

test.each([1, 2])('a quiet day stays green from the first minute to the last (seed %i)', async (seed) => {
  const world = await createWorld();
  const tiers = await simulate(world, { minutes: 1440, seed });
  expect(new Set(tiers)).toEqual(new Set([0]));
  expect(world.liveVerdicts()).toEqual([]);
  expect(new Set(world.verdicts().map(({ tier }) => tier))).toEqual(new Set(['green']));
  expect(world.verdicts().every(({ revision }) => revision === 0)).toBe(true);
  expect(world.metrics.values(metricNames.heartbeat)).toHaveLength(1440);
  expect(world.metrics.values(metricNames.records)).toEqual(
    new Array(world.verdicts().length).fill(60 * callsPerMinute),
  );
});
