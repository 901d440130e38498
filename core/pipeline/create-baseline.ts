import type { Decoded } from '../decode/decode-plan.ts';
import { readNumber, validateBatch } from '../decode/validate.ts';
import type { Baseline } from '../model/baseline.ts';
import type { Quarantined, QuarantineReason } from '../model/quarantine.ts';
import type { SlicePolicy } from '../model/slice.ts';
import { BaselineBuilder } from '../profile/build-baseline.ts';
import { LeakageCounter } from '../profile/leakage.ts';
import { compareNames } from '../profile/names.ts';
import { type ColumnChoice, planLayout } from '../profile/plan-layout.ts';
import { Survey } from '../profile/survey.ts';

/** Records that can be read twice: once to see what the columns are, once to count them. */
export interface BaselineRecords {
  open(): AsyncIterable<Decoded>;
  /** Records outside are left out, milliseconds since the epoch, half-open; absent: all. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

export interface BaselineOptions {
  /** Width of the windows that later verdicts will have; undefined where the records have no times. */
  readonly windowSeconds: number | undefined;
  readonly choose?: ((column: string) => ColumnChoice) | undefined;
  /** Parts of the records that are to be judged beside the whole. */
  readonly slices?: readonly SlicePolicy[] | undefined;
}

/** A set of records that makes no baseline. */
export class EmptyBaselineError extends Error {
  override readonly name = 'EmptyBaselineError';
}

/**
 * Makes a baseline in two passes over the records, in bounded memory.
 * @throws {EmptyBaselineError} where there is no record, or no column worth comparing.
 */
export async function createBaseline(records: BaselineRecords, options: BaselineOptions): Promise<Baseline> {
  const survey = new Survey(readNumber);
  const unread = new Map<QuarantineReason, number>();
  for await (const { batch, quarantined } of within(records)) {
    survey.add(batch);
    countReasons(unread, quarantined);
  }
  if (survey.rows === 0) {
    throw new EmptyBaselineError(`expected at least one inference record, saw none${describeReasons(unread)}`);
  }
  const surveys = survey.finish();
  const { layout, notes } = planLayout(surveys, options.choose);
  if (layout.features.length === 0) {
    throw new EmptyBaselineError(`expected at least one column to compare, saw none: ${notes.join('; ')}`);
  }
  const builder = new BaselineBuilder(layout, surveys, options.windowSeconds, options.slices);
  const leakage = new LeakageCounter(layout, survey.rows);
  for await (const { batch, quarantined, duplicates } of within(records)) {
    const valid = validateBatch(batch, () => layout);
    builder.add(valid.batch);
    leakage.add(valid.batch);
    for (const { rows } of duplicates) builder.addDuplicates(rows);
    builder.addQuarantined(quarantined.length + valid.quarantined.length);
  }
  const baseline = builder.finish([...notes, ...leakage.notes(), ...noteUnread(unread)]);
  if (baseline.records === 0) {
    throw new EmptyBaselineError(
      `expected at least one inference record that fits its columns, saw none: ${notes.join('; ')}`,
    );
  }
  return baseline;
}

function countReasons(reasons: Map<QuarantineReason, number>, quarantined: readonly Quarantined[]): void {
  for (const { reason } of quarantined) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
}

function noteUnread(reasons: ReadonlyMap<QuarantineReason, number>): readonly string[] {
  return reasons.size === 0 ? [] : [`quarantined because they could not be read: ${listReasons(reasons)}`];
}

function describeReasons(reasons: ReadonlyMap<QuarantineReason, number>): string {
  return reasons.size === 0 ? '' : ` that could be read (${listReasons(reasons)})`;
}

function listReasons(reasons: ReadonlyMap<QuarantineReason, number>): string {
  return [...reasons]
    .sort(([a], [b]) => compareNames(a, b))
    .map(([reason, rows]) => `${reason} ${rows}`)
    .join(', ');
}

async function* within({ open, from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY }: BaselineRecords) {
  for await (const decoded of open()) {
    const { batch } = decoded;
    const isInside = (time: number) => time >= from && time < to;
    const inside = batch.rows.map(({ invocation }) => isInside(batch.invocations[invocation]?.time ?? Number.NaN));
    const duplicates = decoded.duplicates.filter(({ time }) => isInside(time));
    if (inside.every(Boolean)) yield { ...decoded, duplicates };
    else yield { ...decoded, duplicates, batch: keepRows(batch, inside) };
  }
}

function keepRows(batch: Decoded['batch'], keep: readonly boolean[]): Decoded['batch'] {
  return {
    invocations: batch.invocations,
    rows: batch.rows.filter((_, row) => keep[row]),
    columns: batch.columns.map((column) => ({ ...column, cells: column.cells.filter((_, row) => keep[row]) })),
  };
}
