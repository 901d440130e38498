import {
  gatherScores,
  type IsotonicBlock,
  isotonicRegression,
  joinBlocks,
  type ScoredGroup,
} from './isotonic-regression.ts';

/** Most steps on a side of the threshold, and fewest labelled records of each. */
const maximumSteps = 25;
const minimumRecords = 20;
/** Blocks beyond so many are joined in order first: looking for the best join takes time in their square. */
const maximumBlocks = 1_000;

/** A calibration in steps: see `CalibrationMap` of core/model. */
export interface CalibrationSteps {
  readonly threshold?: number | undefined;
  readonly edges: readonly number[];
  readonly steps: readonly (readonly [records: number, positives: number])[];
}

/**
 * The rate of positives by score as at most 25 steps on each side of the threshold (25 in all without one): isotonic regression, steps of fewer than 20 labelled records joined
 * with the neighbour whose rate is nearer, then the joins that change the fit least. A threshold is always an edge, and a
 * side of it without labelled records is a step without any. Undefined without labelled records.
 * @param threshold scores from here on are predicted positives; undefined: every record is one
 * @throws {RangeError} on scores and counts that `isotonicRegression` refuses, and on a threshold that is not finite
 */
export function fitCalibration(
  groups: readonly ScoredGroup[],
  threshold: number | undefined,
): CalibrationSteps | undefined {
  if (threshold !== undefined && !Number.isFinite(threshold)) {
    throw new RangeError(`calibration: expected a finite threshold, saw ${threshold}`);
  }
  const gathered = gatherScores(groups);
  if (gathered.length === 0) return undefined;
  const blocks = isotonicRegression(gathered);
  const sides = threshold === undefined ? [blocks] : splitAt(blocks, gathered, threshold);
  const joined = sides.map((side) => joinLight(joinInOrder(side)));
  const inner = joined.map((side) => side.slice(1).map((block, index) => edgeBetween(side[index], block)));
  const [lower = [], upper = []] = inner;
  return {
    threshold,
    edges: threshold === undefined ? lower : [...lower, threshold + 0, ...upper],
    steps: joined.flatMap((side) => (side.length === 0 ? [[0, 0] as const] : side.map(countsOf))),
  };
}

/** The step of a score: how many edges are at or below it. */
export function stepOf(edges: readonly number[], score: number): number {
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((edges[middle] ?? Number.POSITIVE_INFINITY) <= score) low = middle + 1;
    else high = middle;
  }
  return low;
}

function countsOf({ records, positives }: IsotonicBlock): readonly [records: number, positives: number] {
  return [records, positives];
}

/** In the middle. Halved before the sum, which could leave the doubles; too near to tell: the upper block's first score. */
function edgeBetween(lower: IsotonicBlock | undefined, upper: IsotonicBlock): number {
  const below = lower?.lastScore ?? upper.firstScore;
  const middle = below / 2 + upper.firstScore / 2;
  return middle > below ? middle : upper.firstScore;
}

/** The blocks below and from the threshold on; the one over it as two, each with its own counts. */
function splitAt(
  blocks: readonly IsotonicBlock[],
  groups: readonly ScoredGroup[],
  threshold: number,
): readonly (readonly IsotonicBlock[])[] {
  const halves = blocks.flatMap((block) => {
    if (block.firstScore >= threshold || block.lastScore < threshold) return [block];
    const inside = groups.filter(({ score }) => score >= block.firstScore && score <= block.lastScore);
    return [inside.filter(({ score }) => score < threshold), inside.filter(({ score }) => score >= threshold)].map(
      sumUp,
    );
  });
  return [
    halves.filter(({ firstScore }) => firstScore < threshold),
    halves.filter(({ firstScore }) => firstScore >= threshold),
  ];
}

function sumUp(groups: readonly ScoredGroup[]): IsotonicBlock {
  return groups
    .map(({ score, records, positives }) => ({ firstScore: score, lastScore: score, records, positives }))
    .reduce(joinBlocks);
}

function joinInOrder(blocks: readonly IsotonicBlock[]): readonly IsotonicBlock[] {
  if (blocks.length <= maximumBlocks) return blocks;
  const enough = blocks.reduce((sum, { records }) => sum + records, 0) / maximumBlocks;
  const joined: IsotonicBlock[] = [];
  for (const block of blocks) {
    const last = joined.at(-1);
    if (last && last.records < enough) joined[joined.length - 1] = joinBlocks(last, block);
    else joined.push(block);
  }
  return joined;
}

/** Joins neighbours on one side of the threshold. */
function joinLight(blocks: readonly IsotonicBlock[]): readonly IsotonicBlock[] {
  let joined = blocks;
  while (joined.length > 1) {
    const light = joined.some(({ records }) => records < minimumRecords);
    if (!light && joined.length <= maximumSteps) break;
    const at = cheapestJoin(joined, light);
    const [lower, upper] = [joined[at], joined[at + 1]];
    if (!lower || !upper) break;
    joined = [...joined.slice(0, at), joinBlocks(lower, upper), ...joined.slice(at + 2)];
  }
  return joined;
}

/** Where the join lies that adds the least squared error; `light`: among joins of a block with too few records. */
function cheapestJoin(blocks: readonly IsotonicBlock[], light: boolean): number {
  let [cheapest, leastCost] = [0, Number.POSITIVE_INFINITY];
  for (let at = 0; at + 1 < blocks.length; at++) {
    const [lower, upper] = [blocks[at], blocks[at + 1]];
    if (!lower || !upper || (light && Math.min(lower.records, upper.records) >= minimumRecords)) continue;
    const difference = upper.positives / upper.records - lower.positives / lower.records;
    const cost = (difference * difference) / (1 / lower.records + 1 / upper.records);
    if (cost < leastCost) [cheapest, leastCost] = [at, cost];
  }
  return cheapest;
}
