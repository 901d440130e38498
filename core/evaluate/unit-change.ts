import type { FeatureStatistics } from '../model/verdict.ts';

interface Conversion {
  readonly factor: number;
  readonly offset: number;
  readonly meaning: string;
}

const scalings: readonly (readonly [factor: number, from: string, to: string])[] = [
  [1.609344, 'miles', 'kilometres'],
  [0.3048, 'feet', 'metres'],
  [2.54, 'inches', 'centimetres'],
  [0.45359237, 'pounds', 'kilograms'],
  [3.785411784, 'gallons', 'litres'],
  [60, 'minutes', 'seconds'],
  [3600, 'hours', 'seconds'],
  [100, 'units', 'hundredths'],
  [1000, 'units', 'thousandths'],
  [1e6, 'units', 'millionths'],
];

const conversions: readonly Conversion[] = [
  ...scalings.map(([factor, from, to]) => ({ factor, offset: 0, meaning: `${from} to ${to}` })),
  ...scalings.map(([factor, from, to]) => ({ factor: 1 / factor, offset: 0, meaning: `${to} to ${from}` })),
  { factor: 1.8, offset: 32, meaning: 'Celsius to Fahrenheit' },
  { factor: 1 / 1.8, offset: -32 / 1.8, meaning: 'Fahrenheit to Celsius' },
];

/** A conversion of units that would explain a shift. */
export interface UnitChange {
  readonly factor: number;
  /** `miles to kilometres`. */
  readonly meaning: string;
}

const quartiles = [0.25, 0.5, 0.75] as const;

/**
 * Names the conversion of units that turns the baseline's quartiles into the current ones, where exactly one does.
 * All three quartiles must match to within a tenth of the interquartile range plus the scatter of a sample's
 * quartiles, unconverted ones must not, and every other conversion must be off by more than three times as much.
 */
export function recogniseUnitChange(baseline: FeatureStatistics, current: FeatureStatistics): UnitChange | undefined {
  const before = readQuartiles(baseline);
  const after = readQuartiles(current);
  if (!before || !after || current.count === 0) return undefined;
  const width = before[2] - before[0];
  if (!(width > 0)) return undefined;
  const misfit = ({ factor, offset }: Pick<Conversion, 'factor' | 'offset'>) =>
    Math.max(...before.map((value, index) => Math.abs(((after[index] ?? 0) - offset) / factor - value))) / width;
  const tolerance = 0.1 + 1.5 / Math.sqrt(current.count);
  if (misfit({ factor: 1, offset: 0 }) <= tolerance) return undefined;
  const [best, second] = conversions
    .map((conversion) => ({ conversion, misfit: misfit(conversion) }))
    .sort((a, b) => a.misfit - b.misfit);
  if (!best || !second || !(best.misfit <= tolerance && second.misfit > 3 * best.misfit)) return undefined;
  return { factor: best.conversion.factor, meaning: best.conversion.meaning };
}

function readQuartiles(side: FeatureStatistics): readonly [number, number, number] | undefined {
  const [first, median, third] = quartiles.map((wanted) => side.quantiles?.find(([p]) => p === wanted)?.[1]);
  return first === undefined || median === undefined || third === undefined ? undefined : [first, median, third];
}
