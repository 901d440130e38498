import { findEmbeddingCauses } from '../../core/evaluate/embedding/embedding-finding.ts';
import { logBinomialDensity } from '../../core/stats/log-density.ts';
import { RandomSource } from './random-source.ts';
import { Contest } from './rivals.ts';
import type { Shift, VectorSource } from './shifts.ts';
import { createTopicSource } from './sources.ts';

/**
 * How often few vectors are flagged in health where a rare class lies far out: the table in
 * docs/statistics/embeddings.md. By the number of rare vectors, each weighed with its binomial probability, since
 * what is flagged once in 100,000 windows cannot be counted by drawing windows. Prints JSON.
 *   node bench/embeddings/few-vectors.ts
 */
const level = 3e-5;
const rule = { rejectedLevel: level, minimumEffect: 0.02, effectLevel: 0.001 };
const [seed, baselineVectors, windows] = [1, 20_000, 100];
/** Distance of the rare class, in standard deviations of an element. */
const distance = 30;
const shares = [0.005, 0.01, 0.02, 0.03, 0.05];
const sizes = [1, 5, 30, 60, 100, 200];

function withRareClass(source: VectorSource, share: number): VectorSource {
  const length = distance * source.elementDeviation;
  return {
    ...source,
    drawClass: (random) => (random.uniform() < share ? -1 : source.drawClass(random)),
    draw: (random, label) => {
      const vector = source.draw(random, label < 0 ? source.drawClass(random) : label);
      if (label < 0) vector[0] = (vector[0] ?? 0) + length;
      return vector;
    },
  };
}

/** The first vectors of a window are rare, the others are not. */
function firstRare(count: number, usual: VectorSource): Shift {
  let drawn = 0;
  return {
    name: `${count} rare`,
    draw: (source, random) => source.draw(random, drawn++ < count ? -1 : usual.drawClass(random)),
  };
}

function flaggedShare(contest: Contest, usual: VectorSource, size: number, rare: number): number {
  let flagged = 0;
  for (let window = 0; window < windows; window++) {
    if (findEmbeddingCauses(contest.compare(firstRare(rare, usual), size), rule).length > 0) flagged++;
  }
  return flagged / windows;
}

const topics = { dimensions: 64, topics: 12, strangers: 0, separation: 0.8, unitLength: false };
const usual = createTopicSource(3, topics);
const result = shares.map((share) => {
  const options = { size: baselineVectors, fitted: 10_000, rivals: false };
  const contest = new Contest(withRareClass(usual, share), new RandomSource(seed), options);
  const rates = sizes.map((size) => {
    let rate = 0;
    for (let rare = 0; rare <= size; rare++) {
      const weight = Math.exp(logBinomialDensity(rare, size, share));
      if (weight > level / 1000) rate += weight * flaggedShare(contest, usual, size, rare);
    }
    return [size, Number(rate.toPrecision(2))] as const;
  });
  return { share, flagged: Object.fromEntries(rates) };
});
process.stdout.write(`${JSON.stringify({ level, seed, baselineVectors, windows, distance, result }, null, 1)}\n`);
