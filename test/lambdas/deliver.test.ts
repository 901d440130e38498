import { describe, expect, test } from 'vitest';
import { alertDocument } from '../../core/model/alert-document.ts';
import { DeliveryFailed } from '../../core/model/delivery-errors.ts';
import { alertDetail } from '../route/alert-detail.ts';
import { createWorld, event, key, message, of, topics } from './deliver-world.ts';
import { context, failedIds, queueBatch } from './events.ts';

describe('a pager', () => {
  test('is triggered and resolved under one key, with the fields of its specification', async () => {
    const world = createWorld();
    for (const [index, name] of (['raised', 'updated', 'acknowledged', 'lowered', 'recovered'] as const).entries())
      expect(failedIds(await world.handle(of(message(name, index + 1)), context))).toEqual([]);
    expect(world.actions()).toEqual(['trigger', 'acknowledge', 'resolve']);
    const [trigger] = world.pager();
    expect(world.posts[0]?.url).toBe('https://events.pagerduty.com/v2/enqueue');
    expect(trigger).toMatchObject({
      routing_key: key,
      event_action: 'trigger',
      dedup_key: 'tidewatch/e1',
      client: 'Tidewatch',
      payload: {
        summary: 'RED credit: raised',
        source: 'credit',
        severity: 'critical',
        timestamp: '2026-03-10T00:00:00.000Z',
        component: 'credit',
        group: 'health',
        class: 'slo',
        custom_details: { episode: 'e1', findings: ['red: latency: 2 % of requests were too slow'] },
      },
      links: [{ href: 'https://example.com/runbook.md#red', text: 'Runbook' }],
    });
    expect(new Set(world.pager().map((body) => body.dedup_key)).size).toBe(1);
    expect(world.pager()[2]).toEqual({ routing_key: key, event_action: 'resolve', dedup_key: 'tidewatch/e1' });
  });

  test('that fails twice first gets it once, and the others are not told twice', async () => {
    const world = createWorld([500, new DeliveryFailed('hangs')]);
    const raised = message('raised', 1);
    for (let receives = 1; receives <= 4; receives++) {
      const answer = await world.handle(event(JSON.stringify(alertDocument(raised)), topics.red, receives), context);
      expect(failedIds(answer)).toEqual(receives <= 2 ? ['m0'] : []);
    }
    expect(world.delays).toEqual([30, 60]);
    expect(world.actions()).toEqual(['trigger', 'trigger', 'trigger']);
    expect(world.chats).toHaveLength(1);
    expect(world.posts.filter(({ url }) => url.includes('hooks'))).toHaveLength(1);
    expect(world.dead).toEqual([]);
  });

  test.each([[429], [408], [503], [500]])('an answer of %i is tried again', async (status) => {
    const world = createWorld([status]);
    expect(failedIds(await world.handle(of(message('raised', 1)), context))).toEqual(['m0']);
  });

  test.each([[400], [403], [404], [301], [307]])('an answer of %i goes to the dead letters at once', async (status) => {
    const world = createWorld([status]);
    expect(failedIds(await world.handle(of(message('raised', 1)), context))).toEqual([]);
    expect(world.dead).toEqual([{ body: expect.any(String), reason: expect.stringContaining(`saw ${status}`) }]);
  });

  test('hears of nothing after its resolve: what comes late is left out', async () => {
    const world = createWorld([500]);
    const raised = of(message('raised', 1));
    await world.handle(raised, context);
    await world.handle(of(message('recovered', 2)), context);
    await world.handle(raised, context);
    // The trigger that failed is told before the end, or nobody would ever hear of it.
    expect(world.actions()).toEqual(['trigger', 'trigger', 'resolve']);
  });

  test('a trigger that is still being tried is not taken for an old one by what means nothing to a pager', async () => {
    const world = createWorld([500]);
    const raised = of(message('raised', 1));
    await world.handle(raised, context);
    await world.handle(of(message('updated', 2)), context);
    expect(world.chats).toHaveLength(2);
    expect(failedIds(await world.handle(raised, context))).toEqual([]);
    expect(world.actions()).toEqual(['trigger', 'trigger']);
  });

  test('of another region is asked there', async () => {
    const world = createWorld();
    await world.handle(of(message('raised', 1, { model: 'prices' })), context);
    expect(world.posts.map(({ url }) => url)).toEqual(['https://events.eu.pagerduty.com/v2/enqueue']);
  });
});

describe('what can not work', () => {
  test('a missing secret is named, the message kept, and the others told; mended and sent back it arrives', async () => {
    const world = createWorld();
    world.texts.delete('pager');
    await world.handle(of(message('raised', 1)), context);
    expect(world.dead.map(({ reason }) => reason)).toEqual([
      'secret pager: expected it in Secrets Manager, there is none of this name',
    ]);
    expect(world.log.messages('error')).toEqual(['message not delivered']);
    expect(world.chats).toHaveLength(1);
    world.texts.set('pager', key);
    await world.handle({ Records: queueBatch([world.dead[0]?.body]).Records }, context);
    expect(world.actions()).toEqual(['trigger']);
    expect(world.chats).toHaveLength(1);
  });

  test.each([
    ['pager', 'short', 'an integration key of 32'],
    ['hook', 'http://hooks.example.com/', 'expected an https URL'],
    ['hook', 'https://evil.example.com/', 'fleet.webhookHosts, saw evil.example.com'],
    ['hook', 'https://hooks.example.com:8443/', 'port 443'],
    ['hook', 'https://me:s3cret@hooks.example.com/', 'without credentials'],
    ['hook', 'https://hooks.example.com.evil.com/', 'fleet.webhookHosts'],
    ['hook', 's3cret', 'expected an https URL'],
  ])('a secret %s of %s', async (secret, text, expected) => {
    const world = createWorld([], { [secret]: text });
    await world.handle(of(message('raised', 1)), context);
    expect(world.dead.map(({ reason }) => reason)).toEqual([expect.stringContaining(expected)]);
    expect(JSON.stringify([world.dead[0]?.reason, world.log.lines])).not.toContain('s3cret');
  });

  test.each([['{'], ['{}'], [JSON.stringify({ TopicArn: 'arn:other', Message: '{}' })]])(
    'a message that is none comes again, and ends in the dead letters: %s',
    async (body) => {
      const world = createWorld();
      expect(failedIds(await world.handle(queueBatch([body]), context))).toEqual(['m0']);
      expect(world.posts).toEqual([]);
    },
  );
});

test('a webhook gets the full JSON, a chat its own schema, without markup of others', async () => {
  const world = createWorld();
  const hostile = '<!channel> *[x](https://evil.example)* @here `cwdb`';
  const detail = {
    ...alertDetail,
    headline: hostile,
    findings: [{ kind: 'slo', tier: 'red', message: hostile }],
  } as const;
  await world.handle(of(message('raised', 1, { detail })), context);
  const hook = world.posts.find(({ url }) => url.includes('hooks'));
  expect(hook?.body).toMatchObject({ schema: 'tidewatch.alert/1', model: 'credit', episode: 'e1', event: 'raised' });
  const [shown] = world.chats;
  expect(shown).toMatchObject({
    version: '1.0',
    source: 'custom',
    content: { textType: 'client-markdown', keywords: ['credit', 'red', 'raised'] },
    metadata: { threadId: 'tidewatch-e1' },
  });
  expect(JSON.stringify(shown?.content)).not.toMatch(/[<>*`@]|\]\(/);
});
