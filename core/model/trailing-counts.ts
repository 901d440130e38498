/**
 * Bin counts of a series, cumulated from its first judged window to the end of one window: differences of two of these
 * are the counts of any stretch of windows, so a scale of 168 windows costs as much as one. Each window is in it as it
 * was first judged; data that come later restate their window and not the trail.
 */
export interface Trail {
  readonly schema: 'tidewatch.trail/1';
  /** Start of the newest window that is in it, milliseconds since the epoch. */
  readonly windowStart: number;
  /** Judged windows in it. */
  readonly windows: number;
  /** Records by cell of the week (`13|weekday`), cumulated, sorted by cell. */
  readonly cells: readonly (readonly [cell: string, records: number])[];
  /** Per feature of the layout, in the layout's order: the counts of its bins as `Baseline.binCounts` orders them. */
  readonly counts: readonly (readonly number[])[];
}

/** Bin counts of a trailing stretch of windows that ends with the window judged. */
export interface TrailingCounts {
  /** Nominal length in windows: one of the scales. */
  readonly scale: number;
  /** Half-open stretch in milliseconds since the epoch. */
  readonly start: number;
  readonly end: number;
  /** Judged windows that are really in it: fewer than the scale after a gap or at the beginning. */
  readonly windows: number;
  readonly records: number;
  /** Records by cell of the week. */
  readonly cells: readonly (readonly [cell: string, records: number])[];
  /** Per feature of the layout, in the layout's order. */
  readonly counts: readonly ArrayLike<number>[];
}
