import { findRoot } from './root.ts';

/** The longest average run length that limits are computed for. */
export const longestWantedRunLength = 1e9;

/**
 * The limit in (0, highest] at which a chart's in-control average run length is the wanted one. `runLength` must grow
 * with the limit; `guess` only saves time. Throws RangeError on a wanted length that isn't above 1 and at most 1e9, and
 * where no limit reaches it.
 */
export function findLimit(
  runLength: (limit: number) => number,
  wanted: number,
  guess: number,
  highest: number,
): number {
  if (!(wanted > 1 && wanted <= longestWantedRunLength)) {
    throw new RangeError(`run length: expected more than 1 and at most 1e9, saw ${wanted}`);
  }
  const target = Math.log(wanted);
  // Values within 1e-12 count as the root: to settle the last bits as well would take twice as many linear systems.
  const excess = (limit: number) => {
    const value = Math.min(100, Math.log(runLength(limit))) - target;
    return Math.abs(value) < 1e-12 * (1 + target) ? 0 : value;
  };
  let lower = Math.min(highest, guess);
  let upper = lower;
  while (lower > 0 && excess(lower) > 0) lower = lower < 1e-3 ? 0 : lower * 0.85;
  if (lower === 0 && excess(0) >= 0) return 0;
  while (excess(upper) < 0) {
    if (upper >= highest) throw new RangeError(`run length: no limit up to ${highest} reaches ${wanted}`);
    upper = Math.min(highest, upper * 1.15);
  }
  return lower === upper ? lower : findRoot(excess, lower, upper);
}
