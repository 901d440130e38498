import { sortSample, visitSteps } from './raw-sample.ts';

export interface CramerVonMisesTest {
  /** Anderson's T: (n·m/(n + m)²)·Σ(F − G)² over the pooled values. */
  readonly statistic: number;
  readonly pValue: number;
}

/**
 * Two-sample Cramér–von Mises test on raw samples; equal values get their middle rank. The p-value is the limit
 * distribution's tail at T brought to the limit's mean and variance (Anderson, "On the distribution of the two-sample
 * Cramér–von Mises criterion", 1962), as `scipy.stats.cramervonmises_2samp(method="asymptotic")`. It takes no account
 * of ties and is rough below some 10 values a side. An empty sample gives statistic 0, p-value 1. Throws on NaN.
 */
export function cramerVonMisesTest(x: ArrayLike<number>, y: ArrayLike<number>): CramerVonMisesTest {
  const [n, m] = [x.length, y.length];
  if (n === 0 || m === 0) return { statistic: 0, pValue: 1 };
  const total = n + m;
  let rankSumX = 0;
  let rankSumY = 0;
  let [beforeX, beforeY] = [0, 0];
  visitSteps(sortSample(x), sortSample(y), (_value, atMostX, atMostY) => {
    const middleRank = (beforeX + beforeY + atMostX + atMostY + 1) / 2;
    for (let i = beforeX; i < atMostX; i++) rankSumX += (middleRank - i - 1) ** 2;
    for (let j = beforeY; j < atMostY; j++) rankSumY += (middleRank - j - 1) ** 2;
    [beforeX, beforeY] = [atMostX, atMostY];
  });
  const product = n * m;
  const statistic = (n * rankSumX + m * rankSumY) / (product * total) - (4 * product - 1) / (6 * total);
  const mean = (1 + 1 / total) / 6;
  const spread = 4 * product * total - 3 * (n * n + m * m) - 2 * product;
  const variance = ((total + 1) * spread) / (45 * total * total * 4 * product);
  const atLimit = 1 / 6 + (statistic - mean) / Math.sqrt(45 * variance);
  // One value a side: T can take one value only.
  return { statistic, pValue: variance > 0 ? cramerVonMisesUpperTail(atLimit) : 1 };
}

/**
 * P(ω² ≥ x), ω² the limit of the Cramér–von Mises statistic, Σ Z²/(kπ)². Smirnov's integral: its sum over the arches of
 * the sine alternates with falling terms, so small tails keep their digits: relative error below 1e-9 down to 1e-300.
 */
export function cramerVonMisesUpperTail(x: number): number {
  if (Number.isNaN(x)) throw new RangeError('cramer-von mises: expected a number, saw NaN');
  // Below this the tail is 1 to the last bit, and the sum below would converge slowly.
  if (x <= 0.004) return 1;
  let sum = 0;
  for (let arch = 1; ; arch++) {
    const term = integrateArch(x, (2 * arch - 1) * Math.PI);
    sum += arch % 2 === 1 ? term : -term;
    if (term <= sum * 1e-17) break;
  }
  return Math.min(1, (2 / Math.PI) * sum);
}

/** ∫ over [from, from + π] of e^(−x·u²/2)/√(u·sin(u − from)) du, by Gauss and Chebyshev, which takes up the ends' poles. */
function integrateArch(x: number, from: number): number {
  const nodes = 64 + Math.ceil(16 * Math.sqrt(x * from));
  let sum = 0;
  for (let node = 0; node < nodes; node++) {
    const angle = ((node + 0.5) * Math.PI) / (2 * nodes);
    // v from 0 to π, as far from either end as the sine needs to be exact.
    const v = Math.PI * Math.sin(angle) ** 2;
    const rest = Math.PI * Math.cos(angle) ** 2;
    const u = from + v;
    const sine = Math.sin(Math.min(v, rest));
    sum += Math.exp((-x * u * u) / 2) * Math.sqrt((v * rest) / (u * sine));
  }
  return (sum * Math.PI) / nodes;
}
