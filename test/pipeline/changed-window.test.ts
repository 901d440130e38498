import { expect, test } from 'vitest';
import { evaluationLagLimitSeconds } from '../../core/contract/alarm-definitions.ts';
import { parseTrailKey } from '../../core/contract/keys.ts';
import { metricNames } from '../../core/contract/metric-names.ts';
import type { Fragment } from '../../core/model/profile.ts';
import type { Verdict } from '../../core/model/verdict.ts';
import { Calibrations } from '../../core/pipeline/calibrations.ts';
import { ingestCapture } from '../../core/pipeline/ingest.ts';
import type { ModelRuntime } from '../../core/pipeline/model-runtime.ts';
import { RollUpReader } from '../../core/pipeline/roll-up.ts';
import { judgeTouched, tick } from '../../core/pipeline/tick.ts';
import type { SeriesTrail } from '../../core/pipeline/trail-store.ts';
import { TrailReader } from '../../core/pipeline/trail-store.ts';
import { WindowReader } from '../../core/pipeline/window-reader.ts';
import {
  type Call,
  captureBucket,
  hour,
  linesOf,
  minute,
  payloadKey,
  payloadLine,
  requestKey,
  requestLine,
} from './capture-lines.ts';
import { createRuntime, start, usualCalls, World, type WorldPorts } from './embedded-world.ts';
import { faultyPorts, runDisturbed } from './faulty-ports.ts';
import type { CaptureObject } from './memory-capture-store.ts';

const changes = [
  ['1h', '15m'],
  ['15m', '1h'],
  ['1h', '45m'],
] as const;
/** In the middle of an hour, and of a quarter of one. */
const changed = start + 2 * hour + 37 * minute;
const end = start + 5 * hour;
/** Calls a minute; every twentieth request fails. */
const rate = 4;

function objectsOf(calls: readonly Call[], arrived: number): CaptureObject[] {
  const [first] = calls;
  const from = first?.time ?? 0;
  const requests = calls.map(({ time, id }, index) => requestLine({ time, id, status: index % 20 === 7 ? 503 : 200 }));
  return [
    { key: payloadKey(from, `p-${arrived}`), body: linesOf(calls.map(payloadLine)), arrived },
    { key: requestKey(from, `r-${arrived}`), body: linesOf(requests), arrived },
  ];
}

/** Objects of ten minutes each, which cut windows of a quarter of an hour. */
function usualObjects(): CaptureObject[] {
  const objects: CaptureObject[] = [];
  for (let from = start; from < end; from += 10 * minute) {
    objects.push(...objectsOf(usualCalls(from, from + 10 * minute, 10 * rate, 21), from + 11 * minute));
  }
  return objects;
}

async function take(world: World, runtime: ModelRuntime, object: CaptureObject, ports: Partial<WorldPorts> = {}) {
  world.captures.put(object);
  if (world.clock.now() < object.arrived) world.clock.set(object.arrived);
  await ingestCapture(runtime, world.ports(ports), { bucket: captureBucket, key: object.key });
}

/** What a process begins with that remembers nothing. */
function forgetful(world: World): Partial<WorldPorts> {
  return {
    windows: new WindowReader(world.state),
    rollUps: new RollUpReader(world.state),
    trails: new TrailReader(world.state),
    calibrations: new Calibrations(),
  };
}

async function judge(world: World, runtime: ModelRuntime, now: number, ports: Partial<WorldPorts> = {}) {
  world.clock.set(now);
  for (const touch of await world.sqlite.touches.take(1000)) {
    await judgeTouched([runtime], world.ports(ports), touch.windowPrefix);
    await world.sqlite.touches.acknowledge(touch);
  }
  await tick([runtime], world.ports(ports));
}

interface RunOptions {
  readonly objects?: readonly CaptureObject[];
  readonly restarts?: boolean;
}

/** The usual objects through two configurations, with a tick every five minutes. */
async function run(
  before: ModelRuntime,
  after: ModelRuntime,
  { objects = usualObjects(), restarts = false }: RunOptions = {},
): Promise<World> {
  const world = new World(before);
  const waiting = objects.toSorted((a, b) => a.arrived - b.arrived);
  for (let now = start + 5 * minute; now <= end + 2 * hour; now += 5 * minute) {
    const runtime = now < changed ? before : after;
    for (let next = waiting[0]; next && next.arrived <= now; next = waiting[0]) {
      await take(world, next.arrived < changed ? before : after, next, restarts ? forgetful(world) : {});
      waiting.shift();
    }
    // Where nothing is called any more the source says so.
    await world.sqlite.invocations.recordInvocations('credit', now - 5 * minute, now, now > end ? 0 : 5 * rate);
    await judge(world, runtime, now, restarts ? forgetful(world) : {});
  }
  return world;
}

function gauges(world: World, name: string): readonly (readonly [slo: string, time: number, value: number])[] {
  return world.metrics.data
    .filter((datum) => datum.name === name)
    .map(({ dimensions, time, value }) => [JSON.stringify(dimensions), time, value] as const);
}

/** The newest verdict of each window, by its times. */
function newestOf(world: World): readonly Verdict[] {
  const newest = new Map<string, Verdict>();
  for (const verdict of world.verdicts()) newest.set(`${verdict.window.start} ${verdict.window.end}`, verdict);
  return [...newest.values()];
}

function countedIn(world: World): number {
  return newestOf(world).reduce((sum, { records }) => sum + records.counted, 0);
}

function widthOf({ window }: Verdict): number {
  return (Date.parse(window.end) - Date.parse(window.start)) / minute;
}

test.each(changes)(
  'a window changed from %s to %s: every record in one verdict, every gauge as it was',
  async (a, b) => {
    const [before, after] = [await createRuntime({ window: a }), await createRuntime({ window: b })];
    const world = await run(before, after);
    const unchanged = await run(before, before);
    expect(countedIn(world)).toBe((rate * (end - start)) / minute);
    // Objectives do not know of windows: not one value is another.
    for (const name of [metricNames.sloBurnRate, metricNames.sloErrorBudgetRemaining]) {
      expect(gauges(world, name).length).toBeGreaterThan(100);
      expect(gauges(world, name)).toEqual(gauges(unchanged, name));
    }
    // One call in twenty fails, five times what is allowed: from the fourth hour on that is beyond chance over a day.
    expect(new Set(world.metrics.values(metricNames.tier))).toEqual(new Set([0, 1]));
    expect(new Set(unchanged.metrics.values(metricNames.tier))).toEqual(new Set([0, 1]));
    expect(world.metrics.values(metricNames.tier)).toHaveLength(world.metrics.values(metricNames.heartbeat).length);
    for (const [, time, lag] of gauges(world, metricNames.evaluationLagSeconds)) {
      const { policy } = time < changed ? before : after;
      expect(lag).toBeLessThanOrEqual(evaluationLagLimitSeconds(policy) - 900);
    }
    // The last window of the old width is finished with it; those of the new one begin where it has records.
    const [old, own] = [before, after].map(({ policy }) => policy.windowSeconds / 60) as [number, number];
    const verdicts = newestOf(world);
    expect(new Set(verdicts.map(widthOf))).toEqual(new Set([old, own]));
    expect(verdicts.filter((verdict) => widthOf(verdict) === old).every(({ evidence }) => evidence.baseline)).toBe(
      true,
    );
    // What a window is compared with follows from its own width.
    for (const width of [old, own]) {
      const alike = verdicts.filter((verdict) => widthOf(verdict) === width);
      expect(new Set(alike.map(({ features }) => features.amount?.scales?.length)).size).toBe(1);
    }
    for (const verdict of verdicts) {
      expect((Date.parse(verdict.window.start) / minute) % widthOf(verdict)).toBe(0);
      const isOld = widthOf(verdict) === old;
      if (isOld) expect(Date.parse(verdict.window.start)).toBeLessThan(changed);
      else expect(Date.parse(verdict.window.end)).toBeGreaterThan(changed - 20 * minute);
    }
    // Not one window without records was judged for the series that had come to its end.
    expect(verdicts.filter((verdict) => widthOf(verdict) === old && verdict.records.counted === 0)).toEqual([]);
  },
);

test.each(changes)('from %s to %s: what trails and charts count is of one width', async (a, b) => {
  const [before, after] = [await createRuntime({ window: a }), await createRuntime({ window: b })];
  const world = await run(before, after);
  const trails = world.state.keys('trails/').map((key, index) => ({
    series: parseTrailKey(key)?.series,
    trail: world.state.documents<SeriesTrail>('trails/')[index],
  }));
  const own = trails.filter(({ series }) => series?.windowSeconds === after.policy.windowSeconds);
  expect(own.length).toBeGreaterThan(2);
  expect(own.map(({ trail }) => trail?.windows)).toEqual(own.map((_, index) => index + 1));
  const last = newestOf(world).findLast((verdict) => verdict.records.counted > 0);
  expect(last?.evidence.trails?.length).toBeGreaterThan(0);
  const widths = last?.evidence.trails?.map((key) => parseTrailKey(key)?.series.windowSeconds);
  expect(new Set(widths)).toEqual(new Set([after.policy.windowSeconds]));
});

test.each(changes)('from %s to %s: a process that remembers nothing says the same', async (a, b) => {
  const [before, after] = [await createRuntime({ window: a }), await createRuntime({ window: b })];
  const world = await run(before, after);
  const restarted = await run(before, after, { restarts: true });
  expect(restarted.state.contents()).toEqual(world.state.contents());
  expect(restarted.audit.contents()).toEqual(world.audit.contents());
  expect(restarted.metrics.data).toEqual(world.metrics.data);
});

test.each(changes)('from %s to %s: late data of before is counted once, into windows of now', async (a, b) => {
  const [before, after] = [await createRuntime({ window: a }), await createRuntime({ window: b })];
  // Before anything of the new width was judged, and after.
  const late = [
    ...objectsOf(usualCalls(start + 70 * minute, start + 80 * minute, 30, 22), changed + 2 * minute),
    ...objectsOf(usualCalls(start + 95 * minute, start + 105 * minute, 30, 23), changed + 30 * minute),
  ];
  const world = await run(before, after, { objects: [...usualObjects(), ...late] });
  const unchanged = await run(before, before, { objects: [...usualObjects(), ...late] });
  expect(countedIn(world)).toBe((rate * (end - start)) / minute + 60);
  expect(countedIn(unchanged)).toBe(countedIn(world));
  const sums = async (of: World) =>
    (await new RollUpReader(of.state).hours((await of.modelState()).rollUps.map(([, key]) => key))).map(
      // How many clusters failures form is not exact where windows or series share an hour.
      ({ hour: at, rows, requests, slis }) => ({ at, rows, requests, slis: slis.map((sli) => sli.slice(0, 3)) }),
    );
  expect(await sums(world)).toEqual(await sums(unchanged));
  const own = newestOf(world).filter((verdict) => widthOf(verdict) === after.policy.windowSeconds / 60);
  const first = own.filter(({ window }) => Date.parse(window.start) < start + 2 * hour);
  expect(first.reduce((sum, { records }) => sum + records.counted, 0)).toBe(60);
  expect(first.every(({ records }) => records.counted > 0)).toBe(true);
  expect(new Set(world.metrics.values(metricNames.tier))).toEqual(new Set([0, 1]));
});

test('a window of the old width that was touched before the change is judged again after it, with its own width', async () => {
  const [before, after] = [await createRuntime(), await createRuntime({ window: '15m' })];
  const world = new World(before);
  for (const object of objectsOf(usualCalls(start, start + hour, 60, 31), start + hour)) {
    await take(world, before, object);
  }
  await judge(world, before, start + hour + 10 * minute);
  const late = objectsOf(usualCalls(start + 20 * minute, start + 50 * minute, 25, 32), start + hour + 12 * minute);
  for (const object of late) await take(world, before, object);
  await judge(world, after, start + hour + 15 * minute);
  expect(world.verdicts().map(({ revision, records, window }) => [revision, records.counted, window.end])).toEqual([
    [0, 60, new Date(start + hour).toISOString()],
    [1, 85, new Date(start + hour).toISOString()],
  ]);
  // A sweep finds nothing left to do, of either width.
  expect((await world.sweep()).touched).toEqual([]);
});

test('a model that falls silent after the change is judged in windows of the new width only', async () => {
  const [before, after] = [await createRuntime(), await createRuntime({ window: '15m' })];
  const objects = usualObjects().filter(({ arrived }) => arrived < changed + 15 * minute);
  const world = new World(before);
  for (const object of objects) {
    await take(world, object.arrived < changed ? before : after, object);
    await judge(world, object.arrived < changed ? before : after, object.arrived);
  }
  for (let now = changed + 20 * minute; now < start + 6 * hour; now += 5 * minute) await judge(world, after, now);
  const empty = newestOf(world).filter(({ records }) => records.captured === 0);
  expect(empty.length).toBeGreaterThan(10);
  expect(new Set(empty.map(({ tier }) => tier))).toEqual(new Set(['red']));
  expect(new Set(empty.map(widthOf))).toEqual(new Set([15]));
});

test('scores are published for each series: windows that end together add a datum each', async () => {
  const [before, after] = [await createRuntime(), await createRuntime({ window: '15m' })];
  const world = await run(before, after);
  const at = (time: number) =>
    world.metrics.data
      .filter((datum) => datum.name === metricNames.records && datum.time === time)
      .map(({ value }) => value)
      .sort((x, y) => x - y);
  // Of the hour that was cut, the object of 02:20 to 02:30 was the last to come before the change.
  expect(at(start + 3 * hour)).toEqual([15 * rate, 30 * rate]);
  expect(at(start + 4 * hour)).toEqual([15 * rate]);
  const all = world.metrics.values(metricNames.records);
  expect(all.reduce((sum, value) => sum + value, 0)).toBe(countedIn(world));
});

test.each(changes)(
  'from %s to %s: an object that was begun before the change is finished as it was begun',
  async (a, b) => {
    const [before, after] = [await createRuntime({ window: a }), await createRuntime({ window: b })];
    const object: CaptureObject = {
      key: payloadKey(start, 'long'),
      body: linesOf(usualCalls(start + 20 * minute, start + 110 * minute, 90, 41).map(payloadLine)),
      arrived: start + 111 * minute,
    };
    const counted = (world: World) =>
      world.state.documents<Fragment>('fragments/').reduce((sum, { summary }) => sum + summary.records.counted, 0);
    const whole = new World(before);
    const { ports, writes } = faultyPorts(whole.ports());
    await take(whole, before, object, ports);
    expect(writes.filter((write) => write === 'state fragments').length).toBeGreaterThan(1);
    // Delivered again after the change: nothing is new.
    await take(whole, after, object);
    expect(counted(whole)).toBe(90);
    for (let position = 0; position < writes.length; position++) {
      for (const fault of ['before', 'kill'] as const) {
        const world = new World(before);
        const faulty = faultyPorts(world.ports(), position, fault);
        expect(await runDisturbed(take(world, before, object, faulty.ports), faulty.killed)).toBe(true);
        await take(world, after, object);
        expect(counted(world)).toBe(90);
        const evidence = writes.indexOf('audit bundles');
        const isBegun = position > evidence || (position === evidence && fault === 'kill');
        if (isBegun) expect(world.state.contents('fragments/')).toEqual(whole.state.contents('fragments/'));
      }
    }
  },
);

test('a tick of two widths that is killed between any two writes is repeated to the same end', async () => {
  const [before, after] = [await createRuntime(), await createRuntime({ window: '15m' })];
  const prepare = async () => {
    const world = new World(before);
    const half = start + 30 * minute;
    for (const object of objectsOf(usualCalls(start, half, 60, 51), half)) await take(world, before, object);
    for (const object of objectsOf(usualCalls(half, start + hour, 60, 52), start + hour)) {
      await take(world, after, object);
    }
    await judge(world, after, start + 55 * minute);
    return world;
  };
  const due = start + hour + 10 * minute;
  const whole = await prepare();
  const { ports, writes } = faultyPorts(whole.ports());
  await judge(whole, after, due, ports);
  await judge(whole, after, due + minute);
  expect(whole.verdicts()).toHaveLength(3);
  expect(countedIn(whole)).toBe(120);
  for (let position = 0; position < writes.length; position++) {
    const world = await prepare();
    const faulty = faultyPorts(world.ports(), position, 'kill');
    expect(await runDisturbed(judge(world, after, due, faulty.ports), faulty.killed)).toBe(true);
    await judge(world, after, due + minute);
    expect(world.state.contents('verdicts/')).toEqual(whole.state.contents('verdicts/'));
    expect(world.state.contents('trails/')).toEqual(whole.state.contents('trails/'));
    expect(await world.listSeries()).toEqual(await whole.listSeries());
    expect((await world.modelState()).rollUps).toEqual((await whole.modelState()).rollUps);
    expect(world.metrics.values(metricNames.evaluationLagSeconds).at(-1)).toBe(11 * 60);
  }
});
