import type { Calendar } from '../model/calendar.ts';
import { type CellGroups, type CellScheme, groupCells } from './cell-groups.ts';
import { type Cell, createCellReader } from './cells.ts';

const dayMilliseconds = 86_400_000;

/** Windows that normal behaviour is learned from, ascending in time. */
export interface WindowSet {
  /** Milliseconds since the epoch. */
  readonly starts: readonly number[];
  readonly records: Float64Array;
  readonly cells: readonly Cell[];
  /** Number of the time slot, counted from the local midnight at or before the first window. */
  readonly slots: Int32Array;
  /** Number of the local day. */
  readonly days: Int32Array;
  /** Days that have a window. */
  readonly dayCount: number;
  /** From the first window's start to the last one's end. */
  readonly spanDays: number;
  readonly windowMilliseconds: number;
}

/** @throws {RangeError} where starts are not ascending or do not match the records. */
export function createWindowSet(
  starts: readonly number[],
  records: ArrayLike<number>,
  windowSeconds: number,
  calendar: Calendar,
): WindowSet {
  const windowMilliseconds = windowSeconds * 1000;
  if (starts.length !== records.length) {
    throw new RangeError(`windows: expected the records of ${starts.length} windows, saw ${records.length}`);
  }
  starts.forEach((start, index) => {
    if (index > 0 && !(start > (starts[index - 1] ?? start))) {
      throw new RangeError(`windows: expected ascending starts, saw ${start} at ${index}`);
    }
  });
  const readCell = createCellReader(calendar);
  const cells = starts.map(readCell);
  const first = starts[0] ?? 0;
  const last = starts.at(-1) ?? first;
  const localHour = Number(cells[0]?.slice(0, 2) ?? 0);
  const midnight = Math.floor(first / 3_600_000) * 3_600_000 - localHour * 3_600_000;
  const days = Int32Array.from(starts, (start) => Math.floor((start - midnight) / dayMilliseconds));
  return {
    starts,
    records: Float64Array.from(records),
    cells,
    slots: Int32Array.from(starts, (start) => Math.round((start - midnight) / windowMilliseconds)),
    days,
    dayCount: new Set(days).size,
    spanDays: starts.length === 0 ? 0 : (last + windowMilliseconds - first) / dayMilliseconds,
    windowMilliseconds,
  };
}

/** A stretch of windows and what it is to be compared with: its cells, without the days that it lies in. */
export interface HeldOutBlock {
  /** Windows [from, to) of the set. */
  readonly from: number;
  readonly to: number;
  /** Groups of cells in it, their share of its records, and the records that they hold elsewhere. */
  readonly groups: readonly HeldOutGroup[];
  /** What the expectation is worth in records. */
  readonly effectiveSize: number;
}

export interface HeldOutGroup {
  readonly group: number;
  readonly weight: number;
  /** Records of the group outside the block's days. */
  readonly records: number;
  /** Windows of the group in the block's days. */
  readonly removed: readonly number[];
}

/** The windows of a set sorted into groups of cells. */
export interface GroupedWindows {
  readonly windows: WindowSet;
  readonly groups: CellGroups;
  readonly groupOf: Int32Array;
  /** Records per group. */
  readonly records: Float64Array;
}

export function groupWindows(windows: WindowSet, scheme: CellScheme): GroupedWindows {
  const groups = groupCells(windows.cells, windows.records, scheme);
  const groupOf = Int32Array.from(windows.cells, (cell) => groups.indexOf(cell) ?? 0);
  const records = new Float64Array(groups.size);
  groupOf.forEach((group, window) => {
    records[group] = (records[group] ?? 0) + (windows.records[window] ?? 0);
  });
  return { windows, groups, groupOf, records };
}

/**
 * Cuts windows into blocks of `scale` consecutive time slots, the first beginning at local midnight plus `phase`
 * slots, and says for each what the rest of the data expects of it. A block is held out together with the whole days
 * it touches: what wanders from day to day must not stand on both sides. Blocks that reach beyond the data's ends, that
 * hold no record, or whose cells occur on no other day are left out.
 */
export function holdOutBlocks(grouped: GroupedWindows, scale: number, phase: number): readonly HeldOutBlock[] {
  const { windows } = grouped;
  const { slots, days } = windows;
  const keepDays = windows.dayCount < 3;
  const byGroupAndDay = new Map<string, number[]>();
  for (const [window, group] of grouped.groupOf.entries()) {
    const key = `${group} ${days[window]}`;
    const known = byGroupAndDay.get(key);
    if (known) known.push(window);
    else byGroupAndDay.set(key, [window]);
  }
  const blocks: HeldOutBlock[] = [];
  const firstSlot = slots[0] ?? 0;
  const lastSlot = slots.at(-1) ?? -1;
  let from = 0;
  for (let start = phase; start + scale <= lastSlot + 1; start += scale) {
    if (start < firstSlot) continue;
    while (from < slots.length && (slots[from] ?? 0) < start) from++;
    let to = from;
    while (to < slots.length && (slots[to] ?? 0) < start + scale) to++;
    const block = describeBlock(grouped, from, to, keepDays ? undefined : byGroupAndDay);
    if (block) blocks.push(block);
    from = to;
  }
  return blocks;
}

function describeBlock(
  { windows, groupOf, records }: GroupedWindows,
  from: number,
  to: number,
  byGroupAndDay: ReadonlyMap<string, readonly number[]> | undefined,
): HeldOutBlock | undefined {
  const inGroups = new Map<number, number>();
  const own = new Map<number, number[]>();
  const days = new Set<number>();
  let total = 0;
  for (let window = from; window < to; window++) {
    const group = groupOf[window] ?? 0;
    const here = windows.records[window] ?? 0;
    inGroups.set(group, (inGroups.get(group) ?? 0) + here);
    own.set(group, [...(own.get(group) ?? []), window]);
    days.add(windows.days[window] ?? 0);
    total += here;
  }
  if (!(total > 0)) return undefined;
  let uncertainty = 0;
  const groups: HeldOutGroup[] = [];
  for (const [group, here] of inGroups) {
    const removed = byGroupAndDay
      ? [...days].flatMap((day) => byGroupAndDay.get(`${group} ${day}`) ?? [])
      : (own.get(group) ?? []);
    const left = removed.reduce((sum, window) => sum - (windows.records[window] ?? 0), records[group] ?? 0);
    if (here > 0 && !(left > 0)) return undefined;
    if (!(here > 0)) continue;
    const weight = here / total;
    uncertainty += (weight * weight) / left;
    groups.push({ group, weight, records: left, removed });
  }
  return { from, to, groups, effectiveSize: 1 / uncertainty };
}
