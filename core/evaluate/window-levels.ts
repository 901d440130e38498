import type { Baseline } from '../model/baseline.ts';
import { retestQualityShare } from '../model/budget.ts';
import type { ModelPolicy } from '../model/policy.ts';
import { chooseScales } from '../model/scales.ts';

/** What one window of one series may spend of its model's budget. Each is a probability. */
export interface WindowLevels {
  /** Benjamini–Hochberg level per scale. */
  readonly drift: number;
  /** The same of all slices together; absent: none are judged. */
  readonly slices: number | undefined;
  /** Of all checks of the quality of the data together. */
  readonly quality: number;
  /** Of a second look at the window; absent: there is none. */
  readonly retest: { readonly drift: number; readonly quality: number } | undefined;
}

/** Trailing stretches that the series of a baseline are judged at, in windows: with four weeks where the traffic is low. */
export function scalesOf({ windowSeconds, drift }: ModelPolicy, baseline: Baseline): readonly number[] {
  return drift.scales ?? chooseScales(windowSeconds, recordsPerWeek(baseline));
}

/**
 * A model's levels, shared out evenly over its series in service. The policy's levels are those of the scales that every
 * model has: a further one takes its part of all.
 * @param scales how many are judged
 * @param series how many of the model are in service, at least 1
 */
export function levelsOf(
  { windowSeconds, drift, sliceLevel }: ModelPolicy,
  scales: number,
  series: number,
): WindowLevels {
  const usual = drift.scales?.length ?? chooseScales(windowSeconds).length;
  const perLook = usual / (Math.max(1, scales) * series);
  const { retestLevel, qualityLevel = 0 } = drift;
  const forQuality = qualityLevel > 0 ? retestQualityShare : 0;
  return {
    drift: drift.level * perLook,
    slices: sliceLevel === undefined ? undefined : sliceLevel * perLook,
    quality: qualityLevel / series,
    retest:
      retestLevel === undefined
        ? undefined
        : {
            drift: retestLevel * perLook * (1 - forQuality),
            // Quality is looked at once per window, whatever the number of scales.
            quality: (retestLevel * usual * forQuality) / series,
          },
  };
}

/** Of the time from the baseline's first record to its last; infinite where it has no times. */
function recordsPerWeek({ records, time }: Baseline): number {
  if (!time) return Number.POSITIVE_INFINITY;
  const weeks = (Date.parse(time.last) - Date.parse(time.first)) / (7 * 86_400_000);
  return weeks > 0 ? records / weeks : Number.POSITIVE_INFINITY;
}
