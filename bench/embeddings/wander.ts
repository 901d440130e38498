import { measureDifference, mixReference } from '../../core/stats/embedding/compare-sums.ts';
import { mergeEmbeddings } from '../../core/stats/embedding/embedding-sums.ts';
import { estimateEmbeddingWander } from '../../core/stats/embedding/leave-one-out.ts';
import { quadraticUpperTail } from '../../core/stats/embedding/quadratic-test.ts';
import { SumsMaker, units } from '../../test/stats/embedding/made-sums.ts';

/**
 * Size of the tests where days differ in health, with and without the correction for wander: the table in
 * docs/statistics/embeddings.md. Prints JSON. Run: node bench/embeddings/wander.ts
 */
const levels = [0.05, 0.01, 0.001];
const parts = ['shift', 'distance', 'distanceBins'] as const;
const baselines = 16;
const laterDays = 300;
const vectors = 200;

const result = [0, 0.05, 0.15].map((wander) => {
  const rejected = new Map<string, number>();
  for (let baseline = 1; baseline <= baselines; baseline++) {
    const maker = new SumsMaker(baseline * 7 + 1);
    const windows = maker.windows(28, vectors, wander);
    const learned = estimateEmbeddingWander(units, windows, [1])[0]?.[1];
    const reference = mixReference([{ weight: 1, sums: windows.map(({ sums }) => sums).reduce(mergeEmbeddings) }]);
    for (let day = 0; day < laterDays; day++) {
      const offset = { score: wander * maker.normal(), distance: wander * maker.normal() };
      const difference = measureDifference(units, reference, maker.sums(vectors, offset));
      for (const part of parts) {
        const measure = difference[part];
        if (!measure) continue;
        for (const level of levels) {
          const share = 1 / (baselines * laterDays);
          const add = (name: string) => rejected.set(name, (rejected.get(name) ?? 0) + share);
          if (quadraticUpperTail(measure) <= level) add(`${part} uncorrected ${level}`);
          if (quadraticUpperTail(measure, learned?.[part]) <= level) add(`${part} corrected ${level}`);
        }
      }
    }
  }
  const rates = [...rejected].sort().map(([name, rate]) => [name, Number(rate.toFixed(4))] as const);
  return { wander, rates: Object.fromEntries(rates) };
});
process.stdout.write(`${JSON.stringify(result, null, 1)}\n`);
