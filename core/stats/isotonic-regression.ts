/** Records with the same score: how many (or their weight), and how many of them are positive. */
export interface ScoredGroup {
  readonly score: number;
  readonly records: number;
  readonly positives: number;
}

/** Neighbouring groups with one fitted rate, positives/records. */
export interface IsotonicBlock {
  readonly firstScore: number;
  readonly lastScore: number;
  readonly records: number;
  readonly positives: number;
}

/**
 * The rates that never fall with the score and are nearest to the observed ones by weighted squares: pool adjacent
 * violators (Ayer et al. 1955). Blocks of rising score and strictly rising rate. The order of the groups is of no
 * influence where the counts are whole; linear time after sorting.
 * @throws {RangeError} on a score that is not finite and on counts that are not 0 ≤ positives ≤ records < ∞
 */
export function isotonicRegression(groups: readonly ScoredGroup[]): readonly IsotonicBlock[] {
  const blocks: IsotonicBlock[] = [];
  for (const group of gatherScores(groups)) {
    let block: IsotonicBlock = { ...group, firstScore: group.score, lastScore: group.score };
    for (let before = blocks.at(-1); before && !rises(before, block); before = blocks.at(-1)) {
      blocks.pop();
      block = joinBlocks(before, block);
    }
    const { firstScore, lastScore, records, positives } = block;
    blocks.push({ firstScore, lastScore, records, positives });
  }
  return blocks;
}

/** Groups by rising score, each score once, those without records left out. */
export function gatherScores(groups: readonly ScoredGroup[]): readonly ScoredGroup[] {
  const sorted = groups.filter(checkGroup).sort((a, b) => a.score - b.score);
  const gathered: ScoredGroup[] = [];
  for (const { score, records, positives } of sorted) {
    const last = gathered.at(-1);
    if (last?.score !== score) gathered.push({ score: score + 0, records, positives });
    else {
      gathered[gathered.length - 1] = {
        score: last.score,
        records: last.records + records,
        positives: last.positives + positives,
      };
    }
  }
  return gathered;
}

/** Two neighbouring blocks as one. */
export function joinBlocks(lower: IsotonicBlock, upper: IsotonicBlock): IsotonicBlock {
  return {
    firstScore: lower.firstScore,
    lastScore: upper.lastScore,
    records: lower.records + upper.records,
    positives: lower.positives + upper.positives,
  };
}

/** Compared by cross products: whole counts up to 9e7 are compared exactly. */
function rises(lower: IsotonicBlock, upper: IsotonicBlock): boolean {
  return lower.positives * upper.records < upper.positives * lower.records;
}

function checkGroup({ score, records, positives }: ScoredGroup): boolean {
  if (!Number.isFinite(score)) throw new RangeError(`isotonic regression: expected a finite score, saw ${score}`);
  if (!(records >= 0 && records <= 1e100 && positives >= 0 && positives <= records)) {
    throw new RangeError(`isotonic regression: expected 0 ≤ positives ≤ records, saw ${positives} of ${records}`);
  }
  return records > 0;
}
