import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { type AwsClientStub, mockClient } from 'aws-sdk-client-mock';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SnsNotifier } from '../../adapters/aws/sns-notifier.ts';
import { alarmMessage } from '../../core/alarm/alarm-message.ts';
import { modelAlarmNames, modelAlarms } from '../../core/contract/alarm-definitions.ts';
import { shardAlarmNames, shardAlarms } from '../../core/contract/shard-alarms.ts';
import type { AlarmStateValue } from '../../core/model/alarm.ts';
import { isCut } from '../../core/pipeline/alert-path-state.ts';
import type { SeriesState } from '../../core/pipeline/series.ts';
import { answerProbe } from '../../core/pipeline/watch-alert-path.ts';
import { probeText, readProbe } from '../../core/route/probe.ts';
import { createEvaluateHandler } from '../../lambdas/evaluate.ts';
import { createNotifyHandler } from '../../lambdas/notify.ts';
import { createRuntime, type WorldPorts } from '../pipeline/embedded-world.ts';
import { context, notifications, RecordedLog } from './events.ts';
import { crashAtEveryWrite, hour, LambdaWorld, minute, payloads, start } from './lambda-world.ts';

let sns: AwsClientStub<SNSClient>;
/** Ids of published messages; a world's are told apart by its topics. */
let published: { readonly topic: string; readonly id: string; readonly event: string }[] = [];
/** How many requests SNS refuses first. */
let refusals = 0;

/** Whether what is sent the way that alarms take comes back. */
let isPathOpen = true;

beforeEach(() => {
  published = [];
  isPathOpen = true;
  refusals = 0;
  sns = mockClient(SNSClient);
  sns.on(PublishCommand).callsFake(({ TopicArn, Message, MessageAttributes }) => {
    if (refusals-- > 0) throw new Error('throttled');
    const { sqs = Message } = JSON.parse(Message);
    const { id, event } = JSON.parse(sqs);
    if (MessageAttributes) expect(MessageAttributes.messageId.StringValue).toBe(id);
    published.push({ topic: TopicArn, id, event });
    return {};
  });
});

afterEach(() => void sns.restore());

const client = new SNSClient({ region: 'eu-west-1' });
let worlds = 0;
const nameOf = new WeakMap<LambdaWorld, string>();

function topicsOf(world: LambdaWorld) {
  const name = nameOf.get(world) ?? `world${worlds++}`;
  nameOf.set(world, name);
  const of = (kind: string) => ({ yellow: `${name}:yellow${kind}`, red: `${name}:red${kind}` });
  return { people: of(''), deliver: of(':deliver') };
}

/** What people were told, or what deliver was. */
function messagesOf(world: LambdaWorld, whom: 'people' | 'deliver' = 'people') {
  const { yellow, red } = topicsOf(world)[whom];
  const own = published.filter(({ topic }) => topic === yellow || topic === red);
  return own.map(({ topic, id, event }) => `${topic.split(':')[1]} ${event} ${id}`);
}

function handlerOf(world: LambdaWorld, ports: WorldPorts = world.process(), log = new RecordedLog()) {
  const { policy, fleet } = world.runtime;
  const notifier = new SnsNotifier(
    client,
    { ...topicsOf(world), isCut: async (way) => isCut(ports.table, way) },
    ports.table,
  );
  const shards = ['main', 'other'];
  const probes = {
    send: async (_: string, text: string) => {
      const probe = readProbe(text);
      if (isPathOpen && probe) await answerProbe(fleet, [policy], { ...ports, notifier }, probe.tier);
    },
  };
  return createNotifyHandler(async () => ({
    fleet,
    policies: [policy],
    shards,
    ports: { ...ports, notifier, probes },
    log,
  }));
}

/** CloudWatch's message of a state change. */
function alarm(world: LambdaWorld, name: string, to: AlarmStateValue, time: number): string {
  const { policy, fleet } = world.runtime;
  const all = [...modelAlarms(policy, fleet), ...['main', 'other'].flatMap((shard) => shardAlarms(shard, fleet))];
  const definition = all.find((one) => one.name === name);
  if (!definition) throw new Error(`expected an alarm ${name}`);
  const from = to === 'OK' ? 'ALARM' : 'OK';
  const transition = { alarm: name, from, to, time, reason: 'threshold crossed', actionsEnabled: true } as const;
  return alarmMessage(definition, transition, { account: '111122223333', region: 'eu-west-1' }, new Map());
}

/** A drifted window was judged. */
async function arrangeDrift(world: LambdaWorld) {
  await world.deliver(payloads(start, 'drifted', { factor: 3 }));
  world.clock.set(start + hour + 11 * minute);
  const tick = createEvaluateHandler(async () => ({
    runtimes: [world.runtime],
    ports: world.process(),
    retries: { delay: async () => {} },
    log: new RecordedLog(),
  }));
  await tick({ schedule: 'tick' }, context);
}

async function createDriftWorld() {
  const world = new LambdaWorld(await createRuntime());
  await arrangeDrift(world);
  return world;
}

const names = modelAlarmNames('credit');
const at = start + hour + 12 * minute;

test('an alarm is told to the people of its tier, once, and its message is evidenced', async () => {
  const world = await createDriftWorld();
  const evidence = world.audit.keys().length;
  const event = notifications([alarm(world, names.yellow, 'ALARM', at)]);
  for (let delivery = 0; delivery < 3; delivery++) await handlerOf(world)(event, context);
  expect(messagesOf(world)).toEqual([expect.stringMatching(/^yellow raised /)]);
  expect(world.audit.keys().length).toBe(evidence + 1);
  world.clock.set(at + hour);
  await handlerOf(world)(notifications([alarm(world, names.yellow, 'OK', at + hour)]), context);
  expect(messagesOf(world)).toHaveLength(1);
  world.clock.set(at + hour + 10 * minute);
  await handlerOf(world)({ schedule: 'overdue' }, context);
  expect(messagesOf(world)[1]).toMatch(/^yellow recovered /);
});

test('the alarms of shards are told as well, each for itself', async () => {
  const world = await createDriftWorld();
  const tell = (shard: string, to: AlarmStateValue, time: number) =>
    handlerOf(world)(notifications([alarm(world, shardAlarmNames(shard).heartbeat, to, time)]), context);
  await tell('main', 'ALARM', at);
  await tell('other', 'ALARM', at + minute);
  world.clock.set(at + 2 * minute);
  await tell('main', 'OK', at + 2 * minute);
  world.clock.set(at + 12 * minute);
  await handlerOf(world)({ schedule: 'overdue' }, context);
  expect(messagesOf(world)).toEqual([
    expect.stringMatching(/^red raised /),
    expect.stringMatching(/^red raised /),
    expect.stringMatching(/^red recovered /),
  ]);
});

test('an alarm that flaps is one incident, which recovers once it was quiet for the hold', async () => {
  const world = await createDriftWorld();
  for (const [index, state] of (['ALARM', 'OK', 'ALARM', 'OK', 'ALARM', 'OK'] as const).entries()) {
    world.clock.set(at + index * 5 * minute);
    await handlerOf(world)(notifications([alarm(world, names.red, state, at + index * 5 * minute)]), context);
    await handlerOf(world)({ schedule: 'overdue' }, context);
  }
  expect(messagesOf(world)).toHaveLength(1);
  world.clock.set(at + 35 * minute);
  for (let run = 0; run < 2; run++) await handlerOf(world)({ 'detail-type': 'Scheduled Event' }, context);
  expect(messagesOf(world).map((message) => message.replace(/ \w+$/, ''))).toEqual(['red raised', 'red recovered']);
});

test('a verdict that no alarm rings for is told of after ten minutes, and its end as well', async () => {
  const world = await createDriftWorld();
  const { table } = world.sqlite;
  for (const { key, row } of await table.list('series#credit')) {
    const state = row.value as SeriesState;
    const newest = state.newest && { ...state.newest, tier: 'yellow' };
    await table.put('series#credit', key, { ...state, newest }, row.revision);
  }
  const minutes = async (from: number, to: number) => {
    for (let past = from; past <= to; past++) {
      world.clock.set(at + past * minute);
      await handlerOf(world)({ schedule: 'overdue' }, context);
    }
  };
  await minutes(0, 9);
  expect(messagesOf(world)).toEqual([]);
  await minutes(10, 20);
  expect(messagesOf(world)).toEqual([expect.stringMatching(/^yellow raised /)]);
  // The window's verdict is stale an hour and a half later, and nothing newer was judged.
  await minutes(21, 110);
  expect(messagesOf(world).map((message) => message.replace(/ \w+$/, ''))).toEqual([
    'yellow raised',
    'yellow recovered',
  ]);
});

test('a cut way from the alarm topics is told of after a quarter of an hour, and its mending', async () => {
  const world = new LambdaWorld(await createRuntime());
  const minutes = async (from: number, to: number) => {
    for (let past = from; past <= to; past++) {
      world.clock.set(at + past * minute);
      await handlerOf(world)({ schedule: 'overdue' }, context);
    }
  };
  await minutes(0, 60);
  expect(messagesOf(world)).toEqual([]);
  isPathOpen = false;
  await minutes(61, 79);
  expect(messagesOf(world)).toEqual([]);
  await minutes(80, 100);
  // One for the topic of each tier.
  expect(messagesOf(world).map((told) => told.replace(/ \w+$/, ''))).toEqual(['red raised', 'red raised']);
  isPathOpen = true;
  await minutes(101, 120);
  expect(
    messagesOf(world)
      .slice(2)
      .map((told) => told.replace(/ \w+$/, '')),
  ).toEqual(['red recovered', 'red recovered']);
});

test('a probe that comes back as SNS brings it is known', async () => {
  const world = await createDriftWorld();
  const log = new RecordedLog();
  await handlerOf(world, world.process(), log)(notifications([probeText('red')]), context);
  expect(log.messages('info')).toEqual(['probe came back']);
  expect(messagesOf(world)).toEqual([]);
});

test('an incident is acknowledged by hand, once there is one', async () => {
  const world = await createDriftWorld();
  const acknowledge = () => handlerOf(world)({ acknowledge: 'credit' }, context);
  await expect(acknowledge()).rejects.toThrow('expected a model with an incident');
  await handlerOf(world)(notifications([alarm(world, names.red, 'ALARM', at)]), context);
  await acknowledge();
  expect(messagesOf(world)[1]).toMatch(/^red acknowledged /);
});

test('a message that is none fails, and the others of its event are told', async () => {
  const world = await createDriftWorld();
  const log = new RecordedLog();
  const event = notifications(['{"secret":', alarm(world, names.red, 'ALARM', at)]);
  await expect(handlerOf(world, world.process(), log)(event, context)).rejects.toThrow('1 alarms not told');
  expect(messagesOf(world)).toHaveLength(1);
  expect(JSON.stringify(log.lines)).not.toContain('secret');
  expect(log.lines.map(({ fields }) => fields.messageId)).toEqual(['n0', 'n1']);
});

test.each([{}, { schedule: 'tick' }, { Records: {} }, { Records: [{ Sns: { MessageId: 'x' } }] }])(
  'another event is refused: %j',
  async (event) => {
    await expect(handlerOf(await createDriftWorld())(event, context)).rejects.toThrow(/expected/);
  },
);

test('what SNS refuses is told by the next delivery', async () => {
  const world = await createDriftWorld();
  refusals = 1;
  const event = notifications([alarm(world, names.red, 'ALARM', at)]);
  await expect(handlerOf(world)(event, context)).rejects.toThrow('not told');
  await handlerOf(world)(event, context);
  expect(messagesOf(world)).toHaveLength(1);
});

/** Everything but which of its attempts evidenced and noted it. */
const writesOfMessage = ['audit bundles', 'table deliveries', 'table deliveries'];

test.each([
  ['yellow', []],
  ['red', ['yellow']],
] as const)('killed after any write and delivered again: %s after %j is told as undisturbed', async (tier, before) => {
  const runtime = await createRuntime();
  const writes = await crashAtEveryWrite(
    {
      runtime,
      arrange: async (world) => {
        await arrangeDrift(world);
        for (const one of before) {
          await handlerOf(world)(notifications([alarm(world, names[one], 'ALARM', at - minute)]), context);
        }
      },
      invoke: async (world, ports) => {
        await handlerOf(world, ports)(notifications([alarm(world, names[tier], 'ALARM', at)]), context);
        return true;
      },
    },
    async (undisturbed, disturbed, where) => {
      expect(await disturbed.contents(), where).toEqual(await undisturbed.contents());
      // At least once: an id may come twice, none is missing and none is new.
      for (const whom of ['people', 'deliver'] as const)
        expect(new Set(messagesOf(disturbed, whom)), where).toEqual(new Set(messagesOf(undisturbed, whom)));
    },
  );
  expect(writes).toEqual(['table episodes', ...writesOfMessage, 'table episodes']);
});

test('killed after any write and never delivered again: the next minute tells what was kept', async () => {
  const runtime = await createRuntime();
  const writes = await crashAtEveryWrite(
    {
      runtime,
      arrange: async (world) => {
        await arrangeDrift(world);
        await handlerOf(world)(notifications([alarm(world, names.red, 'ALARM', at)]), context);
        world.clock.set(at + 20 * minute);
        await handlerOf(world)(notifications([alarm(world, names.red, 'OK', at + 20 * minute)]), context);
        world.clock.set(at + 30 * minute);
      },
      invoke: async (world, ports) => {
        await handlerOf(world, ports)({ schedule: 'overdue' }, context);
        return true;
      },
    },
    async (undisturbed, disturbed, where) => {
      for (const whom of ['people', 'deliver'] as const)
        expect(new Set(messagesOf(disturbed, whom)), where).toEqual(new Set(messagesOf(undisturbed, whom)));
      expect((await disturbed.contents()).rows, where).toEqual((await undisturbed.contents()).rows);
    },
  );
  expect(writes.slice(0, 5)).toEqual(['table episodes', ...writesOfMessage, 'table episodes']);
});

test('two deliveries of one alarm at once: the same message, at most twice', async () => {
  const world = await createDriftWorld();
  const event = notifications([alarm(world, names.red, 'ALARM', at)]);
  await Promise.all([1, 2].map(() => handlerOf(world)(event, context)));
  expect(new Set(messagesOf(world)).size).toBe(1);
  expect(messagesOf(world).length).toBeLessThanOrEqual(2);
});
