import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { judgeStreamFile, openTimedRecords, type StreamCommand } from '../../bench/detection/stream-command.ts';
import { createRecordedTerminal } from './recorded-terminal.ts';

const minute = 60_000;
const start = Date.UTC(2024, 0, 1);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidewatch-stream-'));
});
afterAll(() => rm(folder, { recursive: true }));

const iso = (time: number) => new Date(time).toISOString();

/** Four days, a row every ten minutes. */
function quietRows(timeOf: (time: number) => string = iso): string[] {
  return Array.from({ length: 4 * 144 }, (_, row) => `${timeOf(start + row * 10 * minute)},${(row * 7) % 11}`);
}

async function write(rows: readonly string[]): Promise<string> {
  const path = join(folder, `${Math.random()}.csv`);
  await writeFile(path, ['at,income', ...rows, ''].join('\n'));
  return path;
}

async function judge(rows: readonly string[], options: Partial<StreamCommand> = {}) {
  const terminal = createRecordedTerminal();
  const path = await write(rows);
  await judgeStreamFile({ path, time: 'at', window: '1h', timeZone: 'UTC', ...options }, terminal);
  return terminal;
}

describe('a CSV file judged as a stream', () => {
  test('says which rows were dropped, why, and where the first of them stands', async () => {
    const rows = quietRows();
    rows[400] = 'yesterday,3';
    rows[450] = '3';
    rows[460] = '4';
    const { lines, documents } = await judge(rows);
    expect(lines[0]).toMatch(/^Nothing found in 48 windows\. 3 rows could not be read: /);
    expect(lines[0]).toContain('2 column count (first in line 452: expected 2 columns, saw 1 column)');
    expect(lines[0]).toContain('1 bad time (first in line 402: expected an ISO 8601 time');
    expect(documents).toMatchObject([
      {
        unread: [
          { reason: 'column-count', rows: 2, line: 452 },
          { reason: 'bad-time', rows: 1, line: 402 },
        ],
        episodes: [],
      },
    ]);
  });

  test('rows that lose a field are found in the windows in which they stand', async () => {
    const rows = quietRows().map((row, index) => (index > 480 && index < 486 ? '3' : row));
    const { documents } = await judge(rows);
    const first = iso(start + 80 * 60 * minute);
    expect(documents).toMatchObject([{ yellowWindows: 1, episodes: [{ first, findings: [{ id: 'quarantine' }] }] }]);
  });

  test('refuses a baseline of one stray row, and says what it needs', async () => {
    await expect(judge(['1970-01-01T00:00:00Z,1', ...quietRows()])).rejects.toThrow(
      'baseline: expected at least 30 records in 24 windows, or in 12 of two weeks, saw 1 in 1, from 1970-01-01T00:00:00.000Z to 1970-01-29',
    );
    await expect(judge(quietRows(), { baseline: '20h' })).rejects.toThrow('saw 120 in 20, from 2024-01-01T00:00:00');
  });

  test('refuses a file of a single record without speaking of an option that nobody gave', async () => {
    const rows = quietRows().slice(0, 1);
    await expect(judge(rows)).rejects.toThrow(
      /\.csv: expected records of several windows of 1h, .*; saw 1 from 2024-01-01T00:00:00\.000Z to /,
    );
    await expect(judge(quietRows(), { baseline: '9d' })).rejects.toThrow(
      /^--baseline 9d: expected a part of .* 576 from/,
    );
  });

  test('shows a time that is none of the formats read, and names them', async () => {
    await expect(judge(quietRows((time) => String(time / 1000)))).rejects.toThrow(
      'expected an ISO 8601 time or milliseconds since the epoch in column "at", but no row has one; line 2: saw "1704067200"',
    );
    await expect(judge(['1', '2'])).rejects.toThrow('none can be read; line 2: expected 2 columns, saw 1 column');
    await expect(judge([])).rejects.toThrow('expected records, saw a header only');
  });

  test('rows that are evenly spaced keep their times where one between them can not be read', async () => {
    const rows = Array.from({ length: 600 }, (_, row) => (row === 1 || row === 300 ? '1,2,3' : `${row},1`));
    const command = { path: await write(rows), every: '1m', from: '2024-01-01', window: '1h', timeZone: 'UTC' };
    const times: number[] = [];
    const lost: (number | undefined)[] = [];
    for await (const { batch, quarantined } of (await openTimedRecords(command)).open()) {
      times.push(...batch.invocations.map(({ time }) => time));
      lost.push(...quarantined.map(({ time }) => time));
    }
    expect(lost).toEqual([start + minute, start + 300 * minute]);
    expect(times).toEqual(rows.flatMap((_, row) => (row === 1 || row === 300 ? [] : [start + row * minute])));
  });
});
