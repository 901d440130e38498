import { readFileSync } from 'node:fs';
import { parse } from 'node:path';
import { parseArgs } from 'node:util';
import { RandomSource } from './random-source.ts';
import { Contest, methods, type WindowPValues } from './rivals.ts';
import { noShift, type Shift, shifts, type VectorSource } from './shifts.ts';
import { createImageSource, createTopicSource, type LabelledImages } from './sources.ts';

/**
 * Size and power of the embedding tests beside their rivals. Prints JSON.
 *   npm run bench:embeddings -- [--source topics|unit|near|small|FILE] [--seed 1] [--baselines 4] [--size 20000]
 *     [--records 500] [--healthy 200] [--windows 25] [--no-rivals] [--with-fitted]
 * `--healthy` and `--windows` are windows per baseline without a shift and with each. FILE holds {"images", "labels"}:
 * `digits.py` makes one.
 */
const { values: options } = parseArgs({
  options: {
    source: { type: 'string', default: 'topics' },
    seed: { type: 'string', default: '1' },
    baselines: { type: 'string', default: '4' },
    size: { type: 'string', default: '20000' },
    records: { type: 'string', default: '500' },
    healthy: { type: 'string', default: '200' },
    windows: { type: 'string', default: '25' },
    'no-rivals': { type: 'boolean', default: false },
    'with-fitted': { type: 'boolean', default: false },
  },
});

const levels = [0.05, 0.01, 0.001, 0.0001];
const powerLevel = 0.01;
const seed = Number(options.seed);
const size = Number(options.size);
const records = Number(options.records);

const shown = methods.filter((method) => !(options['no-rivals'] && /fourier/i.test(method)));

type Rates = Partial<Record<keyof WindowPValues, number>>;

function sourceOf(name: string): VectorSource {
  const topics = { dimensions: 384, topics: 12, strangers: 5, separation: 0.8, unitLength: false };
  if (name === 'topics') return createTopicSource(3, topics);
  if (name === 'unit') return createTopicSource(3, { ...topics, unitLength: true });
  if (name === 'near') return createTopicSource(3, { ...topics, separation: 0.35 });
  if (name === 'small') return createTopicSource(3, { ...topics, dimensions: 64 });
  const data: LabelledImages = JSON.parse(readFileSync(name, 'utf8'));
  return createImageSource(data, 3);
}

function countRejections(windows: readonly WindowPValues[], level: number): Rates {
  return Object.fromEntries(
    shown.map((method) => {
      const rejected = windows.filter((window) => window[method] <= level).length;
      return [method, Number((rejected / Math.max(1, windows.length)).toFixed(5))];
    }),
  );
}

const source = sourceOf(options.source);
const random = new RandomSource(seed);
const contests = Array.from(
  { length: Number(options.baselines) },
  () =>
    new Contest(source, random, {
      size,
      fitted: Math.min(size, 10_000),
      rivals: !options['no-rivals'],
      heldOut: !options['with-fitted'],
    }),
);
const judgeAll = (shift: Shift, windows: number) =>
  contests.flatMap((contest) => Array.from({ length: windows }, () => contest.judge(shift, records)));

const healthy = judgeAll(noShift, Number(options.healthy));
const windows = Number(options.windows);
const applicable = windows > 0 ? shifts.filter((shift) => !shift.needsImages || source.move) : [];
const power = applicable.map((shift) => [shift.name, countRejections(judgeAll(shift, windows), powerLevel)] as const);
const mean = Object.fromEntries(
  shown.map((method) => {
    const sum = power.reduce((total, [, rates]) => total + (rates[method] ?? 0), 0);
    return [method, Number((sum / Math.max(1, power.length)).toFixed(3))];
  }),
);
const result = {
  source: parse(options.source).name,
  seed,
  baselines: contests.length,
  baselineVectors: size,
  windowVectors: records,
  explainedShare: contests.map(({ explainedShare }) => Number(explainedShare.toFixed(3))),
  healthyWindows: healthy.length,
  size: Object.fromEntries(levels.map((level) => [level, countRejections(healthy, level)])),
  ...(windows > 0 && { powerLevel, power: Object.fromEntries(power), meanPower: mean }),
};
process.stdout.write(`${JSON.stringify(result, null, 1)}\n`);
