import type { DriftCause } from './drift-causes.ts';
import type { ScaleResult } from './judge-drift.ts';

/** A shorter stretch tells that a drift is over if it spans at least this part of the longer one. */
const shortestPart = 1 / 8;
/** It must have been able to show an effect this many times smaller, and show less than that. */
const certainty = 4;
/** Records without a value, or of unseen categories, that a lasting rise would have put into the shorter stretch. */
const expectedRecords = 30;

/** What a stretch of some length shows. */
interface JudgedStretch<Cause> {
  readonly scale: number;
  readonly qValue: number | null;
  /** Empty: no drift. */
  readonly causes: readonly Cause[];
  readonly ended?: true | undefined;
}

/**
 * Takes back the drift of stretches that are looking at the past: an incident of three hours is in the trailing week for
 * a week. A drift at one scale has ended where a shorter stretch, up to the window judged and at least an eighth as
 * long, shows nothing though it would surely have shown a quarter of the effect. A drift too small to be seen in
 * shorter stretches is never ended this way, nor is one that comes back at certain hours within the shorter stretch.
 * @param isOver says of a cause whether the shorter stretch would have shown it, and does not
 */
export function endDriftsWhere<Cause, Stretch extends JudgedStretch<Cause>>(
  scales: readonly Stretch[],
  isOver: (cause: Cause, longer: Stretch, shorter: Stretch) => boolean,
): readonly Stretch[] {
  return scales.map((result) => {
    if (result.causes.length === 0) return result;
    const hasEnded = scales.some(
      (shorter) =>
        shorter.scale < result.scale &&
        shorter.scale >= result.scale * shortestPart &&
        shorter.qValue !== null &&
        shorter.causes.length === 0 &&
        result.causes.every((cause) => isOver(cause, result, shorter)),
    );
    return hasEnded ? { ...result, causes: [], ended: true } : result;
  });
}

/**
 * Whether an effect is over: a shorter stretch would have shown a quarter of it, and shows less than that.
 * @param detectable smallest effect that the shorter stretch would have shown; null: none
 */
export function isEffectOver(before: number, now: number | null, detectable: number | null): boolean {
  const part = before / certainty;
  return detectable !== null && now !== null && detectable <= part && now <= part;
}

/** `endDriftsWhere` for features that are compared by their bins. */
export function endDrifts(scales: readonly ScaleResult[]): readonly ScaleResult[] {
  return endDriftsWhere<DriftCause, ScaleResult>(scales, (cause, longer, shorter) => {
    switch (cause) {
      case 'missing':
        return isRiseOver(longer.missingRise, shorter.missingRise, shorter.records);
      case 'unseen':
        return isRiseOver(longer.unseenRise, shorter.unseenRise, shorter.records);
      case 'distribution':
        return isEffectOver(
          longer.populationStabilityIndex ?? 0,
          shorter.populationStabilityIndex,
          shorter.minimumDetectableEffect,
        );
    }
  });
}

function isRiseOver(before: number, now: number, records: number): boolean {
  return before * records >= expectedRecords && now <= before / certainty;
}
