/**
 * What phase I of some length does to the true in-control run length of one chart:
 * `npx tsx test/evaluate/charts/measure-guarantee.ts [baselines] [windows per baseline] [days of phase I] [seed]`.
 */
import { initialChartsState, judgeCharts } from '../../../core/evaluate/charts/judge-charts.ts';
import { type PreparedCharts, prepareCharts } from '../../../core/evaluate/charts/prepare-charts.ts';
import { createHours, createRandom, drawSeries, healthyStreams } from './streams.ts';

const print = (line: string) => process.stdout.write(`${line}\n`);
const [baselines = 100, windows = 40_000, days = 28, seed = 1] = process.argv.slice(2).map(Number);
const wanted = 400;

function withoutGuarantee(prepared: PreparedCharts): PreparedCharts {
  const charts = prepared.charts.map((chart) => ({
    ...chart,
    design: { ...chart.design, limit: chart.design.limit / chart.memory.guaranteeFactor },
  }));
  return { ...prepared, charts };
}

for (const kind of healthyStreams.filter(({ name }) => !name.startsWith('volume'))) {
  const lengths = { with: [] as number[], without: [] as number[] };
  for (let run = 0; run < baselines; run++) {
    const random = createRandom(seed * 7919 + run);
    const next = createHours(kind, random);
    const prepared = prepareCharts([drawSeries(kind, days * 24, next)], {
      windowSeconds: 3600,
      falseAlarmsPerWeek: 168 / wanted,
    });
    const variants = [
      { key: 'with' as const, prepared, state: initialChartsState, alarms: 0 },
      { key: 'without' as const, prepared: withoutGuarantee(prepared), state: initialChartsState, alarms: 0 },
    ];
    for (let index = 0; index < windows; index++) {
      const { start, value, weight } = next(days * 24 + index);
      for (const variant of variants) {
        const values = [{ name: kind.name, value, weight }];
        const judged = judgeCharts(variant.prepared, variant.state, { start, values });
        variant.state = judged.state;
        if ((judged.readings[0]?.excess ?? 0) <= 1) continue;
        variant.alarms++;
        variant.state = initialChartsState;
      }
    }
    for (const { key, alarms } of variants) lengths[key].push(windows / Math.max(1, alarms));
  }
  const describe = (list: number[]) => {
    const sorted = [...list].sort((a, b) => a - b);
    const quantile = (p: number) => (sorted[Math.floor(p * (sorted.length - 1))] ?? 0).toFixed(0);
    const short = list.filter((length) => length < wanted).length / list.length;
    const half = list.filter((length) => length < wanted / 2).length / list.length;
    return `P(<${wanted}) ${short.toFixed(2)} P(<${wanted / 2}) ${half.toFixed(2)} q10 ${quantile(0.1)} median ${quantile(0.5)}`;
  };
  print(
    `${days} days, ${kind.name.padEnd(18)} guaranteed: ${describe(lengths.with)} | plain: ${describe(lengths.without)}`,
  );
}
