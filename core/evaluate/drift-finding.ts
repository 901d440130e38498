import type { FeatureLayout } from '../model/layout.ts';
import type { Bins, FeatureStatistics, Finding, Onset } from '../model/verdict.ts';
import { describeBins, unknownCategories } from './bin-sentence.ts';
import { describeHeld, type HeldCaller } from './caller-trail.ts';
import type { DriftCause } from './drift-causes.ts';
import {
  formatInstant,
  formatMinute,
  formatName,
  formatNumber,
  formatProbabilityOf,
  formatScale,
  formatShare,
} from './number-text.ts';
import type { DriftTest } from './test-shares.ts';
import { isFarConversion, recogniseUnitChange, type UnitChange } from './unit-change.ts';

const kinds = { missing: 'missing', unseen: 'unseen-category', distribution: 'drift' } as const;

/** What a drift is described by: a window against the baseline, or a trailing stretch against what was expected. */
export interface DriftEvidence {
  /** The surest first. */
  readonly causes: readonly [DriftCause, ...DriftCause[]];
  readonly qValue: number | null;
  readonly records: number;
  readonly populationStabilityIndex: number | null;
  readonly layout: FeatureLayout;
  readonly bins: Bins | undefined;
  /** True where the bins of values are the baseline's deciles. */
  readonly areDeciles: boolean;
  /** Of a column of vectors: what is no usable vector is missing. */
  readonly isVector?: boolean | undefined;
  readonly missingShare: number;
  readonly missingRise: number;
  /** Of those that have a value. */
  readonly unseenShare: number;
  readonly unseenRise: number;
  readonly pValues: Readonly<Record<DriftTest | 'effectFloor', number | null>>;
  /** The window's own statistics beside the baseline's: what a change of units shows in. */
  readonly baseline: FeatureStatistics;
  readonly current: FeatureStatistics;
  /** Where the drift was seen over a trailing stretch. */
  readonly stretch?: DriftStretch | undefined;
}

export interface DriftStretch {
  /** Nominal length and length of a window. */
  readonly scale: number;
  readonly windowSeconds: number;
  /** Judged windows in it. */
  readonly windows: number;
  /** Milliseconds since the epoch. */
  readonly start: number;
  readonly onset: Onset | undefined;
  /** True where the shares compared with are those of the same hours. */
  readonly byHours: boolean;
  /** Callers that were held to a cap in it, the largest excess first. */
  readonly callers?: readonly HeldCaller[] | undefined;
}

/** Says that a feature has drifted: one finding, of the kind of its surest cause, that names every cause. */
export function describeDrift(feature: string, evidence: DriftEvidence): Finding {
  const { causes, stretch, pValues } = evidence;
  const kind = kinds[causes[0]];
  const psi = evidence.populationStabilityIndex;
  const unit = recogniseIn(evidence);
  const numbers = [
    ...(psi === null ? [] : [`PSI ${formatNumber(Number(psi.toPrecision(2)))}`]),
    formatProbabilityOf('q', evidence.qValue ?? 1),
    `${formatNumber(evidence.records)} records`,
    ...(stretch ? [`seen at the ${formatScale(stretch)} scale`] : []),
    ...(stretch?.onset ? [describeOnset(stretch.onset)] : []),
  ].join(', ');
  // Two causes may say the same, as that a bin of missing values has grown.
  const sentences = [...new Set(causes.map((cause) => describeCause(cause, evidence)))].filter((text) => text !== '');
  const factor = unit?.factor === undefined ? '' : ` (× ${formatNumber(unit.factor)})`;
  const hint = unit ? `; the values look converted from ${unit.meaning}${factor}` : '';
  return {
    id: `${kind}:${feature}`,
    tier: 'yellow',
    kind,
    feature,
    message: `${formatName(feature)}: ${sentences.join('; ')}${hint}; ${numbers}${describeCallers(stretch)}`,
    evidence: {
      causes: causes.join(' '),
      qValue: evidence.qValue,
      populationStabilityIndex: psi,
      pearsonPValue: pValues.pearson,
      ranksPValue: pValues.ranks,
      effectFloorPValue: pValues.effectFloor,
      missingPValue: pValues.missing,
      missingRise: evidence.missingRise,
      unseenPValue: pValues.unseen,
      unseenRise: evidence.unseenRise,
      records: evidence.records,
      unitChange: unit?.meaning ?? null,
      ...(stretch && describeStretch(stretch)),
    },
  };
}

/**
 * Where the baseline's ups and downs in time are not known, drift that may be one of them is said and raises nothing. A
 * change of units by a large factor is none.
 */
export function describeProvisional(feature: string, evidence: DriftEvidence): Finding {
  const finding = describeDrift(feature, evidence);
  const unit = recogniseIn(evidence);
  return unit && isFarConversion(unit) ? finding : asProvisional(finding);
}

export function asProvisional(finding: Finding): Finding {
  const message = `${finding.message}; provisional: the baseline's ups and downs are not known yet`;
  return { ...finding, tier: 'green', message };
}

function recogniseIn({ causes, baseline, current }: DriftEvidence): UnitChange | undefined {
  return causes.includes('distribution') ? recogniseUnitChange(baseline, current) : undefined;
}

function describeStretch({ scale, windows, start, onset, callers = [] }: DriftStretch): Finding['evidence'] {
  const [largest] = callers;
  return {
    ...(largest && {
      caller: largest.caller,
      callerShare: largest.share,
      callerRecords: largest.records,
      callerKept: largest.kept,
    }),
    scale,
    windows,
    stretchStart: formatInstant(start),
    onset: onset?.start ?? null,
    onsetEarliest: onset?.earliest ?? null,
    onsetLatest: onset?.latest ?? null,
  };
}

/** Callers named in one finding. */
const mostCallers = 3;

function describeCallers(stretch: DriftStretch | undefined): string {
  const callers = stretch?.callers ?? [];
  return callers
    .slice(0, mostCallers)
    .map((caller) => `; ${describeHeld(caller)}`)
    .join('');
}

function describeOnset(onset: Onset): string {
  const minute = formatMinute(Math.floor(Date.parse(onset.start) / 60_000));
  return onset.beforeFirst ? `began at ${minute} or before` : `began about ${minute}`;
}

function describeCause(cause: DriftCause, evidence: DriftEvidence): string {
  if (cause === 'missing') {
    const { missingShare, missingRise, stretch } = evidence;
    const before = `${formatShare(Math.max(0, missingShare - missingRise))}${stretch?.byHours ? ' were expected' : ''}`;
    const of = stretch?.byHours ? '' : 'in the baseline ';
    return `${formatShare(missingShare)} of records have no ${evidence.isVector ? 'usable vector' : 'value'}, ${of}${before}`;
  }
  if (cause === 'unseen') {
    const expected = formatShare(Math.max(0, evidence.unseenShare - evidence.unseenRise));
    return `${formatShare(evidence.unseenShare)} of values ${unknownCategories}, ${expected} were expected`;
  }
  const { layout, bins, areDeciles, stretch } = evidence;
  return bins ? describeBins(bins, { layout, areDeciles, byHours: stretch?.byHours === true }) : '';
}
