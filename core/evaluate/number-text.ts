/** A number as a sentence shows it: grouped by thousands, three significant digits below a thousand. */
export function formatNumber(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 1e15 || size < 1e-3) return value.toExponential(1).replace('e+', 'e').replace('.0e', 'e');
  if (size >= 999.5)
    return Math.round(value)
      .toString()
      .replace(/\B(?=(\d{3})+$)/g, ',');
  return String(Number(value.toPrecision(3)));
}

/** A share in [0, 1] as per cent: `31 %`, `0.4 %`. */
export function formatShare(share: number): string {
  return `${formatNumber(Number((share * 100).toPrecision(2)))} %`;
}

/** A probability: `0.03`, `2e-6`; `under 1e-300` where it is too small to be told from zero. */
export function formatProbability(probability: number): string {
  if (probability < 1e-300) return 'under 1e-300';
  if (probability >= 0.001) return String(Number(probability.toPrecision(2)));
  return probability.toExponential(0).replace('e+', 'e');
}

/** A probability by its symbol: `q = 2e-6`, `q < 1e-300`. */
export function formatProbabilityOf(symbol: string, probability: number): string {
  return probability < 1e-300 ? `${symbol} < 1e-300` : `${symbol} = ${formatProbability(probability)}`;
}

/** A span of time in the largest unit that keeps it readable: `45 s`, `12 min`, `3 h`, `2.5 days`. */
export function formatDuration(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${formatNumber(Number((seconds / 3600).toPrecision(2)))} h`;
  return `${formatNumber(Number((seconds / 86_400).toPrecision(2)))} days`;
}

/** An e-value by its logarithm: `180`. Beyond a double's range only the power of ten is told. */
export function formatEvidence(logEvidence: number): string {
  return logEvidence < 600 ? formatNumber(Math.exp(logEvidence)) : `1e${Math.floor(logEvidence / Math.LN10)}`;
}

const latestTime = 8.64e15;

/** ISO 8601 in UTC; times beyond what a date can hold are clipped to the nearest one that can be. */
export function formatInstant(time: number): string {
  const clipped = Number.isFinite(time) ? Math.min(Math.max(time, -latestTime), latestTime) : 0;
  return new Date(clipped).toISOString();
}

/** A UTC minute in a sentence: `2026-03-01 14:05 UTC`. */
export function formatMinute(minute: number): string {
  return `${formatInstant(minute * 60_000)
    .slice(0, 16)
    .replace('T', ' ')} UTC`;
}

/**
 * A name from a configuration or a payload, fit to stand in a sentence: at most 64 characters, and nothing that
 * could break a line, reorder the text or hide in it.
 */
export function formatName(name: string): string {
  const visible = name.toWellFormed().replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '?');
  const characters = [...visible];
  return characters.length <= 64 ? visible : `${characters.slice(0, 63).join('')}…`;
}

/** The length of a stretch of windows: `8-hour`, `3-day`. */
export function formatScale({
  scale,
  windowSeconds,
}: {
  readonly scale: number;
  readonly windowSeconds: number;
}): string {
  const seconds = scale * windowSeconds;
  if (seconds % 86_400 === 0) return `${formatNumber(seconds / 86_400)}-day`;
  if (seconds % 3600 === 0) return `${formatNumber(seconds / 3600)}-hour`;
  return seconds % 60 === 0 ? `${formatNumber(seconds / 60)}-minute` : `${formatNumber(seconds)}-second`;
}
