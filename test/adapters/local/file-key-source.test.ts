import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FileKeySource } from '../../../adapters/local/file-key-source.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

test('makes a private key once and derives the same keys from it ever after', async () => {
  const path = join(temporaryDirectory(), 'keys/master');
  const key = await new FileKeySource(path).modelDayKey('m', '2026-03-10');
  expect(key).toHaveLength(32);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readFileSync(path, 'utf8')).toMatch(/^[0-9a-f]{64}\n$/);
  expect(readdirSync(join(path, '..'))).toEqual(['master']);
  expect(await new FileKeySource(path).modelDayKey('m', '2026-03-10')).toEqual(key);
});

test('models and days have different keys, and names run into days nowhere', async () => {
  const source = new FileKeySource(join(temporaryDirectory(), 'master'));
  const keys = await Promise.all(
    [
      ['m', '2026-03-10'],
      ['m', '2026-03-11'],
      ['n', '2026-03-10'],
      ['m","2026-03-10', '2026-03-10'],
      ['__proto__', '2026-03-10'],
    ].map(([model = '', day = '']) => source.modelDayKey(model, day)),
  );
  expect(new Set(keys.map((key) => Buffer.from(key).toString('hex'))).size).toBe(5);
  await expect(source.modelDayKey('m', '2026-3-10')).rejects.toThrow('expected a day as yyyy-mm-dd, saw "2026-3-10"');
});

test('derives by HKDF-SHA256, checked against the stretched key computed elsewhere', async () => {
  const path = join(temporaryDirectory(), 'master');
  writeFileSync(path, `${'00'.repeat(31)}01\n`, { mode: 0o600 });
  const key = await new FileKeySource(path).modelDayKey('m', '2026-03-10');
  expect(Buffer.from(key).toString('hex')).toBe('1526bc66e069c72f1241204b6d6993c7923d16c62a5e9a9d3860aaf33139e220');
});

test.each(['', 'abc', 'x'.repeat(64), 'AA'.repeat(32), `${'aa'.repeat(32)}\n\n`])(
  'refuses the key %j without showing it',
  async (text) => {
    const path = join(temporaryDirectory(), 'master');
    writeFileSync(path, text, { mode: 0o600 });
    const error = await new FileKeySource(path).modelDayKey('m', '2026-03-10').catch((caught: unknown) => caught);
    expect(String(error)).toContain('expected 64 hexadecimal digits');
    if (text !== '') expect(String(error)).not.toContain(text);
  },
);

test('refuses a key that others may read, and makes none where it may not', async () => {
  const path = join(temporaryDirectory(), 'master');
  await expect(new FileKeySource(path, { create: false }).modelDayKey('m', '2026-03-10')).rejects.toThrow(
    'saw no file',
  );
  expect(existsSync(path)).toBe(false);
  await new FileKeySource(path).modelDayKey('m', '2026-03-10');
  chmodSync(path, 0o644);
  await expect(new FileKeySource(path).modelDayKey('m', '2026-03-10')).rejects.toThrow('expected mode 600, saw 644');
});
