import { expect, test } from 'vitest';
import { createRollbackHandler } from '../../lambdas/rollback.ts';
import { connect, createPolicy, createWorldState, type WorldState } from '../pipeline/rollback-world.ts';
import { context, notifications, RecordedLog } from './events.ts';

const { policy, fleet } = createPolicy('endpoint');
const { rollback: _, ...unwatched } = policy;

function handlerOf(world: WorldState, log = new RecordedLog()) {
  const ports = connect(world, 'endpoint');
  return createRollbackHandler(async () => ({
    fleet,
    policies: [policy, { ...unwatched, name: 'other' }],
    ports,
    log,
  }));
}

test.each([
  ['an alarm', notifications(['anything at all'])],
  ['a change of an endpoint', { 'detail-type': 'SageMaker Endpoint State Change', detail: { EndpointName: 'x' } }],
  ['the schedule', { schedule: 'rollback' }],
  ['an EventBridge schedule', { 'detail-type': 'Scheduled Event' }],
])('%s makes it look, and what it says is not read', async (_name, event) => {
  const world = await createWorldState();
  const log = new RecordedLog();
  await handlerOf(world, log)(event, context);
  expect(world.changes).toMatchObject([{ from: 'B', to: 'A', isEvidenced: true }]);
  expect(log.lines.map(({ message, fields }) => [message, fields.model, fields.phase])).toEqual([
    ['rollback', 'credit', 'started'],
  ]);
});

test('a hundred alarms do nothing where the verdict is not evidenced, and the log says why', async () => {
  const world = await createWorldState({ isEvidenced: false });
  const log = new RecordedLog();
  for (let index = 0; index < 100; index++) await handlerOf(world, log)(notifications(['ALARM']), context);
  expect(world.changes).toEqual([]);
  expect(new Set(log.lines.map(({ fields }) => fields.refusal))).toEqual(new Set(['not-judged-red']));
});

test('a model that fails is logged, and the run fails', async () => {
  const world = await createWorldState();
  const log = new RecordedLog();
  const ports = connect(world, 'endpoint');
  const control = { ...ports.control, describe: () => Promise.reject(new Error('secret')) };
  const handler = createRollbackHandler(async () => ({ fleet, policies: [policy], ports: { ...ports, control }, log }));
  await expect(handler({ schedule: 'rollback' }, context)).rejects.toThrow('1 models not looked after');
  expect(log.messages('error')).toEqual(['rollback not looked after']);
  expect(JSON.stringify(log.lines)).not.toContain('secret');
});

test.each([{}, { schedule: 'tick' }, { Records: {} }, 3])('another event is refused: %j', async (event) => {
  await expect(handlerOf(await createWorldState())(event, context)).rejects.toThrow(/expected/);
});
