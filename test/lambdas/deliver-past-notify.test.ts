import { describe, expect, test } from 'vitest';
import { alarmMessage } from '../../core/alarm/alarm-message.ts';
import { formatAlarmDescription } from '../../core/contract/alarm-text.ts';
import { deadLetterAlarm, notifyFailureAlarm } from '../../core/contract/infrastructure-alarms.ts';
import type { MetricAlarmDefinition } from '../../core/model/alarm.ts';
import { readProbeReceipt } from '../../core/pipeline/probe-receipts.ts';
import { composeRollbackMessage, type RollbackNews } from '../../core/rollback/rollback-message.ts';
import { probeText } from '../../core/route/probe.ts';
import { act } from '../rollback/rollback-act.ts';
import { config, createWorld, event, message, of, topics } from './deliver-world.ts';
import { context, failedIds } from './events.ts';

describe('news of a rollback', () => {
  const news = (name: RollbackNews) =>
    of(
      composeRollbackMessage(act, { kind: 'sagemaker-endpoint', endpoint: 'credit' }, name, {
        id: name,
        time: act.time,
        alarm: 'tidewatch/credit/red',
        runbook: 'https://example.com/runbook.md#rollback',
      }),
    );
  const keys = (world: ReturnType<typeof createWorld>) =>
    world.pager().map((body) => `${body.event_action} ${body.dedup_key}`);

  test.each([['not-recovered'], ['refused'], ['failed'], ['overtaken']] as const)(
    'pages again where it is %s, though the incident was acknowledged, and ends with the incident',
    async (outcome) => {
      const world = createWorld();
      await world.handle(of(message('raised', 1)), context);
      await world.handle(of(message('acknowledged', 2)), context);
      await world.handle(news('started'), context);
      // That it begins is no reason to call anybody once more.
      expect(world.actions()).toEqual(['trigger', 'acknowledge']);
      for (let delivery = 0; delivery < 2; delivery++) await world.handle(news(outcome), context);
      expect(keys(world).slice(2)).toEqual(['trigger tidewatch/e1/rollback']);
      for (let delivery = 0; delivery < 2; delivery++) await world.handle(of(message('recovered', 3)), context);
      expect(keys(world).slice(3)).toEqual(['resolve tidewatch/e1', 'resolve tidewatch/e1/rollback']);
      for (const told of [world.hooks(), world.chats]) expect(told).toHaveLength(5);
      expect(world.hooks().map(({ subject }) => subject)).toContain('ROLLBACK credit: is being rolled back');
    },
  );

  test.each([['started', 'recovered'], ['dry-run'], ['withdrawn']] as const)(
    'reaches chat and webhook, and no pager, where nobody has to act: %s, %s',
    async (...told) => {
      const world = createWorld();
      await world.handle(of(message('raised', 1)), context);
      for (const one of told) await world.handle(news(one), context);
      await world.handle(of(message('recovered', 2)), context);
      expect(keys(world)).toEqual(['trigger tidewatch/e1', 'resolve tidewatch/e1']);
      const threads = new Set(world.chats.map(({ metadata }) => (metadata as { threadId: string }).threadId));
      expect([world.hooks().length, world.chats.length, [...threads]]).toEqual([
        told.length + 2,
        told.length + 2,
        ['tidewatch-e1'],
      ]);
    },
  );

  test('whose page gets through only after the incident is over is closed as it is told', async () => {
    const world = createWorld();
    await world.handle(of(message('raised', 1)), context);
    await world.handle(of(message('recovered', 2)), context);
    for (let delivery = 0; delivery < 2; delivery++) await world.handle(news('failed'), context);
    expect(keys(world)).toEqual([
      'trigger tidewatch/e1',
      'resolve tidewatch/e1',
      'trigger tidewatch/e1/rollback',
      'resolve tidewatch/e1/rollback',
    ]);
  });

  test('that comes late does not follow what came after it', async () => {
    const world = createWorld();
    await world.handle(news('failed'), context);
    await world.handle(news('started'), context);
    expect(world.hooks().map(({ subject }) => subject)).toEqual(['RED credit: rollback did not get through']);
  });
});

describe('an alarm on Tidewatch itself', () => {
  const queue = 'tidewatch-touch-dead';
  const failure = notifyFailureAlarm('tidewatch-notify', config.fleet);
  const dead = deadLetterAlarm(queue, 'a touch', 'red', config.fleet);

  function tell(
    world: ReturnType<typeof createWorld>,
    definition: MetricAlarmDefinition,
    to: 'ALARM' | 'OK',
    time: number,
    topic = topics.red,
  ) {
    const described = { ...definition, description: formatAlarmDescription(definition) };
    const transition = { alarm: definition.name, from: 'OK', to, time, reason: 'r', actionsEnabled: true } as const;
    const text = alarmMessage(described, transition, { account: '111122223333', region: 'eu-west-1' }, new Map());
    return world.handle(event(text, topic), context);
  }

  test('reaches every pager, chat and webhook of the tier, though notify never saw it', async () => {
    const world = createWorld();
    for (let delivery = 0; delivery < 2; delivery++) await tell(world, dead, 'ALARM', 1_000_000);
    expect(world.posts.map(({ url }) => url).sort()).toEqual([
      'https://events.eu.pagerduty.com/v2/enqueue',
      'https://events.pagerduty.com/v2/enqueue',
      'https://hooks.example.com/in/s3cret',
    ]);
    expect(JSON.stringify(world.pager()[0])).toContain(`the dead-letter queue ${queue} is not empty`);
    for (let delivery = 0; delivery < 2; delivery++) await tell(world, dead, 'OK', 2_000_000);
    expect(world.actions().sort()).toEqual(['resolve', 'resolve', 'trigger', 'trigger']);
    expect(new Set(world.pager().map((body) => body.dedup_key)).size).toBe(1);
    expect(world.chats.map(({ metadata }) => (metadata as { eventType: string }).eventType)).toEqual([
      'tidewatch-raised',
      'tidewatch-recovered',
    ]);
    expect(world.hooks().map(({ subject }) => String(subject).slice(0, 20))).toEqual([
      'RED Tidewatch: the d',
      'RECOVERED Tidewatch:',
    ]);
  });

  test('is a new incident each time it rings', async () => {
    const world = createWorld();
    for (const [index, to] of (['ALARM', 'OK', 'ALARM', 'OK'] as const).entries())
      await tell(world, dead, to, (index + 1) * 1_000_000);
    const keys = world.posts.filter(({ url }) => url.includes('events.pagerduty')).map(({ body }) => body);
    expect(keys.map(({ event_action }) => event_action)).toEqual(['trigger', 'resolve', 'trigger', 'resolve']);
    expect(new Set(keys.map(({ dedup_key }) => dedup_key)).size).toBe(2);
    expect(keys[0]?.dedup_key).toBe(keys[1]?.dedup_key);
  });

  test('that rings again without an OK has lost it: the old incident ends, a new one begins', async () => {
    const world = createWorld();
    await tell(world, dead, 'ALARM', 1_000_000);
    for (let delivery = 0; delivery < 2; delivery++) await tell(world, dead, 'ALARM', 2_000_000);
    const keys = world.posts.filter(({ url }) => url.includes('events.pagerduty')).map(({ body }) => body);
    expect(keys.map(({ event_action }) => event_action)).toEqual(['trigger', 'resolve', 'trigger']);
    expect(keys[2]?.dedup_key).not.toBe(keys[0]?.dedup_key);
  });

  test('is told of nothing where it never rang: the first OK of a new alarm', async () => {
    const world = createWorld();
    expect(failedIds(await tell(world, dead, 'OK', 1_000_000))).toEqual([]);
    expect([world.posts, world.chats, world.dead]).toEqual([[], [], []]);
    await tell(world, dead, 'ALARM', 2_000_000);
    expect(world.actions()).toEqual(['trigger', 'trigger']);
  });

  test('whose end is heard first is told to have begun, and to be over', async () => {
    const world = createWorld();
    await tell(world, dead, 'OK', 2_000_000);
    expect(world.posts).toEqual([]);
    for (let delivery = 0; delivery < 2; delivery++) await tell(world, dead, 'ALARM', 1_000_000);
    const keys = world.posts.filter(({ url }) => url.includes('events.pagerduty')).map(({ body }) => body);
    expect(keys.map(({ event_action }) => event_action)).toEqual(['trigger', 'resolve']);
    await tell(world, dead, 'ALARM', 3_000_000);
    expect(world.actions().filter((action) => action === 'trigger')).toHaveLength(4);
  });

  test('whose page fails at first is told to have begun before its end', async () => {
    const world = createWorld([500]);
    expect(failedIds(await tell(world, dead, 'ALARM', 1_000_000))).toEqual(['m0']);
    await tell(world, dead, 'OK', 2_000_000);
    await tell(world, dead, 'ALARM', 1_000_000);
    // Both pagers, one of which refused the first.
    expect(world.actions().sort()).toEqual(['resolve', 'resolve', 'trigger', 'trigger', 'trigger']);
  });

  test('on notify reaches both tiers by one topic', async () => {
    const world = createWorld();
    await tell(world, failure, 'ALARM', 1_000_000);
    expect(JSON.stringify(world.pager()[0])).toContain('alarms of models do not reach people');
    expect(world.chats.map(({ content }) => (content as { keywords: string[] }).keywords[1])).toEqual([
      'yellow',
      'red',
    ]);
    expect(world.pager()).toHaveLength(2);
    const other = createWorld();
    await tell(other, dead, 'ALARM', 1_000_000);
    expect(other.chats).toHaveLength(1);
  });
});

test('a probe is noted, the newest of each tier, and nobody is told', async () => {
  const world = createWorld();
  expect(await readProbeReceipt(world.table, 'red')).toBe(Number.NEGATIVE_INFINITY);
  for (const sent of [2_000, 3_000, 1_000]) {
    expect(failedIds(await world.handle(event(probeText('red', sent)), context))).toEqual([]);
  }
  expect(await readProbeReceipt(world.table, 'red')).toBe(3_000);
  expect(await readProbeReceipt(world.table, 'yellow')).toBe(Number.NEGATIVE_INFINITY);
  expect([world.posts, world.chats, world.dead]).toEqual([[], [], []]);
});
