import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import exampleConfig from '../../examples/credit-scoring/tidewatch.config.ts';
import {
  availabilitySlo,
  type ConfigInput,
  completenessSlo,
  configHash,
  configJson,
  defineConfig,
  email,
  eventBus,
  httpCapture,
  https,
  lambdaFunction,
  latencySlo,
  parseConfig,
  sagemakerCapture,
  sqsQueue,
} from '../../tidewatch.ts';

type ModelInput = ConfigInput['models'][number];

const smallest: ModelInput = {
  name: 'credit-scoring',
  source: sagemakerCapture({ bucket: 'captures', prefix: 'datacapture', endpoint: 'credit' }),
  versions: [{ match: 'credit-v*' }],
};

function parseModel(changes: Partial<ModelInput> = {}, fleet: ConfigInput['fleet'] = {}) {
  const [policy] = parseConfig(defineConfig({ fleet, models: [{ ...smallest, ...changes }] })).models;
  if (policy === undefined) throw new Error('expected one policy');
  return policy;
}

describe('a configuration becomes policies', () => {
  test('with documented defaults', () => {
    const { fleet, models } = parseConfig(defineConfig({ models: [smallest] }));
    expect(fleet).toEqual({
      schema: 'tidewatch.fleet/1',
      falseAlarms: { yellowPerWeek: 1 },
      runbook: 'docs/runbook.md',
    });
    expect(models).toEqual([
      {
        schema: 'tidewatch.config/1',
        name: 'credit-scoring',
        sources: [
          {
            kind: 'sagemaker-capture',
            bucket: 'captures',
            prefix: 'datacapture/',
            endpoint: 'credit',
            role: 'inferences',
          },
        ],
        versions: [{ match: 'credit-v*', predictions: [] }],
        windowSeconds: 3600,
        calendar: { timeZone: 'UTC', days: [] },
        graceSeconds: 600,
        captureDelaySeconds: 600,
        features: [],
        slos: [],
        drift: {
          level: (0.75 * 0.1) / 168 / 7,
          retestLevel: (0.05 * 0.1) / 168 / 7,
          qualityLevel: (0.05 * 0.1) / 168,
          chartAlarmsPerWeek: 0.15 * 0.1,
          minimumEffect: 0.02,
          effectLevel: 0.001,
          minimumMissingRise: 0.01,
          minimumUnseenRise: 0.01,
          minimumRecords: 30,
          maximumQuarantineShare: 0.01,
        },
        publishedFeatures: 5,
        alerts: { yellow: [], red: [] },
      },
    ]);
  });

  test('with versions named by the endpoint', () => {
    const source = (versionFrom: string) => sagemakerCapture({ bucket: 'captures', endpoint: 'credit', versionFrom });
    const versions = [{ match: 'credit-*' }, { match: '*' }];
    expect(parseModel({ source: source('endpoint'), versions }).sources).toEqual([
      expect.objectContaining({ endpoint: 'credit', versionBy: 'endpoint' }),
    ]);
    expect(parseModel({ source: source('endpoint'), versions }).sources[0]).not.toHaveProperty('versionFrom');
    expect(parseModel({ source: source('Endpoint'), versions }).sources[0]).not.toHaveProperty('versionBy');
  });

  test('with everything given', () => {
    const policy = parseModel({
      source: [
        sagemakerCapture({
          bucket: 'captures',
          prefix: 'dc/',
          endpoint: 'credit',
          versionFrom: 'v',
          account: '123456789012',
        }),
        httpCapture({ bucket: 'captures', prefix: 'requests', role: 'requests' }),
      ],
      versions: [
        {
          match: 'v7',
          schema: { columns: ['age', 'income'], prediction: 'score' },
          baseline: { path: './v7.json', sha256: 'a'.repeat(64) },
        },
        { match: 'v*', schema: { prediction: ['score', 'label'], output: 'values' }, baseline: './v.json' },
      ],
      window: '1d',
      grace: '2h',
      captureDelay: '5m',
      silenceAfter: '3h',
      features: {
        income: { required: true, minimumEffect: 0.05, kind: 'numeric', published: true },
        request_id: { ignore: true },
      },
      slos: [
        latencySlo({ threshold: '100ms', objective: 0.999, period: '7d' }),
        latencySlo({ name: 'latency-1s', threshold: '1s', objective: 0.9999 }),
        availabilitySlo({ objective: 0.9995 }),
        completenessSlo({ objective: 0.9 }),
      ],
      drift: { level: 0.001, minimumRecords: 100 },
      publishedFeatures: 0,
      alerts: { yellow: [email('ml@example.com')], red: [email('oncall@example.com')] },
    });
    expect(policy).toMatchObject({
      sources: [
        { versionFrom: 'v', account: '123456789012', prefix: 'dc/' },
        { kind: 'http-capture', role: 'requests', prefix: 'requests/' },
      ],
      versions: [
        { columns: ['age', 'income'], predictions: ['score'], baseline: { path: './v7.json', sha256: 'a'.repeat(64) } },
        { predictions: ['score', 'label'], output: 'values', baseline: { path: './v.json' } },
      ],
      windowSeconds: 86_400,
      graceSeconds: 7200,
      captureDelaySeconds: 300,
      silenceAfterSeconds: 10_800,
      features: [
        ['income', { ignore: false, required: true, kind: 'numeric', minimumEffect: 0.05, published: true }],
        ['request_id', { ignore: true, required: false, published: false }],
      ],
      slos: [
        { kind: 'latency', name: 'latency', thresholdMilliseconds: 100, objective: 0.999, periodSeconds: 604_800 },
        {
          kind: 'latency',
          name: 'latency-1s',
          thresholdMilliseconds: 1000,
          objective: 0.9999,
          periodSeconds: 2_592_000,
        },
        { kind: 'availability', name: 'availability', objective: 0.9995, periodSeconds: 2_592_000 },
        { kind: 'completeness', name: 'completeness', objective: 0.9, periodSeconds: 2_592_000 },
      ],
      drift: { level: 0.001, minimumRecords: 100, minimumEffect: 0.02 },
      publishedFeatures: 0,
      alerts: { yellow: [{ kind: 'email', address: 'ml@example.com' }], red: [{ address: 'oncall@example.com' }] },
    });
  });

  test('with charts of a chosen method', () => {
    const chartsOf = (charts: NonNullable<ModelInput['drift']>['charts']) =>
      parseModel({ drift: { charts } }).drift.charts;
    expect(chartsOf({ method: 'cusum' })).toEqual({ method: 'cusum', reference: 0.5 });
    expect(chartsOf({ method: 'cusum', reference: 0.25 })).toEqual({ method: 'cusum', reference: 0.25 });
    expect(chartsOf({ method: 'ewma' })).toEqual({ method: 'ewma', lambda: 0.1 });
    for (const lambda of [0.02, 0.12]) {
      expect(chartsOf({ method: 'ewma', lambda })).toEqual({ method: 'ewma', lambda });
    }
    expect(parseModel().drift).not.toHaveProperty('charts');
    expect(configHash(parseModel({ drift: { charts: { method: 'cusum' } } }))).not.toBe(configHash(parseModel()));
  });

  test('and a deployment', () => {
    const source = sagemakerCapture({ bucket: 'captures', endpoint: 'credit' });
    const key = 'arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab';
    expect(parseConfig({ models: [{ ...smallest, source }] }).deployment).toEqual({
      fleetName: 'tidewatch',
      production: false,
      retentionDays: 365,
      logRetentionDays: 30,
      ingest: { concurrency: 5 },
      shards: [{ name: 'main', models: ['credit-scoring'] }],
      captureBuckets: [{ name: 'captures', created: false, accounts: [], encryptionKeys: [] }],
    });
    const fleet = {
      name: 'watch',
      production: 'nobody can delete evidence before its retention ends',
      retention: '400d',
      logRetention: '7d',
      ingest: { concurrency: 20, reservedConcurrency: 30 },
    } as const;
    const models = [
      { ...smallest, shard: 'b', source: { ...source, createBucket: true } },
      {
        ...smallest,
        name: 'other',
        shard: 'a',
        source: { ...source, bucket: 'a-bucket', encryptionKey: key, account: '111122223333' },
      },
      { ...smallest, name: 'third', shard: 'b', source: { ...source, endpoint: 'third' } },
    ];
    expect(parseConfig({ fleet, models }).deployment).toEqual({
      fleetName: 'watch',
      production: true,
      retentionDays: 400,
      logRetentionDays: 7,
      ingest: { concurrency: 20, reservedConcurrency: 30 },
      shards: [
        { name: 'b', models: ['credit-scoring', 'third'] },
        { name: 'a', models: ['other'] },
      ],
      captureBuckets: [
        { name: 'a-bucket', created: false, accounts: ['111122223333'], encryptionKeys: [key] },
        { name: 'captures', created: true, accounts: [], encryptionKeys: [] },
      ],
    });
  });

  test('how it is deployed does not change what is hashed', () => {
    const source = sagemakerCapture({
      bucket: 'captures',
      prefix: 'datacapture',
      endpoint: 'credit',
      createBucket: true,
    });
    expect(configHash(parseModel({ shard: 'b', source }))).toBe(configHash(parseModel()));
  });

  test('contacts of all kinds', () => {
    const arn = 'arn:aws:sqs:us-east-1:123456789012:alerts';
    const bus = 'arn:aws:events:us-east-1:123456789012:event-bus/default';
    const lambda = 'arn:aws:lambda:us-east-1:123456789012:function:page';
    const red = [
      email('oncall@example.com'),
      https('https://events.example.com/integration/enqueue'),
      https({ host: 'events.example.com', secret: 'tidewatch/pager' }),
      sqsQueue(arn),
      eventBus({ arn: bus }),
      lambdaFunction(lambda),
    ];
    expect(parseModel({ alerts: { red } }, { webhookHosts: ['events.example.com'] }).alerts.red).toEqual([
      { kind: 'email', address: 'oncall@example.com' },
      { kind: 'https', address: 'https://events.example.com/integration/enqueue' },
      { kind: 'https', address: 'https://events.example.com/{{resolve:secretsmanager:tidewatch/pager}}' },
      { kind: 'sqs', address: arn },
      { kind: 'eventBus', address: bus },
      { kind: 'lambda', address: lambda },
    ]);
  });

  test('the example parses', () => {
    expect(parseConfig(exampleConfig).models.map(({ name }) => name)).toEqual(['credit-scoring']);
  });

  test('features keep any name, sorted', () => {
    const features = JSON.parse('{"b":{},"__proto__":{"required":true},"constructor":{},"a b":{}}');
    const policy = parseModel({ features });
    expect(policy.features.map(([name, { required }]) => [name, required])).toEqual([
      ['__proto__', true],
      ['a b', false],
      ['b', false],
      ['constructor', false],
    ]);
    expect(Object.getPrototypeOf({})).toBe(Object.prototype);
  });

  test('the grace is never shorter than the capture delay', () => {
    expect(parseModel({ captureDelay: '30m' }).graceSeconds).toBe(1800);
    expect(parseModel({ captureDelay: '1m' }).graceSeconds).toBe(600);
  });
});

test('holidays count as days of a weekend, workdays as weekdays', () => {
  const calendar = { timeZone: 'Europe/Berlin', holidays: ['2026-12-25', '2026-12-26'], workdays: ['2026-12-26'] };
  const [policy] = parseConfig({ models: [smallest], fleet: { calendar } }).models;
  expect(policy?.calendar).toEqual({
    timeZone: 'Europe/Berlin',
    days: [
      ['2026-12-25', 'weekend'],
      ['2026-12-26', 'weekday'],
    ],
  });
});

describe('the level of the drift rule', () => {
  test.each([
    // [yellow alarms a week, models, window, the share of drift in min(0.1, yellow / models) / windows a week / scales]
    [1, 1, '1h', (0.75 * 0.1) / 168 / 7],
    [1, 1, '1d', (0.75 * 0.1) / 7 / 3],
    [1, 20, '1h', (0.75 * 0.05) / 168 / 7],
    [0.05, 1, '15m', (0.75 * 0.05) / 672 / 8],
  ] as const)('%d a week over %d models, window %s', (yellowPerWeek, count, window, level) => {
    const models = Array.from({ length: count }, (_, index) => ({
      ...smallest,
      name: `model-${index}`,
      source: sagemakerCapture({ bucket: 'captures', endpoint: `endpoint-${index}` }),
      window,
    }));
    const policies = parseConfig({ fleet: { falseAlarms: { yellowPerWeek } }, models }).models;
    expect(policies).toHaveLength(count);
    for (const { drift } of policies) expect(drift.level).toBeCloseTo(level, 12);
  });

  test('the chance of a false yellow in a week stays within the budget, whatever the window', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.001, max: 10, noNaN: true }),
        fc.constantFrom('1m', '5m', '15m', '1h', '6h', '1d'),
        (yellowPerWeek, window) => {
          const [policy] = parseConfig({
            fleet: { falseAlarms: { yellowPerWeek } },
            models: [{ ...smallest, window }],
          }).models;
          const windows = 604_800 / (policy?.windowSeconds ?? Number.NaN);
          expect((policy?.drift.level ?? 1) * windows).toBeLessThanOrEqual(Math.min(0.1, yellowPerWeek) * (1 + 1e-12));
        },
      ),
    );
  });
});

describe('the hash', () => {
  test('is of the canonical JSON and of its meaning alone', () => {
    const reordered = Object.fromEntries(Object.entries(smallest).reverse());
    const [same] = parseConfig({ models: [{ ...reordered, window: '60m', grace: '600s' }] }).models;
    const policy = parseModel();
    expect(same === undefined ? '' : configHash(same)).toBe(configHash(policy));
    expect(configHash(policy)).toMatch(/^[0-9a-f]{64}$/);
    expect(JSON.parse(configJson(policy))).toEqual(JSON.parse(JSON.stringify(policy)));
  });

  test('changes with any option', () => {
    const hashes = [
      parseModel(),
      parseModel({ window: '2h' }),
      parseModel({ drift: { minimumRecords: 31 } }),
      parseModel({ alerts: { red: [email('a@example.com')] } }),
    ].map(configHash);
    expect(new Set(hashes).size).toBe(hashes.length);
  });
});
