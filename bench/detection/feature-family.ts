import { normalQuantile, normalUpperTail } from '../../core/stats/normal.ts';

/** A family of continuous distributions that is moved along its axis; 1 is about a standard deviation of a normal one. */
export interface FeatureFamily {
  readonly name: string;
  /** P(X ≤ x) where nothing has moved. */
  cumulative(x: number): number;
  /** Standard deviation of X. */
  readonly standardDeviation: number;
}

export const normalFamily: FeatureFamily = {
  name: 'normal',
  cumulative: (x) => normalUpperTail(-x),
  standardDeviation: 1,
};

/** Student's t with three degrees of freedom: the variance is finite, the fourth moment is not. */
export const heavyFamily: FeatureFamily = {
  name: 'Student t, 3 degrees of freedom',
  cumulative(x) {
    const scaled = x / Math.sqrt(3);
    return 0.5 + (scaled / (1 + scaled * scaled) + Math.atan(scaled)) / Math.PI;
  },
  standardDeviation: Math.sqrt(3),
};

/** A log-normal with σ = 1.2, shifted so that its median is 0: one long tail, as amounts and latencies have. */
export const skewedFamily: FeatureFamily = {
  name: 'log-normal, σ 1.2',
  cumulative: (x) => (x <= -1 ? 0 : normalUpperTail(-Math.log(x + 1) / 1.2)),
  standardDeviation: Math.sqrt((Math.exp(1.44) - 1) * Math.exp(1.44)),
};

/** The bins a numeric feature is counted in. */
export interface BinGrid {
  /** Ascending; E edges make E + 1 bins. */
  readonly edges: readonly number[];
  /** Which of the ten deciles a bin lies in. */
  readonly decileOf: readonly number[];
}

export const deciles = 10;

/** Ten bins of equal share: what a baseline chooses. */
export function decileGrid(family: FeatureFamily): BinGrid {
  const edges = Array.from({ length: deciles - 1 }, (_, index) => quantileOf(family, (index + 1) / deciles));
  return { edges, decileOf: Array.from({ length: deciles }, (_, bin) => bin) };
}

/**
 * The deciles, and between them edges at every tenth of a normal standard deviation from −4 to 4: fine enough for
 * distances between distribution functions that other tools compute from raw values.
 */
export function fineGrid(family: FeatureFamily): BinGrid {
  const coarse = decileGrid(family).edges;
  const fine = Array.from({ length: 81 }, (_, index) => quantileOf(family, normalUpperTail(4 - index / 10)));
  const edges = [...coarse, ...fine]
    .sort((a, b) => a - b)
    .filter((edge, index, all) => edge - (all[index - 1] ?? -1e9) > 1e-9);
  const decileOf = [...edges, Number.POSITIVE_INFINITY].map(
    (upper) => coarse.filter((edge) => edge < upper - 1e-9).length,
  );
  return { edges, decileOf };
}

/** Inverse of a cumulative distribution function, by bisection. */
export function quantileOf(family: FeatureFamily, probability: number): number {
  if (family === normalFamily) return normalQuantile(probability);
  let [low, high] = [-1, 1];
  while (family.cumulative(low) > probability) low *= 2;
  while (family.cumulative(high) < probability) high *= 2;
  for (let step = 0; step < 200 && high - low > 1e-13 * Math.max(1, Math.abs(low)); step++) {
    const middle = (low + high) / 2;
    if (family.cumulative(middle) < probability) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Shares of a grid's bins for a distribution moved by `shift` and stretched by `scale` about its origin. */
export function binShares(family: FeatureFamily, grid: BinGrid, shift: number, scale = 1): number[] {
  let below = 0;
  const shares = grid.edges.map((edge) => {
    const cumulative = family.cumulative((edge - shift) / scale);
    const share = Math.max(0, cumulative - below);
    below = cumulative;
    return share;
  });
  shares.push(Math.max(0, 1 - below));
  return shares;
}

const largestShift = 3;
const tableStep = 0.01;

/** Bin shares by shift, looked up and interpolated: the truth of a simulation need not be any particular curve. */
export class ShareTable {
  readonly bins: number;
  readonly #rows: Float64Array;
  readonly #highest: number;

  constructor(family: FeatureFamily, grid: BinGrid, scale = 1, centre = 0) {
    this.bins = grid.edges.length + 1;
    this.#highest = Math.round((2 * largestShift) / tableStep);
    this.#rows = new Float64Array((this.#highest + 1) * this.bins);
    for (let row = 0; row <= this.#highest; row++) {
      this.#rows.set(binShares(family, grid, centre + row * tableStep - largestShift, scale), row * this.bins);
    }
  }

  /** Writes the shares, times `total`, into `into[0 …]`. Shifts beyond ±3 are taken as ±3. */
  fill(shift: number, total: number, into: Float64Array): void {
    const place = Math.min(Math.max((shift + largestShift) / tableStep, 0), this.#highest - 1e-9);
    const row = Math.floor(place);
    const upper = (place - row) * total;
    const lower = total - upper;
    const start = row * this.bins;
    for (let bin = 0; bin < this.bins; bin++) {
      into[bin] = lower * (this.#rows[start + bin] ?? 0) + upper * (this.#rows[start + this.bins + bin] ?? 0);
    }
  }
}
