import { addMultinomial, sampleBinomial } from './count-samplers.ts';
import {
  type BinGrid,
  decileGrid,
  type FeatureFamily,
  fineGrid,
  heavyFamily,
  normalFamily,
  ShareTable,
  skewedFamily,
} from './feature-family.ts';
import type { RandomSource } from './random-source.ts';
import { plan, type Scenario } from './scenario.ts';

/** Counts of one window's values of a numeric feature. Missing values are the last bin. */
export interface NumericCounter {
  readonly family: FeatureFamily;
  readonly grid: BinGrid;
  /** With the bin of missing values. */
  readonly bins: number;
  /** Adds a sample to counts[offset …]. */
  count(draw: Draw, counts: Float64Array, offset: number): void;
}

export interface Draw {
  readonly random: RandomSource;
  readonly records: number;
  readonly shift: number;
  readonly missingShare: number;
  /** Records by level of the latent factor that the feature shares with its block. */
  readonly levels?: readonly number[] | undefined;
}

/** Counters of a scenario's numeric features, one per feature; features that are alike share theirs. */
export function createNumericCounters(scenario: Scenario, fine: boolean): readonly NumericCounter[] {
  const gridOf = fine ? fineGrid : decileGrid;
  const plain = (family: FeatureFamily) => new PlainCounter(family, gridOf(family));
  const { shape } = scenario;
  if (shape.kind === 'heavy') {
    const kinds = [plain(heavyFamily), plain(skewedFamily)];
    return Array.from({ length: plan.features }, (_, feature) => pick(kinds, feature % 2));
  }
  const counter =
    shape.kind === 'correlated'
      ? new FactorCounter(shape.factorShare, gridOf(factorFamily(shape.factorShare)))
      : plain(normalFamily);
  return new Array<NumericCounter>(plan.features).fill(counter);
}

function pick<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new RangeError(`expected one of ${items.length} items, saw number ${index}`);
  return item;
}

class PlainCounter implements NumericCounter {
  readonly family: FeatureFamily;
  readonly grid: BinGrid;
  readonly bins: number;
  readonly #table: ShareTable;
  readonly #shares: Float64Array;

  constructor(family: FeatureFamily, grid: BinGrid) {
    this.family = family;
    this.grid = grid;
    this.#table = new ShareTable(family, grid);
    this.bins = this.#table.bins + 1;
    this.#shares = new Float64Array(this.#table.bins);
  }

  count({ random, records, shift, missingShare }: Draw, counts: Float64Array, offset: number): void {
    const missing = sampleBinomial(random, records, missingShare);
    this.#table.fill(shift, 1, this.#shares);
    addMultinomial(random, records - missing, this.#shares, counts, offset);
    const last = offset + this.bins - 1;
    counts[last] = (counts[last] ?? 0) + missing;
  }
}

/** Levels of a latent factor, equally likely, with mean 0 and variance 1. */
export const factorLevels: readonly number[] = [-1.5, -0.9, -0.3, 0.3, 0.9, 1.5].map(
  (level) => level / Math.sqrt((2 * (1.5 ** 2 + 0.9 ** 2 + 0.3 ** 2)) / 6),
);

/** The margin of a feature that is √share times the factor plus normal noise of its own. */
function factorFamily(factorShare: number): FeatureFamily {
  const [loading, noise] = [Math.sqrt(factorShare), Math.sqrt(1 - factorShare)];
  return {
    name: 'normal around a latent factor',
    standardDeviation: 1,
    cumulative: (x) =>
      factorLevels.reduce((sum, level) => sum + normalFamily.cumulative((x - loading * level) / noise), 0) /
      factorLevels.length,
  };
}

/** Given the factor's level in every record, the features of a block are independent: exact, and cheap. */
class FactorCounter implements NumericCounter {
  readonly family: FeatureFamily;
  readonly grid: BinGrid;
  readonly bins: number;
  readonly #tables: readonly ShareTable[];
  readonly #shares: Float64Array;

  constructor(factorShare: number, grid: BinGrid) {
    const [loading, noise] = [Math.sqrt(factorShare), Math.sqrt(1 - factorShare)];
    this.family = factorFamily(factorShare);
    this.grid = grid;
    this.bins = grid.edges.length + 2;
    this.#tables = factorLevels.map((level) => new ShareTable(normalFamily, grid, noise, loading * level));
    this.#shares = new Float64Array(this.bins - 1);
  }

  count({ random, shift, missingShare, levels = [] }: Draw, counts: Float64Array, offset: number): void {
    for (const [level, table] of this.#tables.entries()) {
      const records = levels[level] ?? 0;
      const missing = sampleBinomial(random, records, missingShare);
      table.fill(shift, 1, this.#shares);
      addMultinomial(random, records - missing, this.#shares, counts, offset);
      const last = offset + this.bins - 1;
      counts[last] = (counts[last] ?? 0) + missing;
    }
  }
}

/** Splits a window's records over the levels of a factor. */
export function drawFactorLevels(random: RandomSource, records: number): readonly number[] {
  const counts = new Float64Array(factorLevels.length);
  addMultinomial(
    random,
    records,
    factorLevels.map(() => 1 / factorLevels.length),
    counts,
    0,
  );
  return [...counts];
}
