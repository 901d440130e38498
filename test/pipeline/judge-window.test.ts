import { expect, test } from 'vitest';
import { metricNames } from '../../core/contract/metric-names.ts';
import type { Profile } from '../../core/model/profile.ts';
import { worstTier } from '../../core/model/verdict.ts';
import { judgeWindow } from '../../core/pipeline/judge-window.ts';
import type { ObjectStore } from '../../core/pipeline/ports.ts';
import { RollUpReader } from '../../core/pipeline/roll-up.ts';
import { WindowReader } from '../../core/pipeline/window-reader.ts';
import { type Call, hour, linesOf, minute, payloadKey, payloadLine } from './capture-lines.ts';
import { createWorld, hourOf, start, usualCalls, World } from './embedded-world.ts';

const window = hourOf(start);
const later = window.end + 10 * minute;

function objectOf(name: string, calls: readonly Call[], arrived: number) {
  return { key: payloadKey(start, name), body: linesOf(calls.map(payloadLine)), arrived };
}

/** An ordinary first half of the window's records. */
function first(seed = 1) {
  return objectOf('first', usualCalls(start, start + hour, 200, seed), start + hour);
}

/** More of the ordinary. */
function usual(arrived: number) {
  return objectOf('usual', usualCalls(start, start + hour, 50, 3), arrived);
}

/** Records that are nothing like the baseline. */
function drifted(arrived: number, name = 'drifted') {
  const calls = usualCalls(start, start + hour, 300, 2).map((call) => ({ ...call, rows: [[9000, 'ZZ'] as const] }));
  return objectOf(name, calls, arrived);
}

function judge(world: World, changes: Parameters<World['ports']>[0] = {}) {
  return judgeWindow(world.runtime, world.ports(changes), world.series(), window);
}

test('the same fragments again are a no-op: no revision, no metric, no write', async () => {
  const world = await createWorld();
  await world.deliver(first());
  world.clock.set(later);
  expect((await judge(world)).written).toBe(true);
  expect(world.metrics.values(metricNames.records)).toEqual([200]);
  const before = [world.state.contents(), world.audit.contents(), await world.sqlite.table.list('series#credit')];
  const published = world.metrics.data.length;
  const again = await judge(world, { windows: new WindowReader(world.state) });
  expect(again.written).toBe(false);
  expect(again.verdict.revision).toBe(0);
  expect([world.state.contents(), world.audit.contents(), await world.sqlite.table.list('series#credit')]).toEqual(
    before,
  );
  expect(world.metrics.data).toHaveLength(published);
});

test('late data makes the next revision, says how much was late, and raises the tier where a retest confirms it', async () => {
  const world = await createWorld();
  await world.deliver(first());
  world.clock.set(later);
  const { verdict: before } = await judge(world);
  expect(before.tier).toBe('green');
  const published = world.metrics.data.length;
  await world.deliver(drifted(later + minute));
  const { verdict, written } = await judge(world);
  expect(written).toBe(true);
  expect(verdict).toMatchObject({ revision: 1, tier: 'yellow', records: { counted: 500, late: 300 } });
  expect(world.metrics.data).toHaveLength(published);
  expect(world.verdicts().map(({ revision }) => revision)).toEqual([0, 1]);
  expect(world.verdicts()[0]).toEqual(before);
  const { retestLevel = 0, level } = world.runtime.policy.drift;
  expect(before.rule.level).toBe(level);
  expect(verdict.rule.level).toBeLessThan(retestLevel);
  expectConsistent(world);
  // Of a third revision, what the first did not know is late.
  await world.deliver(drifted(later + 2 * minute, 'more'));
  expect((await judge(world)).verdict).toMatchObject({ revision: 2, records: { counted: 800, late: 600 } });
});

/** Of every stored verdict: is its tier that of its worst finding, and does a feature drift only where one says so? */
function expectConsistent(world: World) {
  for (const { tier, findings, features } of world.verdicts()) {
    expect(tier).toBe(worstTier(findings.map((finding) => finding.tier)));
    const named = new Set(findings.flatMap((finding) => (finding.tier === 'green' ? [] : finding.feature)));
    for (const [name, { drifted, scales = [] }] of Object.entries(features)) {
      if (named.has(name)) continue;
      expect([drifted, ...scales.map((scale) => scale.drifted)]).not.toContain(true);
    }
  }
}

test('only the first revision is tested again, and only from a budget of its own', async () => {
  const world = await createWorld();
  await world.deliver(first());
  world.clock.set(later);
  await judge(world);
  await world.deliver(usual(later + minute));
  expect((await judge(world)).verdict).toMatchObject({ revision: 1, tier: 'green' });
  await world.deliver(drifted(later + 2 * minute));
  const { verdict } = await judge(world);
  expect(verdict).toMatchObject({ revision: 2, tier: 'green', rule: { level: world.verdicts()[0]?.rule.level } });
  const drifts = verdict.findings.filter(({ kind }) => kind === 'drift');
  expect(drifts.map(({ feature, tier }) => [feature, tier])).toEqual([['country', 'green']]);
  expect(drifts[0]?.message).toMatch(/; seen only with late data, for which no further look is paid$/);
  expectConsistent(world);

  const { policy } = world.runtime;
  const unpaid = new World({
    ...world.runtime,
    policy: { ...policy, drift: { ...policy.drift, retestLevel: undefined } },
  });
  await unpaid.deliver(first());
  unpaid.clock.set(later);
  await judge(unpaid);
  await unpaid.deliver(drifted(later + minute));
  expect((await judge(unpaid)).verdict).toMatchObject({ revision: 1, tier: 'green' });
  expectConsistent(unpaid);
});

test('what late data adds to a window that was yellow before is held back as well', async () => {
  const usual = await createWorld();
  const { policy } = usual.runtime;
  const world = new World({
    ...usual.runtime,
    policy: { ...policy, drift: { ...policy.drift, retestLevel: undefined } },
  });
  const amounts = usualCalls(start, start + hour, 100, 4).map((call) => ({
    ...call,
    rows: call.rows.map((row) => [9000, row[1]] as const),
  }));
  await world.deliver(first());
  await world.deliver(objectOf('amounts', amounts, start + hour));
  world.clock.set(later);
  const raised = async () => {
    const { verdict } = await judge(world);
    return verdict.findings.flatMap(({ feature, tier, kind }) =>
      tier === 'green' || kind === 'constant' ? [] : [feature],
    );
  };
  expect(await raised()).toEqual(['amount']);
  await world.deliver(drifted(later + minute));
  expect(await raised()).toEqual(['amount']);
  expectConsistent(world);
});

test('a second look at the quality of data is paid for as well', async () => {
  const judgeLate = async (retestLevel: number) => {
    const usual = await createWorld();
    const { policy } = usual.runtime;
    const world = new World({ ...usual.runtime, policy: { ...policy, drift: { ...policy.drift, retestLevel } } });
    await world.deliver(first());
    world.clock.set(later);
    await judge(world);
    const calls = usualCalls(start, start + hour, 8, 5).map((call) => ({ ...call, rows: [[1e9, 'DE'] as const] }));
    await world.deliver(objectOf('outside', calls, later + minute));
    return (await judge(world)).verdict;
  };
  const paid = await judgeLate(1e-6);
  expect(paid).toMatchObject({ revision: 1, tier: 'yellow' });
  expect(paid.findings.filter(({ tier }) => tier === 'yellow').map(({ id }) => id)).toEqual(['range:amount']);
  const held = await judgeLate(1e-300);
  expect(held).toMatchObject({ revision: 1, tier: 'green' });
  expect(held.findings.map(({ id, tier }) => [id, tier])).toEqual([['range:amount', 'green']]);
  expect(held.findings[0]?.message).toMatch(
    /; seen only with late data and not confirmed at the level of a second look$/,
  );
  expect(held.rule.level).toBeLessThan(1e-300);
});

test('the tier of drifting records is yellow at first judgement', async () => {
  const world = await createWorld();
  await world.deliver(first());
  await world.deliver(drifted(start + hour));
  world.clock.set(later);
  expect((await judge(world)).verdict.tier).toBe('yellow');
});

test('two judgements at once end with one chain of revisions', async () => {
  const world = await createWorld();
  await world.deliver(first());
  world.clock.set(later);
  await Promise.all([judge(world, { windows: new WindowReader(world.state) }), judge(world)]);
  expect(world.verdicts().map(({ revision }) => revision)).toEqual([0]);
});

test('a judgement that was overtaken by one that knew more does not undo it', async () => {
  for (let position = 0; ; position++) {
    const world = await createWorld();
    await world.deliver(first());
    world.clock.set(later);
    await judge(world);
    await world.deliver(objectOf('second', usualCalls(start, start + hour, 50, 3), later));
    let left = position;
    const overtake = async () => {
      if (left-- !== 0) return;
      await world.deliver(objectOf('third', usualCalls(start, start + hour, 60, 4), later));
      await judge(world);
    };
    const slow: ObjectStore = {
      async *list(prefix) {
        yield* world.state.list(prefix);
        await overtake();
      },
      async get(key) {
        await overtake();
        return world.state.get(key);
      },
      async putOnce(key, body) {
        await overtake();
        return world.state.putOnce(key, body);
      },
    };
    await judge(world, { state: slow });
    if (left >= 0) {
      expect(position).toBeGreaterThan(8);
      break;
    }
    const counted = world.verdicts().map(({ records }) => records.counted);
    expect([
      [200, 250, 310],
      [200, 310],
    ]).toContainEqual(counted);
    expect(await world.listSeries()).toMatchObject([{ newest: { captured: 310 } }]);
    const { rollUps } = await world.modelState();
    const hours = await new RollUpReader(world.state).hours(rollUps.map(([, key]) => key));
    expect(hours.map(({ rows }) => rows)).toEqual([310]);
  }
});

test('after a crash anywhere, repeating the judgement leaves what an undisturbed one leaves', async () => {
  const judgeTwice = async (world: World) => {
    await judge(world);
    await world.deliver(objectOf('late', usualCalls(start, start + hour, 40, 5), later));
    await judge(world);
  };
  const undisturbed = await createWorld();
  await undisturbed.deliver(first());
  undisturbed.clock.set(later);
  await judgeTwice(undisturbed);
  const expected = undisturbed.metrics.data.length;
  expect(expected).toBeGreaterThan(3);
  for (const fault of ['before', 'after'] as const) {
    for (let position = 0; ; position++) {
      const world = await createWorld();
      await world.deliver(first());
      world.clock.set(later);
      let left = position;
      const crash = async <T>(write: () => Promise<T>): Promise<T> => {
        const hit = left-- === 0;
        if (hit && fault === 'before') throw new Error('crash');
        const result = await write();
        if (hit) throw new Error('crash');
        return result;
      };
      const { table } = world.sqlite;
      const faulty = (store: World['state']) => ({
        putOnce: (key: string, body: Uint8Array) => crash(() => store.putOnce(key, body)),
        get: (key: string) => store.get(key),
        list: (prefix: string) => store.list(prefix),
      });
      const changes: Parameters<World['ports']>[0] = {
        state: faulty(world.state),
        audit: faulty(world.audit),
        metrics: { put: (namespace, data) => crash(() => world.metrics.put(namespace, data)) },
        table: {
          get: (...names) => table.get(...names),
          list: (name) => table.list(name),
          remove: (...names) => table.remove(...names),
          put: (...row) => crash(() => table.put(...row)),
        },
      };
      const crashed = await judge(world, changes).then(
        () => false,
        () => true,
      );
      if (!crashed) break;
      // Late data may come before the judgement is repeated.
      if (position % 2 === 0) {
        await judgeTwice(world);
        expect([world.state.contents(), world.audit.contents()]).toEqual([
          undisturbed.state.contents(),
          undisturbed.audit.contents(),
        ]);
      } else {
        await world.deliver(objectOf('late', usualCalls(start, start + hour, 40, 5), later));
        await judge(world);
      }
      const distinct = new Set(world.metrics.data.map((datum) => JSON.stringify(datum)));
      const records = world.metrics.values(metricNames.records);
      expect(new Set(records).size).toBe(1);
      const hasVerdict = world.verdicts().some(({ records: { counted } }) => counted === 200);
      expect(records[0]).toBe(hasVerdict ? 200 : 240);
      expect(distinct.size).toBe(expected);
      expect(await world.listSeries()).toMatchObject([{ newest: { windowStart: start, captured: 240 } }]);
    }
  }
});

test('a window is judged from a profile that names its fragments', async () => {
  const world = await createWorld();
  const { fragments } = await world.deliver(first());
  world.clock.set(later);
  const { verdict } = await judge(world);
  const [key = ''] = verdict.evidence.profiles;
  const [profile] = world.state.documents<Profile>(key);
  expect(profile?.fragments.map(([id]) => `${fragments[0]?.slice(0, -32)}${id}`)).toEqual(fragments);
  expect(profile?.summary.records.counted).toBe(200);
});
