import { expect, onTestFinished, test, vi } from 'vitest';
import { createSagemakerClient } from '../../../adapters/aws/change-clients.ts';
import { createSagemakerReader } from '../../../adapters/aws/sagemaker-client.ts';
import { SagemakerEndpoints } from '../../../adapters/aws/sagemaker-endpoints.ts';
import { SagemakerServing } from '../../../adapters/aws/sagemaker-serving.ts';
import type { RollbackLever } from '../../../core/model/rollback.ts';
import { startSagemakerStub } from '../../e2e/sagemaker-stub.ts';

const lever: RollbackLever = { kind: 'sagemaker-endpoint', endpoint: 'credit' };

async function startStub() {
  const stub = await startSagemakerStub({ updateMilliseconds: 50 });
  onTestFinished(() => stub.close());
  const variables = {
    ...stub.environment,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
  };
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());
  return stub;
}

test('the client that functions use describes and updates an endpoint over HTTP', async () => {
  const stub = await startStub();
  const serving = new SagemakerServing(createSagemakerClient());
  await expect(serving.describe(lever)).rejects.toThrow('Could not find endpoint');
  stub.deploy('credit', 'B');
  const from = await serving.describe(lever);
  expect(from).toMatchObject({ config: 'B', status: 'ready' });
  const change = { id: 'abc', model: 'credit', from, to: 'A' };
  expect(await serving.change(lever, change)).toBe('started');
  expect(await serving.describe(lever)).toMatchObject({ config: 'B', status: 'changing', pending: 'A' });
  expect(await serving.change(lever, change)).toBe('refused');
  await vi.waitFor(async () => expect(await serving.describe(lever)).toMatchObject({ config: 'A', status: 'ready' }));
  expect((await serving.describe(lever)).revision).not.toBe(from.revision);
  expect(stub.calls.filter(({ operation }) => operation === 'UpdateEndpoint')).toEqual([
    { operation: 'UpdateEndpoint', endpoint: 'credit', config: 'A', status: 200 },
    { operation: 'UpdateEndpoint', endpoint: 'credit', config: 'A', status: 400 },
  ]);
});

test('the client that only looks tells an endpoint that is not there from one that is', async () => {
  const stub = await startStub();
  const endpoints = new SagemakerEndpoints(createSagemakerReader());
  expect(await endpoints.describe('credit')).toBeUndefined();
  stub.deploy('credit', 'B');
  expect(await endpoints.describe('credit')).toMatchObject({ config: 'B', isSettled: true });
  await new SagemakerServing(createSagemakerClient()).change(lever, {
    id: 'abc',
    model: 'credit',
    from: { config: 'B', status: 'ready', revision: '1' },
    to: 'A',
  });
  expect(await endpoints.describe('credit')).toMatchObject({
    config: 'B',
    isSettled: false,
    changingSince: expect.any(Number),
  });
  // The stub keeps no configurations.
  expect(await endpoints.models('B')).toEqual([]);
});
