import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FileObjectStore } from '../../../adapters/local/file-object-store.ts';
import { compareUtf8, InvalidKeyError } from '../../../adapters/local/object-key.ts';
import { collect } from '../collect.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

async function keysOf(store: FileObjectStore, prefix = ''): Promise<string[]> {
  return collect(store.list(prefix));
}

describe('putOnce', () => {
  test.each([false, true])('writes once and tells same from different (flush: %s)', async (flush) => {
    const store = new FileObjectStore(join(temporaryDirectory(), 'new/root'), { flush });
    expect(await store.get('a/b/c')).toBeUndefined();
    expect(await store.putOnce('a/b/c', Buffer.from('one'))).toBe('written');
    expect(await store.putOnce('a/b/c', Buffer.from('one'))).toBe('same');
    expect(await store.putOnce('a/b/c', Buffer.from('two'))).toBe('different');
    expect(await store.putOnce('a/b/c', Buffer.from('on'))).toBe('different');
    expect(await store.get('a/b/c')).toEqual(Buffer.from('one'));
    expect(await store.putOnce('a/b/empty', new Uint8Array())).toBe('written');
    expect(await store.get('a/b/empty')).toEqual(Buffer.alloc(0));
  });

  test('leaves nothing aside and lists nothing that a crash left', async () => {
    const root = temporaryDirectory();
    const store = new FileObjectStore(root);
    await store.putOnce('a', Buffer.from('x'));
    expect(readdirSync(join(root, '.unfinished'))).toEqual([]);
    writeFileSync(join(root, '.unfinished/1-old'), 'half');
    writeFileSync(join(root, '.unfinished/1-new'), 'half');
    utimesSync(join(root, '.unfinished/1-old'), 0, 0);
    const reopened = new FileObjectStore(root);
    expect(await keysOf(reopened)).toEqual(['a']);
    expect(await keysOf(reopened, '.unf')).toEqual([]);
    expect(readdirSync(join(root, '.unfinished'))).toEqual(['1-new']);
  });

  test('a key and a longer key below it exclude each other', async () => {
    const store = new FileObjectStore(temporaryDirectory());
    await store.putOnce('a/b', Buffer.from('x'));
    await expect(store.putOnce('a', Buffer.from('y'))).rejects.toThrow('key "a": a shorter or longer key');
    await expect(store.putOnce('a/b/c', Buffer.from('y'))).rejects.toThrow('a shorter or longer key');
    expect(await store.get('a')).toBeUndefined();
    expect(await store.get('a/b/c')).toBeUndefined();
  });

  test('of two processes one writes each key, and no reader sees half of it', async () => {
    const root = temporaryDirectory();
    const script = `
      import { FileObjectStore } from ${JSON.stringify(join(import.meta.dirname, '../../../adapters/local/file-object-store.ts'))};
      const store = new FileObjectStore(process.argv[1]);
      const mine = process.argv[2];
      while (Date.now() < Number(process.argv[3]));
      const won = [];
      for (let index = 0; index < 200; index += 1) {
        const result = await store.putOnce('race/' + index, Buffer.alloc(20_000, mine));
        if (result === 'written') won.push(index);
        const seen = await store.get('race/' + index);
        if (seen.length !== 20_000 || !seen.every((byte) => byte === seen[0])) throw new Error('torn object');
      }
      process.stdout.write(JSON.stringify(won));`;
    const start = String(Date.now() + 700);
    const writers = ['a', 'b'].map((mine) =>
      spawn(process.execPath, ['--input-type=module', '-e', script, root, mine, start]),
    );
    const results = await Promise.all(writers.map(readOutput));
    for (const result of results) expect(result).toMatchObject({ code: 0, error: '' });
    const [a, b] = results.map(({ output }): number[] => JSON.parse(output));
    expect([...(a ?? []), ...(b ?? [])].sort((x, y) => x - y)).toEqual(
      Array.from({ length: 200 }, (_, index) => index),
    );
    const store = new FileObjectStore(root);
    for (const index of a ?? []) expect((await store.get(`race/${index}`))?.[0]).toBe(97);
  });

  test('a process killed while it writes leaves whole objects only', async () => {
    const root = temporaryDirectory();
    const script = `
      import { FileObjectStore } from ${JSON.stringify(join(import.meta.dirname, '../../../adapters/local/file-object-store.ts'))};
      const store = new FileObjectStore(process.argv[1]);
      for (let index = 0; ; index += 1) {
        await store.putOnce('k/' + index, Buffer.alloc(300_000, 'z'));
        if (index === 20) process.stdout.write('going');
      }`;
    const writer = spawn(process.execPath, ['--input-type=module', '-e', script, root]);
    writer.stdout.once('data', () => writer.kill('SIGKILL'));
    await readOutput(writer);
    const store = new FileObjectStore(root);
    const keys = await keysOf(store);
    expect(keys.length).toBeGreaterThan(20);
    for (const key of keys) expect((await store.get(key))?.length).toBe(300_000);
  });
});

describe('keys', () => {
  test.each([
    '',
    '/a',
    'a/',
    'a//b',
    '..',
    'a/../b',
    './a',
    'a/.',
    'a\0b',
    '\ud800',
    `a/${'x'.repeat(256)}`,
    'é'.repeat(128),
    `${'x/'.repeat(600)}x`,
    '.unfinished/x',
    '.unfinished',
  ])('refuses %j', async (key) => {
    const store = new FileObjectStore(temporaryDirectory());
    await expect(store.putOnce(key, Buffer.from('x'))).rejects.toThrow(InvalidKeyError);
    await expect(store.get(key)).rejects.toThrow(InvalidKeyError);
  });

  test.each(['../', 'a/../', '/', 'a//', '..\0'])('refuses the prefix %j', async (prefix) => {
    await expect(keysOf(new FileObjectStore(temporaryDirectory()), prefix)).rejects.toThrow(InvalidKeyError);
  });

  test('takes segments of 255 bytes and names that mean something to programs', async () => {
    const store = new FileObjectStore(temporaryDirectory());
    const keys = ['x'.repeat(255), '__proto__/constructor', '...', '-rf', 'a\\b', 'a b\n', 'é'.repeat(127), '%2e%2e'];
    for (const key of keys) expect(await store.putOnce(key, Buffer.from(key))).toBe('written');
    expect((await keysOf(store)).toSorted(compareUtf8)).toEqual(keys.toSorted(compareUtf8));
    for (const key of keys) expect(await store.get(key)).toEqual(Buffer.from(key));
  });

  test('follows no symbolic link', async () => {
    const outside = temporaryDirectory();
    writeFileSync(join(outside, 'secret'), 'x');
    const root = temporaryDirectory();
    const store = new FileObjectStore(root);
    await store.putOnce('d/a', Buffer.from('x'));
    symlinkSync(outside, join(root, 'out'));
    symlinkSync(join(outside, 'secret'), join(root, 'd/leak'));
    await expect(store.get('out/secret')).rejects.toThrow('expected no symbolic link');
    await expect(store.get('d/leak')).rejects.toThrow('expected no symbolic link');
    await expect(store.putOnce('out/new', Buffer.from('x'))).rejects.toThrow('expected no symbolic link');
    await expect(store.putOnce('out/deep/new', Buffer.from('x'))).rejects.toThrow('expected no symbolic link');
    expect(readdirSync(outside)).toEqual(['secret']);
    expect(await keysOf(store)).toEqual(['d/a']);
  });

  test('the root itself may be reached by a link', async () => {
    const root = temporaryDirectory();
    mkdirSync(join(root, 'real'));
    symlinkSync(join(root, 'real'), join(root, 'link'));
    const store = new FileObjectStore(join(root, 'link'));
    await store.putOnce('a', Buffer.from('x'));
    expect(await keysOf(store)).toEqual(['a']);
  });
});

describe('list', () => {
  test('orders by the bytes of the whole key, not directory by directory', async () => {
    const store = new FileObjectStore(temporaryDirectory());
    for (const key of ['a/b', 'a-b', 'a.b', 'a0', 'b', 'a/b0/c', 'a/b-', '\u{1f600}', '\uffee']) {
      await store.putOnce(key, Buffer.from('x'));
    }
    expect(await keysOf(store)).toEqual(['a-b', 'a.b', 'a/b', 'a/b-', 'a/b0/c', 'a0', 'b', '\uffee', '\u{1f600}']);
    expect(await keysOf(store, 'a/')).toEqual(['a/b', 'a/b-', 'a/b0/c']);
    expect(await keysOf(store, 'a')).toEqual(['a-b', 'a.b', 'a/b', 'a/b-', 'a/b0/c', 'a0']);
    expect(await keysOf(store, 'a/b0')).toEqual(['a/b0/c']);
    expect(await keysOf(store, 'a/b/')).toEqual([]);
    expect(await keysOf(store, 'none/')).toEqual([]);
  });

  test('an exclusive store remembers listings and sees its own writes, however deep', async () => {
    const store = new FileObjectStore(temporaryDirectory(), { exclusive: true });
    for (const key of ['a/b/1', 'a/b/2', 'a/c/1', 'a/b/0', 'd/e/f/g']) {
      await store.putOnce(key, Buffer.from('x'));
      expect(await keysOf(store, 'a/')).toContain(key.startsWith('a') ? key : 'a/b/1');
      expect(await keysOf(store)).toContain(key);
    }
    expect(await keysOf(store)).toEqual(['a/b/0', 'a/b/1', 'a/b/2', 'a/c/1', 'd/e/f/g']);
  });

  test('any keys, any prefix, any beginning: the same as sorting bytes', async () => {
    const segment = fc.string({
      unit: fc.constantFrom('a', 'b', '-', '0', 'é', '\uffee', '\u{1f600}'),
      minLength: 1,
      maxLength: 3,
    });
    const key = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => segments.join('/'));
    const directory = temporaryDirectory();
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(key, { maxLength: 12 }), key, fc.nat(6), async (keys, other, cut) => {
        run += 1;
        const store = new FileObjectStore(join(directory, String(run)));
        const held: string[] = [];
        for (const candidate of keys) {
          if (held.some((known) => known.startsWith(`${candidate}/`) || candidate.startsWith(`${known}/`))) continue;
          held.push(candidate);
          await store.putOnce(candidate, Buffer.from('x'));
        }
        const sorted = held.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
        expect(await keysOf(store)).toEqual(sorted);
        const prefix = [...(held[0] ?? other)].slice(0, cut).join('');
        expect(await keysOf(store, prefix)).toEqual(sorted.filter((found) => found.startsWith(prefix)));
        const bytesOf = (text: string) => Buffer.from(text);
        for (const after of [other, `${other}/`, ...sorted, ...sorted.map((found) => found.slice(0, -1))]) {
          if (!after.isWellFormed()) continue;
          const behind = sorted.filter((found) => Buffer.compare(bytesOf(found), bytesOf(after)) > 0);
          expect(await collect(store.list(prefix, after)), JSON.stringify(after)).toEqual(
            behind.filter((found) => found.startsWith(prefix)),
          );
        }
      }),
      { numRuns: 60 },
    );
  });
});

async function readOutput(child: ChildProcess): Promise<{ code: number | null; output: string; error: string }> {
  let output = '';
  let error = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    error += chunk.toString();
  });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, output, error };
}
