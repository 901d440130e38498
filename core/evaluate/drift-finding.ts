import type { Bins, FeatureVerdict, Finding } from '../model/verdict.ts';
import type { FeatureComparison } from './compare-feature.ts';
import type { DriftCause } from './decide-drift.ts';
import { formatName, formatNumber, formatProbability, formatShare } from './number-text.ts';
import { recogniseUnitChange } from './unit-change.ts';

const kinds = { missing: 'missing', unseen: 'unseen-category', pearson: 'drift' } as const;

/**
 * Says that a feature has drifted: one finding, of the kind of its surest cause, that names every cause.
 * @param causes at least one, the surest first
 */
export function describeDrift(
  feature: string,
  verdict: FeatureVerdict,
  comparison: FeatureComparison,
  causes: readonly [DriftCause, ...DriftCause[]],
): Finding {
  const kind = kinds[causes[0]];
  const psi = verdict.scores.populationStabilityIndex;
  const rows = verdict.current.count + verdict.current.missing;
  const unit = causes.includes('pearson') ? recogniseUnitChange(verdict.baseline, verdict.current) : undefined;
  const numbers = [
    ...(psi === undefined ? [] : [`PSI ${formatNumber(Number(psi.toPrecision(2)))}`]),
    `q = ${formatProbability(verdict.qValue ?? 1)}`,
    `${formatNumber(rows)} records`,
  ].join(', ');
  const sentences = causes.map((cause) => describeCause(cause, verdict, comparison)).filter((text) => text !== '');
  const hint = unit ? `; the values look converted from ${unit.meaning} (× ${formatNumber(unit.factor)})` : '';
  return {
    id: `${kind}:${feature}`,
    tier: 'yellow',
    kind,
    feature,
    message: `${formatName(feature)}: ${sentences.join('; ')}${hint}; ${numbers}`,
    evidence: {
      causes: causes.join(' '),
      qValue: verdict.qValue,
      populationStabilityIndex: psi ?? null,
      pearsonPValue: verdict.tests.pearson?.pValue ?? null,
      effectFloorPValue: verdict.tests.effectFloor?.pValue ?? null,
      missingPValue: verdict.tests.missing?.pValue ?? null,
      missingRise: comparison.missingRise,
      unseenPValue: verdict.tests.unseen?.pValue ?? null,
      unseenRise: comparison.unseenRise,
      records: rows,
      unitChange: unit?.meaning ?? null,
    },
  };
}

function describeCause(cause: DriftCause, verdict: FeatureVerdict, comparison: FeatureComparison): string {
  const { baseline, current } = verdict;
  if (cause === 'missing') {
    const before = share(baseline.missing, baseline.count + baseline.missing);
    const after = share(current.missing, current.count + current.missing);
    return `${formatShare(after)} of records have no value, in the baseline ${formatShare(before)}`;
  }
  if (cause === 'unseen') {
    const after = comparison.unseenRise + comparison.expectedUnseenShare;
    const expected = formatShare(comparison.expectedUnseenShare);
    return `${formatShare(after)} of values are in categories the baseline does not know, ${expected} were expected`;
  }
  return verdict.bins ? describeBins(verdict.bins) : '';
}

/** The run of bins (a category, or a range of numbers) whose share grew most. */
function describeBins(bins: Bins): string {
  const before = bins.baseline.map((count) => share(count, sum(bins.baseline)));
  const after = bins.current.map((count) => share(count, sum(bins.current)));
  const gains = after.map((value, index) => value - (before[index] ?? 0));
  const values = bins.missing ? gains.length - 1 : gains.length;
  const run = bins.edges ? largestRun(gains.slice(0, values)) : largestSingle(gains);
  const missingGain = bins.missing ? (gains[values] ?? 0) : 0;
  const [first, last] = missingGain > run.gain ? [values, values] : [run.first, run.last];
  const shares = `in the baseline ${formatShare(sum(before.slice(first, last + 1)))}`;
  return `${formatShare(sum(after.slice(first, last + 1)))} of records ${placeOf(bins, first, last)}, ${shares}`;
}

function placeOf(bins: Bins, first: number, last: number): string {
  if (bins.missing && first === bins.baseline.length - 1) return 'have no value';
  if (!bins.edges) return `are now "${formatName(bins.categories?.[first] ?? '')}"`;
  const low = bins.edges[first - 1];
  const high = bins.edges[last];
  if (low !== undefined && high !== undefined) return `now lie between ${formatNumber(low)} and ${formatNumber(high)}`;
  if (low !== undefined) return `now lie at or above ${formatNumber(low)}`;
  return high === undefined ? 'now have a value' : `now lie below ${formatNumber(high)}`;
}

interface Run {
  readonly first: number;
  readonly last: number;
  readonly gain: number;
}

function largestSingle(gains: readonly number[]): Run {
  const gain = Math.max(...gains);
  const index = Math.max(gains.indexOf(gain), 0);
  return { first: index, last: index, gain };
}

/** Kadane's algorithm: the run of neighbours with the largest sum. */
function largestRun(gains: readonly number[]): Run {
  let best: Run = { first: 0, last: 0, gain: Number.NEGATIVE_INFINITY };
  let first = 0;
  let gain = 0;
  for (const [last, next] of gains.entries()) {
    if (gain <= 0) {
      first = last;
      gain = 0;
    }
    gain += next;
    if (gain > best.gain) best = { first, last, gain };
  }
  return best;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function share(part: number, whole: number): number {
  return whole > 0 ? part / whole : 0;
}
