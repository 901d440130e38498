/** A count, or any number of one or more, with at most three significant digits below a thousand: `12,345`, `0.34`. */
export function formatFigure(value: number): string {
  if (!Number.isFinite(value)) return 'unknown';
  const size = Math.abs(value);
  if (size >= 1e15 || (size < 1e-3 && size > 0)) return value.toExponential(1).replace('e+', 'e').replace('.0e', 'e');
  if (size >= 999.5)
    return Math.round(value)
      .toString()
      .replace(/\B(?=(\d{3})+$)/g, ',');
  return String(Number(value.toPrecision(3)));
}

/** A share of 0 to 1 (or beyond) as per cent, with the digits an objective such as 99.95 % needs. */
export function formatPercent(share: number): string {
  return Number.isFinite(share) ? `${Number((share * 100).toPrecision(5))} %` : 'unknown';
}

/** A p- or q-value: `0.03`, `2e-6`. */
export function formatProbability(probability: number): string {
  if (!Number.isFinite(probability)) return 'unknown';
  if (probability < 1e-300) return 'under 1e-300';
  return probability >= 0.001
    ? String(Number(probability.toPrecision(2)))
    : probability.toExponential(0).replace('e+', 'e');
}

/** `45 s`, `12 min`, `2 h 5 min`, `3 days 4 h`. */
export function formatSpan(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  const days = Math.floor(hours / 24);
  return hours % 24 === 0 ? `${days} days` : `${days} days ${hours % 24} h`;
}

/** `2001-03-10 10:05 UTC`; `unknown` for what is no time. */
export function formatMinute(time: number): string {
  return Number.isNaN(new Date(time).getTime())
    ? 'unknown'
    : `${new Date(time).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** `10:05 UTC` on the day of `now`, `03-10 10:05 UTC` otherwise. */
export function formatShortMinute(time: number, now: number): string {
  const full = formatMinute(time);
  return full.slice(0, 10) === formatMinute(now).slice(0, 10) ? full.slice(11) : full.slice(5);
}
