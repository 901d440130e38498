import type { FeatureKind, FeatureLayout, Layout } from '../model/layout.ts';
import type { Quarantined } from '../model/quarantine.ts';
import type { Cell, Column, RecordBatch } from '../model/record-batch.ts';
import { countOf, Fault } from './fault.ts';
import { isJsonArray, parseJson } from './json-text.ts';
import { vectorOf } from './name-row.ts';

/** Texts that say "no value" in a numeric column, white space around them aside. In a categorical one only `''` does. */
export const missingTokens: ReadonlySet<string> = new Set(['', 'NaN', 'nan', 'NA', 'N/A', 'null', 'None']);

/**
 * Makes every cell of a column with a layout what the layout says: finite numbers or null in numeric columns, text or
 * null in categorical ones; `undefined` (the row has no such column) stays. A row with a cell that can't be read so is
 * quarantined whole and leaves the batch; invocations stay. In columns of vectors nothing is a fault: what is no vector
 * of numbers is counted as unusable. Columns without a layout, and opaque ones, are untouched, but
 * derived ones that no layout knows are dropped: the baseline was made without them.
 * The input is not changed.
 */
export function validateBatch(
  batch: RecordBatch,
  layoutOf: (version: string) => Layout | undefined,
): { batch: RecordBatch; quarantined: Quarantined[] } {
  const layouts = layoutsByVersion(batch, layoutOf);
  const faults = new Map<number, { fault: Fault; column: string }>();
  const hasLayout = layouts.some((features) => features !== undefined);
  const columns = batch.columns.flatMap((column) => {
    const expected = layouts.map((features) => features?.get(column.name));
    if (expected.some((layout) => layout !== undefined)) return [readColumn(column, batch, expected, faults)];
    return column.derived && hasLayout ? [] : [column];
  });
  if (faults.size === 0) return { batch: { ...batch, columns }, quarantined: [] };
  const kept = <T>(values: readonly T[]): T[] => values.filter((_, index) => !faults.has(index));
  return {
    batch: {
      invocations: batch.invocations,
      rows: kept(batch.rows),
      columns: columns.map((column) => ({ ...column, cells: kept(column.cells) })),
    },
    quarantined: quarantinedRows(batch, faults),
  };
}

/** Per invocation: the layouts of its version by feature. */
function layoutsByVersion(
  batch: RecordBatch,
  layoutOf: (version: string) => Layout | undefined,
): readonly (ReadonlyMap<string, FeatureLayout> | undefined)[] {
  const known = new Map<string, ReadonlyMap<string, FeatureLayout> | undefined>();
  return batch.invocations.map(({ version }) => {
    if (!known.has(version)) {
      const layout = layoutOf(version);
      known.set(version, layout && new Map(layout.features));
    }
    return known.get(version);
  });
}

function readColumn(
  column: Column,
  batch: RecordBatch,
  expected: readonly (FeatureLayout | undefined)[],
  faults: Map<number, { fault: Fault; column: string }>,
): Column {
  const cells = column.cells.map((cell, index) => {
    const layout = expected[batch.rows[index]?.invocation ?? -1];
    if (cell === undefined || layout === undefined || layout.kind === 'opaque') return cell;
    const read = readAs(layout.kind, cell);
    if (!(read instanceof Fault)) return read;
    // The first faulty column of a row is named; one row is one loss.
    if (!faults.has(index)) faults.set(index, { fault: read, column: column.name });
    return cell;
  });
  return { ...column, cells };
}

function readAs(
  kind: Exclude<FeatureKind, 'opaque'>,
  cell: Exclude<Cell, undefined>,
): Exclude<Cell, undefined> | Fault {
  if (kind === 'embedding') return readVector(cell);
  return kind === 'numeric' ? readNumeric(cell) : readCategory(cell);
}

/** Decimal digits with an optional sign, point and exponent; each part can match in one way only, so time is linear. */
const decimal = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
const infinite = /^[+-]?inf(?:inity)?$/i;

function readNumeric(cell: Exclude<Cell, undefined>): number | null | Fault {
  if (cell === null) return null;
  if (typeof cell === 'number') return finite(cell);
  if (typeof cell === 'boolean') return cell ? 1 : 0;
  if (typeof cell !== 'string') return new Fault('not-a-number', cell.opaque, 'a number');
  const text = cell.trim();
  if (missingTokens.has(text)) return null;
  if (decimal.test(text)) return finite(Number(text));
  if (infinite.test(text)) return notFinite();
  return new Fault('not-a-number', `text of ${countOf(cell.length, 'character')}`, 'a number');
}

/** A cell as a numeric column reads it: null where it holds no value, undefined where it is no finite number. */
export function readNumber(cell: Cell): number | null | undefined {
  const read = readAnyNumber(cell);
  return read === Number.POSITIVE_INFINITY ? undefined : read;
}

/** The same, with Infinity for an infinite number of either sign: a number all the same, though no row with it is counted. */
export function readAnyNumber(cell: Cell): number | null | undefined {
  if (cell === undefined) return null;
  const read = readNumeric(cell);
  if (!(read instanceof Fault)) return read;
  return read.reason === 'not-finite' ? Number.POSITIVE_INFINITY : undefined;
}

/**
 * A cell as a column of vectors reads it: null where it holds no value, and a list that carries its numbers where it is
 * one, also as the text of a JSON array. Anything else is a list without them, which nobody can use.
 */
export function readVector(cell: Exclude<Cell, undefined>): Exclude<Cell, undefined> {
  if (cell === null || (typeof cell === 'object' && cell.opaque === 'array')) return cell;
  if (typeof cell !== 'string') return noVector;
  const text = cell.trim();
  if (missingTokens.has(text)) return null;
  if (!text.startsWith('[')) return noVector;
  const parsed = parseJson(text, 1, 'bad-encoding');
  return parsed instanceof Fault || !isJsonArray(parsed.value) ? noVector : vectorOf(parsed.value);
}

const noVector = { opaque: 'array', size: 0 } as const;

function finite(value: number): number | null | Fault {
  if (Number.isNaN(value)) return null;
  // Adding zero turns -0 into 0, which would otherwise be two values of one number.
  return Number.isFinite(value) ? value + 0 : notFinite();
}

function notFinite(): Fault {
  return new Fault('not-finite', 'an infinite number', 'a finite number');
}

function readCategory(cell: Exclude<Cell, undefined>): string | null | Fault {
  if (cell === null || cell === '') return null;
  if (typeof cell === 'string') return cell;
  if (typeof cell === 'boolean') return String(cell);
  if (typeof cell !== 'number') return new Fault('not-text', cell.opaque, 'text');
  const value = finite(cell);
  return value instanceof Fault || value === null ? value : String(value);
}

function quarantinedRows(
  batch: RecordBatch,
  faults: ReadonlyMap<number, { fault: Fault; column: string }>,
): Quarantined[] {
  const quarantined: Quarantined[] = [];
  for (const [index, { fault, column }] of [...faults].sort(([a], [b]) => a - b)) {
    const place = batch.rows[index];
    const invocation = place && batch.invocations[place.invocation];
    if (place === undefined || invocation === undefined) continue;
    const { line, offset, length, time, variant, version } = invocation;
    const { reason, seen, expected } = fault;
    quarantined.push({ reason, line, offset, length, row: place.row, column, seen, expected, time, variant, version });
  }
  return quarantined;
}
