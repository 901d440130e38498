/** Where the short window of a burn-rate pair begins, and how many events it must hold. */
export interface ShortStretch {
  /** Its length where traffic is dense, in minutes. */
  readonly minutes: number;
  /** The longest it may become. */
  readonly maximumMinutes: number;
  /** Where fewer events fall into `minutes`, it goes further back until it holds this many. */
  readonly events: number;
}

/**
 * First minute of the short window that ends at `endMinute` (exclusive).
 *
 * The short window asks whether trouble still goes on. Five minutes of a service with ten calls an hour mostly hold
 * nothing, and no call is no proof that the trouble is over: without events the alarm would clear and ring again with
 * every call. So the window reaches back until it holds a handful of events, and trouble is over when that many in a
 * row were good.
 * @param slots events per minute, ascending by minute
 */
export function findShortStretch(
  slots: readonly (readonly [minute: number, events: number])[],
  endMinute: number,
  { minutes, maximumMinutes, events }: ShortStretch,
): number {
  let seen = 0;
  for (const [minute, count] of slots.toReversed()) {
    if (minute >= endMinute) continue;
    if (minute < endMinute - maximumMinutes) break;
    seen += count;
    if (seen >= events) return Math.min(minute, endMinute - minutes);
  }
  return endMinute - maximumMinutes;
}
