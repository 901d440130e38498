import type { NumericLayout } from '../model/layout.ts';
import { bucketBounds, bucketIndex } from '../stats/log-linear-histogram.ts';
import { formatNumber, mostDigits } from './number-text.ts';

/**
 * Says between which edges of a layout's bins values lie: `below 12`, `at or above 866`, `between 12 and 18`. No two edges are
 * said alike: as many digits are shown as tell an edge from those beside it. A bin as narrow as a bucket holds one value
 * that is frequent: its edges are said by that value, `above 18`.
 * @param low undefined: none
 */
export function describeRange(layout: NumericLayout, low: number | undefined, high: number | undefined): string {
  if (low === undefined) return high === undefined ? 'anywhere' : sayUpper(placeEdge(layout, high)).join(' ');
  const [lowWords, lowText] = sayLower(placeEdge(layout, low));
  if (high === undefined) return `${lowWords} ${lowText}`;
  const [highWords, highText] = sayUpper(placeEdge(layout, high));
  if (lowWords === 'above') return `${lowWords} ${lowText} and ${highWords} ${highText}`;
  if (highWords === 'below') return `between ${lowText} and ${highText}`;
  return lowText === highText ? `at ${lowText}` : `from ${lowText} to ${highText}`;
}

/** An edge between the bins of a layout. */
interface PlacedEdge {
  readonly edge: number;
  /** The edges beside it. */
  readonly beside: readonly number[];
  /** The values of the bins that begin and end with it, where they are as narrow as a bucket. */
  readonly from: NarrowBin | undefined;
  readonly upTo: NarrowBin | undefined;
}

interface NarrowBin {
  readonly lower: number;
  readonly upper: number;
  /** The median, which is known exactly. */
  readonly centre: number | undefined;
}

function placeEdge({ centre, unit, binEdges }: NumericLayout, edge: number): PlacedEdge {
  const index = bucketIndex(edge, centre, unit);
  const position = binEdges.indexOf(index);
  const [before, after] = position < 0 ? [] : [binEdges[position - 1], binEdges[position + 1]];
  const narrowBin = (bucket: number): NarrowBin | undefined => {
    const { lower, upper } = bucketBounds(bucket, centre, unit);
    const isUsable = lower < upper && lower > -Number.MAX_VALUE && upper < Number.POSITIVE_INFINITY;
    return isUsable ? { lower, upper, centre: bucket === 0 ? centre : undefined } : undefined;
  };
  return {
    edge,
    beside: [before, after].flatMap((other) => (other === undefined ? [] : bucketBounds(other, centre, unit).lower)),
    from: after === index + 1 ? narrowBin(index) : undefined,
    upTo: before === index - 1 ? narrowBin(index - 1) : undefined,
  };
}

type Saying = readonly [words: string, number: string];

function sayLower(placed: PlacedEdge): Saying {
  if (placed.from) return ['at or above', sayValue(placed.from, 'lowest')];
  return placed.upTo ? ['above', sayValue(placed.upTo, 'highest')] : ['at or above', sayEdge(placed)];
}

function sayUpper(placed: PlacedEdge): Saying {
  if (placed.upTo) return ['at or below', sayValue(placed.upTo, 'highest')];
  return ['below', placed.from ? sayValue(placed.from, 'lowest') : sayEdge(placed)];
}

/** As many digits as tell an edge from those beside it. */
function sayEdge({ edge, beside }: PlacedEdge): string {
  const read = (value: number, digits: number) => Number(formatNumber(value, digits).replaceAll(',', ''));
  const others = beside.filter((other) => other !== edge);
  let digits = 3;
  while (digits <= mostDigits && others.some((other) => read(other, digits) === read(edge, digits))) digits++;
  return formatNumber(edge, digits);
}

/** The value of a narrow bin: the median where it is in it, to a thousandth of its width, else its roundest number. */
function sayValue({ lower, upper, centre }: NarrowBin, end: 'lowest' | 'highest'): string {
  if (centre !== undefined) {
    let digits = 3;
    const rest = () => Math.abs(Number(centre.toPrecision(digits)) - centre);
    while (digits < mostDigits && rest() > (upper - lower) / 1000) digits++;
    return formatNumber(centre, digits);
  }
  return formatNumber(findRoundest(lower, upper, end), mostDigits);
}

/** The number of the fewest decimal places in [lower, upper). */
function findRoundest(lower: number, upper: number, end: 'lowest' | 'highest'): number {
  const largest = Math.ceil(Math.log10(Math.max(Math.abs(lower), Math.abs(upper))));
  for (let exponent = largest; exponent > largest - mostDigits; exponent--) {
    const near = Math.round((end === 'lowest' ? lower : upper) / 10 ** exponent);
    const inside = [near - 1, near, near + 1]
      .map((multiple) => Number(`${multiple}e${exponent}`))
      .filter((number) => number >= lower && number < upper);
    const found = end === 'lowest' ? inside[0] : inside.at(-1);
    if (found !== undefined) return found;
  }
  return lower;
}
