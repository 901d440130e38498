import { clampToFinite } from './log-linear-bucket.ts';
import { sortSample, visitSteps } from './raw-sample.ts';

/**
 * Wasserstein-1 (earth mover's) distance of two raw samples: ∫|F − G|, in the unit of the values. The same as
 * `scipy.stats.wasserstein_distance`. 0 when either is empty; at most Number.MAX_VALUE. Throws RangeError on NaN and
 * infinite values. Of histograms: `histogramWasserstein`.
 */
export function wassersteinDistance(x: ArrayLike<number>, y: ArrayLike<number>): number {
  const [n, m] = [x.length, y.length];
  if (n === 0 || m === 0) return 0;
  const sides = [sortSample(x), sortSample(y)] as const;
  for (const side of sides) {
    for (const end of [side[0], side.at(-1)]) {
      if (!Number.isFinite(end)) throw new RangeError(`wasserstein: expected finite values, saw ${end}`);
    }
  }
  let sum = 0;
  let difference = 0;
  let previous = 0;
  visitSteps(...sides, (value, atMostX, atMostY) => {
    // Halves: the gap between values at both ends of the doubles is finite.
    if (difference > 0) sum += difference * (value / 2 - previous / 2);
    previous = value;
    difference = Math.abs(atMostX / n - atMostY / m);
  });
  return clampToFinite(2 * sum);
}
