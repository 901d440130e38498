import { expect, test } from 'vitest';
import type { ObjectStore } from '../../core/pipeline/ports.ts';
import { seriesOfState } from '../../core/pipeline/series.ts';
import { WindowReader } from '../../core/pipeline/window-reader.ts';
import { hour } from './capture-lines.ts';
import { createWorld, start, type World } from './embedded-world.ts';
import { randomCaptures } from './random-captures.ts';

async function worldOf(seed: number): Promise<World> {
  const world = await createWorld();
  for (const object of randomCaptures(seed, 40, 5)) await world.deliver(object);
  return world;
}

test.each([1, 2, 3])('a range of windows is what they are one by one (seed %i)', async (seed) => {
  const world = await worldOf(seed);
  for (const state of await world.listSeries()) {
    const series = seriesOfState('credit', state);
    for (const [first, last] of [
      [start, start + 10 * hour],
      [start + hour, start + 3 * hour],
      [start + 2 * hour, start + 2 * hour + 123],
      [start + 9 * hour, start + 10 * hour],
    ] as const) {
      const one = new WindowReader(world.state);
      const expected = [];
      for (let at = first; at <= last; at += hour) expected.push(await one.read(series, at));
      const range = await new WindowReader(world.state).readRange(series, first, last);
      expect(range).toEqual(expected.filter(({ fragments }) => fragments.length > 0));
      // Also where one of them is known already, and where the store can't begin in the middle.
      expect(await one.readRange(series, first, last)).toEqual(range);
      const simple: ObjectStore = {
        get: (key) => world.state.get(key),
        putOnce: (key, body) => world.state.putOnce(key, body),
        list: (prefix) => world.state.list(prefix),
      };
      expect(await new WindowReader(simple).readRange(series, first, last)).toEqual(range);
    }
  }
});

test('a range reads no fragment twice, and lists no further than its end', async () => {
  const world = await worldOf(4);
  const [state] = await world.listSeries();
  const series = world.series(state?.version, state?.variant);
  const gets: string[] = [];
  let listed = 0;
  const reader = new WindowReader({
    putOnce: (key, body) => world.state.putOnce(key, body),
    get: (key) => {
      gets.push(key);
      return world.state.get(key);
    },
    async *list(prefix, after) {
      for await (const key of world.state.list(prefix, after)) {
        listed++;
        yield key;
      }
    },
  });
  const contents = await reader.readRange(series, start, start + 2 * hour);
  const count = contents.reduce((sum, { fragments }) => sum + fragments.length, 0);
  await reader.readRange(series, start, start + 2 * hour);
  expect(gets).toHaveLength(count);
  expect(listed).toBeLessThanOrEqual(2 * (count + 1));
});
