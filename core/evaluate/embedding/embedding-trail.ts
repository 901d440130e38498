import type { Layout } from '../../model/layout.ts';
import type { Summary } from '../../model/profile.ts';
import type { Trail, TrailingCounts } from '../../model/trailing-counts.ts';
import { type EmbeddingSums, emptySums, flattenSums, unflattenSums } from '../../stats/embedding/embedding-sums.ts';

/** [embedding, the sums of its vectors as one row (`flattenSums`)], in the order of the layout. */
export type EmbeddingRows = readonly (readonly [feature: string, row: readonly number[]])[];

/** A series' trail with the sums of its embeddings, cumulated like its counts. */
export interface EmbeddedTrail extends Pick<Trail, 'windowStart'> {
  readonly embeddings?: EmbeddingRows | undefined;
}

/** The sums of a window's vectors; zeros for an embedding that was not counted. */
function embeddingRows(summary: Summary, layout: Layout): EmbeddingRows {
  const known = new Map(summary.features);
  return layout.features.flatMap(([name, feature]) => {
    if (feature.kind !== 'embedding') return [];
    const current = known.get(name);
    const sums =
      current?.kind === 'embedding' ? current : emptySums(feature.deviations.length, feature.distanceEdges.length + 1);
    return [[name, flattenSums(sums)] as const];
  });
}

/** Adds a window to the cumulated sums; undefined where the layout has no embedding. */
export function extendEmbeddings(
  previous: EmbeddingRows | undefined,
  summary: Summary,
  layout: Layout,
): EmbeddingRows | undefined {
  const known = new Map(previous);
  const rows = embeddingRows(summary, layout).map(([name, row]) => [name, add(row, known.get(name), 1)] as const);
  return rows.length > 0 ? rows : undefined;
}

/** The sums of a trailing stretch of windows, of which the counts are known. */
export interface EmbeddingStretch extends Omit<TrailingCounts, 'counts'> {
  readonly sums: ReadonlyMap<string, EmbeddingSums>;
}

/**
 * The sums of stretches that end with a trail: it less the newest of the earlier trails that lies before the stretch, as
 * `trailingCounts` does with the counts.
 */
export function trailingEmbeddings(
  now: EmbeddingRows,
  earlier: readonly EmbeddedTrail[],
  stretches: readonly TrailingCounts[],
  layout: Layout,
): readonly EmbeddingStretch[] {
  const layouts = new Map(layout.features);
  return stretches.map((stretch) => {
    const { scale, start, end, windows, records, cells } = stretch;
    let border: EmbeddedTrail | undefined;
    for (const trail of earlier) {
      if (trail.windowStart < start && (!border || trail.windowStart > border.windowStart)) border = trail;
    }
    const before = new Map(border?.embeddings);
    const sums = now.flatMap(([name, row]) => {
      const feature = layouts.get(name);
      if (feature?.kind !== 'embedding') return [];
      return [[name, unflattenSums(add(row, before.get(name), -1), feature.deviations.length)] as const];
    });
    return { scale, start, end, windows, records, cells, sums: new Map(sums) };
  });
}

/** Rows of each embedding, window by window: those of the windows that `windowsOfTrails` finds. */
export function embeddingsOfTrails(
  trails: readonly (EmbeddedTrail & Pick<Trail, 'windows' | 'cells'>)[],
): ReadonlyMap<string, readonly (readonly number[])[]> {
  const ordered = [...trails].sort((a, b) => a.windowStart - b.windowStart);
  const rows = new Map<string, (readonly number[])[]>();
  ordered.forEach((trail, index) => {
    const before = ordered[index - 1];
    if (trail.windows !== (before?.windows ?? 0) + 1) return;
    const records = new Map(before?.cells);
    if (trail.cells.every(([cell, count]) => records.get(cell) === count)) return;
    const known = new Map(before?.embeddings);
    for (const [name, row] of trail.embeddings ?? []) {
      const list = rows.get(name) ?? [];
      list.push(add(row, known.get(name), -1));
      rows.set(name, list);
    }
  });
  return rows;
}

/** Sums of scores may be negative: nothing is held at 0. */
function add(row: readonly number[], other: readonly number[] | undefined, sign: 1 | -1): readonly number[] {
  return other ? row.map((value, index) => value + sign * (other[index] ?? 0) + 0) : row;
}
