import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  availabilitySlo,
  completenessSlo,
  email,
  httpCapture,
  latencySlo,
  parseConfig,
  sagemakerCapture,
} from '../../core/contract/config.ts';
import { model, problemsOf, problemsOfModel, requests, sagemaker } from './config-problems-of.ts';

describe('values that contradict one another', () => {
  const slo = { objective: 0.99 };
  test.each([
    [
      { versions: [{ match: 'a' }, { match: 'b' }] },
      'models[0].source[0].versionFrom: saw nothing, expected the custom attribute',
    ],
    [
      { source: { ...sagemaker, versionFrom: 'v' }, versions: [{ match: 'v*' }, { match: 'v7' }, { match: 'v*' }] },
      'models[0].versions[2].match: saw "v*", expected another version: it is taken by models[0].versions[0].match',
    ],
    [
      { source: requests },
      "models[0].source: saw an object, expected a source of inferences beside those with role: 'requests'",
    ],
    [{ grace: '1m' }, 'models[0].grace: saw "1m", expected at least captureDelay (10m)'],
    [
      { versions: [{ match: 'v', schema: { columns: ['a', 'b', 'a'] } }] },
      'models[0].versions[0].schema.columns[2]: saw "a", expected another',
    ],
    [
      { versions: [{ match: 'v', schema: { prediction: ['a', 'a'] } }] },
      'models[0].versions[0].schema.prediction[1]: saw "a"',
    ],
    [
      { versions: [{ match: 'v', schema: { prediction: ['a', 'b'], output: 'probability' } }] },
      'models[0].versions[0].schema.output: saw "probability", expected "classes" or "values"',
    ],
    [
      { versions: [{ match: 'v', schema: { prediction: 'a', caller: 'a' } }] },
      'models[0].versions[0].schema.caller: saw "a", expected a column or field that is no prediction',
    ],
    [
      { versions: [{ match: 'v', schema: { prediction: 'a', output: 'classes' } }] },
      'models[0].versions[0].schema.output: saw "classes", expected "probability" or "values"',
    ],
    [
      { versions: [{ match: 'v', schema: { columns: ['a'], prediction: 'a' } }] },
      'models[0].versions[0].schema.prediction: saw "a"',
    ],
    [{ features: { a: { ignore: true, required: true } } }, 'models[0].features.a.required: saw true, expected false'],
    [{ features: { é: { published: true } } }, 'models[0].features["é"].published: saw true, expected false'],
    [
      { slos: [availabilitySlo(slo), availabilitySlo(slo)] },
      'models[0].slos[1].name: saw "availability", expected another SLO name',
    ],
    [{ slos: [completenessSlo(slo)] }, 'models[0].features: saw nothing, expected a feature with required: true'],
    [
      { alerts: { red: [email('a@example.com'), email('A@example.com')] } },
      'models[0].alerts.red[1]: saw "a@example.com"',
    ],
    [
      { source: [sagemaker, { ...requests, prefix: '' }] },
      'models[0].source[1].prefix: saw "", expected keys that are not also those',
    ],
  ])('%j', (changes, expected) => {
    const problems = problemsOfModel(changes);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.startsWith(expected)).toBe(true);
  });

  test('a key for a bucket that is created', () => {
    const encryptionKey = 'arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab';
    expect(problemsOfModel({ source: { ...sagemaker, createBucket: true, encryptionKey } })).toEqual([
      expect.stringContaining('models[0].source.encryptionKey: saw "arn:aws:kms:'),
    ]);
  });

  test('shards above twenty models', () => {
    const fleetOf = (count: number, shard: (index: number) => string | undefined) => ({
      models: Array.from({ length: count }, (_, index) => ({
        ...model,
        name: `model-${index}`,
        source: { ...sagemaker, endpoint: `endpoint-${index}` },
        shard: shard(index),
      })),
    });
    expect(problemsOf(fleetOf(20, () => undefined))).toEqual([]);
    expect(problemsOf(fleetOf(21, (index) => (index === 3 ? undefined : `s${index % 2}`)))).toEqual([
      'models[3].shard: saw nothing, expected the name of a shard, because there are more than 20 models',
    ]);
    expect(problemsOf(fleetOf(42, (index) => `s${index % 2}`))).toEqual([
      'models[40].shard: saw "s0", expected a shard of at most 20 models',
      'models[41].shard: saw "s1", expected a shard of at most 20 models',
    ]);
  });

  test('more buckets in a shard than have a rule', () => {
    const source = Array.from({ length: 61 }, (_, at) => ({ ...sagemaker, bucket: `captures-${at}` }));
    expect(problemsOfModel({ source: source.slice(1) })).toEqual([]);
    expect(problemsOfModel({ source })).toEqual([
      'models[0].source[60].bucket: saw "captures-60", expected at most 60 buckets in shard main: put models into another shard',
    ]);
    const [first, ...others] = source;
    const spread = [
      { ...model, source: first, shard: 'a' },
      { ...model, name: 'other', source: others, shard: 'b' },
    ];
    expect(problemsOf({ models: spread })).toEqual([]);
  });

  test('a bucket of two accounts', () => {
    const source = [
      { ...sagemaker, account: '111122223333' },
      { ...sagemaker, endpoint: 'b', account: '111122223333' },
      { ...sagemaker, endpoint: 'c' },
      { ...sagemaker, endpoint: 'd', account: '999988887777' },
    ];
    expect(problemsOfModel({ source })).toEqual([
      'models[0].source[3].account: saw "999988887777", expected 111122223333, the account of the same bucket in models[0].source[0]',
    ]);
  });

  test('a concurrency that SQS or Lambda would refuse', () => {
    const problemsOfIngest = (ingest: object) => problemsOf({ fleet: { ingest }, models: [model] });
    expect(problemsOfIngest({ concurrency: 1 })).toEqual([
      'fleet.ingest.concurrency: saw 1, expected a whole number from 2 to 1000',
    ]);
    expect(problemsOfIngest({ reservedConcurrency: 4 })).toEqual([
      'fleet.ingest.reservedConcurrency: saw 4, expected at least fleet.ingest.concurrency (5): the queue would be refused beyond it',
    ]);
    expect(problemsOfIngest({ concurrency: 4, reservedConcurrency: 4 })).toEqual([]);
  });

  test('between models', () => {
    const other = { ...model, source: { ...sagemaker, prefix: 'elsewhere' } };
    expect(problemsOf({ models: [model, { ...other, name: 'Credit' }] })[0]).toContain('another model name');
    expect(problemsOf({ models: [model, { ...model, name: 'other' }] })).toHaveLength(2);
  });

  test('several versions are fine where each capture names its own', () => {
    const source = { ...requests, prefix: 'inferences', role: 'inferences' };
    expect(problemsOfModel({ source, versions: [{ match: 'a' }, { match: 'b*' }] })).toEqual([]);
  });
});

test('all problems are listed at once, in sound models too', () => {
  const problems = problemsOf({
    fleet: { calendar: 'x' },
    models: [
      { ...model, window: '7m', slo: [], privacy: {} },
      {
        ...model,
        name: 'b',
        source: sagemakerCapture({ bucket: 'other', endpoint: 'b' }),
        grace: '1m',
        slos: [latencySlo({ threshold: '1s', objective: 0.99, from: 'captures' })],
      },
      {
        ...model,
        name: 'c',
        source: httpCapture({ bucket: 'third' }),
        features: { a: { ignore: true, required: true } },
      },
    ],
  });
  expect(problems.map((problem) => problem.split(':', 1)[0])).toEqual([
    'fleet.calendar',
    'models[0].window',
    'models[0].privacy',
    'models[0].slo',
    'models[1].grace',
    'models[1].slos[0]',
    'models[2].features.a.required',
  ]);
});

test('the error counts and lists its problems', () => {
  expect(() => parseConfig({ models: [{ ...model, name: '', window: '' }] })).toThrow(
    /^configuration: 2 problems\n {2}models\[0\]\.name: saw "".*\n {2}models\[0\]\.window: saw ""/,
  );
});

test('anything at all is either accepted or a ConfigError', () => {
  const keys = fc.constantFrom(
    'models',
    'fleet',
    'name',
    'source',
    'versions',
    'slos',
    'features',
    'kind',
    'alerts',
    '__proto__',
    'x',
  );
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { depthSize: 'small' },
      fc.anything(),
      fc.array(tie('any'), { maxLength: 3 }),
      fc.dictionary(keys, tie('any')),
    ),
  })).any;
  fc.assert(
    fc.property(value, (config) => {
      expect(problemsOf(config).length).toBeGreaterThan(0);
      expect(problemsOfModel({ slos: config, features: config, source: config }).length).toBeGreaterThan(0);
    }),
    { numRuns: 300 },
  );
});
