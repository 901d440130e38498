import { totalsOfSameBins } from './counts.ts';

/**
 * Pools neighbouring bins of an ordered feature until χ² tails can be trusted. Gives groups of adjacent bin indices.
 *
 * Rule: from left to right, a group takes bins until its expected count reaches `minimumExpected` in both rows, where
 * the expected count of a row is row total · (a + b of the group) / (n + m); a last group that falls short joins its
 * left neighbour. The rule looks only at the totals of both rows together, which say nothing of how the rows differ,
 * so the test that follows stays valid.
 */
export function poolNeighbours(
  baseline: ArrayLike<number>,
  current: ArrayLike<number>,
  minimumExpected = 10,
): number[][] {
  const isEnough = enoughExpected(baseline, current, minimumExpected);
  const groups: number[][] = [];
  let open: number[] = [];
  let openCount = 0;
  for (let bin = 0; bin < baseline.length; bin++) {
    open.push(bin);
    openCount += pooledCount(baseline, current, bin);
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

/**
 * Pools the rare categories of an unordered feature into one bin. Gives the categories that stay apart and those that
 * share the pooled bin, both ascending.
 *
 * Rule: a category whose expected count in either row is below `minimumExpected` goes to the pooled bin. While the
 * pooled bin is occupied but falls short itself, the kept category with the smallest a + b (of equals, the last) joins
 * it. Like `poolNeighbours`, the rule looks only at the totals of both rows together.
 */
export function poolRare(
  baseline: ArrayLike<number>,
  current: ArrayLike<number>,
  minimumExpected = 10,
): { kept: number[]; pooled: number[] } {
  const isEnough = enoughExpected(baseline, current, minimumExpected);
  const kept: number[] = [];
  const pooled: number[] = [];
  let poolCount = 0;
  for (let bin = 0; bin < baseline.length; bin++) {
    const count = pooledCount(baseline, current, bin);
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
      const smallestBin = kept[smallest] ?? bin;
      if (pooledCount(baseline, current, bin) <= pooledCount(baseline, current, smallestBin)) smallest = position;
    });
    for (const bin of kept.splice(smallest, 1)) {
      pooled.push(bin);
      poolCount += pooledCount(baseline, current, bin);
    }
  }
  return { kept, pooled: pooled.sort((a, b) => a - b) };
}

function pooledCount(baseline: ArrayLike<number>, current: ArrayLike<number>, bin: number): number {
  return (baseline[bin] ?? 0) + (current[bin] ?? 0);
}

function enoughExpected(
  baseline: ArrayLike<number>,
  current: ArrayLike<number>,
  minimumExpected: number,
): (pooled: number) => boolean {
  const [n, m] = totalsOfSameBins(baseline, current);
  const smallerShare = n + m === 0 ? 0 : Math.min(n, m) / (n + m);
  return (pooled) => pooled * smallerShare >= minimumExpected;
}
