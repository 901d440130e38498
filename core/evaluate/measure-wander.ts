import { BinComparison } from './bin-comparison.ts';
import { type BinPlan, foldCounts } from './bin-plan.ts';
import { noWander, type Wander } from './wander.ts';
import type { GroupedWindows, HeldOutBlock } from './window-set.ts';

/** Coarse counts of one feature, per window of the set. */
export interface FeatureWindows {
  readonly plan: BinPlan;
  readonly counts: readonly (readonly number[])[];
}

/** What the blocks of one scale show of one feature, before likeness between features is used. */
export interface RawWander {
  /** Sampling variance of a typical block. */
  readonly sampling: number;
  /** Mean excess of the distance over sampling: may be negative. */
  readonly excess: number;
  /** Degrees of freedom of a typical block, and blocks a day, which share its wander; days or longer blocks. */
  readonly degreesOfFreedom: number;
  /** Variance of the excess from block to block, less what sampling explains. */
  readonly scatter: number;
  readonly perDay: number;
  readonly independent: number;
  readonly missing: Wander;
  readonly unseen: Wander;
  /** Σ of products of neighbouring blocks' standardised differences, per pair. */
  readonly neighbours: number;
}

export interface FoldedWindows {
  /** windows × bins. */
  readonly rows: Float64Array;
  /** groups × bins. */
  readonly groups: Float64Array;
  /** Unseen values per window and per group. */
  readonly unseen: Float64Array;
  readonly unseenByGroup: Float64Array;
}

export function foldWindows({ plan, counts }: FeatureWindows, grouped: GroupedWindows): FoldedWindows {
  const { bins, unseen } = plan;
  const folded = {
    rows: new Float64Array(counts.length * bins),
    groups: new Float64Array(grouped.groups.size * bins),
    unseen: new Float64Array(counts.length),
    unseenByGroup: new Float64Array(grouped.groups.size),
  };
  counts.forEach((row, window) => {
    const group = grouped.groupOf[window] ?? 0;
    foldCounts(row, plan, folded.rows, window * bins);
    for (let bin = 0; bin < bins; bin++) {
      const index = group * bins + bin;
      folded.groups[index] = (folded.groups[index] ?? 0) + (folded.rows[window * bins + bin] ?? 0);
    }
    const here = unseen < 0 ? 0 : (row[unseen] ?? 0);
    folded.unseen[window] = here;
    folded.unseenByGroup[group] = (folded.unseenByGroup[group] ?? 0) + here;
  });
  return folded;
}

/** Measures blocks; keeps its buffers from block to block. */
export class BlockReader {
  readonly #comparison: BinComparison;
  readonly #current: Float64Array;
  readonly #expected: Float64Array;
  readonly #before: Float64Array;

  constructor(maximumBins: number) {
    this.#comparison = new BinComparison(maximumBins);
    this.#current = new Float64Array(maximumBins);
    this.#expected = new Float64Array(maximumBins);
    this.#before = new Float64Array(maximumBins);
  }

  measure(
    { plan }: FeatureWindows,
    folded: FoldedWindows,
    blocks: readonly HeldOutBlock[],
    perDay: number,
    independent: number,
  ): RawWander {
    const shares = new ExcessMean();
    const missing = new ShareExcess();
    const unseen = new ShareExcess();
    let products = 0;
    let pairs = 0;
    let previous: HeldOutBlock | undefined;
    for (const block of blocks) {
      const expectedUnseen = this.#load(plan, folded, block);
      const comparison = this.#comparison;
      comparison.compare(plan, this.#current, this.#expected, block.effectiveSize);
      if (comparison.bins >= 2) shares.add(comparison.distance, comparison.sampling, comparison.bins - 1);
      let rows = 0;
      for (let bin = 0; bin < plan.bins; bin++) rows += this.#current[bin] ?? 0;
      if (!(rows > 0)) continue;
      const sampling = 1 / rows + 1 / block.effectiveSize;
      missing.add((this.#current[plan.bins - 1] ?? 0) / rows, this.#expected[plan.bins - 1] ?? 0, sampling);
      if (plan.unseen >= 0) {
        let seen = 0;
        for (let window = block.from; window < block.to; window++) seen += folded.unseen[window] ?? 0;
        // Of the records that have a value, as the share is tested: what the others do is no wander of it.
        const present = rows - (this.#current[plan.bins - 1] ?? 0);
        const presentShare = 1 - (this.#expected[plan.bins - 1] ?? 0);
        if (present > 0 && presentShare > 0) {
          const ofValues = 1 / present + 1 / (block.effectiveSize * presentShare);
          unseen.add(seen / present, Math.min(1, expectedUnseen / presentShare), ofValues);
        }
      }
      const product = this.#standardise(plan, rows, previous?.to === block.from);
      if (product !== undefined) {
        products += product;
        pairs++;
      }
      previous = block;
    }
    return {
      ...shares.finish(),
      perDay,
      independent,
      missing: missing.finish(perDay, independent),
      unseen: unseen.finish(perDay, independent),
      neighbours: pairs > 0 ? products / pairs : 0,
    };
  }

  /** Fills in the block's counts and what the rest expects of it. @returns the share of unseen values expected. */
  #load(plan: BinPlan, folded: FoldedWindows, block: HeldOutBlock): number {
    const { bins } = plan;
    const [current, expected] = [this.#current.fill(0), this.#expected.fill(0)];
    for (let window = block.from; window < block.to; window++) {
      for (let bin = 0; bin < bins; bin++) current[bin] = (current[bin] ?? 0) + (folded.rows[window * bins + bin] ?? 0);
    }
    let expectedUnseen = 0;
    for (const { group, weight, records, removed } of block.groups) {
      const factor = weight / records;
      for (let bin = 0; bin < bins; bin++) {
        let count = folded.groups[group * bins + bin] ?? 0;
        for (const window of removed) count -= folded.rows[window * bins + bin] ?? 0;
        expected[bin] = (expected[bin] ?? 0) + factor * count;
      }
      let unseen = folded.unseenByGroup[group] ?? 0;
      for (const window of removed) unseen -= folded.unseen[window] ?? 0;
      expectedUnseen += factor * unseen;
    }
    return expectedUnseen;
  }

  /** Remembers the block's standardised differences. @returns their product with those of the block before. */
  #standardise(plan: BinPlan, rows: number, follows: boolean): number | undefined {
    let product = 0;
    for (let bin = 0; bin < plan.bins; bin++) {
      const share = this.#expected[bin] ?? 0;
      const difference = share > 0 ? ((this.#current[bin] ?? 0) / rows - share) / Math.sqrt(share) : 0;
      product += difference * (this.#before[bin] ?? 0);
      this.#before[bin] = difference;
    }
    return follows ? product : undefined;
  }
}

/** Weighted mean of the distances' excess over what sampling explains. */
class ExcessMean {
  readonly #distances: number[] = [];
  readonly #samplings: number[] = [];
  readonly #degrees: number[] = [];

  add(distance: number, sampling: number, degreesOfFreedom: number): void {
    this.#distances.push(distance);
    this.#samplings.push(sampling);
    this.#degrees.push(degreesOfFreedom);
  }

  finish(): Pick<RawWander, 'sampling' | 'excess' | 'degreesOfFreedom' | 'scatter'> {
    // Blocks weigh as much as they say; how much that is depends on the wander, so the weights are found twice.
    let wander = 0;
    let mean = this.#mean(wander);
    for (let round = 0; round < 2; round++) {
      wander = Math.max(0, mean.excess);
      mean = this.#mean(wander);
    }
    const { excess, sampling, degrees } = mean;
    return { sampling, excess, degreesOfFreedom: degrees, scatter: this.#scatter(excess) };
  }

  #scatter(excess: number): number {
    const wander = Math.max(0, excess);
    let [weights, scatter] = [0, 0];
    for (let block = 0; block < this.#distances.length; block++) {
      const s = this.#samplings[block] ?? 0;
      const d = this.#degrees[block] ?? 0;
      const weight = 1 / (s + wander) ** 2;
      const difference = (this.#distances[block] ?? 0) - s * d - excess;
      weights += weight;
      scatter += weight * (difference * difference - 2 * s * s * d - 4 * s * wander);
    }
    return weights > 0 ? scatter / weights : 0;
  }

  #mean(wander: number): { excess: number; sampling: number; degrees: number } {
    let [weights, excess, sampling, degrees] = [0, 0, 0, 0];
    for (let block = 0; block < this.#distances.length; block++) {
      const s = this.#samplings[block] ?? 0;
      const d = this.#degrees[block] ?? 0;
      const weight = 1 / (s + wander) ** 2;
      weights += weight;
      excess += weight * ((this.#distances[block] ?? 0) - s * d);
      sampling += weight * s;
      degrees += weight * d;
    }
    if (!(weights > 0)) return { excess: 0, sampling: 0, degrees: 0 };
    return { excess: excess / weights, sampling: sampling / weights, degrees: degrees / weights };
  }
}

/** Mean excess of a share's squared difference over what sampling explains. */
class ShareExcess {
  #weights = 0;
  #excess = 0;
  #sampling = 0;

  add(share: number, expected: number, sampling: number): void {
    const weight = 1 / sampling;
    const variance = sampling * Math.max(0, expected * (1 - expected));
    this.#weights += weight;
    this.#excess += weight * ((share - expected) ** 2 - variance);
    this.#sampling += weight * variance;
  }

  finish(perDay: number, independent: number): Wander {
    if (!(this.#weights > 0)) return noWander;
    const variance = Math.max(0, this.#excess / this.#weights);
    const s = this.#sampling / this.#weights;
    const uncertainty = (2 * variance * variance + (4 * variance * s + 2 * s * s) / perDay) / Math.max(independent, 1);
    return { variance, uncertainty };
  }
}
