import { overdispersedZero } from '../../stats/negative-binomial-tails.ts';
import { findRoot } from '../../stats/root.ts';
import { expectVolume, type VolumeModel } from './volume-model.ts';
import { type CellScheme, cellOf } from './week-cells.ts';

const secondsPerWeek = 604_800;
/** Silence longer than this is not waited for. */
const longestSilenceSeconds = 28 * 86_400;

/** What the chance of silence is reckoned from. Plain JSON. */
export interface SilenceModel {
  readonly windowSeconds: number;
  readonly scheme: CellScheme;
  readonly volume: VolumeModel;
  /** Events come in clumps (batches, callers with many rows) of about so many, at least 1. */
  readonly clumpSize: number;
}

/**
 * How large clumps of events may be.
 * With the longest silence of phase I: the size under which no longer one would have been seen with probability .05
 * (clumps at random times). Without it: as if all overdispersion came from clumps, which makes silence slow to notice.
 */
export function estimateClumpSize(
  volume: VolumeModel,
  windowSeconds: number,
  longestGapSeconds: number | undefined,
): number {
  const byDispersion = Math.max(1, 1 + volume.dispersion * volume.overall);
  if (longestGapSeconds === undefined || !(longestGapSeconds > 0)) return byDispersion;
  const longerGaps = (size: number) =>
    volume.cells.reduce((sum, [, expected, windows]) => {
      const rate = expected / windowSeconds / size;
      return sum + windows * windowSeconds * rate * Math.exp(-rate * longestGapSeconds);
    }, 0);
  const excess = (logSize: number) => longerGaps(Math.exp(logSize)) - 3;
  if (excess(0) >= 0) return 1;
  for (let logSize = 0; logSize < 30; logSize += 0.25) {
    if (excess(logSize + 0.25) >= 0) return Math.exp(findRoot(excess, logSize, logSize + 0.25));
  }
  return byDispersion;
}

/**
 * Probability that a healthy source sends nothing from `from` to `to` (milliseconds since the epoch), with the rates of the
 * cells in between, the whole stretch being as busy or as quiet as the dispersion allows.
 */
export function silenceProbability(model: SilenceModel, from: number, to: number): number {
  const clumps = expectedEvents(model, from, to) / model.clumpSize;
  return overdispersedZero(clumps, model.volume.cautiousDispersion);
}

/**
 * How long a silence that ends at `at` must be to be an alarm, in seconds: silences as long happen by chance at most
 * `falseAlarmsPerWeek` times a week at the rate of the time when it began. Undefined where 28 days are not enough.
 */
export function silenceLimitSeconds(model: SilenceModel, at: number, falseAlarmsPerWeek: number): number | undefined {
  const { windowSeconds, clumpSize, volume } = model;
  const step = Math.max(1, windowSeconds / 12);
  let events = 0;
  // By steps, because it need not be monotone: the rate at the beginning changes with the cell.
  for (let seconds = step; seconds <= longestSilenceSeconds; seconds += step) {
    const start = at - seconds * 1000;
    const added = expectedEvents(model, start, start + step * 1000);
    events += added;
    const clumpsPerWeek = Math.max(1, ((added / step) * secondsPerWeek) / clumpSize);
    const chance = overdispersedZero(events / clumpSize, volume.cautiousDispersion);
    if (clumpsPerWeek * chance <= falseAlarmsPerWeek) return seconds;
  }
  return undefined;
}

/** Sum over the windows between, each with its cell's rate. */
function expectedEvents({ windowSeconds, scheme, volume }: SilenceModel, from: number, to: number): number {
  const width = windowSeconds * 1000;
  let sum = 0;
  for (let start = Math.floor(from / width) * width; start < to; start += width) {
    const share = (Math.min(to, start + width) - Math.max(from, start)) / width;
    sum += share * expectVolume(volume, cellOf(scheme, start, undefined)).expected;
  }
  return sum;
}
