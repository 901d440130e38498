import { compareNames } from './names.ts';

/** At most this many names of unexpected columns are kept; the rest are counted together under "(more)". */
export const maximumExtraColumns = 100;
/** The name under which further unexpected columns are counted together. */
export const moreColumns = '(more)';
/** Longer names are not kept: they are as likely content as names. */
const maximumNameLength = 256;

type ColumnCounts = readonly (readonly [column: string, rows: number])[];

/**
 * Counts the rows of unexpected columns by name, in bounded memory. The first names in order are kept, because only
 * that choice is the same for every order and batching of the records.
 */
export class ExtraColumnCounter {
  #counts = new Map<string, number>();

  add(name: string, rows: number): void {
    const key = name.length <= maximumNameLength ? name : moreColumns;
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + rows);
    // Cut back only now and then: a sort for each new name would be a way to slow us down.
    if (this.#counts.size > 4 * maximumExtraColumns) this.#counts = new Map(this.finish());
  }

  /** Sorted by name. */
  finish(): ColumnCounts {
    return capColumns([...this.#counts].sort(([a], [b]) => compareNames(a, b)));
  }
}

/** Keeps the first names in order, so that the result doesn't depend on the order of merging. */
export function capColumns(columns: ColumnCounts): ColumnCounts {
  const named = columns.filter(([name]) => name !== moreColumns);
  if (named.length <= maximumExtraColumns) return columns;
  const dropped = named.slice(maximumExtraColumns).reduce((sum, [, rows]) => sum + rows, 0);
  const before = columns.find(([name]) => name === moreColumns)?.[1] ?? 0;
  const more = [moreColumns, before + dropped] as const;
  return [...named.slice(0, maximumExtraColumns), more].sort(([a], [b]) => compareNames(a, b));
}
