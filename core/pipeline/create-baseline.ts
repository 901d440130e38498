import type { Decoded } from '../decode/decode-plan.ts';
import { readNumber, validateBatch } from '../decode/validate.ts';
import type { Baseline } from '../model/baseline.ts';
import { BaselineBuilder } from '../profile/build-baseline.ts';
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
  for await (const { batch } of within(records)) survey.add(batch);
  if (survey.rows === 0)
    throw new EmptyBaselineError('expected at least one inference record, saw none that could be read');
  const surveys = survey.finish();
  const { layout, notes } = planLayout(surveys, options.choose);
  if (layout.features.length === 0) {
    throw new EmptyBaselineError(`expected at least one column to compare, saw none: ${notes.join('; ')}`);
  }
  const builder = new BaselineBuilder(layout, surveys, options.windowSeconds);
  for await (const { batch, quarantined } of within(records)) {
    const valid = validateBatch(batch, () => layout);
    builder.add(valid.batch);
    builder.addQuarantined(quarantined.length + valid.quarantined.length);
  }
  return builder.finish(notes);
}

async function* within({ open, from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY }: BaselineRecords) {
  for await (const decoded of open()) {
    const { batch } = decoded;
    const inside = batch.rows.map(({ invocation }) => {
      const time = batch.invocations[invocation]?.time ?? Number.NaN;
      return time >= from && time < to;
    });
    if (inside.every(Boolean)) yield decoded;
    else yield { ...decoded, batch: keepRows(batch, inside) };
  }
}

function keepRows(batch: Decoded['batch'], keep: readonly boolean[]): Decoded['batch'] {
  return {
    invocations: batch.invocations,
    rows: batch.rows.filter((_, row) => keep[row]),
    columns: batch.columns.map((column) => ({ ...column, cells: column.cells.filter((_, row) => keep[row]) })),
  };
}
