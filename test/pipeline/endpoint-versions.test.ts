import { describe, expect, test } from 'vitest';
import { sagemakerCapture } from '../../core/contract/config.ts';
import type { EndpointDescription, VariantModels } from '../../core/model/endpoint.ts';
import type { Fragment } from '../../core/model/profile.ts';
import { ingestCapture } from '../../core/pipeline/ingest.ts';
import type { ModelRuntime } from '../../core/pipeline/model-runtime.ts';
import type { EndpointReader } from '../../core/pipeline/ports.ts';
import { CaptureTooEarly } from '../../core/pipeline/record-versions.ts';
import { lookAtEndpoint, readServedBy } from '../../core/pipeline/served-endpoints.ts';
import { captureBucket, hour, linesOf, minute, payloadKey, payloadLine } from './capture-lines.ts';
import { createRuntime, start, usualCalls, World } from './embedded-world.ts';
import { faultyPorts, runDisturbed } from './faulty-ports.ts';
import type { CaptureObject } from './memory-capture-store.ts';

const schema = { columns: ['amount', 'country'], prediction: 'score' };
const byEndpoint = {
  source: sagemakerCapture({ bucket: captureBucket, prefix: 'data', endpoint: 'credit', versionFrom: 'endpoint' }),
  versions: [{ match: 'credit-*', schema, baseline: 'v1.json' }],
};

/** An endpoint in the test's hand. */
class Endpoint implements EndpointReader {
  described: EndpointDescription | undefined;
  variants: VariantModels = [];
  fails = false;
  readonly asked: string[] = [];

  deploy(config: string, model: string, modified: number): void {
    this.described = { config, isSettled: true, modified };
    this.variants = [['AllTraffic', model]];
  }

  async describe(): Promise<EndpointDescription | undefined> {
    if (this.fails) throw new Error('the service does not answer');
    return this.described;
  }

  async models(config: string): Promise<VariantModels> {
    this.asked.push(config);
    return this.variants;
  }
}

function look(world: World, endpoint: Endpoint, time: number): Promise<boolean> {
  world.clock.set(time);
  return lookAtEndpoint({ table: world.sqlite.table, clock: world.clock, endpoints: endpoint }, 'credit');
}

async function take(world: World, object: CaptureObject, at = object.arrived, runtime = world.runtime): Promise<void> {
  world.captures.put(object);
  world.clock.set(at);
  await ingestCapture(runtime, world.ports(), { bucket: captureBucket, key: object.key });
}

function objectOf(from: number, to: number, count: number, arrived: number, name = 'a'): CaptureObject {
  const calls = usualCalls(from, to, count, 3).map((call) => ({ ...call, version: null }));
  return { key: payloadKey(from, name), body: linesOf(calls.map(payloadLine)), arrived };
}

/** Records counted of each version. */
function countsOf(world: World): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { series, summary } of world.state.documents<Fragment>('fragments/')) {
    counts[series.version] = (counts[series.version] ?? 0) + summary.records.captured;
  }
  return counts;
}

const switched = start + 30 * minute;
/** Twenty minutes around the switch, a record each ten seconds. */
const around = objectOf(switched - 10 * minute, switched + 10 * minute, 120, switched + 11 * minute);

async function worldBefore(runtime?: ModelRuntime): Promise<{ world: World; endpoint: Endpoint }> {
  const world = new World(runtime ?? (await createRuntime(byEndpoint)));
  const endpoint = new Endpoint();
  endpoint.deploy('config-1', 'credit-7', start - 24 * hour);
  await look(world, endpoint, switched - minute);
  return { world, endpoint };
}

async function worldAfter(runtime?: ModelRuntime) {
  const { world, endpoint } = await worldBefore(runtime);
  endpoint.deploy('config-2', 'credit-8', switched);
  await look(world, endpoint, switched + 10 * minute);
  return { world, endpoint };
}

describe('the version of a record', () => {
  test('is the model that answered at its time', async () => {
    const { world, endpoint } = await worldAfter();
    await take(world, around);
    expect(countsOf(world)).toEqual({ 'credit-7': 60, 'credit-8': 60 });
    expect(endpoint.asked).toEqual(['config-1', 'config-2']);
  });

  test('is the first one known, of captures from before; a damaged line is counted with its object', async () => {
    const { world } = await worldAfter();
    const early = objectOf(start - 26 * hour, start - 25 * hour, 30, switched + 11 * minute, 'early');
    await take(world, { ...early, body: Buffer.concat([early.body, linesOf(['damaged'])]) });
    await take(world, { ...around, body: linesOf(['damaged']), key: payloadKey(switched + minute, 'damaged') });
    expect(countsOf(world)).toEqual({ 'credit-7': 31, 'credit-8': 1 });
  });

  test('is that of captures that arrive days later, too', async () => {
    const { world, endpoint } = await worldAfter();
    endpoint.deploy('config-3', 'credit-9', switched + 24 * hour);
    await look(world, endpoint, switched + 48 * hour);
    await take(world, { ...around, arrived: switched + 48 * hour });
    expect(countsOf(world)).toEqual({ 'credit-7': 60, 'credit-8': 60 });
  });

  test('is the configuration where that names no model', async () => {
    const { world, endpoint } = await worldBefore();
    endpoint.described = { config: 'credit-config-2', isSettled: true, modified: switched };
    endpoint.variants = [];
    await look(world, endpoint, switched + 10 * minute);
    await take(world, around);
    expect(countsOf(world)).toEqual({ 'credit-7': 60, 'credit-config-2': 60 });
  });

  test('is the one configured where nobody ever looked', async () => {
    const world = new World(await createRuntime(byEndpoint));
    await take(world, around);
    expect(countsOf(world)).toEqual({ credit: 120 });
  });

  test('has a series of its own however many there were', async () => {
    const { world, endpoint } = await worldBefore();
    for (let index = 0; index < 40; index++) {
      const from = switched + index * 10 * minute;
      endpoint.deploy(`config-${index}`, `model-${index}`, from);
      await look(world, endpoint, from + 9 * minute);
      await take(world, objectOf(from + minute, from + 2 * minute, 1, from + 9 * minute, `at-${index}`));
    }
    expect(Object.keys(countsOf(world))).toHaveLength(40);
  });
});

describe('while nobody has looked at the time of a record', () => {
  test('nothing is written, and the object is to come again', async () => {
    const { world } = await worldBefore();
    await expect(take(world, around)).rejects.toThrow(CaptureTooEarly);
    expect(world.state.contents()).toEqual([]);
    expect(world.audit.contents()).toEqual([]);
  });

  test('it comes again, and is counted as if it had waited', async () => {
    const { world, endpoint } = await worldBefore();
    await expect(take(world, around)).rejects.toThrow(CaptureTooEarly);
    endpoint.deploy('config-2', 'credit-8', switched);
    await look(world, endpoint, around.arrived + minute);
    await take(world, around, around.arrived + minute);
    expect(countsOf(world)).toEqual({ 'credit-7': 60, 'credit-8': 60 });
  });

  test('after three minutes what is known must do; what is learned later changes nothing', async () => {
    const { world, endpoint } = await worldBefore();
    endpoint.deploy('config-2', 'credit-8', switched);
    endpoint.fails = true;
    await expect(look(world, endpoint, switched + 5 * minute)).rejects.toThrow('does not answer');
    await take(world, around, around.arrived + 3 * minute);
    expect(countsOf(world)).toEqual({ 'credit-7': 120 });
    endpoint.fails = false;
    await look(world, endpoint, around.arrived + 4 * minute);
    const before = world.state.contents();
    await take(world, around, around.arrived + 5 * minute);
    expect(world.state.contents()).toEqual(before);
  });
});

test('wherever a delivery stops, and whatever was learned before the next one, each record is counted once', async () => {
  const runtime = await createRuntime(byEndpoint);
  const late = around.arrived + 3 * minute;
  const seen = new Set<string>();
  for (let position = 0; ; position++) {
    const { world, endpoint } = await worldBefore(runtime);
    world.captures.put(around);
    world.clock.set(late);
    const { ports, killed } = faultyPorts(world.ports(), position, 'kill');
    const first = ingestCapture(runtime, ports, { bucket: captureBucket, key: around.key });
    const isDisturbed = await runDisturbed(first, killed);
    endpoint.deploy('config-2', 'credit-8', switched);
    await look(world, endpoint, late + minute);
    await take(world, around, late + 2 * minute);
    const counts = countsOf(world);
    seen.add(JSON.stringify(counts));
    expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(120);
    if (!isDisturbed) break;
  }
  // Before its evidence nothing is decided.
  expect([...seen].sort()).toEqual(['{"credit-7":120}', '{"credit-7":60,"credit-8":60}']);
});

test('the policy by which an object was begun decides how it is counted, whichever is deployed then', async () => {
  const source = sagemakerCapture({ bucket: captureBucket, prefix: 'data', endpoint: 'credit' });
  const plain = await createRuntime({ ...byEndpoint, source });
  const { world } = await worldAfter();
  await take(world, around, around.arrived, plain);
  await take(world, around);
  expect(countsOf(world)).toEqual({ credit: 120 });
  const { world: other } = await worldAfter();
  await take(other, around);
  await take(other, around, around.arrived, plain);
  expect(countsOf(other)).toEqual({ 'credit-7': 60, 'credit-8': 60 });
});

describe('a verdict', () => {
  test('names what served its window, and a new model is learned', async () => {
    const { world } = await worldAfter();
    await take(world, around);
    await world.tick(start + hour + 10 * minute);
    const verdicts = world.verdicts();
    expect(verdicts.map(({ version }) => version).sort()).toEqual(['credit-7', 'credit-8']);
    for (const { servedBy } of verdicts) {
      expect(servedBy).toEqual([
        {
          endpoint: 'credit',
          config: 'config-1',
          model: 'credit-7',
          since: new Date(start - 24 * hour).toISOString(),
          // From the last look at it on, it may have been another one.
          share: 0.4833,
        },
        {
          endpoint: 'credit',
          config: 'config-2',
          model: 'credit-8',
          since: new Date(switched).toISOString(),
          share: 0.1667,
        },
      ]);
    }
  });

  test('says nothing where nobody looked', async () => {
    const world = new World(await createRuntime());
    await take(world, around);
    await world.tick(start + hour + 10 * minute);
    expect(world.verdicts().every((verdict) => !('servedBy' in verdict))).toBe(true);
    expect(world.verdicts().length).toBeGreaterThan(0);
  });

  test('of the live judgement names it, too', async () => {
    const { world, endpoint } = await worldAfter();
    const now = start + 5 * hour;
    await look(world, endpoint, now);
    const broken = usualCalls(now - 30 * minute, now - 6 * minute, 200, 5).map((call) =>
      payloadLine({ ...call, rows: [['much', 'DE']], version: null }),
    );
    await take(world, { key: payloadKey(now - 30 * minute, 'broken'), body: linesOf(broken), arrived: now });
    await world.tick(now);
    const [live, ...others] = world.liveVerdicts();
    expect(others).toEqual([]);
    expect([live?.tier, live?.version]).toEqual(['red', 'credit-8']);
    expect(live?.servedBy?.map(({ config, share }) => [config, share])).toEqual([['config-2', 1]]);
  });
});

describe('looks', () => {
  test('that fail, or end after a later one, note nothing', async () => {
    const { world, endpoint } = await worldBefore();
    const row = () => world.sqlite.table.get('endpoints', 'credit');
    const before = await row();
    endpoint.fails = true;
    await expect(look(world, endpoint, switched)).rejects.toThrow();
    endpoint.fails = false;
    expect(await look(world, endpoint, switched - 2 * minute)).toBe(false);
    expect(await row()).toEqual(before);
  });

  test('at once leave what the later one saw', async () => {
    const { world, endpoint } = await worldBefore();
    const { table } = world.sqlite;
    endpoint.deploy('config-2', 'credit-8', switched);
    const at = (time: number) => lookAtEndpoint({ table, clock: { now: () => time }, endpoints: endpoint }, 'credit');
    const found = await Promise.all([at(switched + 2 * minute), at(switched + 3 * minute), at(switched + minute)]);
    expect(found.filter((isNew) => isNew)).toHaveLength(1);
    const row = await table.get('endpoints', 'credit');
    expect(row?.value).toMatchObject({ looked: switched + 3 * minute, spells: [{}, { config: 'config-2' }] });
  });

  test('are of every endpoint that the captures of a model come from', async () => {
    const source = ['credit', 'backup'].map((endpoint) =>
      sagemakerCapture({ bucket: captureBucket, prefix: endpoint, endpoint }),
    );
    const { policy } = await createRuntime({ source, versions: [{ match: 'v1', schema }], slos: [] });
    const { world, endpoint } = await worldAfter();
    const ports = { table: world.sqlite.table, clock: world.clock, endpoints: endpoint };
    await lookAtEndpoint(ports, 'backup');
    const window = { start: switched, end: switched + 10 * minute };
    const served = await readServedBy(world.sqlite.table, policy, 'AllTraffic', window);
    expect(served.map(({ endpoint: name, config }) => [name, config])).toEqual([
      ['backup', 'config-2'],
      ['credit', 'config-2'],
    ]);
  });
});
