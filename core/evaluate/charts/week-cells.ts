const millisecondsPerDay = 86_400_000;

/** Whether the week is divided into hour × weekday or weekend, or not at all. */
export type CellScheme = 'hour and day type' | 'none';

/** The scheme that a baseline of so many days can bear. */
export function chooseCellScheme(days: number): CellScheme {
  return days >= 7 ? 'hour and day type' : 'none';
}

/** The slot of a window: its own where it names one (and the scheme has any), else from its start, UTC. */
export function cellOf(scheme: CellScheme, start: number, own: string | undefined): string {
  if (scheme === 'none') return '';
  if (own !== undefined) return own;
  const date = new Date(start);
  const hour = String(date.getUTCHours()).padStart(2, '0');
  const day = date.getUTCDay();
  return `${hour}|${day === 0 || day === 6 ? 'weekend' : 'weekday'}`;
}

/** Number of a window's UTC day. */
export function dayOf(start: number): number {
  return Math.floor(start / millisecondsPerDay);
}

/** A value in its cell and on its day; `weight` is relative precision. */
export interface CellValue {
  readonly cell: string;
  readonly day: number;
  readonly value: number;
  readonly weight: number;
}

/** What is expected in a cell, and the variance of that expectation in units of one window's variance. */
export interface CellCentre {
  readonly mean: number;
  readonly relativeError: number;
}

export interface CellCentres {
  /** Expected where the cell is unknown: the mean over all windows, and how far cells differ from it. */
  readonly overall: CellCentre;
  readonly cells: ReadonlyMap<string, CellCentre>;
  /** Per value: what the other days say of its cell. */
  readonly withoutOwnDay: readonly CellCentre[];
}

/** Days are left out one by one up to so many, then several at a time. */
const mostFolds = 60;

/**
 * Means per cell, and the same without each value's own day, for residuals as large as those of windows to come.
 * A cell (`13|weekend`) is shrunk to the sum of an effect of its hour and one of its day type, and the hours to the
 * overall mean, as far as they differ no more than by chance (empirical Bayes): a week of baseline is enough for a start,
 * and where there is no season its noise is not learned. Means are winsorised at 3 robust standard deviations from the
 * cell's median, so that one wild window does not move them.
 */
export function estimateCellCentres(values: readonly CellValue[]): CellCentres {
  const groups = groupByCell(values);
  const reach = 3 * pooledDeviation(groups);
  const sketch = summarise(groups, reach);
  const within = varianceWithin(groups, sketch, reach);
  const variances = varianceBetween(sketch, within);
  const fit = fitCentres(sketch, variances);
  const folds = new Set(values.map(({ day }) => day % mostFolds));
  const without = new Map(
    [...folds].map((fold) => {
      const rest = groupByCell(values.filter(({ day }) => day % mostFolds !== fold));
      return [fold, rest.size === 0 ? fit : fitCentres(summarise(rest, reach), variances)] as const;
    }),
  );
  const withoutOwnDay = values.map(({ cell, day }) => {
    const others = without.get(day % mostFolds) ?? fit;
    return others.cells.get(cell) ?? others.overall;
  });
  return { ...fit, withoutOwnDay };
}

/** Winsorised mean of each cell. */
interface CellSketch {
  readonly hour: string;
  readonly dayType: string;
  readonly mean: number;
  readonly weight: number;
}

interface Variances {
  readonly within: number;
  readonly hours: number;
  readonly cells: number;
}

function groupByCell(values: readonly CellValue[]): Map<string, CellValue[]> {
  const groups = new Map<string, CellValue[]>();
  for (const value of values) {
    const group = groups.get(value.cell);
    if (group) group.push(value);
    else groups.set(value.cell, [value]);
  }
  return groups;
}

function summarise(groups: ReadonlyMap<string, readonly CellValue[]>, reach: number): Map<string, CellSketch> {
  return new Map(
    [...groups].map(([cell, group]) => {
      const [hour = '', dayType = ''] = cell.split('|');
      return [cell, { hour, dayType, mean: winsorisedMean(group, reach), weight: weigh(group) }] as const;
    }),
  );
}

function fitCentres(sketch: ReadonlyMap<string, CellSketch>, variances: Variances): Omit<CellCentres, 'withoutOwnDay'> {
  const { within, hours, cells } = variances;
  const { overall, total, hourEffects, dayTypeEffects } = fitEffects(sketch);
  const unknown: CellCentre = { mean: overall, relativeError: within > 0 ? (hours + cells) / within : 0 };
  const centres = [...sketch].map(([cell, { hour, dayType, mean, weight }]) => {
    const [hourEffect, hourWeight] = hourEffects.get(hour) ?? [0, 1];
    const hourShare = shrinkage(hours, within, hourWeight);
    const prior = overall + hourShare * hourEffect + (dayTypeEffects.get(dayType)?.[0] ?? 0);
    const share = shrinkage(cells, within, weight);
    const priorError = hourShare / hourWeight + 1 / total;
    const relativeError = share / weight + (1 - share) * priorError;
    return [cell, { mean: prior + share * (mean - prior), relativeError }] as const;
  });
  return { overall: unknown, cells: new Map(centres) };
}

type Effects = Map<string, readonly [effect: number, weight: number]>;

/** Additive fit of the cells' means by hour and day type, by turns. */
function fitEffects(sketch: ReadonlyMap<string, CellSketch>): {
  overall: number;
  total: number;
  hourEffects: Effects;
  dayTypeEffects: Effects;
} {
  const cells = [...sketch.values()];
  const total = cells.reduce((sum, { weight }) => sum + weight, 0);
  const overall = cells.reduce((sum, { mean, weight }) => sum + (weight / total) * mean, 0);
  let hourEffects: Effects = new Map();
  let dayTypeEffects: Effects = new Map();
  for (let turn = 0; turn < 8; turn++) {
    dayTypeEffects = average(
      cells,
      (cell) => cell.dayType,
      (cell) => cell.mean - overall - (hourEffects.get(cell.hour)?.[0] ?? 0),
    );
    hourEffects = average(
      cells,
      (cell) => cell.hour,
      (cell) => cell.mean - overall - (dayTypeEffects.get(cell.dayType)?.[0] ?? 0),
    );
  }
  return { overall, total, hourEffects, dayTypeEffects };
}

function average(
  cells: readonly CellSketch[],
  keyOf: (cell: CellSketch) => string,
  measure: (cell: CellSketch) => number,
): Effects {
  const effects: Effects = new Map();
  for (const cell of cells) {
    const [mean, weight] = effects.get(keyOf(cell)) ?? [0, 0];
    const sum = weight + cell.weight;
    effects.set(keyOf(cell), [mean + (cell.weight / sum) * (measure(cell) - mean), sum]);
  }
  return effects;
}

function shrinkage(between: number, within: number, weight: number): number {
  return between > 0 ? between / (between + within / weight) : 0;
}

/** Variance of a value of weight 1 within its cell. */
function varianceWithin(
  groups: ReadonlyMap<string, readonly CellValue[]>,
  sketch: ReadonlyMap<string, CellSketch>,
  reach: number,
): number {
  let [squares, count] = [0, 0];
  for (const [cell, group] of groups) {
    const mean = sketch.get(cell)?.mean ?? 0;
    for (const { value, weight } of group) squares += weight * clamp(value - mean, reach) ** 2;
    count += group.length;
  }
  return count > groups.size ? squares / (count - groups.size) : 0;
}

/** Variances of the hours' effects, and of the cells around hour plus day type (analysis of variance, by moments). */
function varianceBetween(sketch: ReadonlyMap<string, CellSketch>, within: number): Variances {
  const { overall, hourEffects, dayTypeEffects } = fitEffects(sketch);
  const hours = momentVariance([...hourEffects.values()], hourEffects.size - 1, within);
  const interactions = [...sketch.values()].map(({ hour, dayType, mean, weight }) => {
    const fitted = overall + (hourEffects.get(hour)?.[0] ?? 0) + (dayTypeEffects.get(dayType)?.[0] ?? 0);
    return [mean - fitted, weight] as const;
  });
  const free = sketch.size - hourEffects.size - dayTypeEffects.size + 1;
  return { within, hours, cells: momentVariance(interactions, free, within) };
}

function momentVariance(
  effects: readonly (readonly [effect: number, weight: number])[],
  free: number,
  within: number,
): number {
  if (free <= 0) return 0;
  const spread = effects.reduce((sum, [effect, weight]) => sum + weight * effect * effect, 0);
  const total = effects.reduce((sum, [, weight]) => sum + weight, 0);
  const squares = effects.reduce((sum, [, weight]) => sum + weight * weight, 0);
  const denominator = (total - squares / total) * (free / Math.max(1, effects.length - 1));
  return denominator > 0 ? Math.max(0, (spread - free * within) / denominator) : 0;
}

/** The median of numbers; 0 of none. */
export function medianOf(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : 0.5 * ((sorted[middle - 1] ?? 0) + upper);
}

/** Robust standard deviation around the cells' medians: from the absolute deviations, else from the squares. */
function pooledDeviation(groups: ReadonlyMap<string, readonly CellValue[]>): number {
  const deviations: number[] = [];
  for (const group of groups.values()) {
    const centre = medianOf(group.map(({ value }) => value));
    for (const { value } of group) deviations.push(Math.abs(value - centre));
  }
  const typical = 1.4826 * medianOf(deviations);
  if (typical > 0) return typical;
  return Math.sqrt(deviations.reduce((sum, deviation) => sum + deviation ** 2, 0) / Math.max(1, deviations.length));
}

function winsorisedMean(group: readonly CellValue[], reach: number): number {
  const centre = medianOf(group.map(({ value }) => value));
  const sum = group.reduce((total, { value, weight }) => total + weight * clamp(value - centre, reach), 0);
  return centre + sum / weigh(group);
}

function weigh(group: readonly CellValue[]): number {
  return group.reduce((sum, { weight }) => sum + weight, 0);
}

function clamp(value: number, reach: number): number {
  return Math.min(reach, Math.max(-reach, value));
}
