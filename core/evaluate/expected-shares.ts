import type { BaselineFeature } from '../model/baseline.ts';
import type { FeatureLayout } from '../model/layout.ts';
import { type BinPlan, foldCounts } from './bin-plan.ts';
import { expectedUnseenRows } from './expected-unseen.ts';
import { binCountsOf } from './trail.ts';
import type { GroupedWindows } from './window-set.ts';

/** What is expected of a feature, by cell. */
export interface ExpectedShares {
  readonly name: string;
  readonly layout: FeatureLayout;
  readonly plan: BinPlan;
  /** Shares of the compared bins: a row per group of cells, then one of all records. */
  readonly shares: Float64Array;
  /** Share of unseen values, per row of `shares`. */
  readonly unseen: Float64Array;
  /** Records behind each row, beside those behind all of them. */
  readonly records: Float64Array;
  /** Records of a total that every row but the last leans on; absent: rows are counted one by one. */
  readonly leansOn?: number | undefined;
  /** Share of unseen values to be expected beyond the baseline's own (Good–Turing). */
  readonly newCategories: number;
}

/** A feature of a baseline. */
export interface FeatureSource {
  readonly name: string;
  readonly layout: FeatureLayout;
  readonly feature: BaselineFeature;
  /** In the layout. */
  readonly position: number;
  readonly plan: BinPlan;
}

/** Shares by group of cells, counted from windows. */
export function describeWindows(
  { name, layout, feature, plan }: FeatureSource,
  counts: readonly (readonly number[])[],
  grouped: GroupedWindows,
): ExpectedShares {
  const { bins } = plan;
  const rows = grouped.groups.size + 1;
  const shares = new Float64Array(rows * bins);
  const unseen = new Float64Array(rows);
  const records = new Float64Array(rows);
  const folded = new Float64Array(bins);
  counts.forEach((row, window) => {
    foldCounts(row, plan, folded);
    const here = sum(row);
    for (const target of [grouped.groupOf[window] ?? 0, rows - 1]) {
      for (let bin = 0; bin < bins; bin++) {
        const index = target * bins + bin;
        shares[index] = (shares[index] ?? 0) + (folded[bin] ?? 0);
      }
      records[target] = (records[target] ?? 0) + here;
      if (plan.unseen >= 0) unseen[target] = (unseen[target] ?? 0) + (row[plan.unseen] ?? 0);
    }
  });
  normalise(shares, unseen, records, bins);
  return { name, layout, plan, shares, unseen, records, newCategories: newCategoriesOf(feature) };
}

/** The same shares whatever the cell: the baseline knows no hours. */
export function describeTotal({ name, layout, feature, plan }: FeatureSource, groups: number): ExpectedShares {
  const { bins } = plan;
  const rows = groups + 1;
  const coarse = binCountsOf(feature.summary, layout);
  if (plan.unseen >= 0) coarse[plan.unseen] = Math.max(coarse[plan.unseen] ?? 0, feature.rare);
  const folded = new Float64Array(bins);
  foldCounts(coarse, plan, folded);
  const shares = new Float64Array(rows * bins);
  for (let row = 0; row < rows; row++) shares.set(folded, row * bins);
  const total = sum(coarse);
  const records = new Float64Array(rows).fill(total);
  const unseen = new Float64Array(rows).fill(plan.unseen < 0 ? 0 : (coarse[plan.unseen] ?? 0));
  normalise(shares, unseen, records, bins);
  return { name, layout, plan, shares, unseen, records, newCategories: newCategoriesOf(feature) };
}

function normalise(shares: Float64Array, unseen: Float64Array, records: Float64Array, bins: number): void {
  records.forEach((count, row) => {
    if (!(count > 0)) return;
    for (let bin = 0; bin < bins; bin++) shares[row * bins + bin] = (shares[row * bins + bin] ?? 0) / count;
    unseen[row] = (unseen[row] ?? 0) / count;
  });
}

function newCategoriesOf(feature: BaselineFeature): number {
  if (feature.summary.kind !== 'categorical') return 0;
  const rows = feature.summary.count + feature.summary.missing;
  const known = Math.max(feature.summary.unseen, feature.rare);
  return rows > 0 ? Math.max(0, expectedUnseenRows(feature) - known) / rows : 0;
}

function sum(row: readonly number[]): number {
  let total = 0;
  for (const count of row) total += count;
  return total;
}
