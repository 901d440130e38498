import { normalUpperQuantile, normalUpperTail } from './normal.ts';

/**
 * Average run length of a two-sided Shewhart chart with limits ±`limit` standard deviations, where the mean is off by
 * `shift` standard deviations.
 */
export function shewhartRunLength(limit: number, shift: number): number {
  return 1 / (normalUpperTail(limit - shift) + normalUpperTail(limit + shift));
}

/** The limit at which the in-control average run length is the wanted one (above 1). */
export function shewhartLimit(runLength: number): number {
  if (!(runLength > 1)) throw new RangeError(`run length: expected more than 1, saw ${runLength}`);
  return normalUpperQuantile(0.5 / runLength);
}
