/**
 * Measures what docs/statistics/predictions.md says: `node test/evaluate/performance/measure.ts [runs] [seed]`. Prints JSON lines; 100 runs
 * take about a minute.
 */
import { type CanaryStream, daysUntilTold } from './canary-stream.ts';
import { hoursToRed, measureEstimates, seededUniform, type World } from './streams.ts';

const [runs = 100, seed = 1] = process.argv.slice(2).map(Number);
const uniform = seededUniform(seed);
const print = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
const firstDay = 20_000;

function quantile(values: readonly number[], probability: number): number | undefined {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * probability)];
}

for (const offset of [0, 6, 12, 18]) {
  const stream = { perHour: 20, healthyHours: 28 * 24 + offset, healthyRate: 0.92, rate: 0.8, hours: 300 };
  const delays = Array.from({ length: runs * 2 }, (_, run) =>
    hoursToRed({ ...stream, firstDay: firstDay + ((run * 5) % 28) }, uniform),
  );
  print({
    delay: `.92 to .80, ${offset} h after midnight`,
    median: quantile(delays, 0.5),
    nine: quantile(delays, 0.9),
  });
}
for (const [perHour, rate] of [
  [20, 0.8],
  [20, 0.75],
  [100, 0.8],
  [100, 0.75],
] as const) {
  const stream = { perHour, healthyHours: 0, healthyRate: 0, rate, hours: 300 };
  const delays = Array.from({ length: runs * 2 }, (_, run) =>
    hoursToRed({ ...stream, firstDay: firstDay + (run % 28) }, uniform),
  );
  print({ coldStart: rate, perHour, median: quantile(delays, 0.5), nine: quantile(delays, 0.9) });
}
for (const [name, perHour, healthyHours, healthyRate, hours, everyHours] of [
  ['first week', 20, 0, 0, 168, 1],
  ['first week', 100, 0, 0, 168, 1],
  ['week after four weeks at .85', 20, 672, 0.85, 168, 1],
  ['week after four weeks at .92', 20, 672, 0.92, 168, 1],
  ['first twelve weeks', 20, 0, 0, 2016, 24],
] as const) {
  let red = 0;
  const count = runs * (everyHours === 1 ? 15 : 5);
  for (let run = 0; run < count; run++) {
    const stream = {
      perHour,
      healthyHours,
      healthyRate,
      rate: 0.85,
      hours,
      everyHours,
      firstDay: firstDay + (run % 28),
    };
    if (hoursToRed(stream, uniform) < Number.POSITIVE_INFINITY) red++;
  }
  print({ falseRed: name, perHour, runs: count, red });
}

const world: World = { mean: 0, intercept: -1, slope: 2 };
for (const [name, baseline, current, labelled, window] of [
  ['no drift', world, world, 5_000, 500],
  ['no drift, large window', world, world, 5_000, 5_000],
  ['no drift, few labels', world, world, 1_000, 2_000],
  [
    'no drift, 4 % positives',
    { ...world, intercept: -4, slope: 1.5 },
    { ...world, intercept: -4, slope: 1.5 },
    20_000,
    3_000,
  ],
  ['inputs +.7', world, { ...world, mean: 0.7 }, 5_000, 500],
  ['inputs -.7', world, { ...world, mean: -0.7 }, 5_000, 500],
  ['meaning: intercept -1', world, { ...world, intercept: -2 }, 5_000, 500],
  ['meaning: slope halved', world, { ...world, slope: 1 }, 5_000, 500],
] as const) {
  const quality = measureEstimates({ baseline, current }, { labelled, window, runs: runs * 2 }, uniform);
  print({ estimates: name, ...Object.fromEntries(quality.measures) });
}

const canaries: readonly (readonly [labelsPerDay: number, canaryShare: number])[] = [
  [200, 0.1],
  [200, 0.5],
  [480, 0.1],
  [2000, 0.1],
];
for (const [labelsPerDay, canaryShare] of canaries) {
  const measure = (rates: Pick<CanaryStream, 'rate' | 'canaryRate'>, count: number) =>
    Array.from({ length: count }, () => daysUntilTold({ labelsPerDay, canaryShare, ...rates }, uniform));
  const healthy = measure({ rate: 0.85, canaryRate: 0.85 }, runs * 5);
  const worse = measure({ rate: 0.92, canaryRate: 0.8 }, runs);
  print({
    canary: canaryShare,
    labelsPerDay,
    healthy: healthy.length,
    told: healthy.filter((days) => days < Number.POSITIVE_INFINITY).length,
    median: quantile(worse, 0.5),
    nine: quantile(worse, 0.9),
    slight: quantile(measure({ rate: 0.9, canaryRate: 0.85 }, runs), 0.5),
  });
}
