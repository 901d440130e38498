import { describe, expect, test } from 'vitest';
import {
  availabilitySlo,
  completenessSlo,
  email,
  https,
  lambdaAlias,
  lambdaFunction,
  latencySlo,
  qualitySlo,
  sagemakerEndpoint,
  sagemakerWeights,
  sqsQueue,
  stepFunctions,
} from '../../core/contract/config.ts';

import { productionAcknowledgement } from '../../core/contract/config-schema.ts';
import { model, problemsOf, problemsOfModel, requests, sagemaker } from './config-problems-of.ts';

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
    [{ drift: { charts: 'cusum' } }, 'models[0].drift.charts: saw "cusum", expected'],
    [{ drift: { charts: { lambda: 0.1 } } }, 'models[0].drift.charts.method: saw nothing, expected "ewma" or "cusum"'],
    [
      { drift: { charts: { method: 'shewhart' } } },
      'models[0].drift.charts.method: saw "shewhart", expected "ewma" or "cusum"',
    ],
    ...[0, 0.01, 0.13, 0.3, 1, Number.NaN].map((lambda): [object, string] => [
      { drift: { charts: { method: 'ewma', lambda } } },
      `models[0].drift.charts.lambda: saw ${lambda}, expected a weight from 0.02 to 0.12`,
    ]),
    [{ drift: { charts: { method: 'ewma', lambda: '0.1' } } }, 'models[0].drift.charts.lambda: saw "0.1", expected a'],
    ...[0, 0.2, 0.65, -0.5].map((reference): [object, string] => [
      { drift: { charts: { method: 'cusum', reference } } },
      `models[0].drift.charts.reference: saw ${reference}, expected standard deviations from 0.25 to 0.6`,
    ]),
    [
      { drift: { charts: { method: 'cusum', lambda: 0.1 } } },
      'models[0].drift.charts.lambda: saw 0.1 under an unknown key, expected one of method, reference',
    ],
    [
      { drift: { charts: { method: 'ewma', reference: 0.5 } } },
      'models[0].drift.charts.reference: saw 0.5 under an unknown key, expected one of method, lambda',
    ],
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
