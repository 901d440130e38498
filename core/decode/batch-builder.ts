import type { Cell, Invocation, RecordBatch, Side } from '../model/record-batch.ts';
import type { NamedRow } from './name-row.ts';
import type { PairedRow } from './pair-rows.ts';

/** A row and its place in its invocation's payload. */
export interface PlacedRow {
  readonly row: number;
  readonly record: PairedRow;
}

interface OpenColumn {
  readonly name: string;
  readonly side: Side;
  readonly derived?: boolean | undefined;
  readonly cells: Cell[];
}

/** Collects lines into one columnar batch. */
export class BatchBuilder {
  readonly #invocations: Invocation[] = [];
  readonly #rows: { readonly invocation: number; readonly row: number }[] = [];
  readonly #columns = new Map<string, OpenColumn>();
  /** The columns of the last names seen on each side: rows of one schema look none up. */
  readonly #last = new Map<Side, { readonly names: readonly string[]; readonly columns: readonly OpenColumn[] }>();

  get invocations(): number {
    return this.#invocations.length;
  }

  get rows(): number {
    return this.#rows.length;
  }

  /**
   * Whether the rows can join without a name standing on both sides, and without more than `maximumColumns` columns or
   * `maximumCells` cells. An empty batch takes any line.
   */
  takes(rows: readonly PlacedRow[], maximumColumns: number, maximumCells: number): boolean {
    if (this.#rows.length === 0) return true;
    const added = new Set<string>();
    for (const { record } of rows) {
      if (!this.#fits(record.input, 'input', added) || !this.#fits(record.output, 'output', added)) return false;
    }
    const columns = this.#columns.size + added.size;
    return columns <= maximumColumns && columns * (this.#rows.length + rows.length) <= maximumCells;
  }

  add(invocation: Invocation, rows: readonly PlacedRow[]): void {
    const index = this.#invocations.push(invocation) - 1;
    for (const { row, record } of rows) {
      if (record.input !== undefined) this.#put(record.input, 'input');
      if (record.output !== undefined) this.#put(record.output, 'output');
      this.#rows.push({ invocation: index, row });
    }
  }

  /** The batch: input columns first, each side in order of first appearance. */
  build(): RecordBatch {
    const columns = [...this.#columns.values()];
    for (const { cells } of columns) pad(cells, this.#rows.length);
    return {
      invocations: this.#invocations,
      rows: this.#rows,
      columns: [...columns.filter(({ side }) => side === 'input'), ...columns.filter(({ side }) => side === 'output')],
    };
  }

  #fits(row: NamedRow | undefined, side: Side, added: Set<string>): boolean {
    if (row === undefined || this.#last.get(side)?.names === row.names) return true;
    for (const name of row.names) {
      const column = this.#columns.get(name);
      if (column === undefined) added.add(name);
      else if (column.side !== side) return false;
    }
    return true;
  }

  #put({ names, cells, derived = 0 }: NamedRow, side: Side): void {
    const columns = this.#columnsOf(names, side, names.length - derived);
    for (const [index, column] of columns.entries()) {
      pad(column.cells, this.#rows.length);
      column.cells[this.#rows.length] = cells[index];
    }
  }

  /** @param own how many of the names the payload has itself */
  #columnsOf(names: readonly string[], side: Side, own: number): readonly OpenColumn[] {
    const last = this.#last.get(side);
    if (last?.names === names) return last.columns;
    const columns = names.map((name, index) => {
      const known = this.#columns.get(name);
      if (known !== undefined) return known;
      const column: OpenColumn = { name, side, ...(index >= own && { derived: true }), cells: [] };
      this.#columns.set(name, column);
      return column;
    });
    this.#last.set(side, { names, columns });
    return columns;
  }
}

function pad(cells: Cell[], length: number): void {
  while (cells.length < length) cells.push(undefined);
}
