import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { CaptureStore } from '../../core/pipeline/ports.ts';
import { listRecentCaptures } from '../../core/pipeline/recent-captures.ts';
import { collect } from '../adapters/collect.ts';
import { MemoryCaptureStore } from './memory-capture-store.ts';

const from = Date.UTC(2026, 2, 2, 10, 30);
const root = 'data/credit/';

function storeOf(keys: readonly string[]) {
  const store = new MemoryCaptureStore('captures');
  for (const key of keys) store.put({ key, body: new Uint8Array(), arrived: 0 });
  return store;
}

async function recentKeys(store: CaptureStore): Promise<readonly string[]> {
  return (await collect(listRecentCaptures(store, 'captures', root, from))).map(({ key }) => key);
}

test.each([
  ['hours', ['v/2026/03/02/09/a', 'v/2026/03/02/10/a', 'v/2026/03/02/11/a', 'v/2027/01/01/00/a'], 3],
  ['no folder before the date', ['2025/12/31/23/a', '2026/03/02/10/a'], 1],
  ['days, whatever their files are called', ['v/2026/03/01/a', 'v/2026/03/02/05-a', 'v/2026/03/02/~'], 2],
  ['a folder that is all old', ['a/2026/03/01/10/x', 'b/2026/03/02/10/x'], 1],
  ['keys without a date', ['a/x', 'b/2026-03-01/x', 'c/2026/03/x'], 3],
  ['digits that are no date', ['v/0000/00/00/00/a', 'v/9999/99/99/99/a'], 1],
  ['nothing', [], 0],
])('%s', async (_, names, count) => {
  const keys = names.map((name) => root + name);
  expect(await recentKeys(storeOf(keys))).toEqual(keys.slice(keys.length - count));
});

test('every folder of dates is entered at its last hours', async () => {
  const days = ['2026/02/28', '2026/03/01', '2026/03/02'];
  const keys = ['a', 'b', 'c'].flatMap((folder) => days.map((day) => `${root}${folder}/${day}/11/x`));
  expect(await recentKeys(storeOf(keys))).toEqual(keys.filter((key) => key.includes('03/02')));
});

test('nothing is listed from behind the root, and dates before it are none of the keys’', async () => {
  const store = storeOf(['data/credit-2/v/2026/03/02/10/a', 'data/credit/v/2026/03/02/10/a']);
  expect(await recentKeys(store)).toEqual(['data/credit/v/2026/03/02/10/a']);
  const dated = storeOf(['2025/01/01/00/x/a', '2025/01/01/00/x/2026/03/02/10/b']);
  const keys = await collect(listRecentCaptures(dated, 'captures', '2025/01/01/00/x/', from));
  expect(keys.map(({ key }) => key)).toEqual(['2025/01/01/00/x/2026/03/02/10/b', '2025/01/01/00/x/a']);
});

test('of keys without a date the first thousand, and of folders of dates the first 32', async () => {
  const pad = (index: number) => String(index).padStart(4, '0');
  const undated = Array.from({ length: 1_500 }, (_, index) => `${root}x${pad(index)}`);
  expect(await recentKeys(storeOf(undated))).toEqual(undated.slice(0, 1_000));
  const folders = Array.from({ length: 40 }, (_, index) => `${root}v${pad(index)}/2026/03/`);
  const store = storeOf(folders.flatMap((folder) => [`${folder}01/00/old`, `${folder}02/11/new`]));
  expect(await recentKeys(store)).toEqual(folders.slice(0, 32).map((folder) => `${folder}02/11/new`));
});

test('a store that can not begin in the middle gives the same', async () => {
  const segment = fc.constantFrom('a', 'b', '2026/03/01/10', '2026/03/02/11', '2026/03/02', '2025/01/01');
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.array(segment, { minLength: 1, maxLength: 3 }), { maxLength: 30 }),
      async (paths) => {
        const store = storeOf(paths.map((path) => `${root}${path.join('/')}/x`));
        const simple: CaptureStore = {
          head: (...name) => store.head(...name),
          read: (object) => store.read(object),
          list: (bucket, prefix) => store.list(bucket, prefix),
        };
        expect(new Set(await recentKeys(simple))).toEqual(new Set(await recentKeys(store)));
      },
    ),
  );
});
