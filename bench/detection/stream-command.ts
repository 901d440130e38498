import { openRecords } from '../../cli/read-records.ts';
import type { Terminal } from '../../cli/terminal.ts';
import { parseDuration } from '../../core/contract/duration.ts';
import type { Decoded } from '../../core/decode/decode-plan.ts';
import { utcCalendar } from '../../core/model/calendar.ts';
import { flightBaselineEnd, openFlights } from './flight-stream.ts';
import { type JudgedStream, judgeRecords, readTimeSpan, type TimedRecords, type TimeSpan } from './judge-records.ts';
import { shippedPolicy } from './shipped-policy.ts';
import { printTimeLine, summariseWeeks } from './time-line.ts';

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
  if (span.records === 0) throw new RangeError(`${command.path}: expected records with times, saw none`);
  const windowSeconds = readDuration('window', command.window) / 1000;
  const baselineEnd = chooseBaselineEnd(command.baseline, span, windowSeconds * 1000);
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
    windows: judged.windows.length,
    yellowWindows: judged.windows.filter(({ findings }) => findings.length > 0).length,
    weeks,
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

async function* stampRows(batches: AsyncIterable<Decoded>, start: number, step: number): AsyncGenerator<Decoded> {
  let row = 0;
  for await (const decoded of batches) {
    const invocations = decoded.batch.invocations.map((invocation) => ({ ...invocation, time: start + step * row++ }));
    yield { ...decoded, batch: { ...decoded.batch, invocations } };
  }
}

/** A duration from the first record, a share of the time, or four weeks where the file is twice as long, else half. */
function chooseBaselineEnd(text: string | undefined, { first, last }: TimeSpan, windowMilliseconds: number): number {
  const whole = last - first;
  const wanted = text === undefined ? Math.min(fourWeeks, whole / 2) : readPart(text, whole);
  if (!(wanted > 0 && wanted < whole)) {
    throw new RangeError(`--baseline: expected a part of the ${Math.round(whole / dayMilliseconds)} days, saw ${text}`);
  }
  return Math.ceil((first + wanted) / windowMilliseconds) * windowMilliseconds;
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
