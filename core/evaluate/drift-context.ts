import type { FeatureLayout } from '../model/layout.ts';
import type { TrailingCounts } from '../model/trailing-counts.ts';
import type { Bins, FeatureVerdict, Onset, ScaleVerdict } from '../model/verdict.ts';
import { hellingerDistance, jensenShannonDistance, totalVariation } from '../stats/divergence.ts';
import { bucketBounds } from '../stats/log-linear-histogram.ts';
import { looksLikeDeciles } from './bin-sentence.ts';
import type { Calibration, FeatureCalibration } from './calibration.ts';
import { type CappedWindow, heldCallers } from './caller-trail.ts';
import type { DriftEvidence } from './drift-finding.ts';
import type { EmbeddingCalibration } from './embedding/calibrate-embeddings.ts';
import type { EmbeddingStretch } from './embedding/embedding-trail.ts';
import { clipToFinite, unusedLabel } from './feature-bins.ts';
import { keepFinite } from './feature-statistics.ts';
import type { FeatureDrift, ScaleResult } from './judge-drift.ts';
import { formatInstant } from './number-text.ts';
import { estimateOnset } from './onset.ts';
import { StretchReader } from './stretch-reader.ts';
import type { TrailWindow } from './trail.ts';

/** What is known beside a window when it is judged: what to expect, and what came before it. */
export interface DriftContext {
  readonly calibration: Calibration;
  /** The trailing stretches that end with the window: `trailingCounts`. */
  readonly stretches: readonly TrailingCounts[];
  /** The windows of the longest stretch, or as many as are known: an onset is looked for in them. */
  readonly windowsOfTrail: readonly TrailWindow[];
  /** Of baselines with columns of vectors. */
  readonly embeddings?:
    | { readonly calibrations: readonly EmbeddingCalibration[]; readonly stretches: readonly EmbeddingStretch[] }
    | undefined;
  /** Windows in which callers were held to their caps: `counts` are what is left. Absent: callers are not told apart. */
  readonly capped?: readonly CappedWindow[] | undefined;
  /** Level of this window, per scale; absent: the policy's. */
  readonly level?: number | undefined;
  /** Level of the check of all features' ranges; absent: of the policy's level for quality. */
  readonly rangeLevel?: number | undefined;
  /** Series of the model in service that share its levels; absent: this one alone. */
  readonly series?: number | undefined;
}

/** What stretches tell of one feature, as a verdict says it. */
export class ContextReader {
  readonly #context: DriftContext;
  readonly #reader: StretchReader;
  readonly #positions: ReadonlyMap<string, number>;
  readonly #calibrations: ReadonlyMap<string, FeatureCalibration>;

  constructor(context: DriftContext, features: readonly string[]) {
    this.#context = context;
    // No test is run here: any number of records may be looked at.
    this.#reader = new StretchReader(context.calibration, { minimumRecords: 0, effectLevel: 1 });
    this.#positions = new Map(features.map((name, position) => [name, position]));
    this.#calibrations = new Map(context.calibration.features.map((feature) => [feature.name, feature]));
  }

  /** Replaces what a verdict says of the window alone by what it says of its hours and of the stretches. */
  describe(drift: FeatureDrift, alone: FeatureVerdict): FeatureVerdict {
    const result = drift.scales.find(({ scale }) => scale === 1);
    const shown = this.#readBins(drift.name, 1);
    // What follows from bins is that of the hours, not of the baseline as a whole.
    const { kolmogorovSmirnov, wasserstein } = alone.scores;
    const scores = {
      ...(kolmogorovSmirnov !== undefined && { kolmogorovSmirnov }),
      ...(wasserstein !== undefined && { wasserstein }),
    };
    const { bins: _, ...rest } = alone;
    return {
      ...rest,
      scores: {
        ...(shown && result && result.populationStabilityIndex !== null && describeScores(shown.bins, result)),
        ...scores,
      },
      tests: {
        ...(result?.pearson && { pearson: result.pearson }),
        ...(result?.ranks && { ranks: result.ranks }),
        ...(result?.missing && { missing: result.missing }),
        ...(result?.unseen && { unseen: result.unseen }),
        ...(result?.effectFloor && { effectFloor: result.effectFloor }),
      },
      qValue: drift.qValue,
      minimumDetectableEffect: result?.minimumDetectableEffect ?? null,
      drifted: drift.drifted,
      ...(shown && { bins: shown.bins }),
      scales: drift.scales.map(describeScale),
      ...(drift.deciding >= 0 && { decidingScale: drift.scales[drift.deciding]?.scale }),
      ...(drift.causes.length > 0 && { onset: this.#findOnset(drift) }),
    };
  }

  /** What the finding of a drifted feature says. */
  explain(drift: FeatureDrift, verdict: FeatureVerdict): DriftEvidence | undefined {
    const result = drift.scales[drift.deciding];
    const [first, ...others] = drift.causes;
    const feature = this.#calibrations.get(drift.name);
    const stretch = this.#context.stretches.find(({ scale }) => scale === result?.scale);
    if (!result || !first || !feature || !stretch) return undefined;
    const shown = this.#readBins(drift.name, result.scale);
    const counts = stretch.counts[this.#positions.get(drift.name) ?? -1];
    const missing = counts?.[feature.plan.coarseBins - 1] ?? 0;
    const rows = counts ? sum(counts) : 0;
    const unseen = feature.plan.unseen < 0 ? 0 : (counts?.[feature.plan.unseen] ?? 0);
    return {
      causes: [first, ...others],
      qValue: result.qValue,
      records: result.records,
      populationStabilityIndex: keepFinite(result.populationStabilityIndex ?? undefined) ?? null,
      layout: feature.layout,
      bins: shown?.bins,
      areDeciles: shown?.areDeciles ?? false,
      missingShare: rows > 0 ? missing / rows : 0,
      missingRise: result.missingRise,
      unseenShare: rows > missing ? unseen / (rows - missing) : 0,
      unseenRise: result.unseenRise,
      pValues: {
        pearson: result.pearson?.pValue ?? null,
        ranks: result.ranks?.pValue ?? null,
        effectFloor: result.effectFloor?.pValue ?? null,
        missing: result.missing?.pValue ?? null,
        unseen: result.unseen?.pValue ?? null,
      },
      baseline: verdict.baseline,
      current: verdict.current,
      stretch: {
        scale: result.scale,
        windowSeconds: this.#context.calibration.windowSeconds,
        windows: result.windows,
        start: stretch.start,
        onset: verdict.onset,
        byHours: feature.usesCells,
        callers: heldCallers(this.#context.capped ?? [], stretch.start, stretch.end),
      },
    };
  }

  #readBins(name: string, scale: number): { readonly bins: Bins; readonly areDeciles: boolean } | undefined {
    const feature = this.#calibrations.get(name);
    const stretch = this.#context.stretches.find((each) => each.scale === scale);
    const counts = stretch?.counts[this.#positions.get(name) ?? -1];
    if (!feature || !stretch || !counts || counts.length !== feature.plan.coarseBins) return undefined;
    const reader = this.#reader;
    reader.open(stretch);
    reader.load(feature, counts);
    const { comparison } = reader;
    comparison.compare(feature.plan, reader.current, reader.expected, reader.effectiveSize);
    if (comparison.bins < 2) return undefined;
    const { plan, shares, records } = feature;
    const all = shares.subarray((records.length - 1) * plan.bins, (records.length - 1) * plan.bins + plan.values);
    const present = sum(all);
    const values = comparison.bins - (comparison.comparesMissing ? 1 : 0);
    const areDeciles =
      plan.kind === 'numeric' && values === plan.values && looksLikeDeciles([...all].map((each) => each / present));
    return {
      areDeciles,
      bins: {
        ...labelBins(feature.layout, comparison),
        missing: comparison.comparesMissing,
        baseline: [...comparison.baseline.subarray(0, comparison.bins)],
        current: [...comparison.current.subarray(0, comparison.bins)],
      },
    };
  }

  #findOnset({ name }: FeatureDrift): Onset | undefined {
    const feature = this.#calibrations.get(name);
    const position = this.#positions.get(name) ?? -1;
    if (!feature) return undefined;
    const { calibration, windowsOfTrail } = this.#context;
    const windows = windowsOfTrail.flatMap(({ start, cell, counts }) => {
      const row = counts[position];
      return row ? [{ start, cell, counts: row }] : [];
    });
    const onset = estimateOnset(feature, calibration, windows);
    if (!onset) return undefined;
    return {
      start: formatInstant(onset.start),
      earliest: formatInstant(onset.earliest),
      latest: formatInstant(onset.latest),
      beforeFirst: onset.beforeFirst,
    };
  }
}

function describeScores(bins: Bins, result: ScaleResult): FeatureVerdict['scores'] {
  return {
    populationStabilityIndex: keepFinite(result.populationStabilityIndex ?? undefined),
    jensenShannonDistance: keepFinite(jensenShannonDistance(bins.baseline, bins.current)),
    hellingerDistance: keepFinite(hellingerDistance(bins.baseline, bins.current)),
    totalVariation: keepFinite(totalVariation(bins.baseline, bins.current)),
  };
}

function describeScale(result: ScaleResult): ScaleVerdict {
  return {
    scale: result.scale,
    windows: result.windows,
    records: result.records,
    populationStabilityIndex: round(result.populationStabilityIndex),
    pearsonPValue: round(result.pearson?.pValue),
    ranksPValue: round(result.ranks?.pValue),
    effectFloorPValue: round(result.effectFloor?.pValue),
    missingPValue: round(result.missing?.pValue),
    unseenPValue: round(result.unseen?.pValue),
    qValue: round(result.qValue),
    drifted: result.causes.length > 0 && !result.isProvisional,
    ...(result.ended && { ended: true }),
    minimumDetectableEffect: round(result.minimumDetectableEffect),
  };
}

/** To four digits: a verdict holds thousands of these. */
function round(value: number | null | undefined): number | null {
  return value === null || value === undefined || !Number.isFinite(value) ? null : Number(value.toPrecision(4));
}

export function labelBins(
  layout: FeatureLayout,
  comparison: { readonly bins: number; readonly first: Int32Array; comparesMissing: boolean; comparesOther: boolean },
): Pick<Bins, 'edges' | 'categories'> {
  const { bins, first, comparesMissing, comparesOther } = comparison;
  const values = bins - (comparesMissing ? 1 : 0);
  if (layout.kind === 'numeric') {
    const edges = [...first.subarray(1, values)].map((bin) =>
      clipToFinite(bucketBounds(layout.binEdges[bin - 1] ?? 0, layout.centre, layout.unit).lower),
    );
    return { edges };
  }
  const names = layout.kind === 'categorical' ? layout.categories : [];
  const categories = [...first.subarray(0, values)].map((bin) => names[bin] ?? '');
  if (comparesOther) categories[values - 1] = unusedLabel('(other)', names);
  if (comparesMissing) categories.push(unusedLabel('(missing)', names));
  return { categories };
}

function sum(values: ArrayLike<number>): number {
  let total = 0;
  for (let index = 0; index < values.length; index++) total += values[index] ?? 0;
  return total;
}
