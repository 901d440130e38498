import type { Decoded } from '../../core/decode/decode-plan.ts';
import { calibrate, minimumWindows, minimumWindowsOfWeeks, tellsWander } from '../../core/evaluate/calibration.ts';
import { formatInstant, formatNumber } from '../../core/evaluate/number-text.ts';
import { scalesOf } from '../../core/evaluate/window-levels.ts';
import type { Baseline } from '../../core/model/baseline.ts';
import type { Calendar } from '../../core/model/calendar.ts';
import type { ModelPolicy } from '../../core/model/policy.ts';
import type { Finding } from '../../core/model/verdict.ts';
import { createBaseline } from '../../core/pipeline/create-baseline.ts';
import { ShippedModel } from './shipped-rule.ts';
import { dateUnread, type TimedRecords } from './timed-records.ts';
import type { UnreadRows } from './unread-rows.ts';
import { summariseWindows } from './window-summaries.ts';

export interface StreamDesign {
  readonly policy: ModelPolicy;
  readonly calendar: Calendar;
  readonly windowSeconds: number;
  /** Records before it are the baseline, milliseconds since the epoch. */
  readonly baselineEnd: number;
}

export interface JudgedStreamWindow {
  readonly start: number;
  /** Those that could be read. */
  readonly records: number;
  /** Those that raise its tier. */
  readonly findings: readonly Finding[];
}

export interface JudgedStream {
  readonly baseline: Baseline;
  /** How the p-values are calibrated. */
  readonly calibration: string;
  /** Ascending. Windows without a record, read or not, are left out. */
  readonly windows: readonly JudgedStreamWindow[];
  /** Rows of the baseline or of a window that could not be read. */
  readonly unread: readonly UnreadRows[];
}

/**
 * The pipeline's own steps over records at rest: a baseline from the first part, then window by window summary and verdict:
 * drift, charts and the quality of the data.
 * @throws {RangeError} where the baseline is too small to tell how windows differ
 */
export async function judgeRecords(records: TimedRecords, design: StreamDesign): Promise<JudgedStream> {
  const { policy, calendar, windowSeconds, baselineEnd } = design;
  const dated = { open: () => dateUnread(records.open()) };
  const first = { open: () => unreadUntil(dated.open(), baselineEnd), to: baselineEnd };
  const baseline = await createBaseline(first, { windowSeconds });
  refuseSmall(baseline, policy, baselineEnd);
  const judgedPolicy = { ...policy, windowSeconds };
  const options = { policy: judgedPolicy, makesAllVerdicts: true, tellsOnset: true };
  const model = new ShippedModel(baseline, calendar, options);
  const series = model.openSeries();
  const windows: JudgedStreamWindow[] = [];
  const summaries = await summariseWindows(dated, baseline.layout, baselineEnd, windowSeconds * 1000);
  for (const [start, summary] of summaries.windows) {
    const [verdict] = await model.judge([{ series, start, summary }]);
    windows.push({ start, records: summary.records.counted, findings: verdict?.raised ?? [] });
  }
  const scales = scalesOf(judgedPolicy, baseline);
  const { description } = calibrate(baseline, { windowSeconds, calendar, scales });
  return { baseline, calibration: description, windows, unread: summaries.unread };
}

/** Of what could not be read, keeps what came before a time. */
async function* unreadUntil(batches: AsyncIterable<Decoded>, end: number): AsyncGenerator<Decoded> {
  for await (const decoded of batches) {
    yield { ...decoded, quarantined: decoded.quarantined.filter(({ time = end - 1 }) => time < end) };
  }
}

function refuseSmall({ records, time }: Baseline, { drift }: ModelPolicy, end: number): void {
  if (time && tellsWander(time) && records >= drift.minimumRecords) return;
  const windows = time?.windows.length ?? 0;
  const needed = `${drift.minimumRecords} records in ${minimumWindows} windows, or in ${minimumWindowsOfWeeks} of two weeks`;
  const seen = `${formatNumber(records)} in ${formatNumber(windows)}, from ${time?.first} to ${formatInstant(end)}`;
  throw new RangeError(
    `baseline: expected at least ${needed}, saw ${seen}: is it long enough, and are its times right?`,
  );
}
