import { expect, test } from 'vitest';
import { dimensionNames, metricNames } from '../../core/contract/metric-names.ts';
import type { MetricDatum } from '../../core/model/metric.ts';
import { FailedModels } from '../../core/pipeline/failed-models.ts';
import { ingestCapture } from '../../core/pipeline/ingest.ts';
import type { ModelRuntime } from '../../core/pipeline/model-runtime.ts';
import { type TickReport, tick } from '../../core/pipeline/tick.ts';
import { captureBucket, hour, linesOf, minute, payloadKey, payloadLine } from './capture-lines.ts';
import { createRuntime, start, usualCalls, World, type WorldPorts } from './embedded-world.ts';

const second = 1000;

/** Several models that read the same captures, and what was published of them: one list a request. */
class Fleet {
  readonly world: World;
  readonly runtimes: readonly ModelRuntime[];
  readonly requests: (readonly MetricDatum[])[] = [];

  constructor(runtimes: readonly [ModelRuntime, ...ModelRuntime[]]) {
    this.world = new World(runtimes[0]);
    this.runtimes = runtimes;
  }

  static async of(...names: [string, ...string[]]): Promise<Fleet> {
    const [first, ...others] = names;
    const create = (name: string) => createRuntime({ name, silenceAfter: '30d' });
    return new Fleet([await create(first), ...(await Promise.all(others.map(create)))]);
  }

  /** An hour's captures, for some of the models. */
  async deliver(from: number, names?: readonly string[]): Promise<void> {
    const key = payloadKey(from, 'p');
    const body = linesOf(usualCalls(from, from + hour, 60, 61).map(payloadLine));
    this.world.captures.put({ key, body, arrived: from + hour + minute });
    this.world.clock.set(Math.max(this.world.clock.now(), from + hour + minute));
    for (const runtime of this.runtimes) {
      if (names && !names.includes(runtime.policy.name)) continue;
      await ingestCapture(runtime, this.world.ports(), { bucket: captureBucket, key });
    }
  }

  tick(now: number, changes: Partial<WorldPorts> = {}): Promise<TickReport> {
    this.requests.length = 0;
    this.world.clock.set(now);
    const metrics = { put: async (_: string, data: readonly MetricDatum[]) => void this.requests.push(data) };
    // One at a time, so that the steps have an order.
    return tick(this.runtimes, this.world.ports({ metrics, ...changes }), { catchUpWindows: 8, concurrentModels: 1 });
  }

  /** The clock goes on with every look at how often a model was called: `live` for as of now, else for a window. */
  slowed(seconds: (model: string, kind: 'live' | 'window') => number): Partial<WorldPorts> {
    const { clock } = this.world;
    return {
      invocations: {
        count: async (model, _, to) => {
          const isWindow = to <= start + 100 * hour && to % hour === 0;
          clock.set(clock.now() + seconds(model, isWindow ? 'window' : 'live') * second);
          return undefined;
        },
      },
    };
  }

  /** Of each request that has gauges: the models, and the heartbeat. */
  published(): readonly (readonly string[])[] {
    return this.requests.flatMap((data) => {
      const names = data.flatMap(({ name, dimensions }) => {
        if (name === metricNames.heartbeat) return ['heartbeat'];
        return name === metricNames.evaluationLagSeconds ? [dimensions[0]?.[1] ?? ''] : [];
      });
      return names.length > 0 ? [names] : [];
    });
  }

  lagOf(model: string): number | undefined {
    return this.requests
      .flat()
      .filter(({ name }) => name === metricNames.evaluationLagSeconds)
      .findLast(({ dimensions }) =>
        dimensions.some(([name, value]) => name === dimensionNames.model && value === model),
      )?.value;
  }

  windowsOf({ judged }: TickReport): readonly string[] {
    return judged.map(({ verdict }) => `${verdict.model} ${(Date.parse(verdict.window.start) - start) / hour}`);
  }
}

test('a tick that is over in seconds makes one request for gauges, whether windows are due or not', async () => {
  const fleet = await Fleet.of('a', 'b', 'c');
  await fleet.deliver(start);
  await fleet.tick(start + hour + 7 * minute);
  expect(fleet.published()).toEqual([['a', 'b', 'c', 'heartbeat']]);
  const report = await fleet.tick(start + hour + 10 * minute);
  expect(fleet.windowsOf(report)).toEqual(['a 0', 'b 0', 'c 0']);
  expect(fleet.published()).toEqual([['a', 'b', 'c', 'heartbeat']]);
  // What follows from the verdicts is in it.
  expect(fleet.lagOf('b')).toBe(600);
  expect(fleet.requests.at(-1)?.at(-1)?.name).toBe(metricNames.heartbeat);
});

test('a slow model holds the gauges of those before it for its own time only, and none behind it is lost', async () => {
  const fleet = await Fleet.of('a', 'slow', 'c', 'd');
  await fleet.deliver(start);
  await fleet.tick(
    start + hour + 7 * minute,
    fleet.slowed((model) => (model === 'slow' ? 12 : 1)),
  );
  expect(fleet.published()).toEqual([
    ['a', 'slow'],
    ['c', 'd', 'heartbeat'],
  ]);
});

test('all models are judged as of now before any window is, and again where one was', async () => {
  const fleet = await Fleet.of('a', 'b', 'resting');
  await fleet.deliver(start, ['a', 'b']);
  const report = await fleet.tick(
    start + hour + 10 * minute,
    fleet.slowed((_, kind) => (kind === 'window' ? 11 : 0)),
  );
  expect(fleet.windowsOf(report)).toEqual(['a 0', 'b 0']);
  // The first request leaves as soon as the first window was judged; by then all models are in it.
  expect(fleet.published()).toEqual([['a', 'b', 'resting'], ['a', 'b', 'heartbeat'].slice(0, 1), ['b', 'heartbeat']]);
});

test('after an outage a tick judges some windows of each series, the next ones the rest', async () => {
  const fleet = await Fleet.of('behind', 'fine');
  await fleet.deliver(start);
  await fleet.tick(start + hour + 10 * minute);
  for (let at = 1; at < 20; at++) await fleet.deliver(start + at * hour, ['behind']);
  await fleet.deliver(start + 19 * hour, ['fine']);
  const now = start + 20 * hour + 10 * minute;
  const all: string[] = [];
  const lags: (number | undefined)[] = [];
  for (let index = 0; index < 3; index++) {
    const windows = fleet.windowsOf(await fleet.tick(now + index * minute)).filter((name) => name.startsWith('behind'));
    expect(windows.length).toBeLessThanOrEqual(8);
    all.push(...windows);
    lags.push(fleet.lagOf('behind'));
    // The loop runs, which is all that the heartbeat says.
    expect(fleet.published().at(-1)?.at(-1)).toBe('heartbeat');
  }
  expect(all).toEqual(Array.from({ length: 19 }, (_, index) => `behind ${index + 1}`));
  expect(lags).toEqual([11 * 3600 + 600, 3 * 3600 + 660, 720]);
  expect(fleet.windowsOf(await fleet.tick(now + 3 * minute))).toEqual([]);
});

test('a tick that has judged for three quarters of a minute begins no other window, and is complete', async () => {
  const fleet = await Fleet.of('a', 'b', 'c');
  await fleet.deliver(start);
  await fleet.tick(start + hour + 5 * minute);
  for (let at = 1; at < 3; at++) await fleet.deliver(start + at * hour, ['b', 'c']);
  const slow = fleet.slowed((_, kind) => (kind === 'window' ? 20 : 0));
  const now = start + 3 * hour + 10 * minute;
  // The model that is behind the least comes first.
  const first = await fleet.tick(now, slow);
  expect(fleet.windowsOf(first)).toEqual(['a 0', 'a 1', 'a 2']);
  expect(new Set(fleet.published().flat())).toEqual(new Set(['a', 'b', 'c', 'heartbeat']));
  expect(fleet.published().at(-1)?.at(-1)).toBe('heartbeat');
  const second = await fleet.tick(now + 2 * minute, slow);
  expect(fleet.windowsOf(second)).toEqual(['b 0', 'b 1', 'b 2']);
  expect(fleet.windowsOf(await fleet.tick(now + 4 * minute, slow))).toEqual(['c 0', 'c 1', 'c 2']);
});

test('however long measuring takes, windows are judged', async () => {
  const fleet = await Fleet.of('a', 'b');
  await fleet.deliver(start);
  const report = await fleet.tick(
    start + hour + 10 * minute,
    fleet.slowed((_, kind) => (kind === 'live' ? 60 : 0)),
  );
  expect(fleet.windowsOf(report)).toEqual(['a 0', 'b 0']);
});

test('where metrics can’t be published every model is judged all the same, and the tick fails', async () => {
  const fleet = await Fleet.of('a', 'b', 'c', 'd');
  await fleet.deliver(start);
  const { clock } = fleet.world;
  let attempts = 0;
  const put = async () => {
    attempts++;
    throw new Error('throttled');
  };
  const slow = fleet.slowed(() => 12);
  const now = start + hour + 10 * minute;
  clock.set(now);
  await expect(tick(fleet.runtimes, fleet.world.ports({ metrics: { put }, ...slow }))).rejects.toThrow('throttled');
  const attemptsOfTick = attempts;
  expect(attemptsOfTick).toBeGreaterThan(1);
  const judged = fleet.world.verdicts().map(({ model }) => model);
  expect(judged.toSorted()).toEqual(['a', 'b', 'c', 'd']);
  // Nothing goes on behind the back of whoever called.
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(attempts).toBe(attemptsOfTick);
});

test('a model that fails in between keeps neither gauges nor verdicts of the others back, only the heartbeat', async () => {
  const fleet = await Fleet.of('a', 'broken', 'c');
  await fleet.deliver(start);
  const { state } = fleet.world;
  const broken: Partial<WorldPorts> = {
    state: {
      get: (key) => state.get(key),
      list: (prefix, after) => state.list(prefix, after),
      putOnce: (key, body) =>
        key.startsWith('profiles/broken/') ? Promise.reject(new Error('no room')) : state.putOnce(key, body),
    },
  };
  const error: unknown = await fleet.tick(start + hour + 10 * minute, broken).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(FailedModels);
  expect(error).toMatchObject({ message: 'tick failed for broken (no room)' });
  // It was judged as of now before its window failed.
  expect(fleet.published()).toEqual([['a', 'broken', 'c']]);
  expect(fleet.lagOf('c')).toBe(600);
  expect(fleet.world.state.keys('verdicts/').map((key) => key.split('/')[1])).toEqual(['a', 'c']);
  // Where it succeeds the next time, nothing is left of it.
  expect(fleet.windowsOf(await fleet.tick(start + hour + 11 * minute))).toEqual(['broken 0']);
  expect(fleet.published()).toEqual([['a', 'broken', 'c', 'heartbeat']]);
});
