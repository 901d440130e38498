import type { Baseline } from '../model/baseline.ts';
import type { Summary, Window } from '../model/profile.ts';
import type { Finding } from '../model/verdict.ts';
import { hypergeometricUpperTail } from '../stats/hypergeometric.ts';
import type { Calibration } from './calibration.ts';
import type { ComparedFeature } from './compared-feature.ts';
import type { FeatureDrift } from './judge-drift.ts';
import { hourADay } from './missing-hours.ts';
import { formatDuration, formatName, formatNumber, formatShare } from './number-text.ts';

/** Chance that a column which is merely often empty happens to be empty throughout a window that is judged alone. */
const missingColumnLevel = 1e-6;
/** Share of rows that must carry an unexpected column: one odd request is not a change of the schema. */
const minimumExtraShare = 0.01;
const namedColumns = 5;

/** Records of which none has a value, and the share of them that should. */
export interface MissingColumn {
  readonly records: number;
  readonly presentShare: number;
  /** Present where they are those of a trailing stretch. */
  readonly stretch?: { readonly seconds: number; readonly scale: number; readonly byHours: boolean } | undefined;
}

/**
 * The shortest stretch up to the window in which a column has no value at all, where that is drift by the main rule: not
 * at hours at which it never has any. Without times of the baseline nobody knows those hours.
 */
export function findMissingColumn(drift: FeatureDrift, calibration: Calibration): MissingColumn | undefined {
  const found = drift.scales.find(
    ({ isEmpty, isProvisional, causes }) => isEmpty && !isProvisional && causes.length > 0,
  );
  const feature = calibration.features.find(({ name }) => name === drift.name);
  const knowsNoHours = calibration.kind === 'uncalibrated' || feature?.provisionalBelow !== undefined;
  if (!found || (knowsNoHours && found.missingRise <= 1 - hourADay)) return undefined;
  const { scale, records, missingRise } = found;
  const byHours = feature?.usesCells === true;
  return {
    records,
    presentShare: missingRise,
    stretch: { seconds: scale * calibration.windowSeconds, scale, byHours },
  };
}

/**
 * True where a column that the baseline had has no value at all in records that are judged by themselves, are enough to
 * expect some, and span more time than the baseline ever went without one.
 */
export function isMissingColumn(
  { baseline, current }: ComparedFeature,
  time: Baseline['time'],
  { start, end }: Window,
  minimumRecords: number,
): boolean {
  const rows = current.missing;
  if (current.count > 0 || rows === 0 || rows < minimumRecords || baseline.summary.count === 0) return false;
  const baselineRows = baseline.summary.count + baseline.summary.missing;
  const successes = baseline.summary.missing + rows;
  if (hypergeometricUpperTail(rows, rows, successes, baselineRows + rows) > missingColumnLevel) return false;
  const silence = longestSilence(baseline.binCounts?.windows ?? [], time);
  return silence === 0 || end - start > silence;
}

/** The longest time in milliseconds, from window to window, in which a column had records and no value. */
function longestSilence(rows: readonly (readonly number[])[], time: Baseline['time']): number {
  let longest = 0;
  let since: number | undefined;
  time?.windows.forEach(([start], index) => {
    const row = rows[index] ?? [];
    const values = row.slice(0, -1).some((count) => count > 0);
    if (values) since = undefined;
    if (values || !(row.at(-1) ?? 0)) return;
    since ??= Date.parse(start);
    longest = Math.max(longest, Date.parse(start) + time.windowSeconds * 1000 - since);
  });
  return longest;
}

/** Says that a column is gone: red where the feature is required. */
export function describeMissingColumn(
  feature: string,
  { records, presentShare, stretch }: MissingColumn,
  required: boolean,
): Finding {
  const span = stretch && stretch.scale > 1 ? ` of the last ${formatDuration(stretch.seconds)}` : '';
  const expected = stretch?.byHours
    ? `usually ${formatShare(presentShare)} have one`
    : `in the baseline ${formatShare(presentShare)} had one`;
  return {
    id: `missing-column:${feature}`,
    tier: required ? 'red' : 'yellow',
    kind: 'missing-column',
    feature,
    message: `${formatName(feature)}: none of ${formatNumber(records)} records${span} has a value; ${expected}${required ? '; the feature is required' : ''}`,
    evidence: { records, expectedPresentShare: presentShare, required, ...(stretch && { scale: stretch.scale }) },
  };
}

/** Says that records carry columns which neither the schema nor the baseline knows. */
export function findExtraColumns(summary: Summary): Finding | undefined {
  const rows = summary.records.counted;
  const extra = summary.extraColumns.filter(([, count]) => rows > 0 && count / rows >= minimumExtraShare);
  if (extra.length === 0) return undefined;
  const named = extra
    .slice(0, namedColumns)
    .map(([name, count]) => `${formatName(name)} (${formatShare(Math.min(count / rows, 1))})`);
  const more = extra.length > named.length ? ` and ${extra.length - named.length} more` : '';
  const columns = extra.length === 1 ? '1 column' : `${extra.length} columns`;
  return {
    id: 'extra-column',
    tier: 'yellow',
    kind: 'extra-column',
    message: `${columns} that the baseline does not know in ${formatNumber(rows)} records: ${named.join(', ')}${more}`,
    evidence: { columns: extra.length, records: rows },
  };
}
