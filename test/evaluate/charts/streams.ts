import type { ScalarSeries, SeriesKind, SeriesPoint } from '../../../core/evaluate/charts/scalar-series.ts';
import { seededUniform } from '../../stats/reference.ts';

export const hour = 3_600_000;
/** A Monday, 00:00 UTC. */
export const monday = Date.UTC(2026, 2, 2);

/** Random numbers of the laws that the streams need. */
export interface Random {
  readonly uniform: () => number;
  readonly normal: () => number;
  /** Student's t, scaled to variance 1. */
  readonly student: (degreesOfFreedom: number) => number;
  readonly gamma: (shape: number) => number;
  readonly poisson: (mean: number) => number;
}

export function createRandom(seed: number): Random {
  const uniform = seededUniform(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  /** Marsaglia and Tsang, 2000. */
  const gamma = (shape: number): number => {
    if (shape < 1) return gamma(shape + 1) * (1 - uniform()) ** (1 / shape);
    const d = shape - 1 / 3;
    for (;;) {
      const x = normal();
      const v = (1 + x / Math.sqrt(9 * d)) ** 3;
      if (v > 0 && Math.log(1 - uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
    }
  };
  const student = (nu: number) => (normal() / Math.sqrt(gamma(nu / 2) / (nu / 2))) * Math.sqrt((nu - 2) / nu);
  const poisson = (mean: number): number => {
    if (mean > 50) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal() + (normal() ** 2 - 1) / 6));
    let [count, product] = [0, 1 - uniform()];
    for (const end = Math.exp(-mean); product > end; count++) product *= 1 - uniform();
    return count;
  };
  return { uniform, normal, student, gamma, poisson };
}

/** Draws the value of an hour from how it went before. */
export type Draw = (time: number, records: number) => number;
export interface StreamKind {
  readonly name: string;
  readonly kind: SeriesKind;
  readonly create: (random: Random) => Draw;
}

function isWeekend(time: number): boolean {
  const day = new Date(time).getUTCDay();
  return day === 0 || day === 6;
}

/** Between −1 and 1 over the day, lower at weekends. */
export function season(time: number): number {
  return Math.sin((2 * Math.PI * (time % (24 * hour))) / (24 * hour)) - (isWeekend(time) ? 1 : 0);
}

/** AR(1) of variance 1. */
export function createAutoregression(coefficient: number, innovation: () => number): () => number {
  let value = innovation();
  return () => {
    value = coefficient * value + Math.sqrt(1 - coefficient ** 2) * innovation();
    return value;
  };
}

function createDaily(random: Random): (time: number) => number {
  let [day, value] = [-1, 0];
  return (time) => {
    const today = Math.floor(time / (24 * hour));
    if (today !== day) [day, value] = [today, random.normal()];
    return value;
  };
}

/** Records of an hour: a day and a week in it, between 50 and 750. */
export function expectedRecords(time: number): number {
  return (400 + 350 * Math.sin((2 * Math.PI * (time % (24 * hour))) / (24 * hour))) * (isWeekend(time) ? 0.5 : 1);
}

/** The hardest on a chart: one wild window pulls the next ones along. */
function withHeavyTails(name: string, coefficient: number, samplingError: number): StreamKind {
  return {
    name,
    kind: 'mean',
    create: ({ normal, student }) => {
      const next = createAutoregression(coefficient, () => student(3));
      return (time, n) => 0.3 * season(time) + 0.1 * next() + (samplingError * normal()) / Math.sqrt(n);
    },
  };
}

/** Five charts that are all AR(1) of that coefficient with t₃ innovations, and no sampling error that hides the memory. */
export function heavyStreams(coefficient: number): readonly StreamKind[] {
  return [1, 2, 3, 4, 5].map((which) => withHeavyTails(`AR(1) ${coefficient}, t3, ${which}`, coefficient, 0));
}

/** Healthy series as they come: season in all, memory, heavy tails, overdispersion, daily wander. */
export const healthyStreams: readonly StreamKind[] = [
  {
    name: 'white',
    kind: 'mean',
    create:
      ({ normal }) =>
      (time, n) =>
        0.3 * season(time) + normal() / Math.sqrt(n),
  },
  {
    name: 'AR(1) .5',
    kind: 'mean',
    create: ({ normal }) => {
      const next = createAutoregression(0.5, normal);
      return (time, n) => 0.3 * season(time) + 0.1 * next() + normal() / Math.sqrt(n);
    },
  },
  withHeavyTails('AR(1) .5, t3', 0.5, 1),
  {
    name: 't3',
    kind: 'mean',
    create:
      ({ student }) =>
      (time) =>
        0.3 * season(time) + 0.1 * student(3),
  },
  {
    name: 'daily wander .15',
    kind: 'mean',
    create: (random) => {
      const daily = createDaily(random);
      return (time, n) => 0.3 * season(time) + 0.15 * daily(time) + random.normal() / Math.sqrt(n);
    },
  },
  {
    name: 'logarithm of a latency',
    kind: 'mean',
    create: ({ normal }) => {
      const next = createAutoregression(0.5, normal);
      return (time, n) => 4 + 0.2 * season(time) + 0.1 * next() + (0.8 * normal()) / Math.sqrt(n);
    },
  },
  {
    name: 'missing share',
    kind: 'share',
    create: ({ normal, poisson }) => {
      const next = createAutoregression(0.5, normal);
      return (_time, n) => Math.min(1, poisson(n * 0.01 * Math.exp(0.3 * next())) / n);
    },
  },
  {
    name: 'volume, gamma .05',
    kind: 'count',
    create:
      ({ gamma, poisson }) =>
      (time) =>
        poisson(expectedRecords(time) * gamma(20) * 0.05),
  },
  {
    name: 'volume, AR(1) .7 lognormal .25',
    kind: 'count',
    create: ({ normal, poisson }) => {
      const next = createAutoregression(0.7, normal);
      return (time) => poisson(expectedRecords(time) * Math.exp(0.25 * next()));
    },
  },
];

/** A model that is called a few times an hour, and at night hardly ever. */
export const quietStreams: readonly StreamKind[] = [
  {
    name: 'quiet mean',
    kind: 'mean',
    create:
      ({ normal }) =>
      (time, n) =>
        0.3 * season(time) + normal() / Math.sqrt(n),
  },
  {
    name: 'logarithm of a quiet skewed latency',
    kind: 'mean',
    create:
      ({ normal }) =>
      (_time, n) => {
        let sum = 0;
        for (let i = 0; i < n; i++) sum += Math.exp(normal());
        return Math.log(sum / n);
      },
  },
  {
    name: 'quiet share',
    kind: 'share',
    create:
      ({ uniform }) =>
      (_time, n) => {
        let hits = 0;
        for (let i = 0; i < n; i++) if (uniform() < 0.05) hits++;
        return hits / n;
      },
  },
  {
    name: 'quiet volume',
    kind: 'count',
    create:
      ({ poisson }) =>
      (time) =>
        poisson(expectedRecords(time) / 150),
  },
  {
    name: 'quiet volume, overdispersed',
    kind: 'count',
    create:
      ({ gamma, poisson }) =>
      (time) =>
        poisson((expectedRecords(time) / 150) * gamma(1)),
  },
];

/** A stream of hours from `monday` on; `share` of the usual traffic. */
export function createHours(kind: StreamKind, random: Random, share = 1): (hourIndex: number) => SeriesPoint {
  const draw = kind.create(random);
  return (index) => {
    const start = monday + index * hour;
    const weight = Math.max(1, random.poisson(expectedRecords(start) * share));
    return { start, value: draw(start, weight), weight };
  };
}

export function drawSeries(kind: StreamKind, hours: number, next: (index: number) => SeriesPoint): ScalarSeries {
  return { name: kind.name, kind: kind.kind, phaseOne: Array.from({ length: hours }, (_, index) => next(index)) };
}
