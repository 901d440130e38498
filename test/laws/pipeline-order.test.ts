import { expect, test } from 'vitest';
import type { Fragment, Profile } from '../../core/model/profile.ts';
import type { Verdict } from '../../core/model/verdict.ts';
import { createRandom } from '../evaluate/synthetic-model.ts';
import { hour } from '../pipeline/capture-lines.ts';
import { createRuntime, start, World } from '../pipeline/embedded-world.ts';
import { randomCaptures, shuffle } from '../pipeline/random-captures.ts';

const close = start + 40 * hour;
const captures = randomCaptures(1, 200);

/** Ingests everything in one order, with duplications and reads in between, then judges what is due. */
async function ingestAll(seed: number): Promise<World> {
  const random = createRandom(seed);
  const world = new World(await createRuntime());
  for (const capture of captures) world.captures.put(capture);
  const twice = captures.filter(() => random() < 0.3);
  const { windows } = world.ports();
  let open: Promise<unknown>[] = [];
  for (const { key } of shuffle([...captures, ...twice], random)) {
    open.push(world.ingest(key));
    if (random() < 0.1) {
      for (const state of await world.listSeries()) await windows.read({ model: 'credit', ...state }, start + hour);
    }
    if (random() < 0.5) {
      await Promise.all(open);
      open = [];
    }
  }
  await Promise.all(open);
  await world.tick(close);
  return world;
}

test('any order, duplication and batching of 200 objects gives the same bytes', async () => {
  const first = await ingestAll(1);
  const expected = [first.state.contents('fragments/'), first.state.contents('profiles/'), first.verdicts()];
  expect(first.state.keys('fragments/').length).toBeGreaterThan(200);
  expect(first.state.keys('verdicts/').length).toBeGreaterThan(20);
  for (let seed = 2; seed < 6; seed++) {
    const world = await ingestAll(seed);
    expect([world.state.contents('fragments/'), world.state.contents('profiles/'), world.verdicts()]).toEqual(expected);
    expect(world.state.contents('quarantine/')).toEqual(first.state.contents('quarantine/'));
    expect(world.audit.contents()).toEqual(first.audit.contents());
  }
});

function sum<T>(items: Iterable<T>, count: (item: T) => number): number {
  let total = 0;
  for (const item of items) total += count(item);
  return total;
}

test('nothing is lost and nothing counted twice: the sums of objects, windows and verdicts add up', async () => {
  for (let seed = 20; seed < 24; seed++) {
    const objects = randomCaptures(seed, 50);
    const world = new World(await createRuntime());
    for (const object of objects) {
      const report = await world.deliver(object);
      const { counted, requests, quarantined, duplicate, expired } = report;
      const isRequest = object.key.startsWith('requests/');
      expect((isRequest ? requests : counted) + quarantined + duplicate + expired).toBe(object.rows);
      expect([quarantined, duplicate]).toEqual([object.damaged, object.duplicates]);
    }
    const fragments = world.state.documents<Fragment>('fragments/');
    const bySource = Map.groupBy(fragments, ({ object }) => object.key);
    for (const object of objects) {
      const own = bySource.get(object.key) ?? [];
      expect(sum(own, ({ summary }) => summary.records.captured + summary.requests.captured)).toBe(object.rows);
    }
    await world.tick(close);
    const counts = [
      ...fragments.flatMap(({ summary }) => [summary.records, summary.requests]),
      ...world.state.documents<Profile>('profiles/').map(({ summary }) => summary.records),
      ...world.state.documents<Verdict>('verdicts/').map(({ records }) => records),
    ];
    for (const { captured, counted, quarantined, duplicate, pending, expired, late } of counts) {
      expect(counted + quarantined + duplicate + pending + expired).toBe(captured);
      expect(late).toBeLessThanOrEqual(counted);
    }
    const rows = objects.filter(({ key }) => !key.startsWith('requests/'));
    expect(sum(world.verdicts(), ({ records }) => records.captured)).toBe(sum(rows, (object) => object.rows));
  }
});
