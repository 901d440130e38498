import { kolmogorovUpperTail } from '../../../core/stats/kolmogorov.ts';
import { addMultinomial } from '../count-samplers.ts';
import {
  equalWidthBins,
  jensenShannon,
  largestCumulativeDifference,
  type PeerReference,
  type PeerRule,
  regroup,
  sumOf,
} from './peer-rule.ts';

const smallReference = 1_000;
const significance = 0.05;
const distanceThreshold = 0.1;

/** Numeric columns, a reference of at most 1,000 rows. */
export const evidentlyKolmogorovSmirnov: PeerRule = {
  name: 'Evidently, KS p < .05 (reference of 1,000 rows)',
  description: 'Kolmogorov–Smirnov test of each feature against 1,000 rows drawn from the baseline, p < .05',
  prepare(reference, random) {
    const total = sumOf(reference.counts);
    const sample = new Float64Array(reference.counts.length);
    const shares = reference.counts.map((count) => count / total);
    addMultinomial(random, smallReference, shares, sample, 0);
    return (counts) => {
      const rows = sumOf(counts);
      if (rows === 0) return false;
      const effective = Math.round((smallReference * rows) / (smallReference + rows));
      return largestCumulativeDifference(sample, counts) >= criticalDifference(effective);
    };
  },
};

const knownDifferences = new Map<number, number>();

/** The difference at which the test's p-value is .05; remembered, because windows share their sizes. */
function criticalDifference(size: number): number {
  const known = knownDifferences.get(size);
  if (known !== undefined) return known;
  let [low, high] = [0, 1];
  while (high - low > 1e-6) {
    const middle = (low + high) / 2;
    if (kolmogorovUpperTail(middle, size) >= significance) low = middle;
    else high = middle;
  }
  knownDifferences.set(size, high);
  return high;
}

/** Numeric columns, a larger reference. */
export const evidentlyWasserstein: PeerRule = {
  name: 'Evidently, normalised Wasserstein ≥ .1',
  description:
    "Wasserstein distance of each feature to the baseline in the baseline's standard deviations, at least .1",
  prepare: ({ counts: baseline, grid, standardDeviation }) => {
    const total = sumOf(baseline);
    return (counts) => {
      const rows = sumOf(counts);
      if (rows === 0) return false;
      let [below, distance] = [0, 0];
      for (let bin = 0; bin < grid.edges.length; bin++) {
        const before = below;
        below += (baseline[bin] ?? 0) / total - (counts[bin] ?? 0) / rows;
        if (bin === 0) continue;
        const width = (grid.edges[bin] ?? 0) - (grid.edges[bin - 1] ?? 0);
        distance += (width * Math.abs(before + below)) / 2;
      }
      return distance / standardDeviation >= distanceThreshold;
    };
  },
};

/** The distance used for categories, and offered for numbers, which are binned by Sturges' rule. */
export const evidentlyJensenShannon: PeerRule = {
  name: 'Evidently, Jensen–Shannon ≥ .1',
  description: 'Jensen–Shannon distance of each feature to the baseline over equal bins by Sturges’ rule, at least .1',
  prepare: (reference: PeerReference) => {
    const bins = Math.ceil(Math.log2(sumOf(reference.counts)) + 1);
    const groups = equalWidthBins(reference, bins);
    const baseline = regroup(reference.counts, groups, bins);
    return (counts) => jensenShannon(baseline, regroup(counts, groups, bins)) >= distanceThreshold;
  },
};
