import { expect, test } from 'vitest';
import { MemoryStateTable } from '../../adapters/local/memory-state-table.ts';
import type { EndpointReader } from '../../core/pipeline/ports.ts';
import { createEndpointsHandler } from '../../lambdas/endpoints.ts';
import { context, RecordedLog } from './events.ts';

const now = Date.UTC(2026, 2, 2);

function prepare(broken: readonly string[] = []) {
  const asked: string[] = [];
  const log = new RecordedLog();
  const endpoints: EndpointReader = {
    describe: async (endpoint) => {
      asked.push(endpoint);
      if (broken.includes(endpoint)) throw new Error('secret');
      return { config: `${endpoint}-1`, isSettled: true, modified: now - 1 };
    },
    models: async () => [],
  };
  const table = new MemoryStateTable();
  const ports = { table, clock: { now: () => now }, endpoints };
  const handler = createEndpointsHandler(async () => ({ endpoints: ['credit', 'Prices'], ports, log }));
  return { handler, asked, log, table };
}

const changed = (name: string) => ({
  'detail-type': 'SageMaker Endpoint State Change',
  source: 'aws.sagemaker',
  detail: { EndpointName: name },
});

test.each([
  ['the schedule looks at all endpoints', { schedule: 'endpoints' }, ['credit', 'Prices']],
  ['a plain schedule, too', { 'detail-type': 'Scheduled Event' }, ['credit', 'Prices']],
  ['an event makes it look at its endpoint', changed('credit'), ['credit']],
  ['however the event writes its name', changed('prices'), ['Prices']],
  ['another endpoint is left alone', changed('other'), []],
] as const)('%s', async (_, event, expected) => {
  const { handler, asked, table } = prepare();
  await handler(event, context);
  expect(asked).toEqual(expected);
  expect((await table.list('endpoints')).map(({ key }) => key)).toEqual([...expected].sort());
});

test('one that can’t be described is logged, keeps no other from its turn, and fails the run', async () => {
  const { handler, log, table } = prepare(['credit']);
  await expect(handler({ schedule: 'endpoints' }, context)).rejects.toThrow('1 endpoints not looked at');
  expect(log.messages('error')).toEqual(['endpoint not looked at']);
  expect(JSON.stringify(log.lines)).not.toContain('secret');
  expect((await table.list('endpoints')).map(({ key }) => key)).toEqual(['Prices']);
});

test.each([{}, { schedule: 'tick' }, { ...changed('credit'), detail: {} }, 3])(
  'another event is refused: %j',
  async (event) => {
    await expect(prepare().handler(event, context)).rejects.toThrow(/expected/);
  },
);
