import type { DriftCause } from './drift-causes.ts';
import type { ScaleResult } from './judge-drift.ts';

/** A shorter stretch tells that a drift is over if it spans at least this part of the longer one. */
const shortestPart = 1 / 8;
/** It must have been able to show an effect this many times smaller, and show less than that. */
const certainty = 4;
/** Records without a value, or of unseen categories, that a lasting rise would have put into the shorter stretch. */
const expectedRecords = 30;

/**
 * Takes back the drift of stretches that are looking at the past: an incident of three hours is in the trailing week for
 * a week. A drift at one scale has ended where a shorter stretch, up to the window judged and at least an eighth as
 * long, shows nothing though it would surely have shown a quarter of the effect. A drift too small to be seen in
 * shorter stretches is never ended this way, nor is one that comes back at certain hours within the shorter stretch.
 */
export function endDrifts(scales: readonly ScaleResult[]): readonly ScaleResult[] {
  return scales.map((result) => {
    if (result.causes.length === 0) return result;
    const isOver = scales.some(
      (shorter) =>
        shorter.scale < result.scale &&
        shorter.scale >= result.scale * shortestPart &&
        shorter.qValue !== null &&
        shorter.causes.length === 0 &&
        result.causes.every((cause) => showsNothing(cause, result, shorter)),
    );
    return isOver ? { ...result, causes: [], ended: true } : result;
  });
}

function showsNothing(cause: DriftCause, longer: ScaleResult, shorter: ScaleResult): boolean {
  switch (cause) {
    case 'missing':
      return isRiseOver(longer.missingRise, shorter.missingRise, shorter.records);
    case 'unseen':
      return isRiseOver(longer.unseenRise, shorter.unseenRise, shorter.records);
    case 'pearson': {
      const effect = (longer.populationStabilityIndex ?? 0) / certainty;
      const { minimumDetectableEffect: detectable, populationStabilityIndex: seen } = shorter;
      return detectable !== null && seen !== null && detectable <= effect && seen <= effect;
    }
  }
}

function isRiseOver(before: number, now: number, records: number): boolean {
  return before * records >= expectedRecords && now <= before / certainty;
}
