/** Digits that tell any double from any other. */
export const mostDigits = 17;
/** Digits of a decimal that a double keeps. */
const decimalDigits = 15;
/** Digits of a bound, which a configuration gives in few: more would show the rounding of a difference. */
const boundDigits = 9;

/** A number as a sentence shows it: grouped by thousands, three significant digits below a thousand unless more are asked for. */
export function formatNumber(value: number, digits = 3): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 1e15 || size < 1e-3) {
    return value
      .toExponential(digits - 2)
      .replace('e+', 'e')
      .replace(/\.?0+e/, 'e');
  }
  const [whole = '', ...fraction] = String(roundNumber(value, digits)).split('.');
  return [whole.replace(/\B(?=(\d{3})+$)/g, ','), ...fraction].join('.');
}

function roundNumber(value: number, digits: number): number {
  const wholeDigits = value === 0 ? 1 : Math.floor(Math.log10(Math.abs(value))) + 1;
  return Number(value.toPrecision(Math.max(wholeDigits, digits)));
}

/**
 * A share in [0, 1] as per cent, to two significant digits, or more, of the smaller of it and its rest: `31 %`, `0.4 %`,
 * `99.6 %`.
 */
export function formatShare(share: number, digits = 2): string {
  return `${formatNumber(roundPercent(share, digits), decimalDigits)} %`;
}

function roundPercent(share: number, digits: number): number {
  const percent = share * 100;
  const rest = 100 - percent;
  if (!(rest > 0 && rest < 50)) return Number(percent.toPrecision(digits));
  return Number(percent.toFixed(Math.max(0, digits - 1 - Math.floor(Math.log10(rest)))));
}

/** A share with as many digits as show on which side of a bound it lies. The bound itself: `formatShareBound`. */
export function formatShareBeside(share: number, bound: number): string {
  return formatShare(share, digitsBeside(share, bound, roundPercent, 2));
}

export function formatShareBound(bound: number): string {
  return formatShare(bound, boundDigits);
}

/** A number with as many digits as show on which side of a bound it lies. The bound itself: `formatBound`. */
export function formatBeside(value: number, bound: number): string {
  return formatNumber(value, digitsBeside(value, bound, roundNumber, 3));
}

export function formatBound(bound: number): string {
  return formatNumber(bound, boundDigits);
}

function digitsBeside(
  value: number,
  bound: number,
  round: (value: number, digits: number) => number,
  fewest: number,
): number {
  const side = Math.sign(value - bound);
  const shown = round(bound, boundDigits);
  let digits = fewest;
  while (digits < decimalDigits && Math.sign(round(value, digits) - shown) !== side) digits++;
  return digits;
}

/** A count and what is counted: `1 vector`, `7 vectors`. */
export function formatCount(count: number, noun: string): string {
  return `${formatNumber(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** A probability by its symbol: `q = 0.03`, `q = 2e-6`; `q < 1e-300` where it is too small to be told from zero. */
export function formatProbabilityOf(symbol: string, probability: number): string {
  if (probability < 1e-300) return `${symbol} < 1e-300`;
  const shown =
    probability >= 0.001 ? String(Number(probability.toPrecision(2))) : probability.toExponential(0).replace('e+', 'e');
  return `${symbol} = ${shown}`;
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
