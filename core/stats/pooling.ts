import { totalsOfSameBins } from './counts.ts';

/*
 * Thin bins are pooled by one fixed rule, from what the thinner row would have if both were alike, row total · (a + b)/(n + m):
 * nothing of it depends on how the two rows differ, so the test that follows keeps its level.
 */

/**
 * Pools neighbouring bins of an ordered feature until χ² tails can be trusted. Gives groups of adjacent bin indices, the same
 * whichever row the records are in.
 *
 * Rule: from left to right, a group takes bins until its expected count reaches `minimumExpected`; a last group that
 * falls short joins its left neighbour.
 */
export function poolNeighbours(
  baseline: ArrayLike<number>,
  current: ArrayLike<number>,
  minimumExpected = 10,
): number[][] {
  const { counts, isEnough } = pooledCounts(baseline, current, minimumExpected);
  const groups: number[][] = [];
  let open: number[] = [];
  let openCount = 0;
  for (let bin = 0; bin < counts.length; bin++) {
    open.push(bin);
    openCount += counts[bin] ?? 0;
    if (!isEnough(openCount)) continue;
    groups.push(open);
    open = [];
    openCount = 0;
  }
  if (open.length > 0) {
    const last = groups.at(-1);
    if (last === undefined) groups.push(open);
    else last.push(...open);
  }
  return groups;
}

export interface PooledCategories {
  readonly kept: number[];
  readonly pooled: number[];
}

/**
 * Pools the rare categories of an unordered feature into one bin. Gives the categories that stay apart and those that
 * share the pooled bin, both ascending.
 *
 * Rule: a category whose expected count is below `minimumExpected` goes to the pooled bin. While the pooled bin is
 * occupied but falls short itself, the kept category expected least (of equals, the last) joins it.
 */
export function poolRare(
  baseline: ArrayLike<number>,
  current: ArrayLike<number>,
  minimumExpected = 10,
): PooledCategories {
  const { counts, isEnough } = pooledCounts(baseline, current, minimumExpected);
  const kept: number[] = [];
  const pooled: number[] = [];
  let poolCount = 0;
  for (let bin = 0; bin < counts.length; bin++) {
    const count = counts[bin] ?? 0;
    if (isEnough(count)) {
      kept.push(bin);
    } else {
      pooled.push(bin);
      poolCount += count;
    }
  }
  while (poolCount > 0 && !isEnough(poolCount) && kept.length > 0) {
    let smallest = 0;
    kept.forEach((bin, position) => {
      if ((counts[bin] ?? 0) <= (counts[kept[smallest] ?? bin] ?? 0)) smallest = position;
    });
    for (const bin of kept.splice(smallest, 1)) {
      pooled.push(bin);
      poolCount += counts[bin] ?? 0;
    }
  }
  return { kept, pooled: pooled.sort((a, b) => a - b) };
}

/** Whole counts, and the rule in terms of them, so that a bin exactly at the minimum isn't lost to rounding. */
function pooledCounts(baseline: ArrayLike<number>, current: ArrayLike<number>, minimumExpected: number) {
  const [n, m] = totalsOfSameBins(baseline, current);
  const smallerShare = n + m === 0 ? 0 : Math.min(n, m) / (n + m);
  const counts = Array.from({ length: baseline.length }, (_, bin) => (baseline[bin] ?? 0) + (current[bin] ?? 0));
  return { counts, isEnough: (count: number) => count * smallerShare >= minimumExpected };
}
