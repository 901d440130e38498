import { GetAliasCommand, LambdaClient, UpdateAliasCommand } from '@aws-sdk/client-lambda';
import {
  DescribeEndpointCommand,
  type DescribeEndpointOutput,
  SageMakerClient,
  UpdateEndpointCommand,
  UpdateEndpointWeightsAndCapacitiesCommand,
} from '@aws-sdk/client-sagemaker';
import { SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { mockClient } from 'aws-sdk-client-mock';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createLambdaClient, createSagemakerClient, createSfnClient } from '../../../adapters/aws/change-clients.ts';
import { LambdaServing } from '../../../adapters/aws/lambda-serving.ts';
import { SagemakerServing } from '../../../adapters/aws/sagemaker-serving.ts';
import { AwsServing } from '../../../adapters/aws/serving-control.ts';
import { SfnServing } from '../../../adapters/aws/sfn-serving.ts';
import type { RollbackLever, ServingState } from '../../../core/model/rollback.ts';
import { refusal } from './answers.ts';

const region = 'eu-west-1';
const modified = new Date(Date.UTC(2026, 2, 4));
const endpoint: RollbackLever = { kind: 'sagemaker-endpoint', endpoint: 'credit' };
const weights: RollbackLever = { kind: 'sagemaker-weights', endpoint: 'credit' };
const alias: RollbackLever = { kind: 'lambda-alias', functionName: 'credit', alias: 'live' };
const stateMachine = 'arn:aws:states:eu-west-1:111122223333:stateMachine:back';
const workflow: RollbackLever = { kind: 'step-functions', stateMachine, endpoint: 'credit' };
const from: ServingState = { config: 'B', status: 'ready', revision: 'r7' };
const change = { id: 'abc', model: 'credit', from, to: 'A' };

function sagemaker(described: Partial<DescribeEndpointOutput> = {}) {
  const mock = mockClient(SageMakerClient);
  onTestFinished(() => mock.restore());
  mock.on(DescribeEndpointCommand).resolves({
    EndpointName: 'credit',
    EndpointConfigName: 'B',
    EndpointStatus: 'InService',
    LastModifiedTime: modified,
    ...described,
  });
  return { mock, serving: new SagemakerServing(new SageMakerClient({ region })) };
}

describe('an endpoint', () => {
  test.each([
    [{}, { config: 'B', status: 'ready' }],
    [
      { EndpointStatus: 'Updating', PendingDeploymentSummary: { EndpointConfigName: 'C' } },
      { config: 'B', status: 'changing', pending: 'C' },
    ],
    [{ EndpointStatus: 'Updating' }, { config: 'B', status: 'changing' }],
    [{ EndpointStatus: 'SystemUpdating' }, { config: 'B', status: 'changing' }],
    [{ EndpointStatus: 'Failed' }, { config: 'B', status: 'failed' }],
    [{ EndpointStatus: 'UpdateRollbackFailed' }, { config: 'B', status: 'failed' }],
  ] satisfies readonly (readonly [Partial<DescribeEndpointOutput>, Partial<ServingState>])[])(
    'described as %j serves %j',
    async (described, expected) => {
      const { serving } = sagemaker(described);
      expect(await serving.describe(endpoint)).toEqual({ ...expected, revision: String(modified.getTime()) });
    },
  );

  test('is updated with as many instances as it has now', async () => {
    const { mock, serving } = sagemaker();
    mock.on(UpdateEndpointCommand).resolves({});
    expect(await serving.change(endpoint, change)).toBe('started');
    expect(mock.commandCalls(UpdateEndpointCommand)[0]?.args[0].input).toEqual({
      EndpointName: 'credit',
      EndpointConfigName: 'A',
      RetainAllVariantProperties: true,
      ExcludeRetainedVariantProperties: [{ VariantPropertyType: 'DesiredWeight' }],
    });
  });

  test('that refuses has certainly not changed; a broken connection leaves it open', async () => {
    const { mock, serving } = sagemaker();
    mock.on(UpdateEndpointCommand).rejects(refusal('ValidationException', 400));
    expect(await serving.change(endpoint, change)).toBe('refused');
    mock.on(UpdateEndpointCommand).rejects(refusal('InternalFailure', 500));
    await expect(serving.change(endpoint, change)).rejects.toThrow();
    mock.on(UpdateEndpointCommand).rejects(new Error('socket hang up'));
    await expect(serving.change(endpoint, change)).rejects.toThrow('socket hang up');
  });

  test('without a configuration is an error', async () => {
    const { serving } = sagemaker({ EndpointConfigName: undefined });
    await expect(serving.describe(endpoint)).rejects.toThrow('expected a configuration');
  });
});

describe('weights of variants', () => {
  const variants = (canary: number, desired = canary) => [
    { VariantName: 'stable', CurrentWeight: 1 - canary, DesiredWeight: 1 - desired },
    { VariantName: 'canary', CurrentWeight: canary, DesiredWeight: desired },
  ];

  test('are named in one order, and a shift under way says where to', async () => {
    const { serving } = sagemaker({ ProductionVariants: variants(0.5) });
    expect((await serving.describe(weights)).config).toBe('["B",[["canary",0.5],["stable",0.5]]]');
    const shifting = sagemaker({ ProductionVariants: variants(0.5, 0), EndpointStatus: 'Updating' });
    expect(await shifting.serving.describe(weights)).toMatchObject({
      status: 'changing',
      pending: '["B",[["canary",0],["stable",1]]]',
    });
    const scaling = sagemaker({ ProductionVariants: variants(0.5), EndpointStatus: 'Updating' });
    expect(await scaling.serving.describe(weights)).not.toHaveProperty('pending');
  });

  test('are shifted back', async () => {
    const { mock, serving } = sagemaker();
    mock.on(UpdateEndpointWeightsAndCapacitiesCommand).resolves({});
    const to = '["B",[["canary",0],["stable",1]]]';
    expect(await serving.change(weights, { ...change, to })).toBe('started');
    expect(mock.commandCalls(UpdateEndpointWeightsAndCapacitiesCommand)[0]?.args[0].input).toEqual({
      EndpointName: 'credit',
      DesiredWeightsAndCapacities: [
        { VariantName: 'canary', DesiredWeight: 0 },
        { VariantName: 'stable', DesiredWeight: 1 },
      ],
    });
    await expect(serving.change(weights, { ...change, to: '["B",[["canary"]]]' })).rejects.toThrow('expected a name');
  });
});

test('an alias is moved from the revision that was described', async () => {
  const mock = mockClient(LambdaClient);
  onTestFinished(() => mock.restore());
  const serving = new LambdaServing(new LambdaClient({ region }));
  mock.on(GetAliasCommand).resolves({ FunctionVersion: '7', RevisionId: 'r7' });
  expect(await serving.describe(alias)).toEqual({ config: '7', status: 'ready', revision: 'r7' });
  mock.on(UpdateAliasCommand).resolves({});
  expect(await serving.change(alias, { ...change, to: '6' })).toBe('started');
  expect(mock.commandCalls(UpdateAliasCommand)[0]?.args[0].input).toEqual({
    FunctionName: 'credit',
    Name: 'live',
    FunctionVersion: '6',
    RevisionId: 'r7',
    RoutingConfig: { AdditionalVersionWeights: {} },
  });
  mock.on(UpdateAliasCommand).rejects(refusal('PreconditionFailedException', 412));
  expect(await serving.change(alias, change)).toBe('refused');
  mock
    .on(GetAliasCommand)
    .resolves({ FunctionVersion: '7', RevisionId: 'r8', RoutingConfig: { AdditionalVersionWeights: { '8': 0.1 } } });
  expect(await serving.describe(alias)).toMatchObject({ status: 'changing', pending: '8' });
});

test('a workflow is started once for each rollback', async () => {
  const mock = mockClient(SFNClient);
  onTestFinished(() => mock.restore());
  const serving = new SfnServing(new SFNClient({ region }), sagemaker().serving);
  expect((await serving.describe(workflow)).config).toBe('B');
  mock.on(StartExecutionCommand).resolves({});
  expect(await serving.change(workflow, change)).toBe('started');
  const { name, input = '' } = mock.commandCalls(StartExecutionCommand)[0]?.args[0].input ?? {};
  expect(name).toBe('tidewatch-abc');
  expect(JSON.parse(input)).toEqual({
    schema: 'tidewatch.rollback/1',
    id: 'abc',
    model: 'credit',
    endpoint: 'credit',
    from: 'B',
    to: 'A',
  });
  mock.on(StartExecutionCommand).rejects(refusal('ExecutionAlreadyExists', 400));
  expect(await serving.change(workflow, change)).toBe('started');
  mock.on(StartExecutionCommand).rejects(refusal('StateMachineDoesNotExist', 400));
  expect(await serving.change(workflow, change)).toBe('refused');
});

test('nothing that changes is sent twice by itself', async () => {
  for (const client of [createSagemakerClient(), createLambdaClient(), createSfnClient()]) {
    expect(await client.config.maxAttempts()).toBe(1);
  }
});

test('each lever is moved by its own service', async () => {
  const { mock } = sagemaker();
  process.env.AWS_REGION ??= region;
  const serving = new AwsServing();
  expect((await serving.describe(endpoint)).config).toBe('B');
  mock.on(UpdateEndpointCommand).resolves({});
  expect(await serving.change(endpoint, change)).toBe('started');
  await expect(new LambdaServing(createLambdaClient()).describe(endpoint)).rejects.toThrow('expected the lever');
});
