import { createHash } from 'node:crypto';
import { appendFileSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CaptureChangedError, FileCaptureStore } from '../../../adapters/local/file-capture-store.ts';
import { InvalidKeyError } from '../../../adapters/local/object-key.ts';
import { collect } from '../collect.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

function openStore(): { root: string; store: FileCaptureStore } {
  const root = temporaryDirectory();
  return { root, store: new FileCaptureStore(new Map([['captures', root]])) };
}

async function readAll(store: FileCaptureStore, object: Parameters<FileCaptureStore['read']>[0]): Promise<Buffer> {
  return Buffer.concat(await collect(store.read(object)));
}

test('head tells size, time and MD5; read gives the bytes in bounded chunks', async () => {
  const { root, store } = openStore();
  const body = Buffer.alloc(1_000_000, 'capture ');
  mkdirSync(join(root, 'e/v'), { recursive: true });
  writeFileSync(join(root, 'e/v/a.jsonl'), body);
  utimesSync(join(root, 'e/v/a.jsonl'), 0, 1_000_000_000.25);
  const object = await store.head('captures', 'e/v/a.jsonl');
  expect(object).toEqual({
    bucket: 'captures',
    key: 'e/v/a.jsonl',
    etag: createHash('md5').update(body).digest('hex'),
    bytes: body.length,
    lastModified: 1_000_000_000_250,
  });
  if (object === undefined) return;
  const chunks = await collect(store.read(object));
  expect(chunks.length).toBeGreaterThan(1);
  expect(Math.max(...chunks.map((chunk) => chunk.length))).toBeLessThanOrEqual(1024 * 1024);
  expect(Buffer.concat(chunks).equals(body)).toBe(true);
});

test('an empty object has no chunk', async () => {
  const { root, store } = openStore();
  writeFileSync(join(root, 'empty'), '');
  const object = await store.head('captures', 'empty');
  expect(object?.bytes).toBe(0);
  if (object !== undefined) expect(await readAll(store, object)).toHaveLength(0);
});

test('a changed or removed file is an error, also when only its content changed', async () => {
  const { root, store } = openStore();
  const path = join(root, 'a');
  writeFileSync(path, 'one');
  utimesSync(path, 5, 5);
  const object = await store.head('captures', 'a');
  if (object === undefined) throw new Error('expected an object');
  writeFileSync(path, 'two');
  utimesSync(path, 5, 5);
  await expect(readAll(store, object)).rejects.toThrow(CaptureChangedError);
  expect((await store.head('captures', 'a'))?.etag).not.toBe(object.etag);
  appendFileSync(path, '!');
  await expect(readAll(store, object)).rejects.toThrow('expected 3 bytes, saw 4');
  await expect(readAll(store, { ...object, key: 'gone' })).rejects.toThrow(CaptureChangedError);
});

test('what is no object is none; other buckets and ways out are refused', async () => {
  const { root, store } = openStore();
  const outside = temporaryDirectory();
  writeFileSync(join(outside, 'secret'), 'x');
  symlinkSync(join(outside, 'secret'), join(root, 'leak'));
  mkdirSync(join(root, 'directory'));
  expect(await store.head('captures', 'none')).toBeUndefined();
  expect(await store.head('captures', 'directory')).toBeUndefined();
  await expect(store.head('captures', 'leak')).rejects.toThrow('expected no symbolic link');
  await expect(store.head('captures', '../secret')).rejects.toThrow(InvalidKeyError);
  await expect(store.head('captures', '/etc/passwd')).rejects.toThrow(InvalidKeyError);
  await expect(store.head('other', 'a')).rejects.toThrow('bucket "other": expected one of: captures');
  expect(() => new FileCaptureStore(new Map([['b', join(root, 'missing')]]))).toThrow('ENOENT');
});

test('lists in key order with size and time', async () => {
  const { root, store } = openStore();
  mkdirSync(join(root, 'p/x'), { recursive: true });
  for (const [index, key] of ['p/x/1', 'p/x-1', 'q'].entries()) {
    writeFileSync(join(root, key), 'x'.repeat(index));
    utimesSync(join(root, key), index, index);
  }
  expect(await collect(store.list('captures', 'p/'))).toEqual([
    { key: 'p/x-1', bytes: 1, lastModified: 1000 },
    { key: 'p/x/1', bytes: 0, lastModified: 0 },
  ]);
  const behind = await collect(store.list('captures', 'p/', 'p/x-1'));
  expect(behind.map(({ key }) => key)).toEqual(['p/x/1']);
});
