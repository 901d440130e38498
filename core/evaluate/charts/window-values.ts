import { isConfidence } from '../../model/derived-columns.ts';
import type { Layout } from '../../model/layout.ts';
import type { MinuteSlot, Summary } from '../../model/profile.ts';
import { ExactSum } from '../../stats/exact-sum.ts';
import { momentsFromSums } from '../../stats/log-linear-histogram.ts';
import type { WeighedWindow } from '../caller-caps.ts';
import type { SeriesKind } from './scalar-series.ts';

/** A scalar of one window: what is charted. */
export interface WindowValue {
  /** `records`, `missing values`, `mean of score`, `good events of latency`. */
  readonly name: string;
  readonly kind: SeriesKind;
  readonly value: number;
  /** Records the value was made of. */
  readonly weight: number;
}

/** What the series are called that every model has. */
export const recordsName = 'records';
export const missingValuesName = 'missing values';
/** What the series of an output's mean is called. */
export function meanOf(output: string): string {
  return `mean of ${output}`;
}

/** Charts of one model at most: each has its share of the budget, and too many of them would see nothing. */
export const maximumMeans = 20;

/** The numeric outputs whose means are charted, and those beyond the most that are: of many the confidence comes first. */
export function chooseMeans(layout: Layout): {
  readonly charted: ReadonlySet<string>;
  readonly others: readonly string[];
} {
  const outputs = layout.features.flatMap(([name, { kind, side }]) =>
    kind === 'numeric' && side === 'output' ? [name] : [],
  );
  const ordered = [...outputs.filter(isConfidence), ...outputs.filter((name) => !isConfidence(name))];
  return { charted: new Set(ordered.slice(0, maximumMeans)), others: ordered.slice(maximumMeans) };
}

/**
 * The scalars of a closed window: its volume, the share of values that are missing over all features, the mean of
 * numeric outputs, of the first twenty, and the share of good events of each objective. A scalar without records behind it is left out.
 * @param weighed what is left of a window in which callers were held to their caps. What the means are without them is
 *   not known: they are left out.
 */
export function valuesOfWindow(
  summary: Summary,
  layout: Layout,
  weighed?: WeighedWindow | undefined,
): readonly WindowValue[] {
  const counted = weighed?.records ?? summary.records.counted;
  const features = new Map(summary.features);
  const values: WindowValue[] = [{ name: recordsName, kind: 'count', value: counted, weight: counted }];
  const cells = counted * layout.features.length;
  if (cells > 0) {
    const missing = weighed
      ? weighed.counts.reduce((sum, counts) => sum + (counts.at(-1) ?? 0), 0)
      : layout.features.reduce((sum, [name]) => sum + (features.get(name)?.missing ?? counted), 0);
    // Values of one record are missing together: a record counts once, not once per feature.
    values.push({ name: missingValuesName, kind: 'share', value: Math.min(1, missing / cells), weight: counted });
  }
  const { charted } = chooseMeans(layout);
  for (const [name, feature] of weighed ? [] : layout.features) {
    if (!charted.has(name)) continue;
    const current = features.get(name);
    if (feature.kind !== 'numeric' || current?.kind !== 'numeric' || current.count === 0) continue;
    const sums = [ExactSum.parse(current.sum), ExactSum.parse(current.sumOfSquares)] as const;
    const { mean } = momentsFromSums(current.count, feature.centre, ...sums);
    if (mean !== undefined) values.push({ name: meanOf(name), kind: 'mean', value: mean, weight: current.count });
  }
  for (const [slo, good, valid] of sumIndicators(summary.minutes)) {
    if (valid > 0) values.push({ name: `good events of ${slo}`, kind: 'share', value: good / valid, weight: valid });
  }
  return values;
}

function sumIndicators(
  minutes: readonly MinuteSlot[],
): readonly (readonly [slo: string, good: number, valid: number])[] {
  const sums = new Map<string, readonly [slo: string, good: number, valid: number]>();
  for (const { slis } of minutes) {
    for (const [slo, good, valid] of slis) {
      const known = sums.get(slo);
      sums.set(slo, [slo, (known?.[1] ?? 0) + good, (known?.[2] ?? 0) + valid]);
    }
  }
  return [...sums.values()].sort(([a], [b]) => (a < b ? -1 : 1));
}
