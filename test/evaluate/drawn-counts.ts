import type { Baseline } from '../../core/model/baseline.ts';
import type { Layout } from '../../core/model/layout.ts';
import { drawNormal } from './synthetic-model.ts';

const edges = [-1.28, -0.84, -0.52, -0.25, 0, 0.25, 0.52, 0.84, 1.28];

/** Two numeric features in ten bins, and no value missing. */
export const layout: Layout = {
  schema: 'tidewatch.layout/1',
  features: ['a', 'b'].map((name) => [
    name,
    { kind: 'numeric', side: 'input', centre: 0, unit: 1, binEdges: edges.map((_, bin) => bin + 1) },
  ]),
  leftOut: [],
};

/** Coarse counts of records of which `a` is normal about `shift`, and `b` about 0. */
export function countsOf(random: () => number, records: number, shift: number): number[][] {
  return [shift, 0].map((mean) => {
    const counts = new Array<number>(edges.length + 2).fill(0);
    for (let record = 0; record < records; record++) {
      const value = mean + drawNormal(random);
      const bin = edges.filter((edge) => edge <= value).length;
      counts[bin] = (counts[bin] ?? 0) + 1;
    }
    return counts;
  });
}

/** A baseline without times. */
export function baselineOf(random: () => number, records: number): Baseline {
  const counts = countsOf(random, records, 0);
  return {
    schema: 'tidewatch.baseline/1',
    sha256: '',
    layout,
    layoutId: '',
    records,
    quarantined: 0,
    features: layout.features.map(([name], position) => [
      name,
      {
        kind: 'numeric',
        summary: {
          kind: 'numeric',
          count: records,
          missing: 0,
          sum: '0',
          sumOfSquares: '0',
          buckets: (counts[position] ?? []).slice(0, -1).map((count, bin) => [bin, count] as const),
        },
        distinct: records,
        singletons: 0,
        rare: 0,
      },
    ]),
    notes: [],
  };
}
