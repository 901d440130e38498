import { expect, test } from 'vitest';
import { BaselineError } from '../../core/pipeline/model-runtime.ts';
import { hour, linesOf, minute, payloadKey, payloadLine } from './capture-lines.ts';
import { createRuntime, createWorld, start, usualCalls } from './embedded-world.ts';

const versions = [
  { match: 'v1', schema: { columns: ['amount', 'country'], prediction: 'score' }, baseline: 'v1.json' },
];
const calls = usualCalls(start, start + 50 * minute, 200, 11);
const arrived = start + 51 * minute;
const judged = start + hour + 10 * minute;

test.each([
  ['one column more', (id: string) => [1, id], 'extra-column'],
  ['one column less', () => [], 'missing-column'],
] as const)(
  'a version that nobody configured, with %s, is compared and reported, not quarantined',
  async (_, change, kind) => {
    const world = await createWorld({ versions });
    const lines = calls.map((call) => {
      const [amount, country] = call.rows[0] ?? [100, 'DE'];
      const cells = kind === 'extra-column' ? [amount, country, ...change(call.id)] : [amount];
      const line = payloadLine({ ...call, version: 'v9' });
      return line.replace(`"${amount},${country}"`, JSON.stringify(cells.join(',')));
    });
    const report = await world.deliver({ key: payloadKey(start, 'new'), body: linesOf(lines), arrived });
    expect(report).toMatchObject({ counted: calls.length, quarantined: 0 });
    await world.tick(judged);
    const [verdict] = world.verdicts();
    expect(verdict?.version).toBe('v9');
    expect(verdict?.findings.map((finding) => finding.kind)).toEqual(expect.arrayContaining(['unknown-version', kind]));
    expect(verdict?.features.amount?.scores.populationStabilityIndex).toBeLessThan(0.1);
  },
);

test('what an unconfigured version gets wrong breaks no schema and pages nobody', async () => {
  const world = await createWorld({ versions });
  const wrong = calls.map((call) => payloadLine({ ...call, rows: [['much', 'DE']], version: 'v9' }));
  const report = await world.deliver({ key: payloadKey(start, 'new'), body: linesOf(wrong), arrived });
  expect(report).toMatchObject({ counted: 0, quarantined: calls.length });
  await world.tick(arrived);
  expect((await world.modelState()).live.tier).toBe('green');

  const own = await createWorld({ versions });
  const broken = calls.map((call) => payloadLine({ ...call, rows: [['much', 'DE']] }));
  await own.deliver({ key: payloadKey(start, 'own'), body: linesOf(broken), arrived });
  await own.tick(arrived);
  expect((await own.modelState()).live.tier).toBe('red');
});

test('versions invented by callers share a series once there are many; a configured one keeps its own', async () => {
  const world = await createWorld();
  const invented = calls.map((call, index) => payloadLine({ ...call, version: `invented-${index}` }));
  await world.deliver({ key: payloadKey(start, 'flood'), body: linesOf(invented), arrived });
  await world.deliver({ key: payloadKey(start, 'usual'), body: linesOf(calls.map(payloadLine)), arrived });
  const series = await world.listSeries();
  expect(series.length).toBeLessThanOrEqual(34);
  expect(series.map(({ version }) => version)).toEqual(expect.arrayContaining(['other', 'v1', 'invented-0']));
  // Another delivery finds the same series for the same records.
  const before = world.state.contents();
  await world.ingest(payloadKey(start, 'flood'));
  expect(world.state.contents()).toEqual(before);
});

test('a feature kind that the baseline does not count by is refused', async () => {
  await expect(createRuntime({ features: { amount: { kind: 'categorical', required: true } } })).rejects.toThrow(
    BaselineError,
  );
  await expect(createRuntime({ features: { amount: { kind: 'numeric', required: true } } })).resolves.toMatchObject({
    defaultVersion: 'v1',
  });
});
