import { decodeFloats, type EmbeddingLayout, encodeFloats } from '../model/embedding.ts';
import type { Cell, Side } from '../model/record-batch.ts';
import { createProjection, type EmbeddingProjection } from '../stats/embedding/projection.ts';

/** Frames by their layout, which never changes: reading one takes milliseconds, and every window is counted with it. */
const known = new WeakMap<EmbeddingLayout, EmbeddingProjection>();

/**
 * The frame that a layout keeps.
 * @throws {SyntaxError} on text that is none, {RangeError} on parts that do not fit together
 */
export function frameOf(layout: EmbeddingLayout): EmbeddingProjection {
  const found = known.get(layout);
  if (found) return found;
  const { dimensions, deviations } = layout;
  const frame = createProjection({
    ...layout,
    mean: decodeFloats(layout.mean, dimensions),
    axes: decodeFloats(layout.axes, dimensions * deviations.length),
  });
  known.set(layout, frame);
  return frame;
}

/** A frame as a layout keeps it. */
export function layoutOfFrame(frame: EmbeddingProjection, side: Side): EmbeddingLayout {
  const { dimensions, deviations, distanceMean, distanceDeviation, distanceEdges } = frame;
  return {
    kind: 'embedding',
    side,
    dimensions,
    mean: encodeFloats(frame.mean),
    axes: encodeFloats(frame.axes),
    deviations,
    distanceMean,
    distanceDeviation,
    distanceEdges,
  };
}

/** The vector in a cell: null where it is missing, empty where the cell holds something else. */
export function vectorOf(cell: Cell): readonly number[] | null {
  if (cell === null || cell === undefined || cell === '') return null;
  return typeof cell === 'object' ? (cell.values ?? []) : [];
}
