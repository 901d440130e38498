/**
 * Windows from a shift to the first finding, shipped defaults:
 * `npx tsx test/evaluate/charts/measure-delay.ts [runs] [method] [seed] [lambda or reference]`. Shifts are in standard deviations of a healthy
 * window's residual (all together: sampling and wander), for counts factors.
 */
import { initialChartsState, judgeCharts } from '../../../core/evaluate/charts/judge-charts.ts';
import { prepareCharts } from '../../../core/evaluate/charts/prepare-charts.ts';
import { readPolicy } from './read-policy.ts';
import { createHours, createRandom, drawSeries, healthyStreams } from './streams.ts';

const print = (line: string) => process.stdout.write(`${line}\n`);
const runs = Number(process.argv[2] ?? 50);
const seed = Number(process.argv[4] ?? 1);
const policy = readPolicy(process.argv[3], process.argv[5]);
const longest = 2000;
const days = 28;
const healthyHours = 48;

for (const kind of healthyStreams) {
  const sizes = kind.kind === 'count' ? [0.7, 0.4, 0.1, 0, 2, 4] : [0.5, 1, 2, 4];
  if (kind.kind === 'share') continue;
  const delays = sizes.map(() => [] as number[]);
  const onsets = sizes.map(() => [] as number[]);
  for (let run = 0; run < runs; run++) {
    const random = createRandom(seed * 7919 + run);
    const next = createHours(kind, random);
    // Eight further charts share the budget.
    const series = drawSeries(kind, days * 24, next);
    const others = Array.from({ length: kind.kind === 'count' ? 6 : 7 }, (_, i) => ({
      ...series,
      name: `other ${i}`,
      kind: 'mean' as const,
    }));
    const prepared = prepareCharts([series, ...others], {
      windowSeconds: 3600,
      falseAlarmsPerWeek: 0.02,
      policy,
    });
    const [chart] = prepared.charts;
    if (!chart) throw new Error('expected a chart');
    const alone = { ...prepared, charts: [chart] };
    sizes.forEach((size, which) => {
      let state = initialChartsState;
      // Begin at another hour of the week each time.
      const first = days * 24 + Math.floor(random.uniform() * 168);
      for (let index = 0; index < longest + healthyHours; index++) {
        const point = next(first + index);
        const shifted = index >= healthyHours;
        let value = point.value;
        if (shifted && kind.kind === 'count') value = Math.round(value * size);
        const spread = Math.sqrt(chart.spread.between + chart.spread.within / point.weight);
        if (shifted && kind.kind === 'mean') value += size * spread;
        const judged = judgeCharts(alone, state, {
          start: point.start,
          values: [{ name: kind.name, value, weight: point.weight }],
        });
        state = judged.state;
        const found = judged.findings[0];
        if (shifted && (found || index === longest + healthyHours - 1)) {
          delays[which]?.push(index - healthyHours + 1);
          const since = found?.evidence.since;
          const onset = point.start - (index - healthyHours) * 3_600_000;
          if (typeof since === 'string') onsets[which]?.push((Date.parse(since) - onset) / 3_600_000);
          break;
        }
      }
    });
  }
  const median = (list: number[] | undefined) =>
    [...(list ?? [])].sort((a, b) => a - b)[Math.floor((list?.length ?? 0) / 2)];
  const text = sizes.map((size, i) => {
    const list = delays[i] ?? [];
    const mean = list.reduce((a, b) => a + b, 0) / list.length;
    return `${size}: ${median(list)} (mean ${mean.toFixed(1)}, onset ${median(onsets[i]) ?? '–'})`;
  });
  print(`${policy.method} ${kind.name.padEnd(30)} ${text.join('  ')}`);
}
