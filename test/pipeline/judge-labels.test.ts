import { expect, test } from 'vitest';
import { qualitySlo } from '../../core/contract/config.ts';
import { metricNames } from '../../core/contract/metric-names.ts';
import { CohortReader } from '../../core/pipeline/join-manifest.ts';
import { judgeLabels } from '../../core/pipeline/judge-labels.ts';
import { IntegrityError } from '../../core/pipeline/write-once.ts';
import { day, hour } from './capture-lines.ts';
import { start, usualCalls, World } from './embedded-world.ts';
import { faultyPorts, runDisturbed, type WriteFault } from './faulty-ports.ts';
import { captureObject, createLabelledRuntime, labelObject, outcomeOf } from './labelled-world.ts';

const slos = [
  qualitySlo({ measure: 'precision', atLeast: 0.85, labelsWithin: '1d' }),
  qualitySlo({ name: 'early', measure: 'accuracy', atLeast: 0.85, labelsWithin: '60d' }),
];

function judge(world: World, changes = {}) {
  const ports = world.ports(changes);
  return judgeLabels(world.runtime, { ...ports, cohorts: new CohortReader(ports.state) });
}

/** Predicted positives of an hour, of which a share turn out right, and their labels half a day later. */
async function deliverHour(world: World, at: number, count: number, right: number) {
  const calls = usualCalls(at, at + hour, count, 1).map((call) => ({ ...call, score: 0.9 }));
  await world.deliver(captureObject(`c${at}`, calls));
  const labels = calls.map(({ id }, index) => ({ id, label: index < right ? 1 : 0, time: at + 12 * hour }));
  await world.deliver(labelObject(`l${at}`, labels, at + 12 * hour));
}

test('records whose labels had their time make the model red, and the live verdict says why', async () => {
  const world = new World(await createLabelledRuntime({}, { slos }));
  await deliverHour(world, start, 200, 120);
  await judge(world);
  await world.tick(start + 13 * hour);
  // Labels of a day may still come: precision and accuracy alike are provisional.
  expect(world.liveVerdicts().at(-1)).toMatchObject({
    tier: expect.not.stringMatching('red'),
    quality: [
      {
        name: 'precision',
        broken: false,
        matured: { records: 0, value: null },
        provisional: { records: 200, value: 0.6 },
      },
      { name: 'early', broken: false },
    ],
  });
  const yellow =
    world
      .liveVerdicts()
      .at(-1)
      ?.findings.map(({ id, tier }) => [id, tier]) ?? [];
  expect(yellow).toContainEqual(['quality:precision', 'yellow']);

  world.clock.set(start + 26 * hour);
  await judge(world);
  await world.tick(start + 26 * hour);
  const live = world.liveVerdicts().at(-1);
  expect(live).toMatchObject({
    tier: 'red',
    quality: [{ broken: true, matured: { records: 200, labelled: 200, value: 0.6 } }, { broken: false }],
  });
  expect(live?.findings.find(({ id }) => id === 'quality:precision')).toMatchObject({ tier: 'red', kind: 'quality' });
  expect(live?.findings.find(({ id }) => id === 'quality:early')).toMatchObject({ tier: 'yellow' });
  expect(world.metrics.values(metricNames.quality).at(-1)).toBe(0.6);
  expect(world.metrics.values(metricNames.labelCoverage).length).toBeLessThanOrEqual(1);
  expect(world.audit.keys('bundles/credit/').length).toBeGreaterThan(4);
});

test('two versions in the same hour are told apart, and the worse new one is told of', async () => {
  const world = new World(await createLabelledRuntime({}, { slos: slos.slice(0, 1) }));
  const deliver = async (version: string, at: number, count: number, right: number) => {
    const calls = usualCalls(at, at + hour, count, 1).map((call) => {
      return { ...call, id: `${version}-${at}-${call.id}`, score: 0.9, version };
    });
    await world.deliver(captureObject(`c${version}${at}`, calls));
    const labels = calls.map(({ id }, index) => ({ id, label: index < right ? 1 : 0, time: at + 12 * hour }));
    await world.deliver(labelObject(`l${version}${at}`, labels, at + 12 * hour));
  };
  await deliver('v1', start, 600, 570);
  await judge(world);
  await deliver('v1', start + day, 600, 570);
  await deliver('v2', start + day, 60, 42);
  world.clock.set(start + 50 * hour);
  const judgement = (await judge(world))?.judgement;
  expect(judgement).toMatchObject({ tier: 'yellow', findings: [{ kind: 'quality-beside', tier: 'yellow' }] });
  expect(judgement?.quality[0]?.versions).toMatchObject([
    { version: 'v1', matured: { records: 1200, value: 0.95 } },
    { version: 'v2', matured: { records: 60, value: 0.7 } },
  ]);
  await world.tick(start + 50 * hour);
  expect(
    world
      .liveVerdicts()
      .at(-1)
      ?.findings.map(({ id }) => id),
  ).toContain('quality-beside:precision:AllTraffic/v2');
});

test('labels that say otherwise reconcile it', async () => {
  const world = new World(await createLabelledRuntime({}, { slos: slos.slice(0, 1) }));
  await deliverHour(world, start, 200, 120);
  world.clock.set(start + 26 * hour);
  expect((await judge(world))?.judgement.tier).toBe('red');
  const all = usualCalls(start, start + hour, 200, 1).map(({ id }) => ({ id, label: 1, time: start + 27 * hour }));
  await world.deliver(labelObject('corrected', all, start + 28 * hour));
  expect((await judge(world))?.judgement).toMatchObject({ tier: 'green', quality: [{ matured: { value: 1 } }] });
  expect((await outcomeOf(world)).cohorts[0]?.corrected).toBe(80);
});

test('without captures for weeks the last judgement is kept up', async () => {
  const world = new World(await createLabelledRuntime({}, { slos: slos.slice(0, 1) }));
  await deliverHour(world, start, 200, 120);
  for (let days = 2; days < 60; days += 10) {
    world.clock.set(start + days * day);
    expect((await judge(world))?.judgement.quality).toHaveLength(1);
  }
});

test('whatever write fails, the next call leaves the judgement of an undisturbed one', async () => {
  const runtime = await createLabelledRuntime({}, { slos });
  const prepare = async () => {
    const world = new World(runtime);
    await deliverHour(world, start, 60, 20);
    world.clock.set(start + 26 * hour);
    return world;
  };
  const undisturbed = await prepare();
  await judge(undisturbed);
  const outcome = async (world: World) => [await outcomeOf(world), world.state.contents(), world.audit.contents()];
  const expected = await outcome(undisturbed);
  let faults = 0;
  for (const fault of ['before', 'after', 'kill'] satisfies WriteFault[]) {
    for (let position = 0; ; position++) {
      const world = await prepare();
      const { ports, killed } = faultyPorts(world.ports(), position, fault);
      if (!(await runDisturbed(judge(world, ports), killed))) break;
      faults++;
      await judge(world);
      expect(await outcome(world)).toEqual(expected);
    }
  }
  expect(faults).toBeGreaterThan(3 * 7);
});

test('two that judge at once count nothing twice', async () => {
  const runtime = await createLabelledRuntime({}, { slos });
  const world = new World(runtime);
  await deliverHour(world, start, 60, 20);
  await Promise.all([judge(world), judge(world), judge(world)]);
  expect((await outcomeOf(world)).cohorts[0]?.hours[0]).toMatchObject({
    predicted: 60,
    truePositives: 20,
    falsePositives: 40,
  });
});

test('what is gone or damaged is told, never counted over', async () => {
  const world = new World(await createLabelledRuntime({}, { slos }));
  await deliverHour(world, start, 20, 20);
  await judge(world);
  world.state.expire('quality/cohorts/');
  await deliverHour(world, start + hour, 20, 20);
  await expect(judge(world)).rejects.toThrow(IntegrityError);
});
