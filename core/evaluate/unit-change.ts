import type { FeatureStatistics } from '../model/verdict.ts';

interface Conversion {
  readonly convert: (value: number) => number;
  /** What a number is multiplied by; absent: it is no multiplication. */
  readonly factor?: number | undefined;
  readonly meaning: string;
  /** Turns the order of values round. */
  readonly falls?: true;
  /** Conversions of one family are too alike to be told apart: the better of them is named. */
  readonly family?: string | undefined;
}

const scalings: readonly (readonly [factor: number, there: string, back: string])[] = [
  [1.609344, 'miles to kilometres', 'kilometres to miles'],
  [0.3048, 'feet to metres', 'metres to feet'],
  [2.54, 'inches to centimetres', 'centimetres to inches'],
  [0.45359237, 'pounds to kilograms', 'kilograms to pounds'],
  [3.785411784, 'gallons to litres', 'litres to gallons'],
  [10, 'units to tenths', 'tenths to units'],
  [24, 'days to hours', 'hours to days'],
  [60, 'minutes to seconds, or hours to minutes', 'seconds to minutes, or minutes to hours'],
  [100, 'units to hundredths, or shares to per cent', 'hundredths to units, or per cent to shares'],
  [1000, 'units to thousandths, or seconds to milliseconds', 'thousandths to units, or milliseconds to seconds'],
  [3600, 'hours to seconds', 'seconds to hours'],
  [10_000, 'shares to basis points', 'basis points to shares'],
  [86_400, 'days to seconds', 'seconds to days'],
  [1e6, 'units to millionths, or seconds to microseconds', 'millionths to units, or microseconds to seconds'],
  [1e9, 'units to billionths, or seconds to nanoseconds', 'billionths to units, or nanoseconds to seconds'],
];

/** Where most numbers are below this they hardly differ from the logarithms of one more. */
const smallestLogarithmic = 3;

/** In Kelvin. The shift alone says little: both sides must be temperatures. */
const zeroCelsius = 273.15;

const conversions: readonly Conversion[] = [
  ...scalings.flatMap(([factor, there, back]): Conversion[] => [
    { convert: (value) => value * factor, factor, meaning: there },
    { convert: (value) => value / factor, factor: 1 / factor, meaning: back },
  ]),
  { convert: (value) => value * 1.8 + 32, factor: 1.8, meaning: 'Celsius to Fahrenheit' },
  { convert: (value) => (value - 32) / 1.8, factor: 1 / 1.8, meaning: 'Fahrenheit to Celsius' },
  {
    convert: (value) => (value >= -100 && value <= 200 ? value + zeroCelsius : Number.NaN),
    meaning: 'Celsius to Kelvin',
  },
  {
    convert: (value) => (value >= 173 && value <= 473 ? value - zeroCelsius : Number.NaN),
    meaning: 'Kelvin to Celsius',
  },
  { convert: Math.log, meaning: 'numbers to their natural logarithms', family: 'log' },
  {
    convert: (value) => (value >= smallestLogarithmic ? Math.log1p(value) : Number.NaN),
    meaning: 'numbers to the logarithms of one more',
    family: 'log',
  },
  { convert: Math.log10, meaning: 'numbers to their decimal logarithms' },
  { convert: Math.log2, meaning: 'numbers to their binary logarithms' },
  { convert: Math.exp, meaning: 'natural logarithms to their numbers', family: 'exp' },
  {
    convert: (value) => (value >= Math.log1p(smallestLogarithmic) ? Math.expm1(value) : Number.NaN),
    meaning: 'logarithms of one more to their numbers',
    family: 'exp',
  },
  { convert: (value) => 10 ** value, meaning: 'decimal logarithms to their numbers' },
  { convert: (value) => -value, factor: -1, meaning: 'numbers to their negatives', falls: true },
  {
    convert: (value) => (value >= 0 && value <= 1 ? 1 - value : Number.NaN),
    meaning: 'shares to the rest of them',
    falls: true,
  },
];

const identity: Conversion = { convert: (value) => value, meaning: '' };

/** A conversion of units that would explain a shift. */
export interface UnitChange {
  /** What values were multiplied by; absent where a conversion is no multiplication. */
  readonly factor?: number | undefined;
  /** `miles to kilometres`. */
  readonly meaning: string;
}

/**
 * Quantiles compared, how far off each may be in interquartile ranges, and the quantiles around it that tell how much it
 * scatters in a sample. The outer ones are left out where a side does not have them.
 */
const compared: readonly (readonly [probability: number, tolerance: number, below: number, above: number])[] = [
  [0.05, 0.2, 0.01, 0.25],
  [0.25, 0.1, 0.05, 0.5],
  [0.5, 0.1, 0.25, 0.75],
  [0.75, 0.1, 0.5, 0.95],
  [0.95, 0.2, 0.75, 0.99],
];
/** Standard deviations of a sample's quantile that it may be off by, and the range they are in where the tails are unknown. */
const scatterDeviations = 2;
const plainSlope = 2;
/** How much worse any other conversion must fit, and no conversion at all. */
const distinction = 3;
/** Traffic itself grows or shrinks by a half: factors near one must fit better. */
const nearFactor = 2;
const nearTolerance = 0.6;

/** Whether values were multiplied by more than traffic changes by itself: by over two, or by less than a half. */
export function isFarConversion({ factor }: UnitChange): boolean {
  return !isNear(Math.abs(factor ?? 1));
}

function isNear(factor: number): boolean {
  return factor > 1 / nearFactor && factor < nearFactor;
}

/**
 * Names the conversion of units that turns the baseline's quantiles into the current ones, where exactly one does: all
 * quantiles match to within a tenth of the interquartile range (the outermost two tenths) plus the scatter of a sample's
 * quantiles, and every other conversion, and none, is off by more than three times as much.
 */
export function recogniseUnitChange(baseline: FeatureStatistics, current: FeatureStatistics): UnitChange | undefined {
  const before = readQuantiles(baseline);
  const after = readQuantiles(current);
  if (!before || !after || current.count === 0) return undefined;
  const misfitOf = (conversion: Conversion) => measureMisfit(conversion, before, after, current.count);
  const unchanged = misfitOf(identity);
  if (unchanged <= 1) return undefined;
  const ranked = conversions
    .map((conversion) => ({ conversion, misfit: misfitOf(conversion) }))
    .sort((a, b) => a.misfit - b.misfit);
  const [best] = ranked;
  if (!best || !(best.misfit <= 1)) return undefined;
  const { factor, meaning, family } = best.conversion;
  const rivals = ranked.slice(1).filter(({ conversion }) => family === undefined || conversion.family !== family);
  const next = Math.min(unchanged, rivals[0]?.misfit ?? Number.POSITIVE_INFINITY);
  return next > distinction * best.misfit ? { ...(factor !== undefined && { factor }), meaning } : undefined;
}

type Quantiles = ReadonlyMap<number, number>;

const kept = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99] as const;

/** The largest misfit of a quantile, in what it may be off by. */
function measureMisfit(
  { convert, falls, factor = 0 }: Conversion,
  before: Quantiles,
  after: Quantiles,
  count: number,
): number {
  const converted = (probability: number) =>
    convert(before.get(falls ? reflect(probability) : probability) ?? Number.NaN);
  const width = converted(0.75) - converted(0.25);
  if (!(width > 0 && width < Number.POSITIVE_INFINITY)) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (const [probability, tolerance, below, above] of compared) {
    const seen = after.get(probability);
    if (seen === undefined || !before.has(reflect(probability)) || !before.has(probability)) continue;
    const off = Math.abs(seen - converted(probability)) / width;
    // The flatter of what is expected and what is seen: a wrong conversion must not excuse itself.
    const slopes = [converted, (p: number) => after.get(p) ?? Number.NaN]
      .map((quantile) => (quantile(above) - quantile(below)) / (above - below) / width)
      .filter((slope) => slope > 0 && slope < Number.POSITIVE_INFINITY);
    const slope = slopes.length > 0 ? Math.min(...slopes) : plainSlope;
    const scatter = scatterDeviations * Math.sqrt((probability * (1 - probability)) / count) * slope;
    const misfit = off / ((isNear(factor) ? nearTolerance : 1) * tolerance + scatter);
    // What can't be converted, as the logarithm of a negative number, does not fit.
    if (!(misfit <= largest)) largest = Number.isNaN(misfit) ? Number.POSITIVE_INFINITY : misfit;
  }
  return largest;
}

function reflect(probability: number): number {
  return kept.find((other) => Math.abs(other - (1 - probability)) < 1e-9) ?? probability;
}

/** At least the quartiles, which must differ. */
function readQuantiles(side: FeatureStatistics): Quantiles | undefined {
  const known = new Map(side.quantiles);
  const quantiles = kept.flatMap((probability) => {
    const value = known.get(probability);
    return value === undefined ? [] : [[probability, value] as const];
  });
  const found = new Map(quantiles);
  return found.has(0.25) && found.has(0.5) && found.has(0.75) ? found : undefined;
}
