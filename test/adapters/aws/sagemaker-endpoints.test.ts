import {
  DescribeEndpointCommand,
  DescribeEndpointConfigCommand,
  type DescribeEndpointConfigOutput,
  type DescribeEndpointOutput,
  SageMakerClient,
} from '@aws-sdk/client-sagemaker';
import { mockClient } from 'aws-sdk-client-mock';
import { expect, onTestFinished, test } from 'vitest';
import { createSagemakerReader } from '../../../adapters/aws/sagemaker-client.ts';
import { SagemakerEndpoints } from '../../../adapters/aws/sagemaker-endpoints.ts';
import type { EndpointDescription } from '../../../core/model/endpoint.ts';
import { refusal } from './answers.ts';

const modified = new Date(Date.UTC(2026, 2, 4));
const began = new Date(Date.UTC(2026, 2, 3));

function connect() {
  const mock = mockClient(SageMakerClient);
  onTestFinished(() => mock.restore());
  return { mock, endpoints: new SagemakerEndpoints(new SageMakerClient({ region: 'eu-west-1' })) };
}

const unsettled = { config: 'B', isSettled: false, modified: modified.getTime() };

test.each([
  [{ EndpointStatus: 'InService' }, { config: 'B', isSettled: true, modified: modified.getTime() }],
  [{ EndpointStatus: 'Updating' }, unsettled],
  [{ EndpointStatus: 'SystemUpdating' }, unsettled],
  [{ EndpointStatus: 'RollingBack' }, unsettled],
  [
    { EndpointStatus: 'Updating', PendingDeploymentSummary: { EndpointConfigName: 'C', StartTime: began } },
    { ...unsettled, changingSince: began.getTime() },
  ],
  [
    { EndpointStatus: 'Updating', PendingDeploymentSummary: { EndpointConfigName: 'C' } },
    { ...unsettled, changingSince: modified.getTime() },
  ],
  [{ EndpointStatus: 'Updating', PendingDeploymentSummary: { EndpointConfigName: 'B', StartTime: began } }, unsettled],
  [{ EndpointStatus: 'UpdateRollbackFailed' }, { ...unsettled, changingSince: modified.getTime() }],
  [{ EndpointStatus: 'Creating' }, undefined],
  [{ EndpointStatus: 'OutOfService' }, undefined],
  [{ EndpointStatus: 'Deleting' }, undefined],
  [{ EndpointStatus: 'Failed', EndpointConfigName: undefined }, undefined],
] satisfies readonly (readonly [Partial<DescribeEndpointOutput>, EndpointDescription | undefined])[])(
  'described as %j it serves %j',
  async (described, expected) => {
    const { mock, endpoints } = connect();
    const endpoint = { EndpointName: 'credit', EndpointConfigName: 'B', LastModifiedTime: modified };
    mock.on(DescribeEndpointCommand, { EndpointName: 'credit' }).resolves({ ...endpoint, ...described });
    expect(await endpoints.describe('credit')).toEqual(expected);
  },
);

test('an endpoint that is not there serves nothing; one that nobody may describe is an error', async () => {
  const { mock, endpoints } = connect();
  const missing = Object.assign(refusal('ValidationException', 400), { message: 'Could not find endpoint "credit".' });
  mock.on(DescribeEndpointCommand).rejects(missing);
  expect(await endpoints.describe('credit')).toBeUndefined();
  for (const error of [
    refusal('AccessDeniedException', 400),
    refusal('ThrottlingException', 400),
    refusal('ValidationException', 400),
    new Error('socket hang up'),
  ]) {
    mock.on(DescribeEndpointCommand).rejects(error);
    await expect(endpoints.describe('credit')).rejects.toThrow();
  }
  mock.on(DescribeEndpointCommand).resolves({ EndpointStatus: 'InService' } as DescribeEndpointOutput);
  await expect(endpoints.describe('credit')).rejects.toThrow('expected a configuration');
});

test('models are those of all variants that name one; a configuration that is gone has none', async () => {
  const { mock, endpoints } = connect();
  mock.on(DescribeEndpointConfigCommand, { EndpointConfigName: 'B' }).resolves({
    ProductionVariants: [{ VariantName: 'main', ModelName: 'credit-8' }, { VariantName: 'shared' }],
    ShadowProductionVariants: [{ VariantName: 'shadow', ModelName: 'credit-9' }],
  } as Partial<DescribeEndpointConfigOutput>);
  expect(await endpoints.models('B')).toEqual([
    ['main', 'credit-8'],
    ['shadow', 'credit-9'],
  ]);
  const gone = Object.assign(refusal('ValidationException', 400), {
    message: 'Could not find endpoint configuration "C".',
  });
  mock.on(DescribeEndpointConfigCommand).rejects(gone);
  expect(await endpoints.models('C')).toEqual([]);
  mock.on(DescribeEndpointConfigCommand).rejects(refusal('InternalFailure', 500));
  await expect(endpoints.models('C')).rejects.toThrow();
});

test('the client gives up well within the time of a run', async () => {
  const { config } = createSagemakerReader();
  expect(await config.maxAttempts()).toBe(3);
});
