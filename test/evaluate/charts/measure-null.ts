/**
 * Measures false alarms of the charts over healthy weeks, per stream and together:
 * `npx tsx test/evaluate/charts/measure-null.ts [baselines] [weeks] [days of phase I] [method] [seed] [budget] [lambda or reference] [streams]`.
 * Streams: `healthy`; `quiet`; or a number, for five that are all AR(1) of that coefficient with t₃ innovations. Prints JSON,
 * and a line per chart. `upper` is the one-sided 95 % bound of Clopper and Pearson, as if weeks of one baseline were independent:
 * take many baselines of few weeks.
 */
import { initialChartsState, judgeCharts } from '../../../core/evaluate/charts/judge-charts.ts';
import { prepareCharts } from '../../../core/evaluate/charts/prepare-charts.ts';
import { binomialUpperTail } from '../../../core/stats/binomial.ts';
import { findRoot } from '../../../core/stats/root.ts';
import { readPolicy } from './read-policy.ts';
import { createHours, createRandom, drawSeries, healthyStreams, heavyStreams, quietStreams } from './streams.ts';

const print = (line: string) => process.stdout.write(`${line}\n`);
const [baselines = 40, weeks = 50, days = 28] = process.argv.slice(2, 5).map(Number);
const seed = Number(process.argv[6] ?? 1);
const budget = Number(process.argv[7] ?? 0.02);
const policy = readPolicy(process.argv[5], process.argv[8]);
const which = process.argv[9] ?? 'healthy';
const quiet = which === 'quiet';
const kinds = which === 'healthy' ? healthyStreams : quiet ? quietStreams : heavyStreams(Number(which));
const alarmed = new Map<string, number>();
const episodes = new Map<string, number>();
const factors = new Map<string, number[]>();
let anyWeek = 0;
let allWeeks = 0;
for (let run = 0; run < baselines; run++) {
  const random = createRandom(seed * 100_003 + run);
  const streams = kinds.map((kind) => ({ kind, next: createHours(kind, random, quiet ? 0.01 : 1) }));
  const prepared = prepareCharts(
    streams.map(({ kind, next }) => drawSeries(kind, days * 24, next)),
    { windowSeconds: 3600, falseAlarmsPerWeek: budget, policy },
  );
  for (const { name, memory, design } of prepared.charts) {
    const list = factors.get(name) ?? [];
    list.push(
      memory.autocorrelation,
      memory.ewmaVarianceFactor,
      memory.degreesOfFreedom,
      memory.guaranteeFactor,
      design.limit,
    );
    factors.set(name, list);
  }
  let state = initialChartsState;
  let before = new Set<string>();
  for (let week = 0; week < weeks; week++) {
    const seen = new Set<string>();
    for (let index = 0; index < 168; index++) {
      const points = streams.map(({ kind, next }) => ({
        name: kind.name,
        point: next(days * 24 + week * 168 + index),
      }));
      const judged = judgeCharts(prepared, state, {
        start: points[0]?.point.start ?? 0,
        values: points.map(({ name, point }) => ({ name, value: point.value, weight: point.weight })),
      });
      state = judged.state;
      const now = new Set(judged.findings.map(({ id }) => id));
      for (const id of now) {
        seen.add(id);
        if (!before.has(id)) episodes.set(id, (episodes.get(id) ?? 0) + 1);
      }
      before = now;
    }
    for (const id of seen) alarmed.set(id, (alarmed.get(id) ?? 0) + 1);
    if (seen.size > 0) anyWeek++;
    allWeeks++;
  }
}
const upper =
  anyWeek === allWeeks ? 1 : findRoot((share) => binomialUpperTail(anyWeek + 1, allWeeks, share) - 0.95, 0, 1);
const judged = { baselines, weeks, days, ...policy, seed, budget, streams: which };
print(JSON.stringify({ ...judged, anyWeek: anyWeek / allWeeks, upper: Number(upper.toFixed(4)) }));
for (const { name } of kinds) {
  const list = factors.get(name) ?? [];
  const mean = [0, 1, 2, 3, 4].map((k) => {
    const part = list.filter((_, i) => i % 5 === k);
    return (part.reduce((a, b) => a + b, 0) / part.length).toFixed(2);
  });
  const id = `chart:${name}`;
  print([name.padEnd(32), ((alarmed.get(id) ?? 0) / allWeeks).toFixed(5), episodes.get(id) ?? 0, ...mean].join(' '));
}
