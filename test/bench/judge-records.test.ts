import { describe, expect, test } from 'vitest';
import {
  type JudgedStream,
  judgeRecords,
  readTimeSpan,
  type TimedRecords,
} from '../../bench/detection/judge-records.ts';
import { createRandomSource } from '../../bench/detection/random-source.ts';
import { toBatches } from '../../bench/detection/record-batches.ts';
import { shippedPolicy } from '../../bench/detection/shipped-policy.ts';
import { printTimeLine, summariseWeeks } from '../../bench/detection/time-line.ts';
import type { Terminal } from '../../cli/terminal.ts';
import { utcCalendar } from '../../core/model/calendar.ts';

const hour = 3_600_000;
const start = Date.UTC(2024, 0, 1);

/** Two columns, thirty records an hour; `income` moves by two standard deviations after `change` hours. */
function records(hours: number, change: number): TimedRecords {
  const random = createRandomSource('stream');
  const rows = Array.from({ length: hours * 30 }, (_, index) => {
    const time = start + index * (hour / 30);
    const shift = time >= start + change * hour ? 2 : 0;
    return { time, cells: [random.normal() + shift, random.normal()] };
  });
  return {
    async *open() {
      yield* toBatches(['income', 'age'], rows);
    },
  };
}

function judge(change: number): Promise<JudgedStream> {
  const design = { policy: shippedPolicy(), calendar: utcCalendar, windowSeconds: 3600 };
  return judgeRecords(records(20 * 24, change), { ...design, baselineEnd: start + 14 * 24 * hour });
}

function printed(stream: JudgedStream): string {
  const lines: string[] = [];
  const terminal: Terminal = {
    json: false,
    width: 100,
    print: (line = '') => lines.push(line),
    printJson: () => undefined,
    complain: () => undefined,
    progress: () => ({ update: () => undefined, done: () => undefined }),
    paint: (_, text) => text,
    link: (path) => path,
  };
  printTimeLine(stream, terminal);
  return lines.join('\n');
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

  test('without a change nothing is said', async () => {
    expect(printed(await judge(1_000))).toMatch(/^Nothing found in 144 windows\./);
  });

  test('the span is from the first to the last record', async () => {
    expect(await readTimeSpan(records(2, 99))).toEqual({ first: start, last: start + 2 * hour - 120_000, records: 60 });
  });
});
