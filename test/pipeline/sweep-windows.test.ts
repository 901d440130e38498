import { expect, test } from 'vitest';
import { fragmentWindowPrefix } from '../../core/contract/keys.ts';
import { metricNames } from '../../core/contract/metric-names.ts';
import type { StateTable } from '../../core/pipeline/ports.ts';
import { sweep } from '../../core/pipeline/sweep.ts';
import { day, hour, linesOf, minute, payloadKey, requestKey, requestLine } from './capture-lines.ts';
import { createWorld, start, usualCalls, World } from './embedded-world.ts';
import { faultyPorts } from './faulty-ports.ts';
import { broken, forgetful, payloads, restated } from './swept-captures.ts';

test('a closed window whose touch was lost is touched by every sweep until it was judged', async () => {
  const world = await createWorld();
  await world.deliver(payloads(start, 'first'));
  await world.tick(start + hour + 10 * minute);
  const late = { ...payloads(start, 'late', 12), arrived: start + 2 * hour };
  await world.deliver(late, { touches: forgetful });
  expect(await world.sqlite.touches.take(1)).toEqual([]);
  const touched = [fragmentWindowPrefix(world.series(), start)];
  expect(await world.sweep({ touches: forgetful })).toMatchObject({ announced: 0, touched });
  world.clock.set(start + 3 * hour);
  await expect(world.sweep({ touches: broken })).rejects.toThrow('queue');
  world.clock.set(start + 4 * hour);
  expect(await world.sweep()).toMatchObject({ announced: 0, touched });
  expect(restated(await world.judgeTouched())).toEqual([[1, 12]]);
  world.clock.set(start + 5 * hour);
  expect(await world.sweep()).toMatchObject({ announced: 0, touched: [] });
});

test.each([
  ['an event', 0],
  ['a sweep', 6.9 * day],
])('a window as old as records are taken is found again, after the touch of %s was lost', async (_, later) => {
  const world = await createWorld({ silenceAfter: '30d' });
  await world.deliver(payloads(start, 'first'));
  await world.tick(start + 2 * hour);
  const arrived = start + 7 * day + 30 * minute;
  const late = { ...payloads(start, 'late', 12), key: payloadKey(arrived, 'late'), arrived };
  world.clock.set(arrived + later);
  if (later === 0) await world.deliver(late, { touches: forgetful });
  else world.captures.put(late);
  // Its fragments were not listed yet when they were made.
  expect(await world.sweep({ touches: forgetful })).toMatchObject({ announced: later === 0 ? 0 : 1 });
  world.clock.set(arrived + later + 6 * hour);
  await world.sweep({ touches: forgetful });
  world.clock.set(arrived + later + 18 * hour);
  expect(await world.sweep()).toMatchObject({ announced: 0, touched: [fragmentWindowPrefix(world.series(), start)] });
  expect(restated(await world.judgeTouched())).toEqual([[1, 12]]);
});

test('a window whose fragments expire is not judged by the rest', async () => {
  const world = await createWorld({ silenceAfter: '30d' });
  for (const name of ['a', 'b']) await world.deliver(payloads(start, name));
  await world.tick(start + 2 * hour);
  const [first] = world.state.keys('fragments/');
  expect(world.state.expire(first ?? '')).toBe(1);
  world.clock.set(start + 8 * day);
  expect(await world.sweep()).toMatchObject({ announced: 0, touched: [] });
});

test('a verdict that was settled, and whose row is missing, is found', async () => {
  const world = await createWorld({ silenceAfter: '30d' });
  await world.deliver(payloads(start, 'first'));
  await world.tick(start + hour + 10 * minute);
  await world.deliver({ ...payloads(start, 'late', 12), arrived: start + 2 * hour });
  const { table } = world.sqlite;
  const broken: StateTable = {
    get: (...row) => table.get(...row),
    list: (...row) => table.list(...row),
    remove: (...row) => table.remove(...row),
    put: (partition, ...row) =>
      partition === 'series#credit' ? Promise.reject(new Error('row')) : table.put(partition, ...row),
  };
  await expect(world.judgeTouched({ table: broken })).rejects.toThrow('row');
  for (const touch of await world.sqlite.touches.take(1)) await world.sqlite.touches.acknowledge(touch);
  const captured = async () => (await world.listSeries()).map(({ newest }) => newest?.captured);
  expect(await captured()).toEqual([60]);
  expect((await world.sweep()).touched).toHaveLength(1);
  await world.judgeTouched();
  expect(await captured()).toEqual([72]);
  expect((await world.sweep()).touched).toEqual([]);
});

test('records of a window that needed no verdict, and their touch lost, are found', async () => {
  const world = await createWorld({ silenceAfter: '30d' });
  await world.deliver(payloads(start, 'other', 60, 'blue'));
  const lines = usualCalls(start, start + hour, 30, 22).map(({ time, id }) => requestLine({ time, id }));
  await world.deliver({ key: requestKey(start, 'r'), body: linesOf(lines), arrived: start + hour + minute });
  await world.tick(start + hour + 10 * minute);
  expect(world.verdicts().map(({ variant }) => variant)).toEqual(['blue']);
  await world.deliver({ ...payloads(start, 'late', 12), arrived: start + 2 * hour }, { touches: forgetful });
  expect((await world.sweep()).touched).toEqual([fragmentWindowPrefix(world.series(), start)]);
  await world.judgeTouched();
  expect(world.verdicts().map(({ variant }) => variant)).toEqual(['AllTraffic', 'blue']);
});

test('where there is nothing to do, nothing is written', async () => {
  const world = await createWorld();
  for (const at of [0, 1, 2]) await world.deliver(payloads(start + at * hour, `w${at}`));
  await world.deliver({ key: payloadKey(start, 'empty'), body: new Uint8Array(), arrived: start + hour });
  await world.tick(start + 3 * hour + 10 * minute);
  const { ports, writes } = faultyPorts(world.ports());
  world.clock.set(start + 4 * hour);
  // What is in fragments is known, and so is an object that left none.
  expect(await sweep(world.runtime, ports)).toMatchObject({ announced: 0, touched: [] });
  expect(writes).toEqual(['table sweeps', 'table sweeps']);
  expect(world.metrics.values(metricNames.records)).toEqual([60, 60, 60]);
});

test('what has expired is not looked for', async () => {
  const world = await createWorld();
  await world.deliver(payloads(start, 'old'));
  await world.tick(start + hour + 10 * minute);
  world.captures.put({ ...payloads(start + hour, 'older'), arrived: start + hour });
  const { ports, writes } = faultyPorts(world.ports());
  world.clock.set(start + 9 * day);
  expect(await sweep(world.runtime, ports)).toMatchObject({ announced: 0, touched: [] });
  expect(writes).toEqual(['table sweeps', 'table sweeps']);
});

test('an object that was overwritten does not stop the sweep', async () => {
  const world = await createWorld();
  // One whose fragments are gone from the listing, and whose evidence says something else.
  const object = payloads(start, 'a');
  await world.deliver(object);
  const bare = new World(world.runtime);
  bare.captures.put({ ...object, body: payloads(start, 'b').body });
  bare.captures.put(payloads(start, 'c'));
  bare.clock.set(start + 2 * hour);
  expect((await bare.sweep({ audit: world.audit })).announced).toBe(2);
  expect(bare.state.keys('fragments/')).toHaveLength(1);
  expect((await bare.modelState()).integrity).toHaveLength(1);
});

test('windows of any age are judged again after a sweep added to them', async () => {
  const world = await createWorld({ silenceAfter: '30d' });
  await world.deliver(payloads(start, 'a'));
  await world.tick(start + 2 * day);
  await world.sweep();
  // Its key is of today, its records are of the first hour.
  const late = { ...payloads(start, 'late', 12), key: payloadKey(start + 2 * day, 'late'), arrived: start + 2 * day };
  world.captures.put(late);
  world.clock.set(start + 2 * day + hour);
  expect((await world.sweep()).announced).toBe(1);
  expect(restated(await world.judgeTouched())).toEqual([[1, 12]]);
});
