import { chiSquaredQuantile } from '../../stats/chi-squared.ts';
import { overdispersedLowerTail, overdispersedUpperTail } from '../../stats/negative-binomial-tails.ts';
import { normalUpperTail } from '../../stats/normal.ts';
import { findRoot } from '../../stats/root.ts';

/** What phase I says of the number of events in a window. Plain JSON. */
export interface VolumeModel {
  /** [cell, expected events in a window, windows seen], in the order first seen. */
  readonly cells: readonly (readonly [cell: string, expected: number, windows: number])[];
  readonly overall: number;
  /** Variance = mean + dispersion·mean²; the estimate, and the cautious one that tests use. */
  readonly dispersion: number;
  readonly cautiousDispersion: number;
}

export interface CountedWindow {
  readonly cell: string;
  readonly day: number;
  readonly count: number;
  /** What the series expects of the window's cell on the logarithmic scale, as a count. */
  readonly typical: number;
  /** Standard deviations from it, on the logarithmic scale. */
  readonly score: number;
}

/** Below it there is no rate to compare with. */
export const smallestExpected = 1e-6;
/** Counts are held here: their tails must be finite. */
export const largestCount = 1e15;
/** Lower quantile of the dispersion's estimate that tests allow for. */
export const dispersionRisk = 0.05;
/** E min(Z², 9) for a standard normal Z. */
const winsorisedUnit = 0.9950045;

/**
 * Mean counts by cell (wild windows held to 3 standard deviations; one window's worth of the overall ratio is mixed in)
 * and the overdispersion, from each window against the other days of its cell.
 * @param degreesOfFreedom independent windows in phase I.
 */
export function fitVolume(windows: readonly CountedWindow[], degreesOfFreedom: number): VolumeModel {
  const tamed = windows.map((window) => ({ ...window, tame: tame(window) }));
  const total = tamed.reduce((sum, { tame }) => sum + tame, 0);
  const overallRatio = total / Math.max(Number.MIN_VALUE, sumOf(tamed.map(({ typical }) => typical)));
  const sums = new Map<string, { count: number; typical: number; windows: number }>();
  const add = (key: string, count: number, typical: number) => {
    const sum = sums.get(key) ?? { count: 0, typical, windows: 0 };
    sums.set(key, { count: sum.count + count, typical: sum.typical, windows: sum.windows + 1 });
  };
  for (const { cell, day, tame, typical } of tamed) {
    add(`cell ${cell}`, tame, typical);
    add(`day ${day} ${cell}`, tame, typical);
  }
  const expectation = (count: number, n: number, typical: number) => (count + overallRatio * typical) / (n + 1);
  const residuals = windows.map((window) => {
    const all = sums.get(`cell ${window.cell}`) ?? { count: 0, windows: 0 };
    const own = sums.get(`day ${window.day} ${window.cell}`) ?? { count: 0, windows: 0 };
    const n = all.windows - own.windows;
    return { count: window.count, expected: expectation(all.count - own.count, n, window.typical), error: 1 / (n + 1) };
  });
  const dispersion = estimateDispersion(residuals);
  const caution = degreesOfFreedom / chiSquaredQuantile(dispersionRisk, degreesOfFreedom);
  const cells = [...sums]
    .filter(([key]) => key.startsWith('cell '))
    .map(([key, { count, windows: n, typical }]) => [key.slice(5), expectation(count, n, typical), n] as const);
  return { cells, overall: total / windows.length, dispersion, cautiousDispersion: dispersion * caution };
}

/** Expected events in a window of a cell, and the number of windows that say so; the overall mean in an unknown cell. */
function expectVolume(model: VolumeModel, cell: string): { expected: number; windows: number } {
  const known = model.cells.find(([name]) => name === cell);
  return known ? { expected: known[1], windows: known[2] } : { expected: model.overall, windows: 1 };
}

/**
 * Two-sided p-value of a window's count: twice the smaller tail of the negative binomial with the cautious dispersion,
 * or of the lognormal with the same variance where that is larger (its upper tail is the heavier one).
 * @param known what is expected of this very window, and how many windows say so; default: what the cell says
 */
export function testVolume(
  model: VolumeModel,
  cell: string,
  count: number,
  known?: { readonly expected: number; readonly windows: number } | undefined,
): { expected: number; pValue: number; windows: number } {
  const { expected, windows } = known ?? expectVolume(model, cell);
  // Where nothing ever came there is no rate to compare with; the chart of the series sees the change.
  if (!(expected > smallestExpected)) return { expected: 0, pValue: 1, windows };
  const k = model.cautiousDispersion;
  return { expected, pValue: testCount(count, expected, Math.min(1e6, k + (k + 1 / expected) / windows)), windows };
}

/** Two-sided p-value of a count with variance = expected + dispersion·expected². */
export function testCount(count: number, expected: number, dispersion: number): number {
  const tail =
    count >= expected
      ? overdispersedUpperTail(count, expected, dispersion)
      : overdispersedLowerTail(count, expected, dispersion);
  const variance = Math.log1p(dispersion + 1 / expected);
  const deviation = (Math.log((count + 0.5) / expected) + variance / 2) / Math.sqrt(variance);
  const z = count >= expected ? deviation : -deviation;
  return Math.min(1, 2 * Math.max(tail, normalUpperTail(z)));
}

function tame({ count, typical, score }: CountedWindow): number {
  if (Math.abs(score) <= 3) return count;
  return Math.max(
    0,
    (typical + 0.5) * Math.exp((Math.log((count + 0.5) / (typical + 0.5)) * 3) / Math.abs(score)) - 0.5,
  );
}

/** The dispersion under which winsorised squares of standardised counts have the mean they have under the normal law. */
export function estimateDispersion(windows: readonly { count: number; expected: number; error: number }[]): number {
  const used = windows.filter(({ expected }) => expected > 0);
  if (used.length === 0) return 0;
  const excess = (dispersion: number) => {
    const squares = used.map(({ count, expected, error }) => {
      const variance = (expected + dispersion * expected * expected) * (1 + error);
      return Math.min(9, (count - expected) ** 2 / variance);
    });
    return sumOf(squares) / used.length - winsorisedUnit;
  };
  if (excess(0) <= 0) return 0;
  let upper = 1e-6;
  while (upper < 1e6 && excess(upper) > 0) upper *= 4;
  return excess(upper) > 0 ? upper : findRoot(excess, 0, upper);
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}
