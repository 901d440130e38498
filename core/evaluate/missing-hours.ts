import type { FeatureSummary } from '../model/profile.ts';

/** Missing share of a column that is empty for an hour of every day. */
export const hourADay = 1 / 24;

/** Whether a column has no value for an hour's worth of records a day or more: which hours these are a total can't say. */
export function lacksHours({ count, missing }: Pick<FeatureSummary, 'count' | 'missing'>): boolean {
  return missing >= hourADay * (count + missing);
}
