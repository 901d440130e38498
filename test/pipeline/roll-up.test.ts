import { expect, test } from 'vitest';
import { metricNames } from '../../core/contract/metric-names.ts';
import type { Fragment } from '../../core/model/profile.ts';
import { RollUpReader } from '../../core/pipeline/roll-up.ts';
import { mergeSummaries } from '../../core/profile/merge.ts';
import { countEvents } from '../../core/slo/burn-rate.ts';
import { errorBudgetRemaining } from '../../core/slo/error-budget.ts';
import { sumHours } from '../../core/slo/minute-slots.ts';
import { createRandom } from '../evaluate/synthetic-model.ts';
import { day, hour, linesOf, minute, payloadKey, payloadLine, requestKey, requestLine } from './capture-lines.ts';
import { createWorld, start, usualCalls, type World } from './embedded-world.ts';

const objective = { name: 'availability', objective: 0.99 };

/** Half an hour of requests, of which some fail, and records beside them. */
async function deliverHalfHour(world: World, from: number, random: () => number, late = 0) {
  const until = from + 30 * minute;
  const lines = usualCalls(from, until, 50, Math.floor(1e6 * random())).map(({ time, id }) =>
    requestLine({ time, id, status: random() < 0.02 ? 503 : 200 }),
  );
  const calls = usualCalls(from, until, 20, 3);
  const arrived = until + minute + late;
  await world.deliver({ key: requestKey(from, `r${from}`), body: linesOf(lines), arrived });
  await world.deliver({ key: payloadKey(from, `p${from}`), body: linesOf(calls.map(payloadLine)), arrived });
}

function allMinutes(world: World) {
  return mergeSummaries(world.state.documents<Fragment>('fragments/').map(({ summary }) => summary)).minutes;
}

test.each(['10m', '1h', '90m', '4h'] as const)(
  'the error budget from roll-ups and slots is that of all slots, for windows of %s',
  async (window) => {
    const world = await createWorld({ window, silenceAfter: '1d' });
    const random = createRandom(41);
    for (let at = 0; at < 27; at++) {
      const from = start + at * 30 * minute;
      await deliverHalfHour(world, from, random);
      for (const after of [1, 11, 21]) {
        const now = from + (30 + after) * minute;
        await world.tick(now);
        const { good, valid } = countEvents(allMinutes(world), objective.name, 0, Number.POSITIVE_INFINITY);
        const published = world.metrics.data.findLast(
          ({ name, dimensions }) =>
            name === metricNames.sloErrorBudgetRemaining && dimensions.some(([, value]) => value === objective.name),
        );
        expect(published?.time).toBe(now);
        expect(published?.value).toBeCloseTo(errorBudgetRemaining(objective, { good, valid }), 12);
      }
    }
    expect(countEvents(allMinutes(world), objective.name, 0, Number.POSITIVE_INFINITY).valid).toBe(27 * 50);
  },
);

async function rolledUp(world: World) {
  const { rollUps } = await world.modelState();
  return world.ports().rollUps.hours(rollUps.map(([, key]) => key));
}

test('a restated window replaces its own hours only', async () => {
  const world = await createWorld({ silenceAfter: '1d' });
  const random = createRandom(42);
  for (const at of [0, 1, 2, 3, 4, 5]) await deliverHalfHour(world, start + at * 30 * minute, random);
  await world.tick(start + 3 * hour + 10 * minute);
  const before = await rolledUp(world);
  expect(before.map(({ requests, rows }) => [requests, rows])).toEqual(new Array(3).fill([100, 40]));
  // Late requests of the second hour.
  const lines = usualCalls(start + hour, start + 2 * hour, 7, 5).map(({ time, id }) => requestLine({ time, id }));
  const object = {
    key: requestKey(start + hour, 'late'),
    body: linesOf(lines),
    arrived: start + 3 * hour + 12 * minute,
  };
  await world.deliver(object);
  await world.tick(start + 3 * hour + 13 * minute);
  const after = await rolledUp(world);
  expect(after.map(({ requests, rows }) => [requests, rows])).toEqual([
    [100, 40],
    [107, 40],
    [100, 40],
  ]);
  expect([after[0], after[2]]).toEqual([before[0], before[2]]);
  expect(after).toEqual(sumHours(allMinutes(world)));
  // The one before it is still there for whoever reads it.
  expect(world.state.keys('slis/').length).toBeGreaterThan(3);
});

test('each day has its own roll-up, and days outside the period are forgotten', async () => {
  const world = await createWorld({ window: '4h', silenceAfter: '30d' });
  const random = createRandom(43);
  const days = 36;
  for (let at = 0; at < days; at++) {
    const from = start + at * 24 * hour + 12 * hour;
    await deliverHalfHour(world, from, random);
    await world.tick(from + 4 * hour + 10 * minute);
  }
  const { rollUps } = await world.modelState();
  expect(rollUps.length).toBeGreaterThanOrEqual(31);
  expect(rollUps.length).toBeLessThanOrEqual(33);
  expect(rollUps.at(-1)?.[0]).toBe(new Date(start + (days - 1) * 24 * hour).toISOString().slice(0, 10));
});

test('a model that rested until its sums expired is judged on', async () => {
  const world = await createWorld({ silenceAfter: '30d' });
  await deliverHalfHour(world, start, createRandom(43));
  await world.tick(start + hour + 10 * minute);
  expect((await world.modelState()).rollUps).toHaveLength(1);
  // Nothing ran for weeks, and storage went on removing what was old.
  expect(world.state.expire('slis/')).toBe(1);
  world.clock.set(start + 41 * day);
  await world.tick(start + 41 * day, { rollUps: new RollUpReader(world.state) });
  expect(world.metrics.values(metricNames.heartbeat)).toHaveLength(2);
  expect((await world.modelState()).integrity).toEqual([]);
  expect((await world.modelState()).rollUps.every(([name]) => name >= '2026-03-11')).toBe(true);
  await deliverHalfHour(world, start + 41 * day, createRandom(44));
  const judged = await world.tick(start + 41 * day + hour + 10 * minute);
  expect(judged.at(-1)?.verdict.records.counted).toBe(20);
});

test('sums that are gone before their time page for their model, and the tick goes on', async () => {
  const world = await createWorld({ silenceAfter: '30d' });
  await deliverHalfHour(world, start, createRandom(43));
  await world.tick(start + hour + 10 * minute);
  const [[, key] = []] = (await world.modelState()).rollUps;
  expect(world.state.expire('slis/')).toBe(1);
  // A process that has not read them before.
  await world.tick(start + hour + 11 * minute, { rollUps: new RollUpReader(world.state) });
  expect(world.metrics.values(metricNames.tier).at(-1)).toBe(2);
  expect(world.metrics.values(metricNames.heartbeat)).toHaveLength(2);
  expect((await world.modelState()).integrity.map(([name]) => name)).toEqual([key]);
  await expect(world.sweep()).resolves.toMatchObject({ announced: 0, touched: [] });
});
