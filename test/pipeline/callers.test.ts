import { describe, expect, test } from 'vitest';
import { decodeCapture } from '../../core/decode/decode-capture.ts';
import { defaultBatchRows, defaultLimits } from '../../core/decode/decode-plan.ts';
import type { Baseline } from '../../core/model/baseline.ts';
import { createBaseline } from '../../core/pipeline/create-baseline.ts';
import { type Call, day, hour, linesOf, minute, payloadKey, payloadLine } from './capture-lines.ts';
import { createRuntime, start, usualCalls, World } from './embedded-world.ts';

interface NamedCall extends Call {
  readonly client: string;
}

/** The line with the caller among its custom attributes. */
function namedLine({ client, ...call }: NamedCall): string {
  const record: { eventMetadata: { customAttributes: string[] } } = JSON.parse(payloadLine(call));
  record.eventMetadata.customAttributes.push(`client=${client}`);
  return JSON.stringify(record);
}

/** Calls of many customers. */
function customers(from: number, to: number, count: number, seed: number): NamedCall[] {
  return usualCalls(from, to, count, seed).map((call, at) => ({ ...call, client: `customer ${(at * 37) % 40}` }));
}

/** Calls of one caller, unlike the others. */
function batchOf(client: string, from: number, count: number, scale = 2): NamedCall[] {
  return usualCalls(from, from + hour, count, client.length + 11).map((call) => ({
    ...call,
    id: `${client} ${call.id}`,
    rows: call.rows.map(([amount, country]) => [Number(amount) * scale, country] as const),
    client,
  }));
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Ten days of usual calls; a job of its own sends a third of what comes at three o'clock. */
function createNamedBaseline(): Promise<Baseline> {
  const first = start - 10 * day;
  const jobs = Array.from({ length: 10 }, (_, at) => batchOf('nightly-job', first + at * day + 3 * hour, 30));
  const calls = [...customers(first, start, 240 * 60, 7), ...jobs.flat()].sort((a, b) => a.time - b.time);
  const schema = { columns: ['amount', 'country'], predictions: ['score'], caller: 'client' };
  const plan = {
    format: 'sagemaker-capture',
    gzip: 'auto',
    variant: 'AllTraffic',
    defaultVersion: 'v1',
    versions: [{ match: 'v1', ...schema }],
    role: 'inferences',
    limits: defaultLimits,
    batchRows: defaultBatchRows,
  } as const;
  const open = () => decodeCapture(once(linesOf(calls.map(namedLine))), plan);
  return createBaseline({ open }, { windowSeconds: 3600, caller: 'client' });
}

const baseline = createNamedBaseline();

async function openWorld(caller: string | undefined): Promise<World> {
  const schema = { columns: ['amount', 'country'], prediction: 'score', ...(caller && { caller }) };
  const versions = [{ match: 'v1', schema, baseline: 'v1.json' }];
  return new World(await createRuntime({ versions }, 'test', await baseline));
}

/** Judges hours of usual calls, with more in some of them. */
async function judgeHours(world: World, hours: number, more: (at: number, from: number) => readonly NamedCall[]) {
  for (let at = 0; at < hours; at++) {
    const from = start + at * hour;
    const calls = [...customers(from, from + hour, 60, 5), ...more(at, from)].sort((a, b) => a.time - b.time);
    const key = payloadKey(from, `h${at}`);
    await world.deliver({ key, body: linesOf(calls.map(namedLine)), arrived: from + hour + minute });
    await world.tick(from + hour + 10 * minute);
  }
}

/** All that is kept of the model, as text. */
async function readState(world: World): Promise<readonly string[]> {
  const texts: string[] = [];
  for await (const key of world.state.list('')) {
    texts.push(key, Buffer.from((await world.state.get(key)) ?? []).toString('utf8'));
  }
  return texts;
}

/** A tester sends five times as many records as all others, for three hours. */
const testRun = (at: number, from: number) => (at >= 5 && at < 8 ? batchOf('tester', from, 300) : []);

describe('one caller', () => {
  test('in the baseline is known by its hash', async () => {
    const { callers, layout, notes } = await baseline;
    expect(callers?.column).toBe('client');
    expect(callers?.known).toHaveLength(1);
    expect(callers?.known[0]?.[0]).toMatch(/^[0-9a-f]{16}$/);
    expect(callers?.known[0]?.[1].records).toBe(300);
    expect(JSON.stringify([callers, layout, notes])).not.toMatch(/nightly-job|customer/);
  });

  test('who sends most records for some hours is no drift, and is named by hash', async () => {
    const world = await openWorld('client');
    await judgeHours(world, 12, testRun);
    const verdicts = world.verdicts();
    expect(verdicts.flatMap(({ findings }) => findings.filter(({ tier }) => tier !== 'green'))).toEqual([]);
    const told = verdicts.map(({ findings }) => findings.filter(({ kind }) => kind === 'caller'));
    expect(told.map((each) => each.length)).toEqual([0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0]);
    const [finding] = told[5] ?? [];
    expect(finding?.id).toMatch(/^caller:[0-9a-f]{16}$/);
    expect(finding?.evidence).toMatchObject({ records: 300, kept: 7, judgedRecords: 67, expectedShare: 0, cap: 0.1 });
    expect(verdicts[5]?.features.amount?.scales?.[0]?.records).toBe(67);
    const written = await readState(world);
    expect(written.some((text) => text.includes('"callers"'))).toBe(true);
    expect(written.every((text) => !text.includes('tester'))).toBe(true);
  });

  test('is drift where callers are not told apart', async () => {
    const world = await openWorld(undefined);
    await judgeHours(world, 8, testRun);
    expect(world.verdicts().some(({ tier }) => tier === 'yellow')).toBe(true);
    // What was deployed is kept whole, the baseline's callers among it.
    const kept = (await readState(world)).filter((text) => !text.startsWith('{"baselines":'));
    expect(kept.every((text) => !text.includes('"callers"'))).toBe(true);
  });

  test('does not hide that the others have changed, and is named beside it', async () => {
    const world = await openWorld('client');
    await judgeHours(world, 16, (at, from) => [
      ...testRun(at, from),
      ...(at >= 6
        ? customers(from, from + hour, 60, 9).map((call) => ({
            ...call,
            id: `x${call.id}`,
            rows: [[9000, 'PT']] as const,
          }))
        : []),
    ]);
    const findings = world.verdicts().flatMap((verdict) => verdict.findings);
    const drift = findings.find(({ kind, feature }) => kind === 'drift' && feature === 'amount');
    expect(drift?.tier).toBe('yellow');
    expect(drift?.message).toMatch(/; caller [0-9a-f]{16} sent \d+ % of the records of .*windows?: \d+ count as \d+$/);
    expect(drift?.evidence.callerKept).toBeLessThan(Number(drift?.evidence.callerRecords));
  });

  test('that the baseline knows at this hour is not held down', async () => {
    const world = await openWorld('client');
    await judgeHours(world, 6, (at, from) => (at === 3 ? batchOf('nightly-job', from, 30) : []));
    const findings = world.verdicts().flatMap((verdict) => verdict.findings);
    expect(findings.filter(({ tier, kind }) => tier !== 'green' || kind === 'caller')).toEqual([]);
  });
});
