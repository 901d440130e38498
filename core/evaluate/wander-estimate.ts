import { fitVariancePrior, moderateVariance } from '../stats/moderated-variance.ts';
import { BinComparison } from './bin-comparison.ts';
import { type BinPlan, foldCounts } from './bin-plan.ts';
import { type GroupedWindows, type HeldOutBlock, holdOutBlocks } from './window-set.ts';

/** How far something varies between stretches of one scale, beyond what sampling explains. */
export interface Wander {
  readonly variance: number;
  /** Variance of that estimate. */
  readonly uncertainty: number;
}

export const noWander: Wander = { variance: 0, uncertainty: 0 };

/** A feature's wander at one scale: of its shares and its missing share over all records, of its unseen share over those with a value. */
export interface FeatureWander {
  readonly shares: Wander;
  readonly missing: Wander;
  readonly unseen: Wander;
}

/** Blocks that a scale needs for an estimate of its own. */
const minimumBlocks = 12;
/** Heavier tails than these are not told apart. */
const largestKurtosis = 4;
/** Likeness of features may make a wander known as well as this many times the baseline's days would. */
const largestGain = 4;
/**
 * A baseline of fewer days than this, with few records, tells so little of the wander that a change of any size might be
 * one. Where it can't tell an ordinary wander from none it is completed by days of an ordinary feature, whose mean moves by
 * a twentieth of its standard deviation from day to day: a wander of PSI 0.0025.
 */
const ordinaryDays = 14;
const ordinaryWander = 0.0025;

/** Coarse counts of one feature, per window of the set. */
export interface FeatureWindows {
  readonly plan: BinPlan;
  readonly counts: readonly (readonly number[])[];
}

/** What the blocks of one scale show of one feature, before likeness between features is used. */
interface RawWander {
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

/**
 * Learns how much each feature wanders at each scale from stretches of the windows held out against the rest.
 * @returns per feature, per scale
 */
export function estimateWander(
  grouped: GroupedWindows,
  features: readonly FeatureWindows[],
  scales: readonly number[],
): readonly (readonly FeatureWander[])[] {
  const { windows } = grouped;
  const slotsPerDay = 86_400_000 / windows.windowMilliseconds;
  const plans = scales.map((scale) => {
    const phases = scale >= slotsPerDay && scale > 1 ? [0, Math.floor(scale / 2)] : [0];
    const blocks = phases.map((phase) => holdOutBlocks(grouped, scale, phase));
    const count = Math.max(0, ...blocks.map(({ length }) => length));
    const perDay = Math.max(1, Math.min(slotsPerDay / scale, count / Math.max(windows.dayCount, 1)));
    return { scale, blocks, count, perDay, independent: count / perDay };
  });
  const enough = plans.filter(({ count }) => count >= minimumBlocks);
  const own = new Set(enough.length > 0 ? enough : plans.slice(0, 1));
  const reader = new BlockReader(Math.max(1, ...features.map(({ plan }) => plan.bins)));
  const measured = features.map((feature) => {
    const rows = foldWindows(feature, grouped);
    return plans.map((plan) =>
      own.has(plan)
        ? plan.blocks.map((blocks) => reader.measure(feature, rows, blocks, plan.perDay, plan.independent))
        : [],
    );
  });
  // Days need not begin at midnight: of the ways to cut, the one that shows the most wander over all features.
  const phases = plans.map((plan, index) => largestPhase(plan.blocks.length, measured, index));
  const raw = measured.map((rows) => rows.map((byPhase, index) => byPhase[phases[index] ?? 0]));
  const moderated = plans.map((plan, index) => moderate(raw, index, plan.independent));
  let base = 0;
  plans.forEach((plan, index) => {
    if (own.has(plan)) base = index;
  });
  const persistence = estimatePersistence(raw, base, plans[base]?.independent ?? 0);
  return features.map((_, feature) => {
    const known = plans.map((_, index) => moderated[index]?.[feature]);
    return plans.map(({ scale }, index) => {
      const here = known[index];
      if (here) return here;
      const from = known[base];
      if (!from) return { shares: noWander, missing: noWander, unseen: noWander };
      const baseScale = plans[base]?.scale ?? 1;
      const ratio = baseScale >= slotsPerDay ? scale / baseScale : 1;
      return shrinkWander(from, meanVariance(ratio, persistence[feature] ?? 1));
    });
  });
}

function largestPhase(phases: number, measured: readonly (readonly (readonly RawWander[])[])[], scale: number): number {
  const totals = Array.from({ length: phases }, (_, phase) =>
    measured.reduce((sum, rows) => {
      const row = rows[scale]?.[phase];
      return row && row.sampling > 0 ? sum + row.excess / row.sampling : sum;
    }, 0),
  );
  return Math.max(0, totals.indexOf(Math.max(...totals)));
}

/** Variance of the mean of `count` values of variance 1 whose correlation falls as ρ^lag. */
function meanVariance(count: number, correlation: number): number {
  const whole = Math.max(1, Math.floor(count));
  let sum = whole;
  for (let lag = 1; lag < whole; lag++) sum += 2 * (whole - lag) * correlation ** lag;
  return sum / (whole * whole);
}

function shrinkWander(wander: FeatureWander, factor: number): FeatureWander {
  const shrink = ({ variance, uncertainty }: Wander) => ({
    variance: variance * factor,
    uncertainty: uncertainty * factor * factor,
  });
  return { shares: shrink(wander.shares), missing: shrink(wander.missing), unseen: shrink(wander.unseen) };
}

/**
 * How like its neighbour each block is, as an upper limit: a stretch too long to have blocks of its own averages what
 * wanders from block to block, but only as far as neighbours differ.
 */
function estimatePersistence(
  raw: readonly (readonly (RawWander | undefined)[])[],
  base: number,
  blocks: number,
): readonly number[] {
  const here = raw.map((scales) => scales[base]);
  const wander = here.reduce((sum, row) => sum + Math.max(0, row?.excess ?? 0), 0);
  const products = here.reduce((sum, row) => sum + (row?.neighbours ?? 0), 0);
  // Blocks compared with one another's mean look less alike than they are, by two parts in their number.
  const pooled = wander > 0 ? products / wander + 2 / Math.max(blocks, 1) : 0;
  const limit = pooled + 1.645 / Math.sqrt(Math.max(blocks, 1));
  return here.map((row) => {
    const own = row && row.excess > 0 ? row.neighbours / row.excess : 0;
    return Math.min(1, Math.max(0, limit, own));
  });
}

/** Draws each feature's wander towards what the features have in common. */
function moderate(
  raw: readonly (readonly (RawWander | undefined)[])[],
  scale: number,
  independent: number,
): readonly (FeatureWander | undefined)[] {
  const rows = raw.map((scales) => scales[scale]);
  const known = rows.filter((row) => row !== undefined && row.sampling > 0);
  // In units of sampling, so that features with missing values are like the others.
  const variances = known.map((row) => 1 + (row?.excess ?? 0) / (row?.sampling ?? 1));
  const uncertainties = known.map((row) => (row ? uncertaintyOf(row, Math.max(0, row.excess)) : 0));
  const typical = Math.max(1, variances.reduce((sum, variance) => sum + variance, 0) / Math.max(known.length, 1));
  const fitted = fitVariancePrior(variances, uncertainties);
  const tail = tailDegrees(rows);
  return rows.map((row) => {
    if (!row) return undefined;
    if (!(row.sampling > 0)) return { shares: noWander, missing: row.missing, unseen: row.unseen };
    const variance = 1 + row.excess / row.sampling;
    const likely = Math.max(variance, typical);
    const scatter = uncertaintyOf(row, (likely - 1) * row.sampling);
    const degreesOfFreedom = (2 * likely * likely) / scatter;
    const prior = {
      variance: fitted.variance,
      degreesOfFreedom: Math.min(fitted.degreesOfFreedom, Math.max(0, known.length - 1) * degreesOfFreedom),
    };
    const moderated = moderateVariance({ variance, degreesOfFreedom }, prior);
    // The days that a short baseline lacks are taken to be like those of an ordinary feature.
    const estimated = Math.max(1, moderated.variance) * row.sampling;
    const isVague = estimated * Math.sqrt(2 / moderated.degreesOfFreedom) > ordinaryWander;
    const lacking = isVague ? Math.max(0, ordinaryDays - independent) : 0;
    const completed = (independent * estimated + lacking * (row.sampling + ordinaryWander)) / (independent + lacking);
    const total = Math.max(estimated, completed);
    const wander = total - row.sampling;
    const shares = {
      variance: wander,
      // A heavy tail is as bad as a variance that is known badly: Student's t either way.
      uncertainty:
        Math.max(
          (2 * total * total) / (moderated.degreesOfFreedom + lacking),
          (2 * wander * wander) / (largestGain * Math.max(independent + lacking, 1)),
        ) +
        (2 * wander * wander) / tail,
    };
    return { shares, missing: row.missing, unseen: row.unseen };
  });
}

/**
 * How heavy the tail of the wander is, from all features together, as the degrees of freedom of a Student t with the
 * same kurtosis. The square of a normal wander has a variance of twice its squared mean; more than that says that
 * there are days unlike the others, or that small movements sometimes shift much.
 */
function tailDegrees(rows: readonly (RawWander | undefined)[]): number {
  let [scatter, squares] = [0, 0];
  for (const row of rows) {
    // Only a wander that stands out of its own uncertainty has a shape.
    if (!row || !(row.excess > 2 * row.sampling * Math.sqrt(uncertaintyOf(row, 0)))) continue;
    scatter += row.scatter;
    squares += row.excess * row.excess;
  }
  const excessKurtosis = squares > 0 ? scatter / squares - 2 : 0;
  return excessKurtosis > 0 ? 4 + 6 / Math.min(excessKurtosis, largestKurtosis) : Number.POSITIVE_INFINITY;
}

/** Variance of a feature's mean excess in units of sampling, if its wander is as given. */
function uncertaintyOf({ sampling, degreesOfFreedom, perDay, independent }: RawWander, wander: number): number {
  const ratio = wander / sampling;
  return (2 * ratio * ratio + (4 * ratio + 2 * degreesOfFreedom) / perDay) / Math.max(independent, 1);
}

interface FoldedWindows {
  /** windows × bins. */
  readonly rows: Float64Array;
  /** groups × bins. */
  readonly groups: Float64Array;
  /** Unseen values per window and per group. */
  readonly unseen: Float64Array;
  readonly unseenByGroup: Float64Array;
}

function foldWindows({ plan, counts }: FeatureWindows, grouped: GroupedWindows): FoldedWindows {
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
class BlockReader {
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
