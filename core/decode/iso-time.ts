const pattern = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:Z|([+-])(\d{2}):?(\d{2}))$/;

/** Milliseconds since the epoch above which a Date can't go. */
const latestDate = 8.64e15;

/**
 * Milliseconds since the epoch of an ISO 8601 date and time with seconds and a zone (`2026-03-01T12:00:00Z`,
 * `…:00.125+02:00`); digits beyond the millisecond are cut. Undefined for anything else, days that do not exist included.
 */
export function parseIsoTime(text: string): number | undefined {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const part = (index: number): number => Number(match[index] ?? 0);
  const [year, month, day, hour, minute, second] = [part(1), part(2), part(3), part(4), part(5), part(6)];
  const [zoneHour, zoneMinute] = [part(9), part(10)];
  if (hour > 23 || minute > 59 || second > 59 || zoneHour > 23 || zoneMinute > 59) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  const milliseconds = Number((match[7] ?? '').padEnd(3, '0').slice(0, 3));
  const zone = (match[8] === '-' ? -1 : 1) * (zoneHour * 60 + zoneMinute);
  return date.getTime() + ((hour * 60 + minute - zone) * 60 + second) * 1000 + milliseconds;
}

/** Whole milliseconds since the epoch given as a number; undefined where it is negative or no date. */
export function parseEpochMilliseconds(value: number): number | undefined {
  return value >= 0 && value <= latestDate ? Math.floor(value) : undefined;
}
