import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  availabilitySlo,
  ConfigError,
  completenessSlo,
  email,
  httpCapture,
  https,
  lambdaAlias,
  lambdaFunction,
  latencySlo,
  parseConfig,
  qualitySlo,
  sagemakerCapture,
  sagemakerEndpoint,
  sagemakerWeights,
  sqsQueue,
  stepFunctions,
} from '../../core/contract/config.ts';

import { productionAcknowledgement } from '../../core/contract/config-schema.ts';

const sagemaker = { kind: 'sagemaker-capture', bucket: 'captures', prefix: 'dc', endpoint: 'credit' };
const requests = { kind: 'http-capture', bucket: 'captures', prefix: 'requests', role: 'requests' };
const model = { name: 'credit', source: [sagemaker, requests], versions: [{ match: 'v*' }] };

/** The problems of a configuration, as lines. */
function problemsOf(config: unknown): readonly string[] {
  try {
    parseConfig(config);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ path, message }) => `${path}: ${message}`);
  }
  return [];
}

function problemsOfModel(changes: object): readonly string[] {
  return problemsOf({ models: [{ ...model, ...changes }] });
}

test('what the refusals below change is right by itself', () => {
  expect(problemsOf({ models: [model] })).toEqual([]);
});

describe('a bad value is an error with path, value and what is allowed', () => {
  const objective = 0.999;
  test.each([
    [
      { slos: [latencySlo({ threshold: '1s', objective }), availabilitySlo({ objective: 1.2 })] },
      'models[0].slos[1].objective: saw 1.2, expected a number in (0, 1)',
    ],
    [
      { slos: [completenessSlo({ objective: Number.NaN })], features: { a: { required: true } } },
      'models[0].slos[0].objective: saw NaN, expected a number in (0, 1)',
    ],
    [
      { slos: [{ kind: 'latency', threshold: 100, objective }] },
      'models[0].slos[0].threshold: saw 100, expected a duration',
    ],
    [{ slos: [latencySlo({ threshold: '2h', objective })] }, 'models[0].slos[0].threshold: saw "2h"'],
    [
      { slos: [latencySlo({ threshold: '1s', objective, period: '31d' })] },
      'models[0].slos[0].period: saw "31d", expected whole hours',
    ],
    [
      { slos: [latencySlo({ threshold: '1s', objective, period: '6d' })] },
      'models[0].slos[0].period: saw "6d", expected whole hours from "7d" to "30d"',
    ],
    [{ slos: [{ kind: 'speed' }] }, 'models[0].slos[0].kind: saw "speed", expected latencySlo'],
    [{ slos: [latencySlo({ threshold: '1s', objective, name: 'a/b' })] }, 'models[0].slos[0].name: saw "a/b"'],
    [{ name: 'a/b' }, 'models[0].name: saw "a/b", expected a model name'],
    [{ name: '..' }, 'models[0].name: saw ".."'],
    [{ name: 'x'.repeat(101) }, 'models[0].name: saw "xxx'],
    [{ name: undefined }, 'models[0].name: saw nothing'],
    [{ window: '7m' }, 'models[0].window: saw "7m", expected whole minutes that divide a day'],
    [{ window: '2d' }, 'models[0].window: saw "2d"'],
    [{ window: '30s' }, 'models[0].window: saw "30s"'],
    [{ window: 3600 }, 'models[0].window: saw 3600'],
    [{ grace: '2d' }, 'models[0].grace: saw "2d"'],
    [{ captureDelay: '90s' }, 'models[0].captureDelay: saw "90s", expected whole minutes'],
    [
      { source: { ...sagemaker, bucket: 'Captures' } },
      'models[0].source.bucket: saw "Captures", expected an S3 bucket name',
    ],
    [{ source: { ...sagemaker, bucket: '10.0.0.1' } }, 'models[0].source.bucket: saw "10.0.0.1"'],
    [{ source: [{ ...sagemaker, prefix: '/dc' }] }, 'models[0].source[0].prefix: saw "/dc", expected a key prefix'],
    [{ source: [{ ...sagemaker, prefix: 'a/../b' }] }, 'models[0].source[0].prefix: saw "a/../b"'],
    [{ source: [{ ...sagemaker, prefix: 'a//b' }] }, 'models[0].source[0].prefix: saw "a//b"'],
    [
      { source: { ...sagemaker, account: 123456789012 } },
      'models[0].source.account: saw 123456789012, expected an AWS account',
    ],
    [{ source: { ...sagemaker, endpoint: undefined } }, 'models[0].source.endpoint: saw nothing'],
    [{ source: { kind: 'kafka' } }, 'models[0].source.kind: saw "kafka", expected sagemakerCapture'],
    [{ source: 'captures' }, 'models[0].source: saw "captures", expected sagemakerCapture'],
    [{ source: [] }, 'models[0].source: saw an empty list, expected at least one'],
    [
      { source: { ...requests, role: 'status' } },
      'models[0].source.role: saw "status", expected "inferences" or "requests"',
    ],
    [{ versions: [] }, 'models[0].versions: saw an empty list'],
    [{ versions: [{ match: 'a*b' }] }, 'models[0].versions[0].match: saw "a*b"'],
    [
      { versions: [{ match: 'v', schema: { prediction: [] } }] },
      'models[0].versions[0].schema.prediction: saw an empty list',
    ],
    [
      { versions: [{ match: 'v', schema: { output: 'softmax' } }] },
      'models[0].versions[0].schema.output: saw "softmax", expected "classes", "probability" or "values"',
    ],
    [{ versions: [{ match: 'v', schema: { columns: ['a', ''] } }] }, 'models[0].versions[0].schema.columns[1]: saw ""'],
    [
      { versions: [{ match: 'v', baseline: { path: 'b', sha256: 'A' } }] },
      'models[0].versions[0].baseline.sha256: saw "A"',
    ],
    [{ features: [] }, 'models[0].features: saw an empty list, expected an object of features by name'],
    [
      { features: { 'a b': { kind: 'text' } } },
      'models[0].features["a b"].kind: saw "text", expected "numeric", "categorical" or "embedding"',
    ],
    [{ features: { 'a\nb': {} } }, 'models[0].features["a\\nb"]: saw an object, expected a feature under a name'],
    [{ features: { a: { required: 'yes' } } }, 'models[0].features.a.required: saw "yes", expected true or false'],
    [{ drift: { level: 0.5 } }, 'models[0].drift.level: saw 0.5, expected a probability in (0, 0.1]'],
    [{ drift: { minimumRecords: 0 } }, 'models[0].drift.minimumRecords: saw 0'],
    [{ publishedFeatures: 1.5 }, 'models[0].publishedFeatures: saw 1.5'],
    [
      { alerts: { red: [email('nobody')] } },
      'models[0].alerts.red[0].address: saw "nobody", expected an e-mail address',
    ],
    [
      { alerts: { red: [email('a@example.com\nBcc: b@example.com')] } },
      'models[0].alerts.red[0].address: saw "a@example.com\\nBcc',
    ],
    [{ alerts: { red: 'a@example.com' } }, 'models[0].alerts.red: saw "a@example.com", expected a list of email'],
    [{ alerts: { red: [https('http://example.com/')] } }, 'models[0].alerts.red[0].address: saw "http://example.com/"'],
    [{ alerts: { red: [https('https://user:word@example.com/')] } }, 'models[0].alerts.red[0].address: saw "https://u'],
    [{ alerts: { red: [https('https://10.0.0.1/')] } }, 'models[0].alerts.red[0].address: saw "https://10.0.0.1/"'],
    [{ alerts: { red: [https('https://[::1]/')] } }, 'models[0].alerts.red[0].address: saw "https://[::1]/"'],
    [{ alerts: { red: [https('https://2130706433/')] } }, 'models[0].alerts.red[0].address: saw "https://2130706433/"'],
    [{ alerts: { red: [https('https://db.internal/')] } }, 'models[0].alerts.red[0].address: saw "https://db.internal'],
    [
      { alerts: { red: [https({ host: 'events.example.com', secret: 'a}}{{b' })] } },
      'models[0].alerts.red[0].address: saw "https://events.example.com/{{resol',
    ],
    [
      { alerts: { red: [https({ host: 'evil.example.com/x', secret: 'a' })] } },
      'models[0].alerts.red[0].address: saw "https://evil.example.com/x/{{res',
    ],
    [
      { alerts: { red: [https({ host: 'localhost', secret: 'a' })] } },
      'models[0].alerts.red[0].address: saw "https://localhost/{{resolve:',
    ],
    [{ alerts: { red: [sqsQueue('queue')] } }, 'models[0].alerts.red[0].address: saw "queue", expected the ARN'],
    [
      { alerts: { red: [sqsQueue('arn:aws:sqs:us-east-1:123456789012:a.fifo')] } },
      'models[0].alerts.red[0].address: saw "arn:aws:sqs:us-east-1:123456789012:a.fifo", expected the ARN of a standard',
    ],
    [{ alerts: { red: [lambdaFunction('page')] } }, 'models[0].alerts.red[0].address: saw "page", expected the ARN'],
    [{ shard: 'platform' }, 'models[0].shard: saw "platform", expected a shard name'],
    [{ shard: 'notify' }, 'models[0].shard: saw "notify", expected a shard name'],
    [{ shard: 1 }, 'models[0].shard: saw 1, expected a shard name'],
    [
      { source: { ...sagemaker, encryptionKey: 'alias/mine' } },
      'models[0].source.encryptionKey: saw "alias/mine", expected the ARN of a KMS key',
    ],
    [{ source: { ...sagemaker, createBucket: 'yes' } }, 'models[0].source.createBucket: saw "yes", expected true or'],
    [
      { source: { ...sagemaker, endpoint: 'credit_1' } },
      'models[0].source.endpoint: saw "credit_1", expected a SageMaker endpoint name',
    ],
    [{ name: 'Fleet' }, 'models[0].name: saw "Fleet", expected another name'],
    [{ rollback: true }, 'models[0].rollback: saw true, expected sagemakerEndpoint({…}), sagemakerWeights({…})'],
    [{ rollback: { kind: 'restart' } }, 'models[0].rollback.kind: saw "restart", expected sagemakerEndpoint({…})'],
    [
      { rollback: sagemakerEndpoint({ endpoint: 'other' }) },
      'models[0].rollback.endpoint: saw "other", expected an endpoint of the model\'s source (credit)',
    ],
    [
      { source: [{ kind: 'http-capture', bucket: 'captures' }], rollback: sagemakerWeights() },
      'models[0].rollback.endpoint: saw nothing, expected an endpoint: the source names 0',
    ],
    [{ rollback: sagemakerEndpoint({ cooldown: '30m' }) }, 'models[0].rollback.cooldown: saw "30m", expected whole'],
    [
      { rollback: lambdaAlias({ function: 'f', alias: '3' }) },
      'models[0].rollback.alias: saw "3", expected the name of a Lambda alias',
    ],
    [
      { rollback: stepFunctions({ stateMachine: 'arn:aws:states:us-east-1:123456789012:express:x' }) },
      'models[0].rollback.stateMachine: saw "arn:aws:states:us-east-1:123456789012:express:x", expected the ARN',
    ],
  ])('%j', (changes, expected) => {
    const problems = problemsOfModel(changes);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.startsWith(expected)).toBe(true);
  });

  test.each([
    [undefined, 'configuration: saw nothing, expected an object'],
    [[], 'configuration: saw an empty list, expected an object'],
    [{ models: {} }, 'models: saw an object, expected a list of models'],
    [{ models: [] }, 'models: saw an empty list, expected at least one model'],
    [{ models: [3] }, 'models[0]: saw 3, expected an object'],
    [
      { fleet: { falseAlarms: { redPerWeek: 0.05 } }, models: [model] },
      'fleet.falseAlarms.redPerWeek: not available in this version',
    ],
    [{ fleet: { falseAlarms: { yellowPerWeek: 0 } }, models: [model] }, 'fleet.falseAlarms.yellowPerWeek: saw 0'],
    [{ fleet: { runbook: 'a b' }, models: [model] }, 'fleet.runbook: saw "a b"'],
    [{ fleet: { name: 'Watch' }, models: [model] }, 'fleet.name: saw "Watch", expected a fleet name'],
    [{ fleet: { name: 'a'.repeat(21) }, models: [model] }, 'fleet.name: saw "aaa'],
    [{ fleet: { production: true }, models: [model] }, 'fleet.production: saw true, expected the text "nobody can'],
    [{ fleet: { retention: '36h' }, models: [model] }, 'fleet.retention: saw "36h", expected whole days'],
    [
      { fleet: { production: productionAcknowledgement, retention: '183d' }, models: [model] },
      'fleet.retention: saw "183d", expected at least 184 days in production',
    ],
    [{ fleet: { logRetention: '31d' }, models: [model] }, 'fleet.logRetention: saw "31d", expected a retention that'],
  ])('%j', (config, expected) => {
    const problems = problemsOf(config);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.startsWith(expected)).toBe(true);
  });
});

describe('an unknown key', () => {
  test.each([
    [
      { models: [model], flet: {} },
      'flet: saw an object under an unknown key, expected one of fleet, models; did you mean fleet?',
    ],
    [
      { models: [{ ...model, slo: [] }] },
      'models[0].slo: saw an empty list under an unknown key, expected one of name, source,',
    ],
    [
      { models: [{ ...model, drift: { minimumeffect: 1 } }] },
      'models[0].drift.minimumeffect: saw 1 under an unknown key',
    ],
    [
      { models: [{ ...model, features: { a: { requird: true } } }] },
      'models[0].features.a.requird: saw true under an unknown key, expected one of ignore, required, kind, minimumEffect, published; did you mean required?',
    ],
    [
      { models: [{ ...model, features: JSON.parse('{"__proto__": {"__proto__": {}}}') }] },
      'models[0].features.__proto__.__proto__: saw an object under an unknown key',
    ],
    [
      { models: [{ ...model, alerts: { orange: [] } }] },
      'models[0].alerts.orange: saw an empty list under an unknown key, expected one of yellow, red',
    ],
    [
      { models: [{ ...model, source: { ...sagemaker, region: 'x' } }] },
      'models[0].source.region: saw "x" under an unknown key',
    ],
  ])('%j', (config, expected) => {
    const problems = problemsOf(config);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.startsWith(expected)).toBe(true);
  });

  test('options that are refused are not offered', () => {
    expect(problemsOfModel({ privcy: {} })[0]).not.toContain('privacy');
  });

  test('nothing is suggested where nothing is near', () => {
    expect(problemsOfModel({ zebra: 1 })[0]).not.toContain('did you mean');
  });
});

describe('what does not work yet is refused by name', () => {
  test.each([
    [
      { slos: [qualitySlo({ measure: 'precision', atLeast: 0.85, labelsWithin: '1d' })] },
      'models[0].slos[0]: not available in this version: qualitySlo without labels (',
    ],
    [{ privacy: { subject: 'id' } }, 'models[0].privacy: not available in this version: privacy ('],
    [{ drift: { scales: [1] } }, 'models[0].drift.scales: not available in this version: drift.scales ('],
    [
      { versions: [{ match: 'v', baseline: 's3://b/k' }] },
      'models[0].versions[0].baseline: not available in this version: baseline URIs (',
    ],
    [
      { versions: [{ match: 'v', baseline: { path: 's3://b/k' } }] },
      'models[0].versions[0].baseline.path: not available in this version',
    ],
    [
      { source: sagemaker, slos: [availabilitySlo({ objective: 0.99, from: 'captures' })] },
      'models[0].slos[0]: not available in this version: availabilitySlo from SageMaker captures alone (',
    ],
  ])('%j', (changes, expected) => {
    const problems = problemsOfModel(changes);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.startsWith(expected)).toBe(true);
  });

  test.each([
    ['./holidays.json', 'fleet.calendar: saw "./holidays.json", expected an object'],
    [{ timeZone: 'Mars/Olympus' }, 'fleet.calendar.timeZone: saw "Mars/Olympus", expected an IANA time zone'],
    [{ holidays: ['2026-02-30'] }, 'fleet.calendar.holidays[0]: saw "2026-02-30", expected a date as yyyy-mm-dd'],
    [{ workdays: '2026-12-24' }, 'fleet.calendar.workdays: saw "2026-12-24", expected a list of dates'],
  ])('a calendar of the fleet: %j', (calendar, expected) => {
    expect(problemsOf({ fleet: { calendar }, models: [model] })[0]).toContain(expected);
  });
});

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
