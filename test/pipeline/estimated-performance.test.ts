import { beforeAll, describe, expect, test } from 'vitest';
import { decodeCapture } from '../../core/decode/decode-capture.ts';
import { defaultBatchRows, defaultLimits } from '../../core/decode/decode-plan.ts';
import type { Baseline } from '../../core/model/baseline.ts';
import type { Verdict } from '../../core/model/verdict.ts';
import { createBaseline, EmptyBaselineError, type LabelOptions } from '../../core/pipeline/create-baseline.ts';
import { createRandom } from '../evaluate/synthetic-model.ts';
import { type Call, day, hour, linesOf, payloadKey, payloadLine } from './capture-lines.ts';
import { createRuntime, start, usualCalls, World } from './embedded-world.ts';

const calls = usualCalls(start - 4 * day, start, 4_800, 17);

/** Captures in which the last column says how it turned out: an even chance at a score of .7, a sure yes at 1. */
function labelledLines(label: (yes: boolean) => string): Uint8Array {
  const random = createRandom(23);
  const labelled = calls.map((call): Call => {
    const rows = call.rows.map(([amount, country]) => {
      const score = 1 / (1 + Math.exp(-Number(amount) / 50));
      return [amount, `${country},${label(random() < (score - 0.4) / 0.6)}`] as const;
    });
    return { ...call, rows };
  });
  return linesOf(labelled.map(payloadLine));
}

function baselineOf(bytes: Uint8Array, labels: LabelOptions, predictions = ['score']): Promise<Baseline> {
  async function* once(): AsyncGenerator<Uint8Array> {
    yield bytes;
  }
  const open = () =>
    decodeCapture(once(), {
      format: 'sagemaker-capture',
      gzip: 'auto',
      variant: 'AllTraffic',
      defaultVersion: 'v1',
      versions: [{ match: 'v1', columns: ['amount', 'country', 'paid'], predictions }],
      role: 'inferences',
      limits: defaultLimits,
      batchRows: defaultBatchRows,
    });
  return createBaseline({ open }, { windowSeconds: 3600, labels });
}

let baseline: Baseline;

beforeAll(async () => {
  baseline = await baselineOf(
    labelledLines((yes) => (yes ? '1' : '0')),
    { column: 'paid', threshold: 0.85 },
  );
});

async function pass(world: World, at: number, count: number, change: (amount: number) => number): Promise<Verdict> {
  const usual = usualCalls(at, at + hour, count, 31);
  const lines = usual.map((call) =>
    payloadLine({ ...call, rows: call.rows.map(([amount, country]) => [change(Number(amount)), country] as const) }),
  );
  // In two objects, whose scores add up.
  for (const half of [0, 1]) {
    await world.deliver({
      key: payloadKey(at, `part${half}`),
      body: linesOf(lines.filter((_, index) => index % 2 === half)),
      arrived: at + hour + half,
    });
  }
  await world.tick(at + hour + 11 * 60_000);
  const verdict = world.verdicts().find(({ window }) => Date.parse(window.start) === at);
  if (!verdict) throw new Error('expected a verdict');
  return verdict;
}

describe('a baseline with labels', () => {
  test('knows what scores mean, and the labels are no feature of it', () => {
    expect(baseline.layout.features.map(([name]) => name)).toEqual(['amount', 'country', 'score']);
    expect(baseline.calibration).toMatchObject({ score: 'score', of: 'positives', label: 'paid' });
    const { steps = [], threshold } = baseline.calibration?.map ?? {};
    expect(threshold).toBe(0.85);
    expect(steps.reduce((sum, [records]) => sum + records, 0)).toBe(4_800);
    expect(baseline.notes.join()).toMatch(/paid: labels of 4800 records, \d+ of them positive, tell what score means/);
  });
  test('reads labels in words where it is told which one is a yes', async () => {
    const words = labelledLines((yes) => (yes ? 'repaid' : 'lost'));
    const told = await baselineOf(words, { column: 'paid', threshold: 0.85, positive: 'repaid' });
    expect(told.calibration?.map).toEqual(baseline.calibration?.map);
    await expect(baselineOf(words, { column: 'paid' })).rejects.toThrow(EmptyBaselineError);
    await expect(baselineOf(words, { column: 'paid' })).rejects.toThrow(
      'expected labels in "paid" beside the model\'s scores, saw none, but 4800 that are neither 0 and 1 nor true and false: say which one is a yes',
    );
    await expect(baselineOf(words, { column: 'elsewhere', positive: 'repaid' })).rejects.toThrow('saw none');
  });
  test('needs an output to compare them with', async () => {
    await expect(
      baselineOf(
        linesOf(
          calls
            .slice(0, 200)
            .map((call) =>
              payloadLine({ ...call, rows: call.rows.map(([amount, country]) => [amount, `${country},1`] as const) }),
            ),
        ),
        { column: 'paid' },
        ['score', 'other'],
      ),
    ).rejects.toThrow();
  });
});

describe('windows without labels', () => {
  test('carry an estimate, and a fall of it is said beside the drift of the scores that shows it', async () => {
    const world = new World(await createRuntime({}, 'test', baseline));
    for (let at = start; at < start + 3 * hour; at += hour) {
      const verdict = await pass(world, at, 400, (amount) => amount);
      expect(verdict.tier).toBe('green');
      expect(verdict.findings.filter(({ kind }) => kind === 'performance')).toEqual([]);
      const { performance } = verdict;
      const precision = performance?.baseline.precision?.value ?? 0;
      expect(performance).toMatchObject({ estimated: true, score: 'score', of: 'positives', threshold: 0.85 });
      expect(performance?.scales[0]).toMatchObject({ scale: 1, windows: 1, records: 400 });
      expect(performance?.scales[0]?.precision?.lower).toBeLessThan(precision);
      expect(performance?.scales[0]?.precision?.upper).toBeGreaterThan(precision);
    }
    const at = start + 3 * hour;
    const verdict = await pass(world, at, 400, (amount) => Math.round(amount * 0.6));
    expect(verdict.performance?.scales[1]).toMatchObject({ scale: 2, windows: 2, records: 800 });
    const finding = verdict.findings.find(({ kind }) => kind === 'performance');
    expect(finding).toMatchObject({ id: 'performance:score', tier: 'yellow', evidence: { estimated: true } });
    expect(finding?.message).toMatch(
      /^(recall|precision|accuracy) is estimated to have fallen from .* % to .* %, at the \d-hour scale; estimated without labels from [\d,]+ scores: .*if scores still mean what they meant in the baseline/,
    );
    expect(verdict.features.score?.drifted).toBe(true);
    expect(verdict.tier).toBe('yellow');
  });

  test('of another version that nobody configured say nothing of it', async () => {
    const runtime = await createRuntime(
      {
        versions: [
          { match: '*', schema: { columns: ['amount', 'country'], prediction: 'score' }, baseline: 'v1.json' },
        ],
      },
      'test',
      baseline,
    );
    const world = new World(runtime);
    await pass(world, start, 100, (amount) => amount);
    const at = start + hour;
    const lines = usualCalls(at, at + hour, 100, 41).map((call) => payloadLine({ ...call, version: 'v9' }));
    await world.deliver({ key: payloadKey(at, 'next'), body: linesOf(lines), arrived: at + hour });
    await world.tick(at + hour + 11 * 60_000);
    const [first, second] = ['v1', 'v9'].map((version) => world.verdicts().find((each) => each.version === version));
    expect(first?.performance?.scales[0]?.records).toBe(100);
    expect(second?.records.counted).toBe(100);
    expect(second?.performance).toBeUndefined();
  });
});
