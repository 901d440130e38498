import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { MetricDatum } from '../../core/model/metric.ts';
import type { FeaturePolicy, ModelPolicy } from '../../core/model/policy.ts';
import type { FeatureVerdict, Verdict } from '../../core/model/verdict.ts';
import { batchMetrics, estimateBytes, putMetricDataLimits } from '../../core/publish/batch-metrics.ts';
import { dimensionValue } from '../../core/publish/dimension-value.ts';
import { gaugeMetrics } from '../../core/publish/gauge-metrics.ts';
import { shardMetrics } from '../../core/publish/shard-metrics.ts';
import { publishedFeatures, verdictMetrics } from '../../core/publish/verdict-metrics.ts';

const end = Date.UTC(2026, 2, 1, 14);
const quietFeature: FeatureVerdict = {
  kind: 'numeric',
  baseline: { count: 1000, missing: 0 },
  current: { count: 90, missing: 10 },
  scores: { populationStabilityIndex: 0.01 },
  tests: {},
  qValue: 0.5,
  minimumDetectableEffect: 0.1,
  drifted: false,
};

function createVerdict(features: Verdict['features'], rest: Partial<Verdict> = {}): Verdict {
  return {
    schema: 'tidewatch.verdict/1',
    mode: 'closed',
    model: 'credit',
    variant: 'AllTraffic',
    version: 'v7',
    window: { start: new Date(end - 3_600_000).toISOString(), end: new Date(end).toISOString() },
    revision: 0,
    tier: 'green',
    records: { captured: 103, counted: 100, quarantined: 3, duplicate: 0, pending: 0, expired: 0, late: 0 },
    rule: { level: 1e-4, minimumEffect: 0.02, effectLevel: 0.001, calibration: 'none' },
    features,
    slos: [],
    quality: [],
    findings: [],
    evidence: { baseline: null, config: 'c', code: 'd', profiles: [] },
    ...rest,
  };
}

function configure(features: readonly (readonly [string, Partial<FeaturePolicy>])[] = [], published = 2): ModelPolicy {
  return {
    schema: 'tidewatch.config/1',
    name: 'credit',
    sources: [],
    versions: [],
    windowSeconds: 3600,
    graceSeconds: 600,
    captureDelaySeconds: 300,
    features: features.map(([name, policy]) => [name, { ignore: false, required: false, published: false, ...policy }]),
    slos: [],
    drift: {
      level: 1e-4,
      minimumEffect: 0.02,
      effectLevel: 0.001,
      minimumMissingRise: 0.01,
      minimumUnseenRise: 0.01,
      minimumRecords: 100,
      maximumQuarantineShare: 0.01,
    },
    publishedFeatures: published,
    alerts: { yellow: [], red: [] },
  };
}

/** `name{Dimension=value}` → value. */
function tabulate(data: readonly MetricDatum[]): Record<string, number> {
  return Object.fromEntries(
    data.map(({ name, dimensions, value }) => [
      `${name}{${dimensions.map((pair) => pair.join('=')).join(',')}}`,
      value,
    ]),
  );
}

const features = {
  age: quietFeature,
  income: { ...quietFeature, drifted: true, qValue: 1e-9, scores: { populationStabilityIndex: 0.3 } },
  text: { ...quietFeature, qValue: null, scores: {}, current: { count: 100, missing: 0 } },
};

test('the scores of a closed window, stamped with its end', () => {
  const data = verdictMetrics(createVerdict(features), configure());
  expect(tabulate(data)).toEqual({
    'Records{Model=credit}': 100,
    'QuarantinedRecords{Model=credit}': 3,
    'DriftedFeatures{Model=credit}': 1,
    'DriftShare{Model=credit}': 0.5,
    'MaxPopulationStabilityIndex{Model=credit}': 0.3,
    'PopulationStabilityIndex{Feature=age,Model=credit}': 0.01,
    'PopulationStabilityIndex{Feature=income,Model=credit}': 0.3,
    'MissingRate{Model=credit}': 20 / 300,
  });
  expect(new Set(data.map(({ time }) => time))).toEqual(new Set([end]));
});

test('what was not measured is left out; live and analysed windows publish nothing', () => {
  const empty = createVerdict({});
  expect(Object.keys(tabulate(verdictMetrics(empty, configure())))).toEqual([
    'Records{Model=credit}',
    'QuarantinedRecords{Model=credit}',
  ]);
  expect(verdictMetrics(createVerdict(features, { mode: 'live' }), configure())).toEqual([]);
  expect(verdictMetrics(createVerdict(features, { mode: 'analysis' }), configure())).toEqual([]);
});

test('features marked as published take the place of the first few; required ones show their missing rate', () => {
  const policy = configure([
    ['text', { published: true }],
    ['gone', { published: true }],
    ['age', { required: true }],
  ]);
  expect(publishedFeatures(createVerdict(features), policy)).toEqual(['text']);
  const names = Object.keys(tabulate(verdictMetrics(createVerdict(features), policy)));
  expect(names.filter((name) => name.includes('Feature='))).toEqual(['MissingRate{Feature=age,Model=credit}']);
});

test('a shard publishes its own heartbeat, and everything of a model as it is', () => {
  const state = { tier: 'green', evaluationLagSeconds: 90, quarantineShare: undefined, slos: [] } as const;
  const data = gaugeMetrics([{ model: 'credit', ...state }], end);
  expect(tabulate([...shardMetrics(data, 'main')])).toEqual({
    'Tier{Model=credit}': 0,
    'EvaluationLagSeconds{Model=credit}': 90,
    'Heartbeat{Shard=main}': 1,
  });
});

test('gauges: tier withheld when stale, one heartbeat for the fleet', () => {
  const slo = { name: 'fast', kind: 'latency', objective: 0.999, good: 9, valid: 10, broken: true } as const;
  const data = gaugeMetrics(
    [
      {
        model: 'credit',
        tier: 'red',
        evaluationLagSeconds: 90,
        quarantineShare: 0.02,
        slos: [
          { ...slo, burnRateLong: 100, errorBudgetRemaining: -3 },
          { ...slo, name: 'idle' },
        ],
      },
      { model: 'stale', tier: undefined, evaluationLagSeconds: 9000, quarantineShare: undefined, slos: [] },
    ],
    end,
  );
  expect(tabulate(data)).toEqual({
    'Tier{Model=credit}': 2,
    'EvaluationLagSeconds{Model=credit}': 90,
    'QuarantineShare{Model=credit}': 0.02,
    'SloBurnRate{Model=credit,Slo=fast}': 100,
    'SloErrorBudgetRemaining{Model=credit,Slo=fast}': -3,
    'EvaluationLagSeconds{Model=stale}': 9000,
    'Heartbeat{}': 1,
  });
});

const datum: MetricDatum = { name: 'Records', dimensions: [['Model', 'credit']], time: end, value: 1, unit: 'Count' };

test.each([
  ['not-finite', { value: Number.NaN }],
  ['not-finite', { value: Number.POSITIVE_INFINITY }],
  ['too-large', { value: 1e109 }],
  ['too-old', { time: end - putMetricDataLimits.pastMilliseconds - 1 }],
  ['too-new', { time: end + putMetricDataLimits.futureMilliseconds + 1 }],
  ['too-old', { time: Number.NaN }],
  ['bad-name', { name: '' }],
  ['bad-dimensions', { dimensions: [['Model', '']] }],
  ['bad-dimensions', { dimensions: [['Model', 'größe']] }],
  ['bad-dimensions', { dimensions: [['Model', ':colon']] }],
  ['bad-dimensions', { dimensions: [['Model', 'x'.repeat(1025)]] }],
  [
    'bad-dimensions',
    {
      dimensions: [
        ['Model', 'a'],
        ['Model', 'b'],
      ],
    },
  ],
  ['bad-dimensions', { dimensions: Array.from({ length: 31 }, (_, index) => [`d${index}`, 'x'] as const) }],
] as const)('%s: %o is set aside and the rest is sent', (reason, change) => {
  const bad = { ...datum, ...change };
  expect(batchMetrics([datum, bad, datum], end)).toEqual({
    batches: [[datum, datum]],
    refused: [{ datum: bad, reason }],
  });
});

test('the limits themselves are accepted, and a value too small to be sent is zero', () => {
  const edge = [
    { ...datum, time: end - putMetricDataLimits.pastMilliseconds },
    { ...datum, time: end + putMetricDataLimits.futureMilliseconds },
    { ...datum, dimensions: [['Model', 'x'.repeat(1024)] as const] },
  ];
  expect(batchMetrics(edge, end)).toEqual({ batches: [edge], refused: [] });
  expect(batchMetrics([{ ...datum, value: 1e-200 }], end).batches).toEqual([[{ ...datum, value: 0 }]]);
  expect(batchMetrics([], end)).toEqual({ batches: [], refused: [] });
});

test('any data: nothing lost, order kept, every request within the limits', () => {
  const anyDatum = fc
    .tuple(fc.string({ maxLength: 40 }), fc.integer({ min: 0, max: 30 }), fc.integer({ min: 1, max: 300 }))
    .map(([text, dimensions, length]) => ({
      ...datum,
      dimensions: Array.from(
        { length: dimensions },
        (_, index) => [`d${index}`, dimensionValue(text.repeat(length))] as const,
      ),
    }));
  const many = fc.tuple(fc.array(anyDatum, { minLength: 1, maxLength: 6 }), fc.integer({ min: 0, max: 2500 }));
  fc.assert(
    fc.property(many, ([kinds, length]) => {
      const data = Array.from({ length }, (_, index) => kinds[index % kinds.length] ?? datum);
      const { batches, refused } = batchMetrics(data, end);
      expect(refused).toEqual([]);
      expect(batches.flat()).toEqual(data);
      for (const batch of batches) {
        expect(batch.length).toBeLessThanOrEqual(1000);
        expect(batch.reduce((sum, each) => sum + estimateBytes(each), 0)).toBeLessThanOrEqual(1_000_000);
        // What the estimate bounds: the request in the form-encoded query protocol.
        expect(encodeRequest(batch).length).toBeLessThanOrEqual(1_000_000);
      }
    }),
    { numRuns: 15, seed: 20260301 },
  );
});

function encodeRequest(batch: readonly MetricDatum[]): string {
  const fields = batch.flatMap(({ name, dimensions, time, value, unit }, index) => {
    const prefix = `MetricData.member.${index + 1}.`;
    return [
      [`${prefix}MetricName`, name],
      [`${prefix}Timestamp`, new Date(time).toISOString()],
      [`${prefix}Value`, String(value)],
      [`${prefix}Unit`, unit],
      ...dimensions.flatMap(([key, text], at) => [
        [`${prefix}Dimensions.member.${at + 1}.Name`, key],
        [`${prefix}Dimensions.member.${at + 1}.Value`, text],
      ]),
    ];
  });
  return `Action=PutMetricData&Version=2010-08-01&${fields.map(([key, text]) => `${key}=${encodeURIComponent(text ?? '')}`).join('&')}`;
}

test('any name becomes a value CloudWatch accepts, and different names stay different', () => {
  const name = fc.string({ unit: 'binary', maxLength: 60 });
  fc.assert(
    fc.property(name, name, (a, b) => {
      const value = dimensionValue(a);
      expect(batchMetrics([{ ...datum, dimensions: [['Feature', value]] }], end).refused).toEqual([]);
      if (a.isWellFormed() && b.isWellFormed() && a !== b) expect(dimensionValue(b)).not.toBe(value);
    }),
    { numRuns: 500, seed: 20260301 },
  );
  expect(dimensionValue('income')).toBe('income');
  expect(dimensionValue('größe')).toBe('gr%C3%B6%C3%9Fe');
  expect(dimensionValue('é'.repeat(1000)).length).toBeLessThanOrEqual(1024);
});
