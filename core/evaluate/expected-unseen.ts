import type { BaselineFeature } from '../model/baseline.ts';

/** Above this count a category was kept because it is common, not because it just passed the baseline's cut-off. */
const largestCutOff = 20;

/**
 * How many of the baseline's own rows would be *unseen* to a layout like its own, had they been drawn anew.
 *
 * The baseline dropped its rare categories, and their rows are unseen in every later window: `rare`. Beyond them a new
 * sample shows categories that the baseline never saw. Good and Turing estimate the mass of all categories seen r
 * times as (r + 1)·N(r + 1)/n, where N(k) categories were seen k times; summed over r = 0 … t − 1 this telescopes to
 * the rows in dropped categories (seen under t times) plus t·N(t), the rows in kept categories at the very cut-off t.
 * Where nothing was dropped t is 1 and the estimate is the number of singletons.
 *
 * I. J. Good, The population frequencies of species, Biometrika 40 (1953).
 * @returns rows, from 0 to the feature's count
 */
export function expectedUnseenRows(baseline: BaselineFeature): number {
  if (baseline.summary.kind !== 'categorical') return 0;
  const { summary } = baseline;
  const dropped = Math.max(baseline.rare, summary.unseen);
  const cutOff = summary.categories.reduce((least, [, count]) => Math.min(least, count), Number.POSITIVE_INFINITY);
  const applies = cutOff <= largestCutOff && (dropped > 0 || cutOff === 1);
  const atCutOff = applies ? summary.categories.filter(([, count]) => count === cutOff).length * cutOff : 0;
  return Math.min(Math.max(baseline.singletons, dropped + atCutOff), summary.count);
}
