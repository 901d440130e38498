import { DescribeEndpointCommand, DescribeEndpointConfigCommand, SageMakerClient } from '@aws-sdk/client-sagemaker';
import { mockClient } from 'aws-sdk-client-mock';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, test } from 'vitest';
import { SagemakerEndpoints } from '../../adapters/aws/sagemaker-endpoints.ts';
import { MemoryStateTable } from '../../adapters/local/memory-state-table.ts';
import { type ConfigInput, httpCapture, sagemakerCapture } from '../../core/contract/config.ts';
import type { StateTable } from '../../core/pipeline/ports.ts';
import { createEndpointsHandler } from '../../lambdas/endpoints.ts';
import { loadFleet } from '../../lib/fleet-configuration.ts';
import { createStacks } from '../../lib/stacks.ts';
import { context, RecordedLog } from '../lambdas/events.ts';
import { longestPlace, place, resolveTemplate } from './resolve-template.ts';
import { grantsOf, isAllowed } from './role-grants.ts';
import { createApp, resourcesOf, synthesise } from './synthesise.ts';

const functionName = 'tidewatch-endpoints';
const arn = (service: string, resource: string) => `arn:aws:${service}:${place.region}:${place.account}:${resource}`;

function configOf(versionFrom: string | undefined, endpoints = ['Credit', 'prices']): ConfigInput {
  return {
    models: endpoints.map((endpoint, index) => ({
      name: `model-${index}`,
      ...(endpoints.length > 20 && { shard: `s${index % 5}` }),
      source: [
        sagemakerCapture({ bucket: 'captures', endpoint, ...(versionFrom !== undefined && { versionFrom }) }),
        httpCapture({ bucket: 'captures', prefix: `requests-${index}`, role: 'requests' }),
      ],
      versions: [{ match: '*' }],
    })),
  };
}

const templates = synthesise(configOf('endpoint'));
const grants = grantsOf(templates, functionName);
const may = (action: string, resource: string, of = grants) => isAllowed(of, { action, resource, context: {} });

describe('what looks at endpoints', () => {
  test('is allowed what it asks for, and of the table no other row', async () => {
    const mock = mockClient(SageMakerClient);
    mock.on(DescribeEndpointCommand).resolves({
      EndpointConfigName: 'B',
      EndpointStatus: 'InService',
      LastModifiedTime: new Date(0),
    });
    mock.on(DescribeEndpointConfigCommand).resolves({});
    const used = new Set<string>();
    const rows = new MemoryStateTable();
    const note = <T>(action: string, partition: string, result: T): T => {
      used.add(`${action} ${partition}`);
      return result;
    };
    const table: StateTable = {
      get: (partition, key) => note('GetItem', partition, rows.get(partition, key)),
      put: (partition, ...rest) => note('PutItem', partition, rows.put(partition, ...rest)),
      list: (partition) => note('Query', partition, rows.list(partition)),
      remove: (partition, key) => note('DeleteItem', partition, rows.remove(partition, key)),
    };
    const endpoints = new SagemakerEndpoints(new SageMakerClient({ region: place.region }));
    const handler = createEndpointsHandler(async () => ({
      endpoints: ['Credit'],
      ports: { table, clock: { now: () => 1 }, endpoints },
      log: new RecordedLog(),
    }));
    await handler({ schedule: 'endpoints' }, context);
    const asked = mock.calls().map(({ args: [command] }) => command.constructor.name.replace('Command', ''));
    expect(asked).toEqual(['DescribeEndpoint', 'DescribeEndpointConfig']);
    mock.restore();

    const partitions = ['endpoints', 'models', 'rollbacks', 'deployments', 'series#model-0', 'episodes'];
    const granted = ['GetItem', 'PutItem', 'Query', 'DeleteItem'].flatMap((action) =>
      partitions
        .filter((partition) =>
          isAllowed(grants, {
            action: `dynamodb:${action}`,
            resource: arn('dynamodb', 'table/tidewatch-state'),
            context: { 'dynamodb:LeadingKeys': [partition] },
          }),
        )
        .map((partition) => `${action} ${partition}`),
    );
    expect([...used].sort()).toEqual(granted.sort());
  });

  test.each([
    ['sagemaker:DescribeEndpoint', 'endpoint/credit', true],
    ['sagemaker:DescribeEndpoint', 'endpoint/Credit', true],
    ['sagemaker:DescribeEndpoint', 'endpoint/prices', true],
    ['sagemaker:DescribeEndpoint', 'endpoint/other', false],
    ['sagemaker:DescribeEndpointConfig', 'endpoint-config/any', true],
    ['sagemaker:UpdateEndpoint', 'endpoint/credit', false],
    ['sagemaker:InvokeEndpoint', 'endpoint/credit', false],
    ['sagemaker:DeleteEndpointConfig', 'endpoint-config/any', false],
  ])('%s of %s: %s', (action, resource, expected) => {
    expect(may(action, arn('sagemaker', resource))).toBe(expected);
  });

  test('is denied to change anything, whatever else it may be granted one day', () => {
    const all = [
      { effect: 'Allow', actions: ['sagemaker:*'], resources: ['*'], excepted: [], conditions: [] },
      ...grants,
    ];
    expect(may('sagemaker:DescribeEndpoint', arn('sagemaker', 'endpoint/other'), all)).toBe(true);
    for (const [action, resource] of [
      ['UpdateEndpoint', 'endpoint/credit'],
      ['UpdateEndpointWeightsAndCapacities', 'endpoint/credit'],
      ['DeleteEndpoint', 'endpoint/credit'],
      ['InvokeEndpointAsync', 'endpoint/credit'],
      ['CreateEndpointConfig', 'endpoint-config/any'],
      ['DescribeModel', 'model/any'],
    ] as const) {
      expect([action, may(`sagemaker:${action}`, arn('sagemaker', resource), all)]).toEqual([action, false]);
    }
  });

  test('is woken by every change of an endpoint and every minute, and what fails is kept', () => {
    const [rule, ...others] = resourcesOf(templates, 'AWS::Events::Rule').filter(({ id }) => /Endpoints/.test(id));
    expect(others).toEqual([]);
    expect(rule?.properties.EventPattern).toEqual({
      source: ['aws.sagemaker'],
      'detail-type': ['SageMaker Endpoint State Change'],
      account: [{ Ref: 'AWS::AccountId' }],
    });
    const [schedule] = resourcesOf(templates, 'AWS::Scheduler::Schedule').filter(({ id }) => /Endpoints/.test(id));
    expect(schedule?.properties).toMatchObject({
      ScheduleExpression: 'rate(1 minute)',
      Target: { Input: '{"schedule":"endpoints"}', DeadLetterConfig: { Arn: expect.anything() } },
    });
    const alarms = resourcesOf(templates, 'AWS::CloudWatch::Alarm').map(({ properties }) => properties.AlarmName);
    expect(alarms).toContain('tidewatch/dead-letters/tidewatch-endpoints-dead');
  });

  test('is not deployed where no captures come from SageMaker', () => {
    const source = httpCapture({ bucket: 'captures' });
    const without = synthesise({ models: [{ name: 'served', source, versions: [{ match: '*' }] }] });
    expect(resourcesOf(without).filter(({ id }) => /Endpoints/.test(id))).toEqual([]);
  });

  test('keeps within what IAM takes of a role, however many endpoints there are', () => {
    const names = Array.from({ length: 100 }, (_, index) => `${'E'.repeat(60)}${String(index).padStart(3, '0')}`);
    const many = synthesise(configOf('endpoint', names));
    const [stack, template] = [...many][0] ?? [];
    const policies = resourcesOf(many, 'AWS::IAM::Policy').filter(
      (resource) => resource.stack === stack && /EndpointsWatchRole/.test(resource.id),
    );
    const characters = policies.map(
      ({ properties }) =>
        JSON.stringify(resolveTemplate(properties.PolicyDocument, template ?? { Resources: {} }, longestPlace)).length,
    );
    expect(policies.length).toBeGreaterThan(0);
    expect(characters.reduce((sum, count) => sum + count, 0)).toBeLessThan(10_240);
    expect(
      may('sagemaker:DescribeEndpoint', arn('sagemaker', `endpoint/${names[99]}`), grantsOf(many, functionName)),
    ).toBe(true);
  });

  test.each([2, 100])('AwsSolutions finds nothing where there are %i', (count) => {
    const names = Array.from({ length: count }, (_, index) => `endpoint-${index}`.padEnd(63, 'E'));
    const app = createApp();
    const { platform } = createStacks(app, loadFleet(configOf('endpoint', names), '.'));
    const { violations } = new AwsSolutionsChecks(app).validateScope(platform);
    expect(violations.map(({ ruleName, violatingResources }) => [ruleName, violatingResources])).toEqual([]);
  });
});

describe('what was noted', () => {
  const reads = (versionFrom: string | undefined, handler: string) =>
    isAllowed(grantsOf(synthesise(configOf(versionFrom)), `tidewatch-main-${handler}`), {
      action: 'dynamodb:GetItem',
      resource: arn('dynamodb', 'table/tidewatch-state'),
      context: { 'dynamodb:LeadingKeys': ['endpoints'] },
    });

  test('is read by evaluate, and by ingest where it names versions', () => {
    expect([reads('endpoint', 'evaluate'), reads('endpoint', 'ingest'), reads('endpoint', 'sweep')]).toEqual([
      true,
      true,
      false,
    ]);
    expect([reads('version', 'evaluate'), reads('version', 'ingest')]).toEqual([true, false]);
  });
});
