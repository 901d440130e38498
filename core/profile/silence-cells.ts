import type { SilenceCell } from '../model/baseline.ts';

const millisecondsPerMinute = 60_000;
/** Minutes of a longer gap are not counted one by one: nobody was there. */
const longestCounted = 28 * 1440;

/**
 * How silent a source is, by hour of the week.
 * @param minutes since the epoch that have records
 * @param cellOf the cell of a time in milliseconds
 */
export function countSilence(minutes: ReadonlySet<number>, cellOf: (time: number) => string): readonly SilenceCell[] {
  const sorted = Float64Array.from(minutes).sort();
  const cells = new Map<string, { silentMinutes: number; wakeUps: number; longestGapSeconds: number }>();
  const at = (minute: number) => {
    const cell = cellOf(minute * millisecondsPerMinute);
    const known = cells.get(cell) ?? { silentMinutes: 0, wakeUps: 0, longestGapSeconds: 0 };
    cells.set(cell, known);
    return known;
  };
  for (let i = 1; i < sorted.length; i++) {
    const [from, to] = [sorted[i - 1] ?? 0, sorted[i] ?? 0];
    const start = at(from);
    start.longestGapSeconds = Math.max(start.longestGapSeconds, (to - from) * 60);
    if (to - from === 1 || to - from > longestCounted) continue;
    for (let minute = from + 1; minute < to; minute++) at(minute).silentMinutes++;
    at(to - 1).wakeUps++;
  }
  return [...cells].sort(([a], [b]) => (a < b ? -1 : 1)).map(([cell, counts]) => ({ cell, ...counts }));
}
