import type { Decoded } from '../../core/decode/decode-plan.ts';
import { createRandomSource } from './random-source.ts';
import { type TimedRow, toBatches } from './record-batches.ts';

/**
 * A seeded market in half-hours, of the kind of the Elec2 data (Harries 1999): prices and demand of one state with the
 * day and the week in them, strongly autocorrelated, with weeks that differ; and three columns of a neighbouring market
 * that stand still until it opens in the middle of the series.
 */
export interface ElectricityMarket {
  readonly start: number;
  /** When the neighbouring market opens. */
  readonly opens: number;
  readonly end: number;
  open(): AsyncGenerator<Decoded>;
}

const halfHourMilliseconds = 1_800_000;
const halfHoursPerDay = 48;
const halfHoursPerWeek = 336;

/** A Monday. */
const start = Date.UTC(2024, 0, 1);
const columns = ['nswprice', 'nswdemand', 'vicprice', 'vicdemand', 'transfer'];

export function createElectricityMarket(seed: string, weeksBefore: number, weeksAfter: number): ElectricityMarket {
  const opensAt = weeksBefore * halfHoursPerWeek;
  const total = opensAt + weeksAfter * halfHoursPerWeek;
  return {
    start,
    opens: start + opensAt * halfHourMilliseconds,
    end: start + total * halfHourMilliseconds,
    async *open() {
      yield* toBatches(columns, drawMarket(seed, total, opensAt));
    },
  };
}

/** A series that forgets slowly: AR(1) with a standard deviation. */
function createWanderer(normal: () => number, coefficient: number, deviation: number): () => number {
  let value = deviation * normal();
  const fresh = deviation * Math.sqrt(1 - coefficient * coefficient);
  return () => {
    value = coefficient * value + fresh * normal();
    return value;
  };
}

function drawMarket(seed: string, total: number, opensAt: number): readonly TimedRow[] {
  const random = createRandomSource(seed);
  const normal = () => random.normal();
  // Elec2's demand: standard deviation .16, of which .11 by the hour of day, .05 from week to week.
  const [demandNoise, demandWeek] = [createWanderer(normal, 0.95, 0.05), createWanderer(normal, 0.998, 0.03)];
  const [priceNoise, priceWeek] = [createWanderer(normal, 0.85, 0.25), createWanderer(normal, 0.99, 0.12)];
  const [otherNoise, transferNoise] = [createWanderer(normal, 0.95, 0.08), createWanderer(normal, 0.9, 0.1)];
  return Array.from({ length: total }, (_, index) => {
    const load = dailyLoad(index);
    const nswdemand = clip(0.4 + load + demandWeek() + demandNoise());
    const nswprice = clip(0.06 * Math.exp(2 * load + priceWeek() + priceNoise()));
    const other = 0.42 + 0.9 * load + otherNoise();
    const flow = 0.5 - 0.6 * load + transferNoise();
    const time = start + index * halfHourMilliseconds;
    if (index < opensAt) return { time, cells: [nswprice, nswdemand, 0.003467, 0.422915, 0.414912] };
    const vicprice = clip(0.0035 * Math.exp(2 * load + priceNoise()));
    return { time, cells: [nswprice, nswdemand, vicprice, clip(other), clip(flow)] };
  });
}

/** Low at night, highest in the early evening, lower at weekends. */
function dailyLoad(index: number): number {
  const hour = (index % halfHoursPerDay) / 2;
  const weekend = Math.floor(index / halfHoursPerDay) % 7 >= 5 ? -0.07 : 0;
  return 0.12 * Math.sin(((hour - 9) / 24) * 2 * Math.PI) + 0.07 * Math.sin(((hour - 4) / 12) * 2 * Math.PI) + weekend;
}

/** Scaled to [0, 1] with six decimals, as the data are. */
function clip(value: number): number {
  return Math.round(Math.min(Math.max(value, 0), 1) * 1e6) / 1e6;
}
