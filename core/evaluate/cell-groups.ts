import type { Cell } from './cells.ts';

/** Whether a baseline is long enough to tell the cells of the week apart. */
export type CellScheme = 'hours and weekends' | 'none';

/** Records that a cell should hold at least, so that its shares are worth something. */
const minimumCellRecords = 200;
/** Widths, in hours, that cells may be widened to; each divides the day. */
const widths = [1, 2, 3, 4, 6, 8, 12, 24] as const;

/** Cells of the week, grouped until a group holds enough records. */
export interface CellGroups {
  /** Hours per group. */
  readonly hours: number;
  readonly scheme: CellScheme;
  /** The group of a cell; undefined: the baseline has none of it. */
  indexOf(cell: Cell): number | undefined;
  readonly size: number;
}

/**
 * Groups the cells that the given windows lie in. Where traffic is thin neighbouring hours share a cell, because a
 * share of a few records is no expectation: groups are widened until they hold 200 records on average.
 * @param cells the windows' cells
 * @param records the windows' records
 */
export function groupCells(cells: readonly Cell[], records: ArrayLike<number>, scheme: CellScheme): CellGroups {
  let total = 0;
  for (let window = 0; window < records.length; window++) total += records[window] ?? 0;
  for (const hours of widths) {
    const keyOf = (cell: Cell) => keyOfCell(cell, hours, scheme);
    const keys = [...new Set(cells.map(keyOf))].sort();
    if (total / Math.max(keys.length, 1) < minimumCellRecords && hours < 24 && scheme !== 'none') continue;
    const index = new Map(keys.map((key, position) => [key, position]));
    return { hours, scheme, size: keys.length, indexOf: (cell) => index.get(keyOf(cell)) };
  }
  return { hours: 24, scheme: 'none', size: 1, indexOf: () => 0 };
}

function keyOfCell(cell: Cell, hours: number, scheme: CellScheme): string {
  if (scheme === 'none') return '';
  const [hour = '', kind = ''] = cell.split('|');
  const group = String(Math.floor(Number(hour) / hours)).padStart(2, '0');
  return `${group}|${kind}`;
}
