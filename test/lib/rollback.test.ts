import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { mockClient } from 'aws-sdk-client-mock';
import { AwsSolutionsChecks } from 'cdk-nag';

import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { SnsNotifier } from '../../adapters/aws/sns-notifier.ts';
import {
  type ConfigInput,
  httpCapture,
  lambdaAlias,
  sagemakerCapture,
  sagemakerEndpoint,
  sagemakerWeights,
  stepFunctions,
} from '../../core/contract/config.ts';
import { isCut } from '../../core/pipeline/alert-path-state.ts';
import type { StateTable } from '../../core/pipeline/ports.ts';
import { connectNotifier } from '../../lambdas/ports-on-aws.ts';
import { createRollbackHandler } from '../../lambdas/rollback.ts';
import { loadFleet } from '../../lib/fleet-configuration.ts';
import { createStacks } from '../../lib/stacks.ts';
import { context, RecordedLog } from '../lambdas/events.ts';
import { connect, createPolicy, createWorldState, settleServing } from '../pipeline/rollback-world.ts';
import { place, resolveTemplate } from './resolve-template.ts';
import { grantsOf, isAllowed } from './role-grants.ts';
import { createApp, resourcesOf, sampleConfig, statementsOf, synthesise } from './synthesise.ts';

const functionName = 'tidewatch-rollback';
const stateMachine = `arn:aws:states:${place.region}:${place.account}:stateMachine:back`;
type RollbackOption = NonNullable<ConfigInput['models'][number]['rollback']>;

function configOf(rollbacks: readonly (readonly [model: string, rollback: RollbackOption | undefined])[]): ConfigInput {
  return {
    models: rollbacks.map(([name, rollback]) => ({
      name,
      source:
        rollback?.kind === 'lambda-alias'
          ? httpCapture({ bucket: 'captures', prefix: name })
          : sagemakerCapture({ bucket: 'captures', prefix: name, endpoint: name }),
      versions: [{ match: '*' }],
      ...(rollback && { rollback }),
    })),
  };
}

const real = configOf([
  ['Credit', sagemakerEndpoint({ dryRun: false })],
  ['canary', sagemakerWeights({ dryRun: false })],
  ['served', lambdaAlias({ function: 'served', alias: 'live', dryRun: false })],
  ['flow', stepFunctions({ stateMachine, dryRun: false })],
  ['dry', sagemakerEndpoint()],
  ['other', undefined],
]);

const arn = (service: string, resource: string) => `arn:aws:${service}:${place.region}:${place.account}:${resource}`;
const endpoint = (name: string) => arn('sagemaker', `endpoint/${name}`);
const anyConfig = arn('sagemaker', 'endpoint-config/any');
const touching = /^(sagemaker|lambda|states):/;

describe('where no model is rolled back', () => {
  const templates = synthesise();

  test('nothing of it is deployed', () => {
    const names = resourcesOf(templates, 'AWS::Lambda::Function').map(({ properties }) => properties.FunctionName);
    expect(names).not.toContain(functionName);
    const allowed = statementsOf(templates).filter(({ effect }) => effect === 'Allow');
    const changing = /^(sagemaker:(?!Describe)|states:)/;
    expect(allowed.flatMap(({ actions }) => actions).filter((action) => changing.test(action))).toEqual([]);
    expect(resourcesOf(templates).filter(({ id }) => id.includes('Rollback'))).toEqual([]);
  });
});

describe('where models are', () => {
  const templates = synthesise(real);
  const grants = grantsOf(templates, functionName);

  test('its environment is all that its code asks for, and it may publish to the topics named there', () => {
    const made = resourcesOf(templates, 'AWS::Lambda::Function').find(
      ({ properties }) => properties.FunctionName === functionName,
    );
    const template = templates.get(made?.stack ?? '');
    if (!made || !template) throw new Error('expected the function');
    const { Variables } = resolveTemplate(made.properties.Environment, template) as {
      Variables: Record<string, string>;
    };
    for (const [name, value] of Object.entries(Variables)) vi.stubEnv(name, value);
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(() => connectNotifier()).not.toThrow();
    const topics = Object.values(Variables).filter((value) => value.startsWith('arn:aws:sns:'));
    expect(topics).toHaveLength(4);
    for (const resource of topics) {
      expect([resource, isAllowed(grants, { action: 'sns:Publish', resource, context: {} })]).toEqual([resource, true]);
    }
  });

  test('its rows are those that it works on', async () => {
    const world = await createWorldState();
    const ports = connect(world, 'endpoint');
    const used = new Set<string>();
    const note = <T>(action: string, partition: string, result: T): T => {
      used.add(`${action} ${partition}`);
      return result;
    };
    const table: StateTable = {
      get: (partition, key) => note('GetItem', partition, ports.table.get(partition, key)),
      put: (partition, ...rest) => note('PutItem', partition, ports.table.put(partition, ...rest)),
      list: (partition) => note('Query', partition, ports.table.list(partition)),
      remove: (partition, key) => note('DeleteItem', partition, ports.table.remove(partition, key)),
    };
    const topics = { yellow: 'yellow', red: 'red' };
    const notifier = new SnsNotifier(
      new SNSClient({}),
      { people: topics, deliver: topics, isCut: (way) => isCut(table, way) },
      table,
    );
    mockClient(SNSClient).on(PublishCommand).resolves({});
    const { policy, fleet } = createPolicy('endpoint');
    const handler = createRollbackHandler(async () => ({
      fleet,
      policies: [policy],
      ports: { ...ports, table, notifier },
      log: new RecordedLog(),
    }));
    await handler({ schedule: 'rollback' }, context);
    settleServing(world);
    await handler({ schedule: 'rollback' }, context);
    const resource = arn('dynamodb', 'table/tidewatch-state');
    const isGranted = (action: string, partition = '') =>
      isAllowed(grants, {
        action: `dynamodb:${action}`,
        resource,
        context: { 'dynamodb:LeadingKeys': [partition] },
      });
    const granted = ['GetItem', 'PutItem', 'Query', 'DeleteItem'].flatMap((action) =>
      [
        'models',
        'series#credit',
        'episodes',
        'rollbacks',
        'deployments',
        'deliveries',
        'doorbells',
        'alert-path',
        'log',
        'sweeps',
        'ingesting#credit',
        'announced#credit',
      ].flatMap((partition) => (isGranted(action, partition) ? [`${action} ${partition}`] : [])),
    );
    expect([...used].sort()).toEqual(granted.sort());
  });

  test.each([
    ['sagemaker:DescribeEndpoint', endpoint('credit')],
    ['sagemaker:DescribeEndpoint', endpoint('dry')],
    ['sagemaker:DescribeEndpoint', endpoint('flow')],
    ['sagemaker:UpdateEndpoint', endpoint('credit')],
    ['sagemaker:UpdateEndpoint', anyConfig],
    ['sagemaker:UpdateEndpointWeightsAndCapacities', endpoint('canary')],
    ['lambda:GetAlias', arn('lambda', 'function:served')],
    ['lambda:UpdateAlias', arn('lambda', 'function:served')],
    ['states:StartExecution', stateMachine],
  ])('its role allows %s of %s', (action, resource) => {
    expect(isAllowed(grants, { action, resource, context: {} })).toBe(true);
  });

  test.each([
    ['sagemaker:UpdateEndpoint', endpoint('other')],
    ['sagemaker:UpdateEndpoint', endpoint('dry')],
    ['sagemaker:UpdateEndpoint', endpoint('canary')],
    ['sagemaker:UpdateEndpoint', endpoint('flow')],
    ['sagemaker:UpdateEndpoint', endpoint('credit-2')],
    ['sagemaker:UpdateEndpointWeightsAndCapacities', endpoint('credit')],
    ['sagemaker:DescribeEndpoint', endpoint('other')],
    ['sagemaker:InvokeEndpoint', endpoint('credit')],
    ['sagemaker:DeleteEndpoint', endpoint('credit')],
    ['sagemaker:DeleteEndpointConfig', anyConfig],
    ['sagemaker:CreateEndpointConfig', anyConfig],
    ['lambda:UpdateAlias', arn('lambda', 'function:other')],
    ['lambda:UpdateFunctionCode', arn('lambda', 'function:served')],
    ['lambda:InvokeFunction', arn('lambda', 'function:served')],
    ['states:StartExecution', arn('states', 'stateMachine:other')],
    ['iam:PassRole', arn('iam', 'role/any')],
  ])('its role refuses %s of %s', (action, resource) => {
    expect(isAllowed(grants, { action, resource, context: {} })).toBe(false);
  });

  test('no other role may touch what answers', () => {
    const others = ['tidewatch-notify', 'tidewatch-main-ingest', 'tidewatch-main-evaluate', 'tidewatch-main-sweep'];
    for (const name of others) {
      const allowed = grantsOf(templates, name).filter(({ effect }) => effect === 'Allow');
      expect([name, allowed.flatMap(({ actions }) => actions).filter((action) => touching.test(action))]).toEqual([
        name,
        [],
      ]);
    }
  });

  test('a dry run may look and change nothing', () => {
    const dry = grantsOf(synthesise(configOf([['credit', sagemakerEndpoint()]])), functionName);
    const allowed = dry.filter(({ effect }) => effect === 'Allow').flatMap(({ actions }) => actions);
    expect(allowed.filter((action) => touching.test(action))).toEqual(['sagemaker:DescribeEndpoint']);
  });

  test('it is woken by red alarms, by its endpoints and every minute, and what fails is kept', () => {
    const subscriptions = resourcesOf(templates, 'AWS::SNS::Subscription').filter(({ properties }) =>
      JSON.stringify(properties.Endpoint).includes('Rollback'),
    );
    expect(subscriptions.map(({ properties }) => JSON.stringify(properties.TopicArn))).toEqual([
      expect.stringMatching(/Alarmsred/),
    ]);
    const [rule, ...others] = resourcesOf(templates, 'AWS::Events::Rule').filter(({ id }) => /Rollback/.test(id));
    expect(others).toEqual([]);
    const pattern = JSON.stringify(rule?.properties.EventPattern);
    expect(pattern).toContain('SageMaker Endpoint State Change');
    // However many endpoints there are: EventBridge takes 2,048 characters.
    expect(pattern).not.toContain(':endpoint/');
    const [schedule] = resourcesOf(templates, 'AWS::Scheduler::Schedule').filter(({ id }) => /Rollback/.test(id));
    expect(schedule?.properties).toMatchObject({
      ScheduleExpression: 'rate(1 minute)',
      Target: { Input: '{"schedule":"rollback"}', DeadLetterConfig: { Arn: expect.anything() } },
    });
    const [code] = resourcesOf(templates, 'AWS::Lambda::Function').filter(
      ({ properties }) => properties.FunctionName === functionName,
    );
    // Shorter than any update of an endpoint: see `takeoverSeconds`.
    expect(code?.properties.Timeout).toBe(60);
  });

  test('AwsSolutions finds nothing', () => {
    const app = createApp();
    const { platform } = createStacks(app, loadFleet({ ...sampleConfig, ...real }, '.'));
    const { violations } = new AwsSolutionsChecks(app).validateScope(platform);
    expect(violations.map(({ ruleName, violatingResources }) => [ruleName, violatingResources])).toEqual([]);
  });
});

test('two models may not move one thing', () => {
  const twice = configOf([
    ['a', lambdaAlias({ function: 'f', alias: 'live' })],
    ['b', lambdaAlias({ function: 'f', alias: 'live' })],
  ]);
  expect(() => loadFleet(twice, '.')).toThrow('models[1].rollback: saw alias f:live, expected one that a does not');
});
