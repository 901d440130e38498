import { coarseBinsOf, placeCoarseBins } from '../model/coarse-bins.ts';
import type { Layout } from '../model/layout.ts';
import type { Summary, Window } from '../model/profile.ts';
import type { Trail, TrailingCounts } from '../model/trailing-counts.ts';
import { addCountRuns } from '../stats/count-runs.ts';
import type { Cell } from './cells.ts';
import { extendTrail } from './trail.ts';

/** [slice, its trail], sorted by name. */
export type SliceTrails = readonly (readonly [slice: string, trail: Trail])[];

/**
 * A window's coarse counts of a slice per feature of the baseline's layout, in its order; zeros where the slice has no
 * record.
 * @throws {RangeError} where the counts do not fit the layout.
 */
export function sliceCounts(summary: Summary, slice: string, layout: Layout): readonly (readonly number[])[] {
  const { offsets, bins } = placeCoarseBins(layout);
  const counts = new Float64Array(bins);
  addCountRuns(summary.slices?.find(([name]) => name === slice)?.[1].counts ?? '', counts);
  return layout.features.map(([, feature], position) => {
    const offset = offsets[position] ?? 0;
    return [...counts.subarray(offset, offset + coarseBinsOf(feature))];
  });
}

/**
 * Adds a window to the trail of every slice: `extendTrail` for slices. A slice that is new gets a trail that begins
 * with this window, one that is no longer asked for is dropped.
 * @param layout the baseline's
 */
export function extendSliceTrails(
  previous: SliceTrails | undefined,
  window: Pick<Window, 'start'>,
  summary: Summary,
  layout: Layout,
  slices: readonly string[],
  cell: Cell,
): SliceTrails {
  const known = new Map(previous);
  return [...slices]
    .sort()
    .map((slice) => [slice, extendTrail(known.get(slice), window, sliceCounts(summary, slice, layout), layout, cell)]);
}

/** The trails of one slice among those of a series, in their order. */
export function trailsOfSlice(
  trails: readonly { readonly slices?: SliceTrails | undefined }[],
  slice: string,
): Trail[] {
  return trails.flatMap(({ slices }) => slices?.find(([name]) => name === slice)?.[1] ?? []);
}

/**
 * Trailing counts of some features without those of slices that have no record in common. Stretches are matched by
 * their scale; one that a slice does not have is left out.
 * @param features positions in the layout, in the order wanted
 */
export function stretchesWithout(
  stretches: readonly TrailingCounts[],
  slices: readonly (readonly TrailingCounts[])[],
  features: readonly number[],
): TrailingCounts[] {
  return stretches.flatMap((whole) => {
    const parts = slices.flatMap((slice) => slice.find(({ scale }) => scale === whole.scale) ?? []);
    if (parts.length < slices.length) return [];
    const taken = new Map<Cell, number>();
    for (const part of parts) {
      for (const [cell, records] of part.cells) taken.set(cell, (taken.get(cell) ?? 0) + records);
    }
    const cells = whole.cells
      .map(([cell, records]) => [cell, Math.max(0, records - (taken.get(cell) ?? 0))] as const)
      .filter(([, records]) => records > 0);
    return {
      ...whole,
      cells,
      records: cells.reduce((sum, [, records]) => sum + records, 0),
      counts: features.map((feature) =>
        Float64Array.from(whole.counts[feature] ?? [], (count, bin) =>
          parts.reduce((rest, part) => Math.max(0, rest - (part.counts[feature]?.[bin] ?? 0)), count),
        ),
      ),
    };
  });
}
