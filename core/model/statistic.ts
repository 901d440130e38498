/** A statistic as CloudWatch writes it, read. */
export type ParsedStatistic =
  | { readonly kind: 'Maximum' | 'Minimum' | 'Average' | 'Sum' | 'SampleCount' }
  /** In percent, above 0 and up to 100. */
  | { readonly kind: 'percentile'; readonly percentile: number }
  /** Values above `low`, up to and with `high`. */
  | { readonly kind: 'count' | 'rank'; readonly low: number; readonly high: number }
  /** Of what is left of trimmed or clamped values, or within bounds in percent: evaluated by CloudWatch alone. */
  | { readonly kind: 'trimmed' };

const simple = ['Maximum', 'Minimum', 'Average', 'Sum', 'SampleCount'] as const;
const number = String.raw`(?:\d+(?:\.\d+)?|\.\d+)`;
const percentile = new RegExp(`^(p|tm|wm|tc|ts)(${number})$`);
const ofValues = new RegExp(`^(TM|WM|TC|TS|PR)\\((${number})?:(${number})?\\)$`);
const ofShares = new RegExp(`^(TM|WM|TC|TS)\\((?:(${number})%)?:(?:(${number})%)?\\)$`);

/**
 * Reads a statistic ("CloudWatch statistics definitions"): percentiles are above 0 and up to 100, a range has a lower bound
 * below its upper one, both of them values or both percentages of them. Undefined where it is none.
 */
export function parseStatistic(text: string): ParsedStatistic | undefined {
  const kind = simple.find((name) => name === text);
  if (kind) return { kind };
  if (text === 'IQM') return { kind: 'trimmed' };
  const [, letter, share] = percentile.exec(text) ?? [];
  if (share !== undefined) {
    if (!(Number(share) > 0 && Number(share) <= 100)) return undefined;
    return letter === 'p' ? { kind: 'percentile', percentile: Number(share) } : { kind: 'trimmed' };
  }
  const inValues = ofValues.exec(text);
  const [, name, from, to] = inValues ?? ofShares.exec(text) ?? [];
  if (name === undefined || (from === undefined && to === undefined)) return undefined;
  const low = Number(from ?? Number.NEGATIVE_INFINITY);
  const high = Number(to ?? Number.POSITIVE_INFINITY);
  if (!(low < high)) return undefined;
  if (!inValues) return low < 100 && Number(to ?? 100) <= 100 ? { kind: 'trimmed' } : undefined;
  if (name === 'TC') return { kind: 'count', low, high };
  return name === 'PR' ? { kind: 'rank', low, high } : { kind: 'trimmed' };
}
