import { expect, test } from 'vitest';
import { metricNames } from '../../core/contract/metric-names.ts';
import { sweep } from '../../core/pipeline/sweep.ts';
import { createRandom } from '../evaluate/synthetic-model.ts';
import { day, hour, linesOf, minute, payloadKey, payloadLine } from './capture-lines.ts';
import { createRuntime, createWorld, start, usualCalls, World } from './embedded-world.ts';
import { faultyPorts } from './faulty-ports.ts';
import { randomCaptures } from './random-captures.ts';

function payloads(from: number, name: string, count = 60) {
  const calls = usualCalls(from, from + hour, count, 21).map((call) => ({ ...call, id: `${name}-${call.id}` }));
  return { key: payloadKey(from, name), body: linesOf(calls.map(payloadLine)), arrived: from + hour + minute };
}

test.each([0.1, 0.5, 1])('captures whose events were lost are found: %f of them', async (lost) => {
  const runtime = await createRuntime();
  const objects = randomCaptures(31, 60, 3);
  const complete = new World(runtime);
  for (const object of objects) await complete.deliver(object);
  const random = createRandom(32);
  const world = new World(runtime);
  let kept = 0;
  for (const object of objects) {
    if (random() < lost) world.captures.put(object);
    else kept++;
    if (
      !world.captures.reads.includes(object.key) &&
      (await world.captures.head('captures', object.key)) === undefined
    ) {
      await world.deliver(object);
    }
  }
  const later = start + 40 * hour;
  for (const one of [complete, world]) one.clock.set(later);
  expect((await world.sweep()).ingested).toBe(objects.length - kept);
  await world.tick(later);
  await complete.tick(later);
  expect(world.state.contents('fragments/')).toEqual(complete.state.contents('fragments/'));
  expect(world.state.contents('quarantine/')).toEqual(complete.state.contents('quarantine/'));
  expect(world.audit.keys('bundles/').length).toBe(complete.audit.keys('bundles/').length);
  const records = (one: World) =>
    one.verdicts().map(({ window, version, variant, records }) => [window, version, variant, records]);
  expect(records(world)).toEqual(records(complete));
});

test('an object that is still on its way through the queue is left to it', async () => {
  const world = await createWorld();
  world.captures.put(payloads(start, 'young'));
  world.clock.set(start + hour + 10 * minute);
  expect((await world.sweep()).ingested).toBe(0);
  world.clock.set(start + hour + 16 * minute);
  expect((await world.sweep()).ingested).toBe(1);
});

test('a closed window whose touch was lost is judged again', async () => {
  const world = await createWorld();
  await world.deliver(payloads(start, 'first'));
  await world.tick(start + hour + 10 * minute);
  const late = { ...payloads(start, 'late', 12), arrived: start + 2 * hour };
  await world.deliver(late, { touches: { touch: async () => {} } });
  expect(await world.sqlite.touches.take(1)).toEqual([]);
  const { judged } = await world.sweep();
  expect(judged.map(({ verdict }) => [verdict.revision, verdict.records.late])).toEqual([[1, 12]]);
  expect((await world.sweep()).judged).toEqual([]);
});

test('where there is nothing to do, nothing is written', async () => {
  const world = await createWorld();
  for (const at of [0, 1, 2]) await world.deliver(payloads(start + at * hour, `w${at}`));
  await world.deliver({ key: payloadKey(start, 'empty'), body: new Uint8Array(), arrived: start + hour });
  await world.tick(start + 3 * hour + 10 * minute);
  const { ports, writes } = faultyPorts(world.ports());
  world.clock.set(start + 4 * hour);
  // What is in fragments is known; an object that left none is looked at again, which its bundle tells.
  expect(await sweep(world.runtime, ports)).toEqual({ ingested: 0, judged: [] });
  expect(writes).toEqual(['audit bundles']);
  expect(world.metrics.values(metricNames.records)).toEqual([60, 60, 60]);
});

test('what has expired is not looked for', async () => {
  const world = await createWorld();
  await world.deliver(payloads(start, 'old'));
  await world.tick(start + hour + 10 * minute);
  world.captures.put({ ...payloads(start + hour, 'older'), arrived: start + hour });
  const { ports, writes } = faultyPorts(world.ports());
  world.clock.set(start + 9 * day);
  expect(await sweep(world.runtime, ports)).toEqual({ ingested: 0, judged: [] });
  expect(writes).toEqual([]);
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
  const report = await sweep(world.runtime, bare.ports({ audit: world.audit }));
  expect(report.ingested).toBe(1);
  expect((await bare.modelState()).integrity).toHaveLength(1);
});
