import { openRecords } from '../../cli/read-records.ts';
import type { Terminal } from '../../cli/terminal.ts';
import { parseDuration } from '../../core/contract/duration.ts';
import { formatInstant, formatNumber } from '../../core/evaluate/number-text.ts';
import { utcCalendar } from '../../core/model/calendar.ts';
import type { Cell } from '../../core/model/record-batch.ts';
import { flightBaselineEnd, openFlights } from './flight-stream.ts';
import { type JudgedStream, judgeRecords } from './judge-records.ts';
import { shippedPolicy } from './shipped-policy.ts';
import { findEpisodes } from './stream-episodes.ts';
import { printTimeLine, summariseWeeks } from './time-line.ts';
import { readTimeSpan, stampRows, type TimedRecords, type TimeSpan } from './timed-records.ts';

/** What the command line says of a user's own file. */
export interface StreamCommand {
  readonly path: string;
  readonly time?: string | undefined;
  readonly every?: string | undefined;
  readonly from?: string | undefined;
  readonly baseline?: string | undefined;
  readonly window: string;
  readonly timeZone: string;
  readonly prediction?: string | undefined;
}

const dayMilliseconds = 86_400_000;
const fourWeeks = 28 * dayMilliseconds;

/** Judges a CSV file with the shipped defaults, its first part being the baseline, and prints a time line. */
export async function judgeStreamFile(command: StreamCommand, terminal: Terminal): Promise<void> {
  const records = await openTimedRecords(command);
  const span = await readTimeSpan(records);
  if (span.records === 0) throw new RangeError(`${command.path}: ${await describeNoTimes(command, span)}`);
  const windowSeconds = readDuration('window', command.window) / 1000;
  const baselineEnd = chooseBaselineEnd(command, span, windowSeconds * 1000);
  const calendar = { timeZone: command.timeZone, days: [] };
  const judged = await judgeRecords(records, { policy: shippedPolicy(), calendar, windowSeconds, baselineEnd });
  report(command.path, judged, baselineEnd, terminal);
}

/** Judges the flights that the demo runs on, a day at a time as it does. */
export async function judgeFlights(terminal: Terminal): Promise<void> {
  const design = {
    policy: shippedPolicy(),
    calendar: utcCalendar,
    windowSeconds: dayMilliseconds / 1000,
    baselineEnd: flightBaselineEnd,
  };
  report('flights of early 2001', await judgeRecords(await openFlights(), design), flightBaselineEnd, terminal);
}

function report(source: string, judged: JudgedStream, baselineEnd: number, terminal: Terminal): void {
  const weeks = summariseWeeks(judged.windows);
  terminal.printJson({
    source,
    calibration: judged.calibration,
    baselineRecords: judged.baseline.records,
    baselineEnd: new Date(baselineEnd).toISOString(),
    notes: judged.baseline.notes,
    unread: judged.unread,
    windows: judged.windows.length,
    yellowWindows: judged.windows.filter(({ findings }) => findings.length > 0).length,
    weeks,
    episodes: findEpisodes(judged.windows).map(({ first, last, windows, said }) => ({
      first: formatInstant(first),
      last: formatInstant(last),
      windows,
      findings: said.map(({ at, finding: { id, message } }) => ({ at: formatInstant(at), id, message })),
    })),
  });
  printTimeLine(judged, terminal);
}

/** Records with the file's own times, or with times as far apart as was said. */
export async function openTimedRecords({ path, time, every, from, prediction }: StreamCommand): Promise<TimedRecords> {
  if ((time === undefined) === (every === undefined)) {
    throw new RangeError('--stream: expected either --time COLUMN or --every DURATION, saw both or none');
  }
  const predictions = prediction === undefined ? [] : prediction.split(',').map((name) => name.trim());
  const files = await openRecords(path, { timeColumn: time, predictions });
  if (every === undefined) return { open: () => files.open() };
  const step = readDuration('every', every);
  const start = Date.parse(from ?? '2024-01-01');
  if (!Number.isFinite(start)) throw new RangeError(`--from: expected an ISO 8601 date, saw ${JSON.stringify(from)}`);
  return { open: () => stampRows(files.open(), start, step) };
}

/** What stands where times should, in the first row that could not be read. */
async function describeNoTimes({ path, time }: StreamCommand, { unread }: TimeSpan): Promise<string> {
  if (!unread) return 'expected records, saw a header only';
  const where = `line ${unread.line}`;
  if (unread.reason !== 'bad-time' || time === undefined) {
    return `expected records, but none can be read; ${where}: expected ${unread.expected}, saw ${unread.seen}`;
  }
  const seen = await readCell(path, time, unread.line);
  return `expected ${unread.expected} in column ${JSON.stringify(time)}, but no row has one; ${where}: saw ${JSON.stringify(seen)}`;
}

async function readCell(path: string, name: string, line: number): Promise<Cell> {
  const files = await openRecords(path, { predictions: [] });
  for await (const { batch } of files.open()) {
    const index = batch.rows.findIndex(({ invocation }) => batch.invocations[invocation]?.line === line);
    if (index >= 0) return batch.columns.find((column) => column.name === name)?.cells[index];
  }
  return undefined;
}

/** A duration from the first record, a share of the time, or four weeks where the file is twice as long, else half. */
function chooseBaselineEnd(
  { path, baseline, window }: StreamCommand,
  { first, last, records }: TimeSpan,
  windowMilliseconds: number,
): number {
  const whole = last - first;
  const wanted = baseline === undefined ? Math.min(fourWeeks, whole / 2) : readPart(baseline, whole);
  const end = Math.ceil((first + wanted) / windowMilliseconds) * windowMilliseconds;
  if (end > first && end <= last) return end;
  const seen = `${formatNumber(records)} from ${formatInstant(first)} to ${formatInstant(last)}`;
  throw new RangeError(
    baseline === undefined
      ? `${path}: expected records of several windows of ${window}, a baseline and what is judged by it; saw ${seen}`
      : `--baseline ${baseline}: expected a part of the records of ${path}, ${seen}`,
  );
}

function readPart(text: string, whole: number): number {
  const duration = parseDuration(text);
  if (duration !== undefined) return duration;
  const share = text.endsWith('%') ? Number(text.slice(0, -1)) / 100 : Number(text);
  return share * whole;
}

function readDuration(name: string, text: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds === undefined || milliseconds <= 0) {
    throw new RangeError(`--${name}: expected a duration like 30m, 1h or 7d, saw ${JSON.stringify(text)}`);
  }
  return milliseconds;
}
