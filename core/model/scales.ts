const secondsPerDay = 86_400;

/** Records a week below which a stretch of four weeks is judged beside the week. */
const lowTraffic = 1_000;

/**
 * The lengths, in windows, of the trailing stretches that a model is judged at. Hourly windows: 1, 2, 4, 8, 24, 72
 * and 168, that is, from one window to a week. Windows of other widths get the same spans as far as they fit: doubling
 * up to eight windows, on by fours to the day, then a day, three days and a week.
 * @param recordsPerWeek where it is known and small, four weeks are judged as well: a week shows too little then
 */
export function chooseScales(windowSeconds: number, recordsPerWeek = Number.POSITIVE_INFINITY): readonly number[] {
  if (!(windowSeconds > 0 && windowSeconds <= 7 * secondsPerDay)) {
    throw new RangeError(`scales: expected windows of up to a week, saw ${windowSeconds} seconds`);
  }
  const spans = [1, 3, 7, ...(recordsPerWeek < lowTraffic ? [28] : [])];
  const long = spans.map((days) => Math.round((days * secondsPerDay) / windowSeconds)).filter((scale) => scale >= 1);
  const day = secondsPerDay / windowSeconds;
  const short: number[] = [];
  for (let scale = 1; scale * 2 <= day; scale *= scale < 8 ? 2 : 4) short.push(scale);
  return [...new Set([1, ...short, ...long])].sort((a, b) => a - b);
}
