import type { Baseline } from '../model/baseline.ts';
import type { Calendar } from '../model/calendar.ts';
import type { ModelPolicy } from '../model/policy.ts';
import type { TrailingCounts } from '../model/trailing-counts.ts';
import type { Calibration, LearnedWindows } from './calibration.ts';
import { createCellReader } from './cells.ts';
import { judgeDrift } from './judge-drift.ts';
import { lacksHours } from './missing-hours.ts';

/** Newest windows that tell what goes on when it is learned from them. */
const newest = [1, 8, 24] as const;

/**
 * A calibration learned live, without the features that are drifting while it is learned: their incident is not their
 * ups and downs. They are judged as they were before.
 * @param before what they were judged by until then
 */
export function leaveOutOngoing(
  calibration: Calibration,
  before: Calibration,
  { starts, counts, replaces }: LearnedWindows,
  { policy, baseline, calendar }: { policy: ModelPolicy; baseline: Baseline; calendar: Calendar },
): Calibration {
  if (calibration.kind !== 'learned') return calibration;
  const cellOf = createCellReader(calendar);
  const stretches = newest.map((scale): TrailingCounts => {
    const last = starts.slice(-scale);
    const rows = counts.map((windows) => addUp(windows.slice(-scale)));
    const cells = last.map((start, at) => {
      const here = counts.map((windows) => sum(windows.at(at - last.length) ?? []));
      return [cellOf(start), Math.max(0, ...here)] as const;
    });
    const records = cells.reduce((all, [, count]) => all + count, 0);
    const [start = 0, end = 0] = [last[0], last.at(-1)];
    return { scale, start, end: end + before.windowSeconds * 1000, windows: last.length, records, cells, counts: rows };
  });
  const known = new Map(baseline.features);
  const ongoing = new Set(
    judgeDrift({ policy, baseline, calibration: before, stretches }).features.flatMap(({ name, drifted, causes }) => {
      const summary = known.get(name)?.summary;
      // What lacks values for an hour of every day, or more, may lack them in these, where nobody knows hours.
      const isUsual = before.groups.size === 1 && causes[0] === 'missing' && summary && lacksHours(summary);
      return drifted && !isUsual && !replaces?.has(name) ? [name] : [];
    }),
  );
  if (ongoing.size === 0) return calibration;
  const earlier = new Map(before.features.map((feature) => [feature.name, feature]));
  return {
    ...calibration,
    description: `${calibration.description}, but for features that were drifting then (${ongoing.size})`,
    features: calibration.features.map((feature) => {
      const unlearned = ongoing.has(feature.name) ? earlier.get(feature.name) : undefined;
      return unlearned
        ? { ...unlearned, provisionalBelow: unlearned.provisionalBelow ?? before.provisionalBelow }
        : feature;
    }),
  };
}

function sum(row: readonly number[]): number {
  return row.reduce((all, count) => all + count, 0);
}

function addUp(windows: readonly (readonly number[])[]): readonly number[] {
  return (windows[0] ?? []).map((_, bin) => sum(windows.map((row) => row[bin] ?? 0)));
}
