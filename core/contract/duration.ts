const unitMilliseconds = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

type Unit = keyof typeof unitMilliseconds;

/** A whole number with its unit: `100ms`, `30s`, `10m`, `1h`, `30d`. */
export type DurationText = `${number}${Unit}`;

/** Milliseconds, or undefined where the text is not a whole number followed by ms, s, m, h or d. */
export function parseDuration(text: string): number | undefined {
  const match = /^(0|[1-9]\d{0,11})(ms|s|m|h|d)$/.exec(text);
  if (match === null) return undefined;
  const milliseconds = Number(match[1]) * unitMilliseconds[match[2] as Unit];
  return Number.isSafeInteger(milliseconds) ? milliseconds : undefined;
}

/** The shortest text of a duration in whole milliseconds: 3,600,000 is `1h`. */
export function formatDuration(milliseconds: number): DurationText {
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    if (milliseconds > 0 && milliseconds % unitMilliseconds[unit] === 0) {
      return `${milliseconds / unitMilliseconds[unit]}${unit}`;
    }
  }
  return milliseconds === 0 ? '0s' : `${milliseconds}ms`;
}
