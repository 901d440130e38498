import { confidenceColumn, predictedColumn } from '../decode/class-columns.ts';
import type { Decoded } from '../decode/decode-plan.ts';
import { readAnyNumber, readVector, validateBatch } from '../decode/validate.ts';
import { chooseMeans, maximumMeans } from '../evaluate/charts/window-values.ts';
import type { Baseline } from '../model/baseline.ts';
import type { ScoreCalibration } from '../model/calibration-map.ts';
import type { Layout } from '../model/layout.ts';
import type { Quarantined, QuarantineReason } from '../model/quarantine.ts';
import type { RecordBatch } from '../model/record-batch.ts';
import type { SlicePolicy } from '../model/slice.ts';
import { BaselineBuilder } from '../profile/build-baseline.ts';
import { LabelCounter, type LabelledScores } from '../profile/label-counter.ts';
import { type LabelColumn, LeakageCounter } from '../profile/leakage.ts';
import { compareNames } from '../profile/names.ts';
import { type ColumnChoice, planFeature, planLayout } from '../profile/plan-layout.ts';
import { type ColumnSurvey, Survey } from '../profile/survey.ts';

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
  /** Column, or field of the capture, that names the caller: its values are no feature. */
  readonly caller?: string | undefined;
  /** Where the records say how they turned out: performance is then estimated where they don't. */
  readonly labels?: LabelOptions | undefined;
  /** Parts of the records that are to be judged beside the whole. */
  readonly slices?: readonly SlicePolicy[] | undefined;
}

export interface LabelOptions {
  /** The column of labels: it is no feature. */
  readonly column: string;
  /** The label of a yes; absent: 1 or true. Of no use to a model of classes, whose labels are their names. */
  readonly positive?: string | undefined;
  /** Scores from here on are a predicted yes. Default 0.5. Of no use to a model of classes. */
  readonly threshold?: number | undefined;
}

/** Outputs that a note lists at most. */
const mostNamed = 5;

/** A set of records that makes no baseline. */
export class EmptyBaselineError extends Error {
  override readonly name = 'EmptyBaselineError';
}

/**
 * Makes a baseline in two passes over the records, in bounded memory.
 * @throws {EmptyBaselineError} where there is no record, no column worth comparing, or labels were asked for and there are
 *   none that can be compared with an output
 */
export async function createBaseline(records: BaselineRecords, options: BaselineOptions): Promise<Baseline> {
  const survey = new Survey(readAnyNumber);
  const isVector = (column: string) => options.choose?.(column).kind === 'embedding';
  const unread = new Map<QuarantineReason, number>();
  for await (const { batch, quarantined } of within(records)) {
    survey.add(readVectors(batch, isVector));
    countReasons(unread, quarantined);
  }
  if (survey.rows === 0) {
    throw new EmptyBaselineError(`expected at least one inference record, saw none${describeReasons(unread)}`);
  }
  const surveys = survey.finish();
  const { layout, notes, fitted } = planLayout(surveys, chooseWithout(options));
  if (layout.features.length === 0) {
    throw new EmptyBaselineError(`expected at least one column to compare, saw none: ${notes.join('; ')}`);
  }
  const builder = new BaselineBuilder(layout, surveys, { ...options, fitted });
  const leakage = new LeakageCounter(layout, survey.rows, describeLabel(surveys, options.labels));
  const labels = options.labels && new LabelCounter(matchLabels(layout, options.labels));
  let rows = 0;
  for await (const { batch, quarantined, duplicates } of within(records)) {
    const valid = validateBatch(batch, () => layout);
    builder.add(valid.batch, fitted.size === 0 ? [] : numberRows(batch, valid.batch, rows));
    rows += batch.rows.length;
    leakage.add(valid.batch);
    labels?.add(valid.batch);
    for (const { rows } of duplicates) builder.addDuplicates(rows);
    builder.addQuarantined(quarantined.length + valid.quarantined.length);
  }
  const calibration = labels?.finish();
  if (labels && !calibration) throw new EmptyBaselineError(describeNoLabels(options.labels?.column ?? '', labels));
  const labelled = calibration && labels ? noteLabels(calibration, labels) : [];
  const said = [...notes, ...labelled, ...leakage.notes(), ...noteCharts(layout), ...noteUnread(unread)];
  const baseline = builder.finish(said, calibration);
  if (baseline.records === 0) {
    throw new EmptyBaselineError(
      `expected at least one inference record that fits its columns, saw none: ${notes.join('; ')}`,
    );
  }
  return baseline;
}

/** The columns of callers and of labels are left out of the features. */
function chooseWithout({ choose, caller, labels }: BaselineOptions): BaselineOptions['choose'] {
  if (caller === undefined && labels === undefined) return choose;
  const isOut = (column: string) => column === caller || column === labels?.column;
  return (column) => ({ ...choose?.(column), ignore: isOut(column) || choose?.(column).ignore === true });
}

/**
 * Which output the labels belong to: the predicted class with its confidence where the outputs are scores of classes, else
 * the only number that the model puts out.
 * @throws {EmptyBaselineError} where there is neither
 */
function matchLabels({ features }: Layout, { column: label, positive, threshold = 0.5 }: LabelOptions): LabelledScores {
  const outputs = features.filter(([, { side }]) => side === 'output');
  const named = (name: string, kind: string) => outputs.some(([each, layout]) => each === name && layout.kind === kind);
  if (named(predictedColumn, 'categorical') && named(confidenceColumn, 'numeric')) {
    return { label, score: confidenceColumn, predicted: predictedColumn };
  }
  const numbers = outputs.filter(([name, { kind }]) => kind === 'numeric' && name !== confidenceColumn);
  const [score, ...others] = numbers.map(([name]) => name);
  if (score !== undefined && others.length === 0) return { label, score, positive, threshold };
  const seen = numbers.length === 0 ? 'none' : numbers.map(([name]) => JSON.stringify(name)).join(', ');
  throw new EmptyBaselineError(
    `labels in ${JSON.stringify(label)}: expected one numeric output or scores of classes to compare them with, saw ${seen}; name the outputs`,
  );
}

/** Inputs are held against the label, too, though it is no feature. */
function describeLabel(surveys: readonly ColumnSurvey[], labels: LabelOptions | undefined): LabelColumn | undefined {
  const survey = surveys.find(({ name }) => name === labels?.column);
  return survey && { name: survey.name, layout: planFeature(survey), readNumber: readAnyNumber };
}

function noteCharts(layout: Layout): readonly string[] {
  const { charted, others } = chooseMeans(layout);
  if (others.length === 0) return [];
  const named = others.slice(0, mostNamed).join(', ');
  const more = others.length > mostNamed ? ` and ${others.length - mostNamed} more` : '';
  return [
    `means of ${charted.size} of ${charted.size + others.length} outputs are charted, at most ${maximumMeans}; only their drift is judged of ${named}${more}`,
  ];
}

function describeNoLabels(column: string, { unread }: LabelCounter): string {
  const why = unread > 0 ? `, but ${unread} that are neither 0 and 1 nor true and false: say which one is a yes` : '';
  return `expected labels in ${JSON.stringify(column)} beside the model's scores, saw none${why}`;
}

function noteLabels({ label, score, map }: ScoreCalibration, { records, unread }: LabelCounter): readonly string[] {
  const positives = map.steps.reduce((sum, [, count]) => sum + count, 0);
  const lost = unread > 0 ? `; ${unread} labels could not be read` : '';
  return [`${label}: labels of ${records} records, ${positives} of them positive, tell what ${score} means${lost}`];
}

/** A batch whose columns of vectors hold nothing but lists and missing values. */
function readVectors(batch: RecordBatch, isVector: (column: string) => boolean): RecordBatch {
  const columns = batch.columns.map((column) =>
    isVector(column.name)
      ? { ...column, cells: column.cells.map((cell) => (cell === undefined ? cell : readVector(cell))) }
      : column,
  );
  return { ...batch, columns };
}

/** The numbers that the survey gave to the rows left of a batch. */
function numberRows(batch: RecordBatch, left: RecordBatch, first: number): readonly number[] {
  const numbers = new Map(batch.rows.map((row, index) => [row, first + index]));
  return left.rows.map((row) => numbers.get(row) ?? -1);
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
    .map(([reason, rows]) => `${rows} ${reason.replaceAll('-', ' ')}`)
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
