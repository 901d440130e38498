import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { defaultLimits } from '../../core/decode/decode-plan.ts';
import { decodeLabels, type Label, type LabelPlan } from '../../core/decode/ground-truth.ts';
import { classCode, type LabelPolicy } from '../../core/model/labels.ts';
import type { Quarantined } from '../../core/model/quarantine.ts';
import { chunked } from './capture-records.ts';

const columns = { id: 'event_id', label: 'label', time: 'time', source: 'source', row: 'row' };
const binary: LabelPolicy = { task: 'binary', threshold: 0.5, horizonDays: 90, sources: ['bureau', 'manual'], columns };
const now = Date.UTC(2026, 2, 2);

async function decode(content: string | Uint8Array, changes: Partial<LabelPlan> = {}, sizes: number[] = []) {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  const plan: LabelPlan = { format: 'sagemaker', labels: binary, latestTime: now, limits: defaultLimits, ...changes };
  const labels: Label[] = [];
  const quarantined: Quarantined[] = [];
  for await (const decoded of decodeLabels(chunked(bytes, sizes), plan)) {
    labels.push(...decoded.labels);
    if (decoded.quarantined) quarantined.push(decoded.quarantined);
  }
  return { labels, quarantined };
}

function line(eventId: unknown, data: unknown, encoding: unknown = 'CSV', metadata: object = {}): string {
  const eventMetadata = { eventId, ...metadata };
  return JSON.stringify({ groundTruthData: { data, encoding }, eventMetadata, eventVersion: '0' });
}

const brief = ({ id, row, value }: Label) => [id, row, value];

test('reads ground truth as SageMaker documents it, and as its files are', async () => {
  const { labels, quarantined } = await decode(
    [line('a', '1'), line('b', '0\n'), line('c', '1', 'JSON'), line('d', 1, 'JSON'), line('e', true, 'json')].join(
      '\n',
    ),
  );
  expect(labels.map(brief)).toEqual([
    ['a', 0, 1],
    ['b', 0, 0],
    ['c', 0, 1],
    ['d', 0, 1],
    ['e', 0, 1],
  ]);
  expect(labels.every(({ time, source }) => time === undefined && source === 0)).toBe(true);
  expect(quarantined).toEqual([]);
});

test('a record of several rows has a label each', async () => {
  const { labels } = await decode([line('a', '1\n0\n1'), line('b', [0, 1], 'JSON')].join('\n'));
  expect(labels.map(brief)).toEqual([
    ['a', 0, 1],
    ['a', 1, 0],
    ['a', 2, 1],
    ['b', 0, 0],
    ['b', 1, 1],
  ]);
});

test('times and sources are read where they are told; other names of sources count as one', async () => {
  const { labels } = await decode(
    [
      line('a', '1', 'CSV', { labelTime: '2026-03-01T12:00:00Z', labelSource: 'manual' }),
      line('b', '1', 'CSV', { labelSource: '__proto__' }),
    ].join('\n'),
  );
  expect(labels.map(({ time, source }) => [time, source])).toEqual([
    [Date.UTC(2026, 2, 1, 12), 2],
    [undefined, 0],
  ]);
});

test.each([
  ['not-json', '{'],
  ['not-a-record', '[]'],
  ['not-a-record', '{"groundTruthData":{"data":"1","encoding":"CSV"}}'],
  ['not-a-record', line('', '1')],
  ['not-a-record', line(7, '1')],
  ['no-payload', '{"eventMetadata":{"eventId":"a"}}'],
  ['no-payload', line('a', '')],
  ['no-payload', line('a', [], 'JSON')],
  ['bad-encoding', line('a', '1', 'BASE64')],
  ['bad-encoding', line('a', '1', null)],
  ['bad-encoding', line('a', '{', 'JSON')],
  ['column-count', line('a', '1,0')],
  ['bad-label', line('a', 'maybe')],
  ['bad-label', line('a', [1, null], 'JSON')],
  ['bad-label', line('a', { __proto__: 1 }, 'JSON')],
  ['bad-time', line('a', '1', 'CSV', { labelTime: 'yesterday' })],
  ['bad-time', line('a', '1', 'CSV', { labelTime: 5 })],
  ['bad-time', line('a', '1', 'CSV', { labelTime: '1969-12-31T23:59:59Z' })],
  ['future-time', line('a', '1', 'CSV', { labelTime: '2026-03-02T00:00:01Z' })],
  ['too-deep', `${'['.repeat(100)}${']'.repeat(100)}`],
])('%s: costs its own line and no other', async (reason, bad) => {
  const lines = [line('first', '1'), bad, line('last', '0')];
  const { labels, quarantined } = await decode(lines.join('\n'));
  expect(labels.map(({ id }) => id)).toEqual(['first', 'last']);
  const offset = Buffer.byteLength(`${lines[0]}\n`);
  expect(quarantined).toMatchObject([{ reason, line: 2, offset, length: Buffer.byteLength(bad) }]);
  expect(JSON.stringify(quarantined)).not.toMatch(/maybe|yesterday/);
});

test('a last line that is cut off is said to be so', async () => {
  const { labels, quarantined } = await decode(`${line('a', '1')}\n${line('b', '1').slice(0, -4)}`);
  expect(labels).toHaveLength(1);
  expect(quarantined).toMatchObject([{ reason: 'truncated', line: 2 }]);
});

test('damaged gzip costs what it hides', async () => {
  const whole = gzipSync(Array.from({ length: 50 }, (_, index) => line(`${index}`, '1')).join('\n'));
  expect((await decode(whole)).labels).toHaveLength(50);
  const { quarantined } = await decode(whole.subarray(0, whole.length - 20));
  expect(quarantined.at(-1)?.reason).toBe('broken-gzip');
});

test('CSV: by the names in its header, in any order', async () => {
  const text = 'label,time,event_id,row,other\n1,2026-03-01,a,,x\n0,1772366400125,b,3,"y,z"\n';
  const { labels, quarantined } = await decode(text, { format: 'csv' });
  expect(labels.map(({ id, row, value, time }) => [id, row, value, time])).toEqual([
    ['a', 0, 1, Date.UTC(2026, 2, 1)],
    ['b', 3, 0, 1_772_366_400_125],
  ]);
  expect(quarantined).toEqual([]);
});

test('CSV: bad lines cost themselves', async () => {
  const text = 'event_id,label,row\na,1,\n,1,\nb,1\nc,maybe,\nd,1,x\ne,0,1\n';
  const { labels, quarantined } = await decode(text, { format: 'csv' });
  expect(labels.map(({ id }) => id)).toEqual(['a', 'e']);
  expect(quarantined.map(({ reason, line: at }) => [reason, at])).toEqual([
    ['not-a-record', 3],
    ['column-count', 4],
    ['bad-label', 5],
    ['not-a-number', 6],
  ]);
});

test.each([
  ['id,label\na,1\n', 'column-count'],
  ['event_id,label,label\na,1,1\n', 'column-count'],
])('CSV: a file without a readable header is quarantined by it: %j', async (text, reason) => {
  const { labels, quarantined } = await decode(text, { format: 'csv' });
  expect(labels).toEqual([]);
  expect(quarantined).toMatchObject([{ reason, line: 1, offset: 0 }]);
});

test('values are what the task says', async () => {
  const of = async (changes: Partial<LabelPolicy>, data: unknown) =>
    (await decode(line('a', data, 'JSON'), { labels: { ...binary, ...changes } })).labels.map(({ value }) => value);
  expect(await of({ positive: 'yes' }, ['yes', 'no', 'YES'])).toEqual([1, 0, 0]);
  expect(await of({ task: 'regression' }, [1.5, '-2e3'])).toEqual([1.5, -2000]);
  expect(await of({ task: 'regression' }, [1e300])).toEqual([]);
  expect(await of({ task: 'classes' }, ['cat', 'dog'])).toEqual([classCode('cat'), classCode('dog')]);
});

test('whatever the bytes and however they are cut, lines are decoded alike and nothing is thrown', async () => {
  const piece = fc.oneof(
    fc.constantFrom(line('a', '1'), line('b', 'x'), '\n', '{', '"', 'event_id,label\n', 'a,1\n', '\r\n'),
    fc.string(),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(piece, { maxLength: 12 }),
      fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 9 }),
      fc.constantFrom('sagemaker' as const, 'csv' as const),
      async (pieces, sizes, format) => {
        const text = pieces.join('');
        const whole = await decode(text, { format });
        expect(await decode(text, { format }, sizes)).toEqual(whole);
      },
    ),
    { numRuns: 150 },
  );
});
