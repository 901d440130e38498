import type { Baseline, SilenceCell } from '../model/baseline.ts';

const millisecondsPerHour = 3_600_000;
const minutesPerHour = 60;
/** A shorter baseline has seen too few silences of an hour of the week. */
const fewestDays = 14 - 0.25;
/** A silence of so small a chance, once it has begun, is none of the source's own. */
const logChance = Math.log(1e-6);
/** Chance that a silent minute is the last, at most: what is never silent says nothing of how it would go on. */
const surestWakeUp = 0.75;

/**
 * The longest silence, in seconds, that is usual where it begins at a given time; twice as much is allowed. It is the
 * baseline's longest, but not more than the larger of the longest that began at that hour of the week, an hour before or
 * after, and half of what has a chance of one in a million by how often silences end in the hours that follow. Neighbouring
 * hours count because clocks are changed.
 * @param since milliseconds since the epoch; undefined: nobody knows when it began, so that the longest of all counts
 */
export function usualGapSeconds(time: NonNullable<Baseline['time']>, since: number | undefined): number {
  const { longestGapSeconds, silences } = time;
  const days = (Date.parse(time.last) - Date.parse(time.first)) / 86_400_000;
  if (since === undefined || !silences || !(days >= fewestDays)) return longestGapSeconds;
  const known = new Map(silences.map((cell) => [cell.cell, cell]));
  const around = (start: number) => [-1, 0, 1].map((hours) => known.get(cellOf(start + hours * millisecondsPerHour)));
  const began = around(since);
  // An hour without a single record before it tells nothing of a silence that begins in it.
  if (began.some((cell) => cell === undefined || cell.longestGapSeconds === 0)) return longestGapSeconds;
  const longest = Math.max(...began.map((cell) => cell?.longestGapSeconds ?? 0));
  return Math.min(longestGapSeconds, Math.max(longest, secondsUntilUnlikely(around, since, 2 * longestGapSeconds) / 2));
}

function secondsUntilUnlikely(
  around: (start: number) => readonly (SilenceCell | undefined)[],
  since: number,
  limitSeconds: number,
): number {
  let logarithm = 0;
  for (let time = since; time < since + limitSeconds * 1000; ) {
    const next = (Math.floor(time / millisecondsPerHour) + 1) * millisecondsPerHour;
    const perMinute = Math.log1p(-Math.min(...around(time).map(wakeUpChance)));
    const minutes = ((next - time) / millisecondsPerHour) * minutesPerHour;
    if (logarithm + minutes * perMinute <= logChance) {
      return (time - since) / 1000 + 60 * ((logChance - logarithm) / perMinute);
    }
    logarithm += minutes * perMinute;
    time = next;
  }
  return limitSeconds;
}

/** Chance that a silent minute of the cell is followed by one with records, on the low side. */
function wakeUpChance(cell: SilenceCell | undefined): number {
  if (!cell) return 0;
  const { silentMinutes, wakeUps } = cell;
  return silentMinutes === 0 ? surestWakeUp : Math.min(surestWakeUp, wakeUps / (silentMinutes + 2));
}

/** As the baseline names its cells: hour of day × weekday or weekend, UTC. */
function cellOf(time: number): string {
  const date = new Date(time);
  const day = date.getUTCDay();
  return `${String(date.getUTCHours()).padStart(2, '0')}|${day === 0 || day === 6 ? 'weekend' : 'weekday'}`;
}
