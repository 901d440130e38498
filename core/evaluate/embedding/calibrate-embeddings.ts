import type { Baseline } from '../../model/baseline.ts';
import type { Calendar } from '../../model/calendar.ts';
import type { EmbeddingLayout } from '../../model/embedding.ts';
import { mixReference } from '../../stats/embedding/compare-sums.ts';
import { type EmbeddingSums, emptySums, mergeEmbeddings, unflattenSums } from '../../stats/embedding/embedding-sums.ts';
import { type EmbeddingWander, estimateEmbeddingWander } from '../../stats/embedding/leave-one-out.ts';
import { type Calibration, isOfOwnWindows } from '../calibration.ts';
import { createWindowSet } from '../window-set.ts';

/** What is expected of an embedding, by group of cells, and how far it wanders in health. */
export interface EmbeddingCalibration {
  readonly name: string;
  readonly layout: EmbeddingLayout;
  /** By the calibration's number of the group; empty: compared with all vectors, whatever the hour. */
  readonly groups: ReadonlyMap<number, EmbeddingSums>;
  readonly total: EmbeddingSums;
  /** Ascending by scale; empty: nothing is known of it. */
  readonly wander: readonly (readonly [scale: number, wander: EmbeddingWander])[];
}

/** Windows seen live. */
export interface LearnedEmbeddings {
  /** Milliseconds since the epoch, ascending. */
  readonly starts: readonly number[];
  /** Per embedding and window: sums as one row. */
  readonly rows: ReadonlyMap<string, readonly (readonly number[])[]>;
  /** Features whose baseline these windows are. */
  readonly replaces: ReadonlySet<string>;
}

export interface EmbeddingCalibrationOptions {
  readonly calendar: Calendar;
  readonly learned?: LearnedEmbeddings | undefined;
}

/**
 * Prepares the embeddings of a baseline for judging, by the same hours and days as its other features. Where the
 * calibration does not use the baseline's windows, vectors are compared with all of the baseline's, and the wander is that
 * of live windows, if there are any.
 * @param calibration of the same baseline: `calibrate`
 */
export function calibrateEmbeddings(
  baseline: Baseline,
  calibration: Calibration,
  { calendar, learned }: EmbeddingCalibrationOptions,
): readonly EmbeddingCalibration[] {
  const known = new Map(baseline.features);
  return baseline.layout.features.flatMap(([name, layout]) => {
    const feature = known.get(name);
    if (layout.kind !== 'embedding' || feature?.summary.kind !== 'embedding') return [];
    const live = learned?.rows.get(name);
    const livesOn = live !== undefined && live.length === learned?.starts.length;
    const read = (row: readonly number[]) => unflattenSums(row, layout.deviations.length);
    const wanderOf = (starts: readonly number[], sums: readonly EmbeddingSums[], groupOf: (cell: string) => number) => {
      const records = sums.map(({ count }) => count);
      const set = createWindowSet(starts, records, calibration.windowSeconds, calendar);
      const windows = sums.map((each, window) => ({
        cell: String(groupOf(set.cells[window] ?? '')),
        day: String(set.days[window] ?? 0),
        sums: each,
      }));
      return { wander: estimateEmbeddingWander(layout, windows, calibration.scales), cells: set.cells };
    };
    if (livesOn && learned.replaces.has(name)) {
      const sums = live.map(read);
      const { wander } = wanderOf(learned.starts, sums, () => 0);
      const none = emptySums(layout.deviations.length, layout.distanceEdges.length + 1);
      return [{ name, layout, groups: new Map(), total: sums.reduce(mergeEmbeddings, none), wander }];
    }
    const { summary: total, embeddingWindows } = feature;
    const usesOwn = isOfOwnWindows(calibration);
    if (usesOwn && baseline.time && embeddingWindows?.length === baseline.time.windows.length) {
      const { groups: cellGroups } = calibration;
      const groupOf = (cell: string) => cellGroups.indexOf(cell) ?? cellGroups.size;
      const sums = embeddingWindows.map(read);
      const starts = baseline.time.windows.map(([start]) => Date.parse(start));
      const { wander, cells } = wanderOf(starts, sums, groupOf);
      const groups = new Map<number, EmbeddingSums>();
      sums.forEach((each, window) => {
        const group = groupOf(cells[window] ?? '');
        const sofar = groups.get(group);
        groups.set(group, sofar ? mergeEmbeddings(sofar, each) : each);
      });
      return [{ name, layout, groups, total, wander }];
    }
    const wander = livesOn ? wanderOf(learned.starts, live.map(read), () => 0).wander : [];
    return [{ name, layout, groups: new Map(), total, wander }];
  });
}

/** The baseline without regard to hours and to what is ordinary between them. */
export function embeddingsOfBaseline(baseline: Baseline): readonly EmbeddingCalibration[] {
  const known = new Map(baseline.features);
  return baseline.layout.features.flatMap(([name, layout]) => {
    const total = known.get(name)?.summary;
    if (layout.kind !== 'embedding' || total?.kind !== 'embedding') return [];
    return [{ name, layout, groups: new Map(), total, wander: [] }];
  });
}

/** What a stretch is compared with: the baseline's hours in the shares that the stretch has them. */
export function referenceOf(
  { groups, total }: EmbeddingCalibration,
  cells: readonly (readonly [cell: string, records: number])[],
  cellGroups: Pick<Calibration['groups'], 'indexOf'> | undefined,
) {
  if (groups.size === 0 || !cellGroups) return mixReference([{ weight: 1, sums: total }]);
  const weights = new Map<number, number>();
  for (const [cell, records] of cells) {
    const group = cellGroups.indexOf(cell) ?? -1;
    weights.set(group, (weights.get(group) ?? 0) + records);
  }
  const parts = [...weights].map(([group, weight]) => {
    const own = groups.get(group);
    // Hours that the baseline never saw are compared with the baseline as a whole.
    return { weight, sums: own && own.count > 0 ? own : total };
  });
  return mixReference(parts.length > 0 ? parts : [{ weight: 1, sums: total }]);
}
