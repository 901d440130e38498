import { expect, test } from 'vitest';
import { day, hour, minute, payloadKey } from './capture-lines.ts';
import { createWorld, start, type World } from './embedded-world.ts';
import { payloads } from './swept-captures.ts';

/** Counts listing requests as S3 would answer them: pages of 1,000 keys, and none beyond what is read. */
function countingPorts(world: World) {
  const pages = { captures: 0, state: 0 };
  async function* paged<T>(name: keyof typeof pages, items: AsyncIterable<T>): AsyncGenerator<T> {
    let read = 0;
    pages[name]++;
    for await (const item of items) {
      if (++read % 1_000 === 1 && read > 1) pages[name]++;
      yield item;
    }
  }
  const ports = world.ports();
  return {
    pages,
    changes: {
      captures: {
        head: (bucket: string, key: string) => world.captures.head(bucket, key),
        read: ports.captures.read.bind(ports.captures),
        list: (bucket: string, prefix: string, after?: string) =>
          paged('captures', world.captures.list(bucket, prefix, after)),
      },
      state: {
        get: (key: string) => world.state.get(key),
        putOnce: (key: string, body: Uint8Array) => world.state.putOnce(key, body),
        list: (prefix: string, after?: string) => paged('state', world.state.list(prefix, after)),
      },
    },
  };
}

test('what a sweep lists does not grow with history, but for every sixth one', async () => {
  const world = await createWorld({ silenceAfter: '30d' });
  await world.deliver(payloads(start, 'a'));
  const now = start + 20 * day;
  // Old objects that nobody has to ingest any more, in both sources.
  for (let at = 0; at < 9_000; at++) {
    const time = start + at * 3 * minute;
    for (const key of [payloadKey(time, `o${at}`), payloadKey(time, `o${at}`, 'blue')]) {
      world.captures.put({ key, body: new Uint8Array(), arrived: start });
    }
  }
  const counted = [];
  for (let sweeps = 0; sweeps < 13; sweeps++) {
    world.clock.set(now + sweeps * hour);
    const { pages, changes } = countingPorts(world);
    await world.sweep(changes);
    counted.push(pages.captures);
  }
  // The requests' folder is empty: one page. Each variant: one that finds it, one of the last hours.
  expect(counted).toEqual([20, 4, 4, 4, 4, 4, 20, 4, 4, 4, 4, 4, 20]);
});

test('fragments are listed once, and those of older windows by every sixth sweep only', async () => {
  const world = await createWorld({ silenceAfter: '30d' });
  await world.deliver(payloads(start, 'a'));
  const series = world.series();
  for (let at = 0; at < 4_000; at++) {
    const window = new Date(start + (at % 150) * hour).toISOString().slice(0, 13).replaceAll('-', '');
    const id = at.toString(16).padStart(32, '0');
    await world.state.putOnce(
      `fragments/credit/AllTraffic/v1/${series.layout}/${window}0000Z/${id}`,
      Buffer.from(String(at)),
    );
  }
  const counted = [];
  for (const at of [0, 1, 2]) {
    world.clock.set(start + 150 * hour + at * hour);
    const { pages, changes } = countingPorts(world);
    await world.sweep(changes);
    counted.push(pages.state);
  }
  // One of them lists what left no fragments.
  expect(counted).toEqual([6, 2, 2]);
});

test.each([
  ['of the last hours', payloadKey(start + 5 * hour, 'x'), 1],
  ['under an older date', payloadKey(start - 20 * day, 'x'), 6],
  ['without a date', 'data/credit/AllTraffic/x.jsonl', 1],
])('an object %s whose event was lost is found', async (_, key, sweeps) => {
  const world = await createWorld();
  await world.deliver(payloads(start, 'first'));
  await world.tick(start + hour + 10 * minute);
  world.clock.set(start + 5 * hour);
  await world.sweep();
  const from = start + 5 * hour;
  world.captures.put({ ...payloads(from, 'x', 10), key, arrived: from + 20 * minute });
  let found = 0;
  for (let at = 1; at <= 6; at++) {
    world.clock.set(start + 5 * hour + at * hour);
    if ((await world.sweep()).announced > 0) found = at;
  }
  expect(found).toBe(sweeps);
});
