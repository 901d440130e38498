import { expect, test } from 'vitest';
import { SqliteState } from '../../adapters/local/sqlite-state.ts';
import { chat, email, pagerDuty, parseConfig, sagemakerCapture } from '../../core/contract/config.ts';
import { type AlertWay, deliverTier } from '../../core/model/alert-way.ts';
import type { Message } from '../../core/model/delivery.ts';
import { notifyOverdue } from '../../core/pipeline/notify.ts';
import { noteProbe } from '../../core/pipeline/probe-receipts.ts';
import { answerProbe, watchAlertPath } from '../../core/pipeline/watch-alert-path.ts';
import { readProbe } from '../../core/route/probe.ts';
import { MemoryObjectStore } from './memory-object-store.ts';

const minute = 60_000;
const start = Date.UTC(2026, 2, 10);

/** notify, each minute, with ways that can be cut. */
function createWorld(contact: ReturnType<typeof pagerDuty> | ReturnType<typeof chat> | undefined) {
  const { fleet, models } = parseConfig({
    models: [
      {
        name: 'credit',
        source: sagemakerCapture({ bucket: 'captures', endpoint: 'credit' }),
        versions: [{ match: '*' }],
        alerts: { red: [email('a@example.com'), ...(contact ? [contact] : [])] },
      },
    ],
  });
  const { table } = new SqliteState(':memory:');
  const cut = new Set<AlertWay>();
  const messages: Message[] = [];
  const sent: AlertWay[] = [];
  let now = start;
  const ports = {
    state: new MemoryObjectStore(),
    audit: new MemoryObjectStore(),
    table,
    clock: { now: () => now },
    notifier: { deliver: async (message: Message) => void messages.push(message) },
  };
  const probes = {
    send: async (way: AlertWay, text: string) => {
      sent.push(way);
      const probe = readProbe(text);
      if (!probe) throw new Error('expected a probe');
      if (cut.has(way)) return;
      if (way === 'yellow' || way === 'red') return answerProbe(fleet, models, ports, probe.tier);
      await noteProbe(probe, table);
    },
  };
  const pass = async (minutes: number) => {
    for (let past = 0; past < minutes; past++) {
      now += minute;
      await notifyOverdue(models, ports);
      await watchAlertPath(fleet, models, ports, probes);
    }
  };
  return { pass, cut, messages, sent };
}

test('the way to deliver is tried out where a contact needs it', async () => {
  const plain = createWorld(undefined);
  await plain.pass(30);
  expect(new Set(plain.sent)).toEqual(new Set(['yellow', 'red']));
  const paged = createWorld(chat({ topic: 'arn:aws:sns:eu-west-1:123456789012:chat' }));
  await paged.pass(30);
  expect(new Set(paged.sent)).toEqual(new Set(['yellow', 'red', 'deliver-yellow', 'deliver-red']));
});

test.each([['deliver-yellow'], ['deliver-red']] as const)(
  'where %s is cut, people are paged within twenty minutes by the other way, and told when it is mended',
  async (way) => {
    const world = createWorld(pagerDuty({ secret: 'pager' }));
    await world.pass(120);
    expect(world.messages).toEqual([]);
    world.cut.add(way);
    await world.pass(14);
    expect(world.messages).toEqual([]);
    await world.pass(6);
    const [page] = world.messages;
    expect(world.messages).toHaveLength(1);
    expect(page).toMatchObject({
      tier: 'red',
      event: 'raised',
      model: 'fleet',
      subject: expect.stringContaining('RED fleet: messages do not reach pagers, chats or webhooks'),
      text: expect.stringContaining(way),
      detail: { cause: `alert-path-${way}`, alarm: `tidewatch/alert-path/${way}` },
    });
    expect(page && `deliver-${deliverTier(page)}`).not.toBe(way);
    await world.pass(60);
    expect(world.messages).toHaveLength(1);
    world.cut.clear();
    // The next probe comes back within five minutes; the hold is ten.
    await world.pass(18);
    expect(world.messages.map(({ event, episode }) => [event, episode])).toEqual([
      ['raised', page?.episode],
      ['recovered', page?.episode],
    ]);
  },
);

test('a way that is cut is no reason to doubt another', async () => {
  const world = createWorld(pagerDuty({ secret: 'pager' }));
  world.cut.add('red').add('deliver-yellow');
  await world.pass(40);
  expect(world.messages.map(({ detail }) => detail.cause).sort()).toEqual([
    'alert-path-deliver-yellow',
    'alert-path-red',
  ]);
});
