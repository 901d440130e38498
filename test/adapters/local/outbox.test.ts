import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Outbox, type OutboxOptions } from '../../../adapters/local/outbox.ts';
import { SqliteState } from '../../../adapters/local/sqlite-state.ts';
import type { Message } from '../../../core/model/delivery.ts';
import { alertDetail } from '../../route/alert-detail.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

const message: Message = {
  id: 'e1-raised',
  tier: 'red',
  event: 'raised',
  model: 'flights',
  episode: 'e1',
  subject: 'RED flights: latency objective broken',
  text: 'what\n\nsince when',
  time: Date.UTC(2001, 2, 10, 0, 5, 7),
  detail: alertDetail,
};

function openOutbox(options: Partial<OutboxOptions> = {}) {
  const folder = join(temporaryDirectory(), 'outbox');
  const state = new SqliteState(':memory:');
  return {
    folder,
    state,
    outbox: new Outbox(state.database, folder, { recipients: () => ['a@example.com', 'b@example.com'], ...options }),
  };
}

test('writes each message once as a mail', async () => {
  const told: string[] = [];
  const { folder, outbox } = openOutbox({ onMessage: ({ id }, file) => told.push(`${id} ${file}`) });
  await outbox.deliver(message);
  await outbox.deliver({ ...message, text: 'another text under the same id' });
  const file = '2001-03-10T00-05-07-red-raised-flights-e1-raised.txt';
  expect(readdirSync(folder)).toEqual([file]);
  expect(readFileSync(join(folder, file), 'utf8')).toBe(`Subject: RED flights: latency objective broken
To: a@example.com, b@example.com
Date: Sat, 10 Mar 2001 00:05:07 +0000
X-Tidewatch-Message: e1-raised
X-Tidewatch-Episode: e1
Content-Type: text/plain; charset=utf-8

what

since when
`);
  expect(told).toEqual([`e1-raised ${file}`]);
  expect(outbox.delivered()).toEqual([{ message, file }]);
});

test('names from elsewhere can neither leave the folder nor add headers nor collide', async () => {
  const { folder, outbox } = openOutbox();
  const hostile = [
    '../../etc/x',
    '.._.._etc_x',
    'a\nBcc: evil@example.com',
    'x'.repeat(500),
    `${'x'.repeat(499)}y`,
    '__proto__',
  ];
  for (const text of hostile) await outbox.deliver({ ...message, id: text, model: text, subject: text, episode: text });
  const files = readdirSync(folder);
  expect(files).toHaveLength(hostile.length);
  for (const file of files) {
    expect(file).toMatch(/^2001-03-10T00-05-07-red-raised-[A-Za-z0-9._-]+\.txt$/);
    const [headers = ''] = readFileSync(join(folder, file), 'utf8').split('\n\n');
    expect(headers.split('\n').map((line) => line.split(':')[0])).toEqual([
      'Subject',
      'To',
      'Date',
      'X-Tidewatch-Message',
      'X-Tidewatch-Episode',
      'Content-Type',
    ]);
  }
});

test('a step that fails afterwards delivers again, into the same file', async () => {
  let told = 0;
  const { folder, state, outbox } = openOutbox({
    onMessage: () => {
      told += 1;
    },
  });
  const step = state.transaction(async () => {
    await outbox.deliver(message);
    throw new Error('no');
  });
  await expect(step).rejects.toThrow('no');
  await state.transaction(() => outbox.deliver(message));
  expect(told).toBe(2);
  expect(readdirSync(folder)).toHaveLength(1);
  expect(outbox.delivered()).toHaveLength(1);
});

test('lists by time', async () => {
  const { outbox } = openOutbox();
  for (const [id, time] of [
    ['b', 2],
    ['a', 1],
    ['c', 2],
  ] as const)
    await outbox.deliver({ ...message, id, time });
  expect(outbox.delivered().map((entry) => entry.message.id)).toEqual(['a', 'b', 'c']);
});

test('a time that is none is refused before anything is written', async () => {
  const { folder, outbox } = openOutbox();
  await expect(outbox.deliver({ ...message, time: Number.NaN })).rejects.toThrow(
    'expected whole milliseconds, saw NaN',
  );
  expect(readdirSync(folder)).toEqual([]);
});
