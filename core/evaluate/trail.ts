import type { FeatureLayout, Layout } from '../model/layout.ts';
import type { FeatureSummary, Summary, Window } from '../model/profile.ts';
import type { Trail, TrailingCounts } from '../model/trailing-counts.ts';
import { histogramBins } from '../stats/log-linear-histogram.ts';
import type { Cell } from './cells.ts';
import { presenceOf } from './embedding/presence.ts';

/**
 * A window's counts of one feature in the coarse bins of its layout, in the order of `Baseline.binCounts`: the bins of
 * a numeric feature, then missing; the categories of a categorical one, then unseen, then missing; present, then
 * missing of a column that is only counted; usable vectors, then other records of an embedding. A summary of another kind than the layout has only its missing values.
 */
export function binCountsOf(summary: FeatureSummary, layout: FeatureLayout): number[] {
  if (layout.kind === 'numeric') {
    const bins = summary.kind === 'numeric' ? histogramBins(summary.buckets, layout.binEdges) : [];
    return [...layout.binEdges, 0].map((_, bin) => bins[bin] ?? 0).concat(summary.missing);
  }
  if (layout.kind === 'categorical') {
    const counts = new Array<number>(layout.categories.length + 2).fill(0);
    if (summary.kind === 'categorical') {
      for (const [index, count] of summary.categories)
        if (index >= 0 && index < counts.length - 2) counts[index] = count;
      counts[counts.length - 2] = summary.unseen;
    }
    counts[counts.length - 1] = summary.missing;
    return counts;
  }
  const { count, missing } = presenceOf(summary);
  return [count, missing];
}

/** The coarse counts of every feature of a layout; a feature that the summary does not know is missing throughout. */
export function countsOfSummary(summary: Summary, layout: Layout): number[][] {
  const known = new Map(summary.features);
  return layout.features.map(([name, feature]) => {
    const rows = summary.records.counted;
    return binCountsOf(known.get(name) ?? { kind: 'opaque', count: 0, missing: rows }, feature);
  });
}

/**
 * Adds a window to a series' trail.
 * @param previous the trail up to the window before it; undefined at the beginning
 * @param window the window judged; it must be later than all that is in the trail
 * @param counts its summary, or its counts per feature in the layout's order
 * @param cell the window's cell: `cellOfWindow`
 * @throws {RangeError} where the window is not newer than the trail, or the counts do not fit the layout.
 */
export function extendTrail(
  previous: Trail | undefined,
  window: Pick<Window, 'start'>,
  counts: Summary | readonly (readonly number[])[],
  layout: Layout,
  cell: Cell,
): Trail {
  if (previous && !(window.start > previous.windowStart)) {
    throw new RangeError(`trail: expected a window that starts after ${previous.windowStart}, saw ${window.start}`);
  }
  const isSummary = 'records' in counts;
  const added = isSummary ? countsOfSummary(counts, layout) : counts;
  const before = previous?.counts;
  if (added.length !== layout.features.length || (before !== undefined && before.length !== added.length)) {
    throw new RangeError(
      `trail: expected the counts of ${layout.features.length} features, saw ${added.length} and ${before?.length ?? 0} before`,
    );
  }
  const records = isSummary ? counts.records.counted : Math.max(0, ...added.map(sum));
  return {
    schema: 'tidewatch.trail/1',
    windowStart: window.start,
    windows: (previous?.windows ?? 0) + 1,
    cells: addToCell(previous?.cells ?? [], cell, records),
    counts: added.map((row, feature) => {
      const sofar = before?.[feature];
      if (sofar && sofar.length !== row.length) {
        throw new RangeError(
          `trail: expected ${sofar.length} bins of feature ${layout.features[feature]?.[0] ?? feature}, saw ${row.length}`,
        );
      }
      return row.map((count, bin) => count + (sofar?.[bin] ?? 0));
    }),
  };
}

/**
 * Where the stretches that end with a window begin: for each, the newest trail that lies wholly before it is needed,
 * that is, the newest whose `windowStart` is at or before the time given here, less one window. Ascending, no repeats.
 */
export function trailBorders(windowStart: number, scales: readonly number[], windowMilliseconds: number): number[] {
  const borders = new Set(scales.map((scale) => windowStart - scale * windowMilliseconds));
  return [...borders].sort((a, b) => a - b);
}

/**
 * The counts of each trailing stretch that ends with the newest window of a trail: differences of cumulated counts, so
 * that a long stretch costs as much as a short one. A stretch of k windows is the last k time slots: those in which
 * nothing was judged are not made up for. Of `earlier` the newest trail that begins before a stretch is subtracted
 * (`trailBorders` says which are needed); where there is none, the series began within the stretch.
 * @param now the trail that ends with the window judged
 * @param earlier trails of the same series, in any order
 */
export function trailingCounts(
  now: Trail,
  earlier: readonly Trail[],
  scales: readonly number[],
  windowMilliseconds: number,
): TrailingCounts[] {
  const end = now.windowStart + windowMilliseconds;
  return scales.map((scale) => {
    const start = end - scale * windowMilliseconds;
    let border: Trail | undefined;
    for (const trail of earlier) {
      if (trail.windowStart < start && (!border || trail.windowStart > border.windowStart)) border = trail;
    }
    const before = new Map(border?.cells);
    const cells = now.cells
      .map(([cell, records]) => [cell, Math.max(0, records - (before.get(cell) ?? 0))] as const)
      .filter(([, records]) => records > 0);
    return {
      scale,
      start,
      end,
      windows: now.windows - (border?.windows ?? 0),
      records: cells.reduce((total, [, records]) => total + records, 0),
      cells,
      counts: now.counts.map((row, feature) => subtract(row, border?.counts[feature])),
    };
  });
}

function subtract(row: readonly number[], before: readonly number[] | undefined): Float64Array {
  const counts = Float64Array.from(row);
  if (before)
    for (let bin = 0; bin < counts.length; bin++) counts[bin] = Math.max(0, (counts[bin] ?? 0) - (before[bin] ?? 0));
  return counts;
}

function addToCell(cells: Trail['cells'], cell: Cell, records: number): Trail['cells'] {
  const counts = new Map(cells);
  counts.set(cell, (counts.get(cell) ?? 0) + records);
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
}

function sum(row: readonly number[]): number {
  let total = 0;
  for (const count of row) total += count;
  return total;
}

/** Counts of one judged window, as two trails in a row show them. */
export interface TrailWindow {
  /** Milliseconds since the epoch. */
  readonly start: number;
  readonly cell: Cell;
  readonly records: number;
  /** Per feature of the layout, in the layout's order. */
  readonly counts: readonly ArrayLike<number>[];
}

/**
 * The windows between the trails of one series: each trail less the one before it. A trail whose neighbour is not
 * given (more than one window was added) is left out, but for the very first of the series.
 * @param trails in any order
 */
export function windowsOfTrails(trails: readonly Trail[]): TrailWindow[] {
  const ordered = [...trails].sort((a, b) => a.windowStart - b.windowStart);
  return ordered.flatMap((trail, index) => {
    const before = ordered[index - 1];
    if (trail.windows !== (before?.windows ?? 0) + 1) return [];
    const known = new Map(before?.cells);
    const added = trail.cells.find(([cell, records]) => records !== known.get(cell));
    if (!added) return [];
    const [cell, records] = added;
    return {
      start: trail.windowStart,
      cell,
      records: records - (known.get(cell) ?? 0),
      counts: trail.counts.map((row, feature) => subtract(row, before?.counts[feature])),
    };
  });
}
