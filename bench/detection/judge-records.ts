import type { Decoded } from '../../core/decode/decode-plan.ts';
import { validateBatch } from '../../core/decode/validate.ts';
import { calibrate } from '../../core/evaluate/calibration.ts';
import { scalesOf } from '../../core/evaluate/window-levels.ts';
import type { Baseline } from '../../core/model/baseline.ts';
import type { Calendar } from '../../core/model/calendar.ts';
import type { ModelPolicy } from '../../core/model/policy.ts';
import type { Summary } from '../../core/model/profile.ts';
import type { RecordBatch } from '../../core/model/record-batch.ts';
import type { Finding } from '../../core/model/verdict.ts';
import { createBaseline } from '../../core/pipeline/create-baseline.ts';
import { invocationOf, SummaryBuilder } from '../../core/profile/summarise.ts';
import { ShippedModel } from './shipped-rule.ts';

/** Records with times that can be read more than once. */
export interface TimedRecords {
  open(): AsyncIterable<Decoded>;
}

export interface StreamDesign {
  readonly policy: ModelPolicy;
  readonly calendar: Calendar;
  readonly windowSeconds: number;
  /** Records before it are the baseline, milliseconds since the epoch. */
  readonly baselineEnd: number;
}

export interface JudgedStreamWindow {
  readonly start: number;
  readonly records: number;
  /** Those that raise its tier. */
  readonly findings: readonly Finding[];
}

export interface JudgedStream {
  readonly baseline: Baseline;
  /** How the p-values are calibrated. */
  readonly calibration: string;
  /** Ascending. Windows without a record are left out. */
  readonly windows: readonly JudgedStreamWindow[];
}

/** From the first to the last record, and their number. */
export interface TimeSpan {
  readonly first: number;
  readonly last: number;
  readonly records: number;
}

export async function readTimeSpan(records: TimedRecords): Promise<TimeSpan> {
  let [first, last, count] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for await (const { batch } of records.open()) {
    for (const { time } of batch.invocations) {
      if (time < first) first = time;
      if (time > last) last = time;
    }
    count += batch.rows.length;
  }
  return { first, last, records: count };
}

/**
 * The pipeline's own steps over records at rest: a baseline from the first part, then window by window summary and verdict:
 * drift, charts and the quality of the data.
 */
export async function judgeRecords(records: TimedRecords, design: StreamDesign): Promise<JudgedStream> {
  const { policy, calendar, windowSeconds, baselineEnd } = design;
  const baseline = await createBaseline({ open: () => records.open(), to: baselineEnd }, { windowSeconds });
  const judgedPolicy = { ...policy, windowSeconds };
  const model = new ShippedModel(baseline, calendar, { policy: judgedPolicy, makesAllVerdicts: true });
  const series = model.openSeries();
  const windows: JudgedStreamWindow[] = [];
  for (const [start, summary] of await summariseWindows(records, baseline, baselineEnd, windowSeconds * 1000)) {
    const [verdict] = await model.judge([{ series, start, summary }]);
    windows.push({ start, records: summary.records.counted, findings: verdict?.raised ?? [] });
  }
  const scales = scalesOf(judgedPolicy, baseline);
  const { description } = calibrate(baseline, { windowSeconds, calendar, scales });
  return { baseline, calibration: description, windows };
}

async function summariseWindows(
  records: TimedRecords,
  { layout }: Baseline,
  from: number,
  milliseconds: number,
): Promise<readonly (readonly [start: number, summary: Summary])[]> {
  const watch = { layout, indicators: [], required: [], ignored: new Set<string>(), role: 'inferences' } as const;
  const builders = new Map<number, SummaryBuilder>();
  for await (const { batch } of records.open()) {
    const valid = validateBatch(batch, () => layout).batch;
    for (const [start, rows] of rowsByWindow(valid, from, milliseconds)) {
      const builder = builders.get(start) ?? new SummaryBuilder(watch);
      builders.set(start, builder);
      builder.addRows(valid, rows);
    }
  }
  return [...builders].sort(([a], [b]) => a - b).map(([start, builder]) => [start, builder.finish()] as const);
}

function rowsByWindow(batch: RecordBatch, from: number, milliseconds: number): Map<number, number[]> {
  const windows = new Map<number, number[]>();
  for (const row of batch.rows.keys()) {
    const { time } = invocationOf(batch, row);
    if (time < from) continue;
    const start = Math.floor(time / milliseconds) * milliseconds;
    const rows = windows.get(start);
    if (rows) rows.push(row);
    else windows.set(start, [row]);
  }
  return windows;
}
