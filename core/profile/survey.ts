import type { FeatureKind } from '../model/layout.ts';
import type { Cell, RecordBatch, Side } from '../model/record-batch.ts';
import { type VectorHalves, VectorSample } from '../stats/embedding/vector-sample.ts';
import { RowSample } from './row-sample.ts';

/** Reads a cell as a number: null where it is missing, Infinity where it is infinite, undefined where it is something else. */
export type ReadNumber = (cell: Cell) => number | null | undefined;

/** What the first pass over the baseline's records learns of one column. */
export interface ColumnSurvey {
  readonly name: string;
  readonly side: Side;
  /** Rows seen, with or without a value. */
  readonly rows: number;
  /** Rows that hold no value, however the column is counted: absent, null, empty, NaN. */
  readonly missing: number;
  /** Rows with a text that says "no value" among numbers but is a category among texts: `NA` may be Namibia. */
  readonly missingTexts: number;
  /** Finite ones. */
  readonly numbers: number;
  /** Rows with an infinite number, or a text that says one. */
  readonly infinite: number;
  readonly booleans: number;
  readonly texts: number;
  readonly opaque: number;
  /** Numbers in the sampled rows, in the order of the rows. */
  readonly sample: readonly number[];
  /** [text, count] of every distinct value, unordered, without `wordValues`; the first ones where `distinctCapped`. */
  readonly values: ReadonlyMap<string, number>;
  /** [text, count] of texts that are categories among texts, but no values among numbers: missing texts and infinities. */
  readonly wordValues: ReadonlyMap<string, number>;
  /** True where there are more distinct values than `values` holds. */
  readonly distinctCapped: boolean;
  /** Lists of numbers in sampled rows: where there are any, the column was asked for as one of vectors. */
  readonly vectors: VectorHalves;
  /** True where every number is an integer greater than the one before it. */
  readonly increasing: boolean;
}

/** [text, count] of every value that the column has as a feature of a kind: among texts all of them are values. */
export function valuesOf(survey: ColumnSurvey, kind: FeatureKind): ReadonlyMap<string, number> {
  if (kind !== 'categorical' || survey.wordValues.size === 0) return survey.values;
  return new Map([...survey.values, ...survey.wordValues]);
}

/** Values kept of all columns together, and of each: bounds the survey's memory. */
const maximumSampledCells = 16_000_000;
const maximumSampledRows = 65_536;
const minimumSampledRows = 1_024;
const maximumDistinctCells = 2_000_000;
const maximumDistinct = 50_000;
const minimumDistinct = 256;
/** Longer vectors are not compared: a frame of them would be megabytes. */
export const maximumDimensions = 4096;
/** White space of any length is such a text. */
const maximumWords = 100;

/** First pass over a baseline's records: types, missing shares, distinct values and a sample of rows. */
export class Survey {
  readonly #readNumber: ReadNumber;
  readonly #columns = new Map<string, ColumnSurveyor>();
  readonly #sample = new RowSample();
  #rows = 0;

  constructor(readNumber: ReadNumber) {
    this.#readNumber = readNumber;
  }

  add(batch: RecordBatch): void {
    for (const { name, side } of batch.columns) {
      // A column that appears late was absent from every row before it.
      if (!this.#columns.has(name)) this.#columns.set(name, new ColumnSurveyor(name, side, this.#rows));
    }
    const columns = Math.max(this.#columns.size, 1);
    const distinct = clamp(Math.floor(maximumDistinctCells / columns), minimumDistinct, maximumDistinct);
    const sampledRows = clamp(Math.floor(maximumSampledCells / columns), minimumSampledRows, maximumSampledRows);
    const sampled = this.#sample.choose(this.#rows, batch.rows.length);
    const cells = new Map(batch.columns.map((column) => [column.name, column.cells]));
    for (const [name, surveyor] of this.#columns) {
      const numbers = surveyor.add(cells.get(name), batch.rows.length, this.#readNumber, distinct);
      this.#sample.keep(name, sampled, numbers);
    }
    this.#sample.shrink(sampledRows);
    this.#rows += batch.rows.length;
  }

  get rows(): number {
    return this.#rows;
  }

  /** Columns in order of first appearance. */
  finish(): readonly ColumnSurvey[] {
    return [...this.#columns.values()].map((surveyor) => surveyor.finish(this.#sample));
  }
}

class ColumnSurveyor {
  readonly #name: string;
  readonly #side: Side;
  readonly #values = new Map<string, number>();
  /** Numbers are turned into texts at the end: doing so for each cell costs more than all the rest. */
  readonly #numberValues = new Map<number, number>();
  readonly #wordValues = new Map<string, number>();
  #rows: number;
  #missing: number;
  #missingTexts = 0;
  #numbers = 0;
  #infinite = 0;
  #booleans = 0;
  #texts = 0;
  #opaque = 0;
  #vectors: VectorSample | undefined;
  #distinctCapped = false;
  #increasing = true;
  #last = Number.NEGATIVE_INFINITY;

  /** @param absent rows before this column's first */
  constructor(name: string, side: Side, absent: number) {
    this.#name = name;
    this.#side = side;
    this.#rows = absent;
    this.#missing = absent;
  }

  /** @returns per row its number, NaN where it holds none. */
  add(
    cells: readonly Cell[] | undefined,
    rows: number,
    readNumber: ReadNumber,
    maximumValues: number,
  ): Float64Array | undefined {
    this.#rows += rows;
    if (!cells) {
      this.#missing += rows;
      return undefined;
    }
    const numbers = new Float64Array(rows);
    const first = this.#rows - rows;
    for (let row = 0; row < rows; row++) {
      const cell = cells[row];
      numbers[row] = this.#addCell(cell, readNumber, maximumValues);
      if (typeof cell === 'object' && cell?.values) this.#addVector(first + row, cell.values);
    }
    return numbers;
  }

  finish(sample: RowSample): ColumnSurvey {
    return {
      name: this.#name,
      side: this.#side,
      rows: this.#rows,
      missing: this.#missing,
      missingTexts: this.#missingTexts,
      numbers: this.#numbers,
      infinite: this.#infinite,
      booleans: this.#booleans,
      texts: this.#texts,
      opaque: this.#opaque,
      sample: sample.numbersOf(this.#name),
      vectors: this.#vectors?.halves() ?? { fitting: [], measuring: [] },
      values: this.#valuesAsTexts(),
      wordValues: this.#wordValues,
      distinctCapped: this.#distinctCapped,
      increasing: this.#increasing && this.#numbers > 1,
    };
  }

  #addCell(cell: Cell, readNumber: ReadNumber, maximumValues: number): number {
    if (cell === null || cell === undefined || cell === '') {
      this.#missing++;
      return Number.NaN;
    }
    if (typeof cell === 'object') {
      this.#opaque++;
      return Number.NaN;
    }
    const number = readNumber(cell);
    if (number === null) {
      if (typeof cell === 'string') {
        this.#missingTexts++;
        countValue(this.#wordValues, cell, maximumWords);
      } else this.#missing++;
      return Number.NaN;
    }
    if (number === Number.POSITIVE_INFINITY) {
      this.#infinite++;
      if (typeof cell === 'string') countValue(this.#wordValues, cell, maximumWords);
      return Number.NaN;
    }
    if (typeof cell === 'boolean') this.#booleans++;
    else if (number === undefined) this.#texts++;
    this.#addValue(cell, maximumValues);
    if (number === undefined) return Number.NaN;
    this.#numbers++;
    if (!Number.isInteger(number) || number <= this.#last) this.#increasing = false;
    this.#last = number;
    return number;
  }

  #addVector(row: number, values: readonly number[]): void {
    this.#vectors ??= new VectorSample();
    if (values.length <= maximumDimensions) this.#vectors.add(row, values);
  }

  #addValue(cell: string | number | boolean, maximumValues: number): void {
    const kept =
      typeof cell === 'number'
        ? countValue(this.#numberValues, cell, maximumValues - this.#values.size)
        : countValue(this.#values, String(cell), maximumValues - this.#numberValues.size);
    if (!kept) this.#distinctCapped = true;
  }

  #valuesAsTexts(): ReadonlyMap<string, number> {
    const values = new Map(this.#values);
    for (const [number, count] of this.#numberValues) {
      const text = String(number);
      values.set(text, (values.get(text) ?? 0) + count);
    }
    return values;
  }
}

/** Counts a value among at most `maximum` distinct ones. @returns false where it is one too many. */
function countValue<T>(values: Map<T, number>, value: T, maximum: number): boolean {
  const seen = values.get(value);
  if (seen === undefined && values.size >= maximum) return false;
  values.set(value, (seen ?? 0) + 1);
  return true;
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
