import type { FeatureKind } from '../model/layout.ts';
import type { Cell, RecordBatch, Side } from '../model/record-batch.ts';

/** Reads a cell as a number: null where it is missing, undefined where it is something else. */
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
  readonly numbers: number;
  readonly booleans: number;
  readonly texts: number;
  readonly opaque: number;
  /** Values of the sampled rows, unordered. */
  readonly sample: readonly number[];
  /** [text, count] of every distinct value, unordered, without the missing texts; the first ones where `distinctCapped`. */
  readonly values: ReadonlyMap<string, number>;
  /** [text, count] of the missing texts. */
  readonly missingTextValues: ReadonlyMap<string, number>;
  /** True where there are more distinct values than `values` holds. */
  readonly distinctCapped: boolean;
  /** True where every number is an integer greater than the one before it. */
  readonly increasing: boolean;
}

/** [text, count] of every value that the column has as a feature of a kind: among texts the missing texts are values too. */
export function valuesOf(survey: ColumnSurvey, kind: FeatureKind): ReadonlyMap<string, number> {
  if (kind !== 'categorical' || survey.missingTexts === 0) return survey.values;
  return new Map([...survey.values, ...survey.missingTextValues]);
}

/** Values sampled over all columns together, and per column: bounds the survey's memory. */
const maximumSampledCells = 16_000_000;
const maximumSampledRows = 65_536;
const minimumSampledRows = 1_024;
const maximumDistinctCells = 5_000_000;
const maximumDistinct = 50_000;
/** White space of any length is such a text. */
const maximumMissingTexts = 100;

/** First pass over a baseline's records: types, missing shares, distinct values and a sample of rows. */
export class Survey {
  readonly #readNumber: ReadNumber;
  readonly #columns = new Map<string, ColumnSurveyor>();
  #rows = 0;

  constructor(readNumber: ReadNumber) {
    this.#readNumber = readNumber;
  }

  add(batch: RecordBatch): void {
    const known = this.#columns.size;
    for (const column of batch.columns) {
      if (!this.#columns.has(column.name)) {
        this.#columns.set(column.name, new ColumnSurveyor(column.name, column.side, this.#readNumber));
      }
    }
    const columns = Math.max(this.#columns.size, 1);
    const limits = {
      sampledRows: clamp(Math.floor(maximumSampledCells / columns), minimumSampledRows, maximumSampledRows),
      distinct: clamp(Math.floor(maximumDistinctCells / columns), minimumSampledRows, maximumDistinct),
    };
    const cells = new Map(batch.columns.map((column) => [column.name, column.cells]));
    for (let row = 0; row < batch.rows.length; row++) {
      const rank = sampleRank(this.#rows + row);
      for (const [name, surveyor] of this.#columns) surveyor.add(cells.get(name)?.[row], rank, limits);
    }
    // A column that appears late was absent from every row before it.
    if (this.#columns.size > known) {
      for (const surveyor of [...this.#columns.values()].slice(known)) surveyor.addMissing(this.#rows);
    }
    this.#rows += batch.rows.length;
  }

  get rows(): number {
    return this.#rows;
  }

  /** Columns in order of first appearance. */
  finish(): readonly ColumnSurvey[] {
    return [...this.#columns.values()].map((surveyor) => surveyor.finish());
  }
}

class ColumnSurveyor {
  readonly #name: string;
  readonly #side: Side;
  readonly #readNumber: ReadNumber;
  readonly #values = new Map<string, number>();
  #sample: { rank: number; value: number }[] = [];
  #worstRank = 1;
  #rows = 0;
  #missing = 0;
  #missingTexts = 0;
  readonly #missingTextValues = new Map<string, number>();
  #numbers = 0;
  #booleans = 0;
  #texts = 0;
  #opaque = 0;
  #distinctCapped = false;
  #increasing = true;
  #last = Number.NEGATIVE_INFINITY;

  constructor(name: string, side: Side, readNumber: ReadNumber) {
    this.#name = name;
    this.#side = side;
    this.#readNumber = readNumber;
  }

  addMissing(rows: number): void {
    this.#rows += rows;
    this.#missing += rows;
  }

  add(cell: Cell, rank: number, limits: { sampledRows: number; distinct: number }): void {
    this.#rows++;
    if (cell === null || cell === undefined || cell === '') {
      this.#missing++;
      return;
    }
    if (typeof cell === 'object') {
      this.#opaque++;
      return;
    }
    const number = this.#readNumber(cell);
    if (number === null) {
      if (typeof cell === 'string') this.#addMissingText(cell);
      else this.#missing++;
      return;
    }
    if (typeof cell === 'boolean') this.#booleans++;
    else if (number === undefined) this.#texts++;
    if (number !== undefined) this.#addNumber(number, rank, limits.sampledRows);
    this.#addValue(typeof cell === 'string' ? cell : String(cell), limits.distinct);
  }

  finish(): ColumnSurvey {
    return {
      name: this.#name,
      side: this.#side,
      rows: this.#rows,
      missing: this.#missing,
      missingTexts: this.#missingTexts,
      numbers: this.#numbers,
      booleans: this.#booleans,
      texts: this.#texts,
      opaque: this.#opaque,
      sample: this.#sample.map(({ value }) => value),
      values: this.#values,
      missingTextValues: this.#missingTextValues,
      distinctCapped: this.#distinctCapped,
      increasing: this.#increasing && this.#numbers > 1,
    };
  }

  /** Keeps the values of the rows with the lowest ranks: a sample that depends on nothing but the row's number. */
  #addNumber(value: number, rank: number, sampledRows: number): void {
    this.#numbers++;
    if (!Number.isInteger(value) || value <= this.#last) this.#increasing = false;
    this.#last = value;
    if (this.#sample.length >= sampledRows && rank >= this.#worstRank) return;
    this.#sample.push({ rank, value });
    if (this.#sample.length >= 2 * sampledRows) {
      this.#sample.sort((a, b) => a.rank - b.rank);
      this.#sample.length = sampledRows;
      this.#worstRank = this.#sample.at(-1)?.rank ?? 1;
    }
  }

  #addMissingText(text: string): void {
    this.#missingTexts++;
    const seen = this.#missingTextValues.get(text);
    if (seen !== undefined || this.#missingTextValues.size < maximumMissingTexts) {
      this.#missingTextValues.set(text, (seen ?? 0) + 1);
    }
  }

  #addValue(text: string, limit: number): void {
    const seen = this.#values.get(text);
    if (seen !== undefined) this.#values.set(text, seen + 1);
    else if (this.#values.size < limit) this.#values.set(text, 1);
    else this.#distinctCapped = true;
  }
}

/** A pseudo-random rank in [0, 1) of a row number (the finaliser of MurmurHash3). */
function sampleRank(row: number): number {
  let hash = (row ^ 0x9e3779b9) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
