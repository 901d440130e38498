import type { BaselineFeature } from '../model/baseline.ts';
import type { FeatureSummary, Summary } from '../model/profile.ts';
import type { Finding } from '../model/verdict.ts';
import { hypergeometricUpperTail } from '../stats/hypergeometric.ts';
import { formatName, formatNumber, formatShare } from './number-text.ts';

/** Chance that a column which is merely often empty happens to be empty throughout a window. */
const missingColumnLevel = 1e-6;
/** Share of rows that must carry an unexpected column: one odd request is not a change of the schema. */
const minimumExtraShare = 0.01;
const namedColumns = 5;

/** True where a column that the baseline had has no value at all in a window large enough to expect some. */
export function isMissingColumn(baseline: BaselineFeature, current: FeatureSummary, minimumRecords: number): boolean {
  const rows = current.missing;
  if (current.count > 0 || rows === 0 || rows < minimumRecords || baseline.summary.count === 0) return false;
  const baselineRows = baseline.summary.count + baseline.summary.missing;
  const successes = baseline.summary.missing + rows;
  return hypergeometricUpperTail(rows, rows, successes, baselineRows + rows) <= missingColumnLevel;
}

/** Says that a column is gone: red where the feature is required. */
export function describeMissingColumn(
  feature: string,
  baseline: BaselineFeature,
  rows: number,
  required: boolean,
): Finding {
  const { count, missing } = baseline.summary;
  const present = count / (count + missing);
  return {
    id: `missing-column:${feature}`,
    tier: required ? 'red' : 'yellow',
    kind: 'missing-column',
    feature,
    message: `${formatName(feature)}: none of ${formatNumber(rows)} records has a value, in the baseline ${formatShare(present)} had one${required ? '; the feature is required' : ''}`,
    evidence: { records: rows, baselinePresentShare: present, required },
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
