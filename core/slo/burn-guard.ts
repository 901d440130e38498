import type { MinuteSlot } from '../model/profile.ts';
import { lowerBeta } from '../stats/incomplete-beta.ts';
import type { EventCount } from './burn-rate.ts';

/** A cluster lasts this long at most, and holds at most so many failures. */
const clusterMinutes = 2;
const largestCluster = 50;

/**
 * How many clusters the failures in [from, to) form at least, in minutes since the epoch. Failures seldom come alone: a
 * caller that fails tries again, a batch fails whole. Failures of two minutes on end are one cluster, but no more than 50.
 * @param slots ascending by minute
 */
export function countClusters(slots: Iterable<MinuteSlot>, slo: string, from: number, to: number): number {
  let clusters = 0;
  let [openUntil, failed] = [Number.NEGATIVE_INFINITY, 0];
  for (const { minute, slis } of slots) {
    const [, good = 0, valid = 0] = slis.find(([name]) => name === slo) ?? [];
    if (minute < from || minute >= to || valid <= good) continue;
    if (minute >= openUntil) {
      clusters += fewestClusters(failed);
      [openUntil, failed] = [minute + clusterMinutes, 0];
    }
    failed += valid - good;
  }
  return clusters + fewestClusters(failed);
}

/** As many clusters as that many failures form at least, where only their number is known. */
export function fewestClusters(failed: number): number {
  return Math.ceil(failed / largestCluster);
}

/**
 * Chance of at least this many clusters of failures at exactly the budgeted error rate, where clusters are as large as
 * those seen: P(X ≥ clusters), X binomial over valid/size trials, which need not be whole (the tail is an incomplete beta
 * function). Where every failure is alone it is the binomial tail: with ten requests an hour and a budget
 * of 0.1 %, three failures are beyond 1e-5, with 100 four.
 * @param budget share of events that may fail, in (0, 1)
 */
export function probabilityWithinBudget({ good, valid }: EventCount, clusters: number, budget: number): number {
  const failed = valid - good;
  if (failed <= 0 || clusters <= 0) return 1;
  const trials = (valid * clusters) / failed;
  return lowerBeta(budget, clusters, trials - clusters + 1);
}
