import type { Baseline } from '../model/baseline.ts';
import type { Calendar } from '../model/calendar.ts';
import type { ModelPolicy } from '../model/policy.ts';
import type { SlicePolicy } from '../model/slice.ts';
import type { TrailingCounts } from '../model/trailing-counts.ts';
import type { Finding } from '../model/verdict.ts';
import { calibrate } from './calibration.ts';
import { type FeatureDrift, judgeDrift, type ScaleResult } from './judge-drift.ts';
import { formatName } from './number-text.ts';
import { baselineWithout } from './slice-baseline.ts';
import { stretchesWithout } from './slice-trail.ts';

/** The slices that a drift of the whole model comes from. */
export interface SliceExplanation {
  /** Slices of one column, sorted. */
  readonly slices: readonly string[];
  /** How well chance explains what all other records show. */
  readonly restPValue: number;
}

/** A slice in which a feature that drifted as a whole has changed as well, at the scale that decided. */
export interface ChangedSlice {
  readonly slice: SlicePolicy;
  readonly result: ScaleResult;
  readonly stretches: readonly TrailingCounts[];
}

export interface ExplanationInput {
  readonly policy: ModelPolicy;
  readonly baseline: Baseline;
  readonly calendar: Calendar;
  readonly windowSeconds: number;
  /** Of the whole model. */
  readonly stretches: readonly TrailingCounts[];
}

/** The rest shows nothing where chance explains it at least this well. */
const quietProbability = 0.01;
/** What is detected with power 0.8 is nearly sure to be where it is twice as large. */
const surePower = 2;
/** Of many features that drift at once the surest are explained. */
const maximumExplained = 20;

/**
 * Looks for the slices that a feature's drift lives in: without the records of the slices that changed, the others show
 * nothing (p above 0.01), although there are enough of them to have shown as much. Of several columns that qualify the
 * one with the fewest slices is named, then the one whose rest is the quietest.
 * @param drifted features of the whole model that drifted, and the slices in which they changed
 */
export function explainBySlices(
  input: ExplanationInput,
  drifted: readonly { readonly drift: FeatureDrift; readonly changed: readonly ChangedSlice[] }[],
): ReadonlyMap<string, SliceExplanation> {
  const surest = drifted
    .filter(({ changed }) => changed.length > 0)
    .sort((a, b) => (a.drift.qValue ?? 1) - (b.drift.qValue ?? 1))
    .slice(0, maximumExplained);
  const groups = new Map<string, Group>();
  for (const { drift, changed } of surest) {
    for (const here of groupByColumn(changed)) {
      const key = here.map(({ slice }) => slice.name).join('\n');
      const group = groups.get(key) ?? { changed: here, features: [] };
      group.features.push({ drift, changed: here });
      groups.set(key, group);
    }
  }
  const found = new Map<string, SliceExplanation>();
  for (const group of groups.values()) {
    for (const [feature, explanation] of explainGroup(input, group)) {
      const known = found.get(feature);
      if (!known || isBetter(explanation, known)) found.set(feature, explanation);
    }
  }
  return found;
}

/** Features that changed in the same slices of one column: the rest is calibrated once for all of them. */
interface Group {
  readonly changed: readonly ChangedSlice[];
  readonly features: { readonly drift: FeatureDrift; readonly changed: readonly ChangedSlice[] }[];
}

function groupByColumn(changed: readonly ChangedSlice[]): readonly (readonly ChangedSlice[])[] {
  const columns = new Map<string, ChangedSlice[]>();
  for (const each of [...changed].sort((a, b) => (a.slice.name < b.slice.name ? -1 : 1))) {
    columns.set(each.slice.column, [...(columns.get(each.slice.column) ?? []), each]);
  }
  return [...columns.values()];
}

function isBetter(a: SliceExplanation, b: SliceExplanation): boolean {
  return a.slices.length - b.slices.length < 0 || (a.slices.length === b.slices.length && a.restPValue > b.restPValue);
}

function explainGroup(
  input: ExplanationInput,
  { changed, features }: Group,
): readonly (readonly [string, SliceExplanation])[] {
  const { policy, baseline, calendar, windowSeconds } = input;
  const slices = changed.map(({ slice }) => slice.name);
  const names = new Set(features.map(({ drift }) => drift.name));
  const rest = baselineWithout(baseline, slices, names);
  if (!rest) return [];
  const positions = new Map(baseline.layout.features.map(([name], position) => [name, position]));
  const stretches = stretchesWithout(
    input.stretches,
    changed.map((each) => each.stretches),
    rest.layout.features.map(([name]) => positions.get(name) ?? -1),
  );
  const calibration = calibrate(rest, { windowSeconds, calendar, scales: stretches.map(({ scale }) => scale) });
  const judged = judgeDrift({ policy, baseline: rest, calibration, stretches, level: quietProbability });
  const results = new Map(judged.features.map(({ name, scales }) => [name, scales]));
  return features.flatMap(({ drift, changed: here }) => {
    const scale = drift.scales[drift.deciding]?.scale;
    const result = results.get(drift.name)?.find((each) => each.scale === scale);
    if (!result || !isQuiet(result, drift, here)) return [];
    return [[drift.name, { slices, restPValue: result.combinedPValue ?? 1 }] as const];
  });
}

/** True where the rest shows nothing, and would have shown the least that one of the slices shows. */
function isQuiet(rest: ScaleResult, drift: FeatureDrift, changed: readonly ChangedSlice[]): boolean {
  if (rest.combinedPValue === null || rest.combinedPValue <= quietProbability) return false;
  const least = (effectOf: (result: ScaleResult) => number) =>
    Math.min(...changed.map(({ result }) => Math.max(0, effectOf(result))));
  switch (drift.causes[0]) {
    case 'missing':
      return rest.missingRise < least(({ missingRise }) => missingRise) / 4;
    case 'unseen':
      return rest.unseenRise < least(({ unseenRise }) => unseenRise) / 4;
    default:
      return (
        rest.minimumDetectableEffect !== null && surePower * rest.minimumDetectableEffect <= least(effectBeyondChance)
      );
  }
}

/** PSI less what a sample of this size has where nothing has changed. */
function effectBeyondChance({ populationStabilityIndex, bins, records }: ScaleResult): number {
  return (populationStabilityIndex ?? 0) - (records > 0 ? (bins - 1) / records : 0);
}

const explainedKinds: ReadonlySet<Finding['kind']> = new Set(['drift', 'missing', 'unseen-category']);

/** Adds to the whole model's findings the slices that explain them. */
export function nameSlices(
  findings: readonly Finding[],
  explanations: ReadonlyMap<string, SliceExplanation>,
): readonly Finding[] {
  return findings.map((finding) => {
    const explanation = finding.feature === undefined ? undefined : explanations.get(finding.feature);
    if (!explanation || !explainedKinds.has(finding.kind)) return finding;
    const named = explanation.slices.map(formatName).join(' and ');
    return {
      ...finding,
      slice: explanation.slices.join(', '),
      message: `${finding.message}; all of it where ${named}: the other records have not changed`,
      evidence: { ...finding.evidence, slices: explanation.slices.join(', '), restPValue: explanation.restPValue },
    };
  });
}
