import { describe, expect, test } from 'vitest';
import { type JudgedStream, judgeRecords } from '../../bench/detection/judge-records.ts';
import { createRandomSource } from '../../bench/detection/random-source.ts';
import { toBatches } from '../../bench/detection/record-batches.ts';
import { shippedPolicy } from '../../bench/detection/shipped-policy.ts';
import { printTimeLine, summariseWeeks } from '../../bench/detection/time-line.ts';
import { readTimeSpan, type TimedRecords } from '../../bench/detection/timed-records.ts';
import { utcCalendar } from '../../core/model/calendar.ts';
import type { Cell } from '../../core/model/record-batch.ts';
import { createRecordedTerminal } from './recorded-terminal.ts';

const hour = 3_600_000;
const start = Date.UTC(2024, 0, 1);
const baselineEnd = start + 14 * 24 * hour;

const upByTwoDeviations = (value: number) => value + 2;

/** Two columns, thirty records an hour; `income` is another after `change` hours. */
function records(hours: number, change: number, alter: (value: number) => Cell = upByTwoDeviations): TimedRecords {
  const random = createRandomSource('stream');
  const rows = Array.from({ length: hours * 30 }, (_, index) => {
    const time = start + index * (hour / 30);
    const income = random.normal();
    return { time, cells: [time >= start + change * hour ? alter(income) : income, random.normal()] };
  });
  return {
    async *open() {
      yield* toBatches(['income', 'age'], rows);
    },
  };
}

function judge(change: number, alter?: (value: number) => Cell): Promise<JudgedStream> {
  const design = { policy: shippedPolicy(), calendar: utcCalendar, windowSeconds: 3600, baselineEnd };
  return judgeRecords(records(20 * 24, change, alter), design);
}

function printed(stream: JudgedStream): string {
  const terminal = createRecordedTerminal();
  printTimeLine(stream, terminal);
  return terminal.lines.join('\n');
}

describe('records at rest, judged as a stream', () => {
  test('the change is found, in the column that changed, soon after it happened', async () => {
    const judged = await judge(17 * 24);
    const yellow = judged.windows.filter(({ findings }) => findings.length > 0);
    expect(judged.windows).toHaveLength(6 * 24);
    expect(yellow[0]?.start ?? 0).toBeGreaterThanOrEqual(start + 17 * 24 * hour);
    expect(yellow[0]?.start ?? 0).toBeLessThan(start + 18 * 24 * hour);
    expect(new Set(yellow.flatMap(({ findings }) => findings.map(({ feature }) => feature)))).toEqual(
      new Set(['income']),
    );
    expect(summariseWeeks(judged.windows).map(({ week, windows }) => [week, windows])).toEqual([['2024-01-15', 144]]);
    const text = printed(judged);
    expect(text).toMatch(/^Something found in \d+ of 144 windows, in 1 of 1 weeks; the first at 2024-01-18 \d\d:00\./);
    expect(text).toMatch(/2024-01-15 {3}· {2}· {2}· {2}▲ {2}▲ {2}▲ +income/);
    expect(text).toMatch(/income: .*; PSI \d\.\d+, q = .*, \d+ records, seen at the \d+-hour scale/);
  });

  test('a small change is dated, though it lies further back than the windows that are always at hand', async () => {
    const { windows } = await judge(17 * 24, (value) => value + 0.4);
    const found = windows.find(({ findings }) => findings.length > 0);
    expect(found?.start ?? 0).toBeGreaterThan(start + (17 * 24 + 24) * hour);
    const onset = Date.parse(String(found?.findings[0]?.evidence.onset));
    expect(Math.abs(onset - (start + 17 * 24 * hour))).toBeLessThanOrEqual(6 * hour);
  });

  test('without a change nothing is said', async () => {
    const judged = await judge(1_000);
    expect(judged.unread).toEqual([]);
    expect(printed(judged)).toMatch(/^Nothing found in 144 windows\.\n/);
  });

  test.each([
    ['abc', 'not-a-number'],
    [Number.POSITIVE_INFINITY, 'not-finite'],
  ])('a column that turns to %s is found, in windows of which no record can be read', async (garbage, reason) => {
    const judged = await judge(17 * 24, () => garbage);
    const lost = judged.windows.filter(({ start: at }) => at >= start + 17 * 24 * hour);
    expect(lost.map((window) => window.records)).toEqual(Array(3 * 24).fill(0));
    for (const { findings } of lost) expect(findings.map(({ kind }) => kind)).toContain('type');
    const line = 17 * 24 * 30 + 1;
    expect(judged.unread).toMatchObject([{ reason, rows: 3 * 24 * 30, line, column: 'income' }]);
    expect(printed(judged).split('\n')[0]).toContain(
      `2,160 rows could not be read: 2,160 ${reason.replaceAll('-', ' ')}`,
    );
    expect(printed(judged).split('\n')[0]).toContain(`first in line ${line}, column income`);
  });

  test('what the baseline could not read is said and is in no window', async () => {
    const { open } = records(20 * 24, 1_000);
    const spoilt: TimedRecords = {
      async *open() {
        for await (const { batch, ...others } of open()) {
          const isLost = (row: number) => {
            const { line = 0 } = batch.invocations[row] ?? {};
            return line > 90 && line <= 150;
          };
          const columns = batch.columns.map((column) => ({
            ...column,
            cells: column.cells.map((cell, row) => (column.name === 'income' && isLost(row) ? 'abc' : cell)),
          }));
          yield { ...others, batch: { ...batch, columns } };
        }
      },
    };
    const design = { policy: shippedPolicy(), calendar: utcCalendar, windowSeconds: 3600, baselineEnd };
    const judged = await judgeRecords(spoilt, design);
    expect(judged.unread).toMatchObject([{ reason: 'not-a-number', rows: 60, line: 91 }]);
    expect(judged.windows).toHaveLength(6 * 24);
    expect(judged.baseline.records).toBe(14 * 24 * 30 - 60);
  });

  test('the span is from the first to the last record', async () => {
    expect(await readTimeSpan(records(2, 99))).toMatchObject({
      first: start,
      last: start + 2 * hour - 120_000,
      records: 60,
    });
  });
});
