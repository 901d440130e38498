import { compareEmbedding, type EmbeddingRule } from '../../../core/evaluate/embedding/compare-embedding.ts';
import { type EmbeddingLayout, type EmbeddingSummary, encodeFloats } from '../../../core/model/embedding.ts';
import { type EmbeddingReference, mixReference } from '../../../core/stats/embedding/compare-sums.ts';
import { EmbeddingCounter } from '../../../core/stats/embedding/embedding-sums.ts';
import { projectionOf, VectorMaker } from '../../stats/embedding/made-vectors.ts';

const maker = new VectorMaker(21);
const projection = projectionOf(maker, 1500);

export const layout: EmbeddingLayout = {
  kind: 'embedding',
  side: 'input',
  dimensions: projection.dimensions,
  mean: encodeFloats(projection.mean),
  axes: encodeFloats(projection.axes),
  deviations: projection.deviations,
  distanceMean: projection.distanceMean,
  distanceDeviation: projection.distanceDeviation,
  distanceEdges: projection.distanceEdges,
};

export function summaryOf(vectors: readonly (readonly unknown[] | null)[]): EmbeddingSummary {
  const counter = new EmbeddingCounter(projection);
  for (const vector of vectors) counter.addVector(vector);
  return { kind: 'embedding', ...counter.finish() };
}

export const baseline = summaryOf(maker.many(6000));
export const reference: EmbeddingReference = mixReference([{ weight: 1, sums: baseline }]);

export function compare(
  vectors: readonly (readonly unknown[] | null)[],
  rule: EmbeddingRule = { minimumEffect: 0.02 },
) {
  return compareEmbedding(layout, reference, summaryOf(vectors), rule);
}

export { maker, VectorMaker };
