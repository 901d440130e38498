import {
  equalWidthBins,
  jensenShannon,
  largestCumulativeDifference,
  type PeerRule,
  regroup,
  sumOf,
} from './peer-rule.ts';

const smallestShare = 1e-4;

/** The rule of thumb of credit scoring, over the baseline's deciles. */
export const populationStabilityThreshold: PeerRule = {
  name: 'PSI ≥ .2',
  description: 'population stability index over the deciles of the baseline, empty bins filled with 1e-4, at least .2',
  prepare: ({ counts: fine, grid }) => {
    const deciles = (grid.decileOf.at(-1) ?? 0) + 1;
    const baseline = regroup(fine, grid.decileOf, deciles);
    const total = sumOf(baseline);
    return (counts) => {
      const current = regroup(counts, grid.decileOf, deciles);
      const rows = sumOf(current);
      if (rows === 0) return false;
      let index = 0;
      for (let bin = 0; bin < deciles; bin++) {
        const p = Math.max((baseline[bin] ?? 0) / total, smallestShare);
        const q = Math.max((current[bin] ?? 0) / rows, smallestShare);
        index += (p - q) * Math.log(p / q);
      }
      return index >= 0.2;
    };
  },
};

const modelMonitorThreshold = 0.1;
/** Deequ's constant, which Model Monitor's robust distance is computed with. */
const robustFactor = 1.8;

export const modelMonitorSimple: PeerRule = {
  name: 'SageMaker Model Monitor, L∞ ≥ .1 (simple)',
  description: 'largest difference between the distribution functions of baseline and window, at least .1',
  prepare:
    ({ counts: baseline }) =>
    (counts) =>
      largestCumulativeDifference(baseline, counts) >= modelMonitorThreshold,
};

export const modelMonitorRobust: PeerRule = {
  name: 'SageMaker Model Monitor, L∞ ≥ .1 (robust)',
  description: 'the same distance less 1.8·√((n + m)/(n·m)), at least .1',
  prepare: ({ counts: baseline }) => {
    const n = sumOf(baseline);
    return (counts) => {
      const m = sumOf(counts);
      if (m === 0) return false;
      const allowance = robustFactor * Math.sqrt((n + m) / (n * m));
      return largestCumulativeDifference(baseline, counts) - allowance >= modelMonitorThreshold;
    };
  },
};

/** Chunks are hours, like the windows; the bins are Doane's for a symmetric distribution. */
export const nannyReferenceDeviation: PeerRule = {
  name: 'NannyML, mean + 3σ of reference chunks',
  description:
    "Jensen–Shannon distance of each feature to the baseline above mean + 3 standard deviations of the baseline's own hours",
  prepare: (reference) => {
    const bins = Math.ceil(1 + Math.log2(sumOf(reference.counts)));
    const groups = equalWidthBins(reference, bins);
    const baseline = regroup(reference.counts, groups, bins);
    const distanceOf = (counts: Float64Array) => jensenShannon(baseline, regroup(counts, groups, bins));
    const distances = reference.chunks.filter((chunk) => sumOf(chunk) > 0).map(distanceOf);
    const mean = sumOf(distances) / distances.length;
    const variance = distances.reduce((sum, distance) => sum + (distance - mean) ** 2, 0) / distances.length;
    const limit = mean + 3 * Math.sqrt(variance);
    return (counts) => sumOf(counts) > 0 && distanceOf(counts) > limit;
  },
};
