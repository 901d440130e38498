import { expect, test } from 'vitest';
import { hour, linesOf, minute, payloadKey, payloadLine } from './capture-lines.ts';
import { createRuntime, start, usualCalls, World } from './embedded-world.ts';

const variant = 'canary';

interface Hour {
  readonly stable: number;
  readonly canary: number;
  /** What the canary's amounts are. */
  readonly change?: ((amount: number) => number) | undefined;
  /** What both have in common in this hour. */
  readonly weather?: ((amount: number) => number) | undefined;
}

async function pass(world: World, at: number, { stable, canary, change = (x) => x, weather = (x) => x }: Hour) {
  const lines = (count: number, seed: number, of: (amount: number) => number) =>
    linesOf(
      usualCalls(at, at + hour, count, seed).map((call) =>
        payloadLine({ ...call, rows: call.rows.map(([amount, country]) => [Math.round(of(Number(amount))), country]) }),
      ),
    );
  const arrived = at + hour;
  await world.deliver({ key: payloadKey(at, 'stable'), body: lines(stable, 71, weather), arrived });
  const body = lines(canary, 72, (amount) => change(weather(amount)));
  await world.deliver({ key: payloadKey(at, 'canary', variant), body, arrived });
  await world.tick(at + hour + 11 * minute);
  const verdicts = world.verdicts().filter(({ window }) => Date.parse(window.start) === at);
  const [own, other] = [variant, 'AllTraffic'].map((name) => verdicts.find((verdict) => verdict.variant === name));
  if (!own || !other) throw new Error('expected a verdict on both');
  return { own, other };
}

test('the smaller of two variants is compared with the larger one, which is not compared with it', async () => {
  const world = new World(await createRuntime());
  for (let at = start; at < start + 3 * hour; at += hour) {
    const { own, other } = await pass(world, at, { stable: 600, canary: 120 });
    expect(other.beside).toBeUndefined();
    expect(own.beside).toMatchObject({ variant: 'AllTraffic', version: 'v1' });
    expect(own.beside?.stretches[0]).toMatchObject({ windows: 1, records: 120, otherRecords: 600 });
    expect(own.beside?.stretches[0]?.minimumDetectableEffect).toBeGreaterThan(0);
    expect(own.findings.filter(({ tier }) => tier !== 'green')).toEqual([]);
    // A fifth of the level goes to this comparison, the rest stays with the one with the baseline.
    const level = other.rule.level;
    expect(own.rule.level / level).toBeCloseTo(0.8, 9);
    expect((own.beside?.level ?? 0) / level).toBeCloseTo(0.2, 9);
  }
  const at = start + 3 * hour;
  const { own, other } = await pass(world, at, { stable: 600, canary: 200, change: (amount) => amount * 1.5 });
  expect(own.beside?.stretches[1]).toMatchObject({ windows: 4, records: 560, otherRecords: 2400 });
  const finding = own.findings.find(({ id }) => id === 'beside:amount');
  expect(finding).toMatchObject({ tier: 'yellow', kind: 'beside', evidence: { variant: 'AllTraffic', version: 'v1' } });
  expect(finding?.message).toMatch(
    /^amount: .* of records now lie .*, beside it in version v1 \(variant AllTraffic\) .*; PSI .*, q = .*, [\d,]+ records against [\d,]+ of the same \d-hour stretch$/,
  );
  expect(own.tier).toBe('yellow');
  expect(other.findings.filter(({ kind }) => kind === 'beside')).toEqual([]);
  // What it was compared with is in the evidence, and kept.
  expect(own.evidence.trails?.length).toBeGreaterThan(0);
  for (const key of own.evidence.trails ?? []) expect((await world.state.get(key))?.length, key).toBeGreaterThan(0);
});

test('two series share the level of their model, and a window keeps the share it was judged with', async () => {
  const world = new World(await createRuntime());
  const alone = world.runtime.policy.drift.level;
  const deliver = (name: string, at: number, arrived: number, series?: string) =>
    world.deliver({
      key: payloadKey(at, name, series),
      body: linesOf(usualCalls(at, at + hour, 60, name.length).map(payloadLine)),
      arrived,
    });
  await deliver('stable', start, start + hour);
  await world.tick(start + hour + 11 * minute);
  // The canary's records of the first hour come late, as do some of the other's.
  await deliver('canary', start, start + hour + 20 * minute, variant);
  await deliver('late stable', start, start + hour + 20 * minute);
  await world.tick(start + hour + 30 * minute);
  await deliver('stable', start + hour, start + 2 * hour);
  await deliver('canary', start + hour, start + 2 * hour, variant);
  await world.tick(start + 2 * hour + 11 * minute);
  const rules = world
    .verdicts()
    .filter((verdict) => verdict.variant === 'AllTraffic')
    .map(({ window, revision, rule }) => [
      (Date.parse(window.start) - start) / hour,
      revision,
      rule.series,
      rule.level,
    ]);
  expect(rules).toEqual([
    [0, 0, undefined, alone],
    [0, 1, undefined, alone],
    [1, 0, 2, alone / 2],
  ]);
});

test('what changes for both is no difference between them', async () => {
  const world = new World(await createRuntime());
  const { own, other } = await pass(world, start, { stable: 600, canary: 200, weather: (amount) => amount * 4 });
  expect(other.features.amount?.scores.populationStabilityIndex).toBeGreaterThan(1);
  expect(own.findings.filter(({ kind }) => kind === 'beside')).toEqual([]);
});

test('a few records are not tested, and a series alone is not compared', async () => {
  const world = new World(await createRuntime());
  const { own } = await pass(world, start, { stable: 400, canary: 10, change: (amount) => amount * 3 });
  expect(own.beside?.stretches[0]).toMatchObject({ records: 10, features: [], minimumDetectableEffect: null });
  expect(own.findings.filter(({ kind }) => kind === 'beside')).toEqual([]);
});
