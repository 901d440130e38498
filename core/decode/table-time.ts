import { parseEpochMilliseconds, parseIsoTime } from './iso-time.ts';

/** Fewer digits would be a time before 1973; seconds since the epoch have ten. */
const milliseconds = /^\d{12,16}$/;

/** ISO 8601 with or without a zone (UTC then), a date alone, or milliseconds since the epoch. */
export function readTime(text: string): number | undefined {
  const trimmed = text.trim();
  if (milliseconds.test(trimmed)) return parseEpochMilliseconds(Number(trimmed));
  const joined = trimmed.replace(' ', 'T');
  const full = /^\d{4}-\d{2}-\d{2}$/.test(joined) ? `${joined}T00:00:00` : joined;
  const seconds = /T\d{2}:\d{2}$/.test(full) ? `${full}:00` : full;
  return parseIsoTime(seconds) ?? parseIsoTime(`${seconds}Z`);
}
