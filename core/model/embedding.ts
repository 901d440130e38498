import { Buffer } from 'node:buffer';
import type { Side } from './record-batch.ts';

/** The frame that a feature of vectors is measured in, fixed by the baseline. */
export interface EmbeddingLayout {
  readonly kind: 'embedding';
  readonly side: Side;
  /** Length of every vector. */
  readonly dimensions: number;
  /** The mean vector: 32-bit little-endian floats in base64. */
  readonly mean: string;
  /** The main axes, one after another, likewise. */
  readonly axes: string;
  /** Standard deviation along each axis. */
  readonly deviations: readonly number[];
  /** Mean and standard deviation of the distance from the space of the main axes. */
  readonly distanceMean: number;
  readonly distanceDeviation: number;
  /** Distances at which a bin begins, ascending. */
  readonly distanceEdges: readonly number[];
}

/** Mergeable summary of a feature of vectors: whole numbers, so that merging is exact. */
export interface EmbeddingSummary {
  readonly kind: 'embedding';
  /** Usable vectors that the sums are of. */
  readonly count: number;
  /** Of a baseline: usable vectors that its frame was fitted to, and that are in no sum. Absent: none. */
  readonly fitted?: number | undefined;
  readonly missing: number;
  /** Vectors of another length, not finite, all zeros, or too long to be measured. */
  readonly invalid: number;
  /** Per main axis Σ of the scores, in 2^−16 standard deviations. */
  readonly scoreSums: readonly number[];
  /** Σ of the standardised distances, likewise. */
  readonly distanceSum: number;
  /** Vectors per bin of the distance. */
  readonly distances: readonly number[];
}

const bytesPerFloat = 4;

/** Numbers as 32-bit little-endian floats in base64. */
export function encodeFloats(values: ArrayLike<number>): string {
  const bytes = Buffer.alloc(values.length * bytesPerFloat);
  for (let index = 0; index < values.length; index++) bytes.writeFloatLE(values[index] ?? 0, index * bytesPerFloat);
  return bytes.toString('base64');
}

/**
 * Reads what `encodeFloats` writes.
 * @throws {SyntaxError} on other text, on another number of floats than expected, and on floats that are not finite
 */
export function decodeFloats(text: string, expected: number): Float32Array {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') !== text || bytes.length !== expected * bytesPerFloat) {
    throw new SyntaxError(`embedding layout: expected ${expected} floats in base64, saw ${text.length} characters`);
  }
  const values = Float32Array.from({ length: expected }, (_, index) => bytes.readFloatLE(index * bytesPerFloat));
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw new SyntaxError(`embedding layout: expected finite floats, saw ${values[bad]} at ${bad}`);
  return values;
}
