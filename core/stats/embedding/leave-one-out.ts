import { type EmbeddingDifference, measureDifference, mixReference } from './compare-sums.ts';
import { type EmbeddingSums, mergeEmbeddings, subtractEmbeddings } from './embedding-sums.ts';
import type { EmbeddingUnits } from './projection.ts';
import type { QuadraticMeasure, QuadraticWander } from './quadratic-test.ts';
import { estimateWander } from './wander.ts';

/** A window of the baseline. */
export interface EmbeddingWindow {
  /** Slot of the week that it is compared within; one name for all where the baseline has no cells. */
  readonly cell: string;
  /** The day it belongs to: windows of one day wander together. */
  readonly day: string;
  readonly sums: EmbeddingSums;
}

/** How far each measure wanders in health. */
export interface EmbeddingWander {
  readonly shift: QuadraticWander;
  readonly distance: QuadraticWander;
  readonly distanceBins: QuadraticWander;
}

/** Blocks with fewer vectors say more about their own noise than about the days. */
const minimumVectorsPerBlock = 20;

/**
 * The wander at each scale: blocks of so many windows on end, each compared with what is left of its cells without it.
 * A scale with fewer than twelve such blocks borrows from the largest below it that has them; before the first that
 * has them there is none.
 * @param windows in the order of time
 * @param scales ascending
 */
export function estimateEmbeddingWander(
  units: EmbeddingUnits,
  windows: readonly EmbeddingWindow[],
  scales: readonly number[],
): readonly (readonly [scale: number, wander: EmbeddingWander])[] {
  const cells = sumByCell(windows);
  const found: (readonly [number, EmbeddingWander])[] = [];
  for (const scale of scales) {
    const wander = wanderOfBlocks(units, windows, cells, scale) ?? found.at(-1)?.[1];
    if (wander) found.push([scale, wander]);
  }
  return found;
}

function wanderOfBlocks(
  units: EmbeddingUnits,
  windows: readonly EmbeddingWindow[],
  cells: ReadonlyMap<string, EmbeddingSums>,
  scale: number,
): EmbeddingWander | undefined {
  const differences: EmbeddingDifference[] = [];
  const days = new Set<string>();
  for (let first = 0; first + scale <= windows.length; first += scale) {
    const block = windows.slice(first, first + scale);
    const difference = compareWithRest(units, block, cells);
    if (!difference) continue;
    differences.push(difference);
    for (const { day } of block) days.add(day);
  }
  const stretches = Math.min(days.size, differences.length);
  const wanderOf = (measure: (difference: EmbeddingDifference) => QuadraticMeasure | undefined) =>
    estimateWander(
      differences.flatMap((difference) => measure(difference) ?? []),
      stretches,
    );
  const shift = wanderOf((difference) => difference.shift);
  const distance = wanderOf((difference) => difference.distance);
  const distanceBins = wanderOf((difference) => difference.distanceBins);
  if (!shift && !distance && !distanceBins) return undefined;
  const none = { mean: 0, variance: 0 };
  return { shift: shift ?? none, distance: distance ?? none, distanceBins: distanceBins ?? none };
}

function compareWithRest(
  units: EmbeddingUnits,
  block: readonly EmbeddingWindow[],
  cells: ReadonlyMap<string, EmbeddingSums>,
): EmbeddingDifference | undefined {
  const [first, ...others] = block;
  if (!first) return undefined;
  const whole = others.reduce((sum, { sums }) => mergeEmbeddings(sum, sums), first.sums);
  if (whole.count < minimumVectorsPerBlock) return undefined;
  const parts = [...sumByCell(block)].flatMap(([cell, own]) => {
    const all = cells.get(cell);
    return all ? [{ weight: own.count, sums: subtractEmbeddings(all, own) }] : [];
  });
  const reference = mixReference(parts);
  return reference.size > 0 ? measureDifference(units, reference, whole) : undefined;
}

function sumByCell(windows: readonly EmbeddingWindow[]): Map<string, EmbeddingSums> {
  const cells = new Map<string, EmbeddingSums>();
  for (const { cell, sums } of windows) {
    const known = cells.get(cell);
    cells.set(cell, known ? mergeEmbeddings(known, sums) : sums);
  }
  return cells;
}
