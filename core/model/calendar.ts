/** What a day counts as when windows are compared with their like. */
export type DayKind = 'weekday' | 'weekend';

/** The local calendar that a model's traffic follows. */
export interface Calendar {
  /** IANA name: `UTC`, `Europe/Berlin`. Its hours and days are what windows are sorted by. */
  readonly timeZone: string;
  /** Local dates (`2026-12-25`) that count as another kind of day than their weekday says. */
  readonly days: readonly (readonly [date: string, kind: DayKind])[];
}

/** No holidays, hours of UTC. */
export const utcCalendar: Calendar = { timeZone: 'UTC', days: [] };
