import { describe, expect, test } from 'vitest';
import { modelAlarms } from '../../core/contract/alarm-definitions.ts';
import {
  ConfigError,
  type ConfigInput,
  chat,
  email,
  eventBus,
  https,
  pagerDuty,
  parseConfig,
  sagemakerCapture,
  webhook,
} from '../../core/contract/config.ts';

type ModelInput = ConfigInput['models'][number];

function model(name: string, changes: Partial<ModelInput> = {}): ModelInput {
  const source = sagemakerCapture({ bucket: 'captures', endpoint: name });
  return { name, source, versions: [{ match: '*' }], ...changes };
}

function problemsOf(config: unknown): readonly string[] {
  try {
    parseConfig(config);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ path, message }) => `${path}: ${message}`);
  }
}

const hosts = { webhookHosts: ['hooks.example.com'] };
const person = email('a@example.com');

describe('contacts that Tidewatch delivers to', () => {
  test('become policies', () => {
    const red = [
      pagerDuty({ secret: 'tidewatch/pager' }),
      webhook({ url: 'https://hooks.example.com/in' }),
      webhook({ secret: 'hook' }),
      chat({ topic: 'arn:aws:sns:eu-west-1:123456789012:chat' }),
      person,
    ];
    const { models, fleet } = parseConfig({ fleet: hosts, models: [model('a', { alerts: { red } })] });
    expect(models[0]?.alerts.red).toEqual([
      { kind: 'pagerduty', address: 'tidewatch/pager', region: 'us' },
      { kind: 'webhook', address: 'https://hooks.example.com/in', isSecret: false },
      { kind: 'webhook', address: 'hook', isSecret: true },
      { kind: 'chat', address: 'arn:aws:sns:eu-west-1:123456789012:chat' },
      { kind: 'email', address: 'a@example.com' },
    ]);
    expect(fleet.webhookHosts).toEqual(['hooks.example.com']);
  });

  test.each([
    ['http://hooks.example.com/'],
    ['https://127.0.0.1/'],
    ['https://[::1]/'],
    ['https://localhost/'],
    ['https://metadata.google.internal/'],
    ['https://me:pw@hooks.example.com/'],
    ['https://hooks.example.com:8443/'],
    ['https://HOOKS.example.com/'],
    ['file:///etc/passwd'],
    [''],
  ])('a webhook to %j is refused', (url) => {
    const problems = problemsOf({
      fleet: hosts,
      models: [model('a', { alerts: { red: [webhook({ url }), person] } })],
    });
    expect(problems).toEqual([
      expect.stringMatching(/^models\[0\]\.alerts\.red\[0\]\.url: saw .*expected an https URL/),
    ]);
  });

  test.each([
    [{ webhookHosts: ['127.0.0.1'] }],
    [{ webhookHosts: ['localhost'] }],
    [{ webhookHosts: ['*.example.com'] }],
    [{ webhookHosts: ['https://hooks.example.com'] }],
  ])('hosts are names: %j', (fleet) => {
    expect(problemsOf({ fleet, models: [model('a')] })).toEqual([
      expect.stringContaining('fleet.webhookHosts[0]: saw'),
    ]);
  });

  test('a webhook goes to hosts on the list alone', () => {
    const of = (contact: ReturnType<typeof webhook>, fleet = {}) =>
      problemsOf({ fleet, models: [model('a', { alerts: { red: [contact, person] } })] });
    expect(of(webhook({ url: 'https://evil.example.com/' }), hosts)).toEqual([
      'models[0].alerts.red[0].url: saw "evil.example.com", expected a host of fleet.webhookHosts (hooks.example.com)',
    ]);
    expect(of(webhook({ secret: 'hook' }))).toEqual([
      'fleet.webhookHosts: saw an empty list, expected the hosts that webhooks go to',
    ]);
    expect(of(webhook({}), hosts)[0]).toContain('one of them');
    expect(of(webhook({ url: 'https://hooks.example.com/', secret: 'hook' }), hosts)[0]).toContain('one of them');
  });

  test('what SNS posts to is a host on the list as well, and a secret can not choose another', () => {
    const of = (contact: ReturnType<typeof https>, fleet = {}) =>
      problemsOf({ fleet, models: [model('a', { alerts: { red: [contact] } })] });
    expect(of(https('https://hooks.example.com/in'), hosts)).toEqual([]);
    expect(of(https({ host: 'hooks.example.com', secret: 'hook' }), hosts)).toEqual([]);
    const expected =
      'models[0].alerts.red[0].address: saw "evil.example.com", expected a host of fleet.webhookHosts (hooks.example.com)';
    expect(of(https('https://evil.example.com/in'), hosts)).toEqual([expected]);
    expect(of(https({ host: 'evil.example.com', secret: 'hook' }), hosts)).toEqual([expected]);
    expect(of(https('https://hooks.example.com.evil.example.com/in'), hosts)).toHaveLength(1);
    expect(of(https('https://hooks.example.com/in'))).toEqual([expect.stringContaining('(none is listed)')]);
  });

  test.each([
    ['arn:aws:events:eu-west-1:123456789012:rule/mine'],
    ['arn:aws:events:eu-west-1:123456789012:event-bus/'],
    ['arn:aws:events:eu-west-1:123456789012:event-bus/a*'],
    ['default'],
  ])('an event bus is named by its ARN: %s', (arn) => {
    expect(problemsOf({ models: [model('a', { alerts: { red: [eventBus({ arn })] } })] })).toEqual([
      expect.stringMatching(/^models\[0\]\.alerts\.red\[0\]\.address: saw .*, expected the ARN of an event bus/),
    ]);
  });

  test('are not all of a tier: where delivery fails somebody is told directly', () => {
    const alerts = { red: [pagerDuty({ secret: 'p' })] };
    expect(problemsOf({ models: [model('a', { alerts })] })).toEqual([
      expect.stringMatching(/^models\[0\]\.alerts\.red: saw a list of 1, expected beside them a contact/),
    ]);
  });
});

describe('dependsOn', () => {
  test('becomes a policy where it is given, and changes nothing where it is not', () => {
    const { models } = parseConfig({ models: [model('a'), model('b', { dependsOn: ['a'] })] });
    expect(models.map(({ dependsOn }) => dependsOn)).toEqual([undefined, ['a']]);
    expect(models[0] && 'dependsOn' in models[0]).toBe(false);
  });

  test('of a name that no model has', () => {
    expect(
      problemsOf({ models: [model('estimator'), model('b', { dependsOn: ['estimater', 'zebra', 'zebra'] })] }),
    ).toEqual([
      'models[1].dependsOn[2]: saw "zebra", expected another model: it is taken by models[1].dependsOn[1]',
      'models[1].dependsOn[0]: saw "estimater", expected the name of a model; did you mean estimator?',
      'models[1].dependsOn[1]: saw "zebra", expected the name of a model',
      'models[1].dependsOn[2]: saw "zebra", expected the name of a model',
    ]);
  });

  test.each([
    [[['a', ['a']]], 'a → a'],
    [
      [
        ['a', ['b']],
        ['b', ['c']],
        ['c', ['b']],
      ],
      'b → c → b',
    ],
  ] as const)('in a circle names it: %j', (graph, cycle) => {
    const models = graph.map(([name, dependsOn]) => model(name, { dependsOn: [...dependsOn] }));
    expect(problemsOf({ models })).toEqual([expect.stringContaining(`dependsOn: saw "${cycle}", expected no cycle`)]);
  });

  test('of a diamond is no circle, and of a long row no trouble', () => {
    const diamond = [
      model('a'),
      ...['b', 'c'].map((name) => model(name, { dependsOn: ['a'] })),
      model('d', { dependsOn: ['b', 'c'] }),
    ];
    expect(problemsOf({ models: diamond })).toEqual([]);
    const row = Array.from({ length: 200 }, (_, at) =>
      model(`m${at}`, { shard: `s${Math.floor(at / 20)}`, dependsOn: at === 0 ? [] : [`m${at - 1}`] }),
    );
    expect(problemsOf({ models: row })).toEqual([]);
  });
});

test('no composite alarm grows with the fleet: of 200 models, each depending on all before, all are within the limits', () => {
  const names = Array.from({ length: 200 }, (_, at) => `${'m'.repeat(90)}${at}`);
  const { fleet, models } = parseConfig({
    models: names.map((name, at) =>
      model(name, {
        source: sagemakerCapture({ bucket: 'captures', endpoint: `e${at}` }),
        shard: `s${Math.floor(at / 20)}`,
        dependsOn: names.slice(0, at),
      }),
    ),
  });
  const composites = models
    .flatMap((policy) => modelAlarms(policy, fleet))
    .flatMap((alarm) => (alarm.type === 'composite' ? [alarm] : []));
  expect(composites).toHaveLength(400);
  for (const { rule } of composites) {
    expect(rule.length).toBeLessThanOrEqual(10_240);
    expect(rule.match(/ALARM\(/g)?.length).toBeLessThanOrEqual(100);
  }
});
