import type { MinuteSlot } from '../model/profile.ts';

const millisecondsPerMinute = 60_000;

/**
 * The minute (since the epoch, exclusive) at which live windows end. Captures arrive late: a window that ended now
 * would hold little but silence and always look healthy. So windows end with the newest minute that has data, but
 * never after the current minute, and never further back than the capture delay allows: from then on missing data
 * is silence, and the windows move on over it.
 */
export function findWatermark(slots: readonly MinuteSlot[], now: number, captureDelaySeconds: number): number {
  const current = Math.floor(now / millisecondsPerMinute) + 1;
  const earliest = Math.floor((now - captureDelaySeconds * 1000) / millisecondsPerMinute);
  return slots.reduce((end, { minute }) => (minute < current ? Math.max(end, minute + 1) : end), earliest);
}
