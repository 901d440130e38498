import { parseArgs } from 'node:util';
import { groupWindows } from '../../core/evaluate/window-set.ts';
import { benjaminiHochberg } from '../../core/stats/benjamini-hochberg.ts';
import { createRandomSource } from '../detection/random-source.ts';
import {
  baselineDays,
  bins,
  type DrawnWindow,
  drawModel,
  hoursPerDay,
  type ModelDesign,
  plan,
  toWindowSet,
} from './drawn-model.ts';
import { learnRules, type Seen, see } from './wander-rules.ts';

/**
 * Compares ways to allow for the wander between windows: null weeks that alarm, and how soon and how surely a change
 * is found. `node bench/wander/compare-rules.ts --runs 8 --design "null, wander .05"`.
 */
const scales = [1, 2, 4, 8, 24, 72, 168];
const level = 0.1 / (168 * scales.length);
const floor = 0.02;
const floorLevel = 0.001;
const live = 168;

const still: ModelDesign = {
  features: 200,
  recordsPerHour: 500,
  dailyWander: 0.05,
  wanderSpread: 0,
  persistence: 0,
  drifting: 0,
  shift: 0,
  widening: 1,
};

const designs: readonly (readonly [name: string, design: ModelDesign])[] = [
  ['null, season only', { ...still, dailyWander: 0 }],
  ['null, wander .05', still],
  ['null, wander .15', { ...still, dailyWander: 0.15 }],
  ['null, wander .05, 5,000/h', { ...still, recordsPerHour: 5000 }],
  ['null, wander .15, 5,000/h', { ...still, recordsPerHour: 5000, dailyWander: 0.15 }],
  ['null, wander of very different size', { ...still, dailyWander: 0.1, wanderSpread: 0.7 }],
  ['null, wander .1, persistent .5', { ...still, dailyWander: 0.1, persistence: 0.5 }],
  ['shift .3, wander .05', { ...still, drifting: 10, shift: 0.3 }],
  ['shift .3, wander .15', { ...still, dailyWander: 0.15, drifting: 10, shift: 0.3 }],
  ['wider by .3, wander .05', { ...still, drifting: 10, widening: 1.3 }],
  ['wider by .3, wander .15', { ...still, dailyWander: 0.15, drifting: 10, widening: 1.3 }],
];

interface Outcome {
  weeks: number;
  alarmed: number;
  found: number;
  falseFound: number;
  readonly first: number[];
}

function run(design: ModelDesign, seed: string, outcomes: Map<string, Outcome>): void {
  const hours = baselineDays * hoursPerDay;
  const windows = [...drawModel(design, createRandomSource(seed), hours + live)];
  const baseline = windows.slice(0, hours);
  const grouped = groupWindows(toWindowSet(baseline), 'hours and weekends');
  const features = Array.from({ length: design.features }, (_, feature) => ({
    plan,
    counts: baseline.map(({ counts }) => [...(counts[feature] ?? [])]),
  }));
  const rules = learnRules(grouped, features, scales);
  const cells = countCells(grouped.groupOf, grouped.groups.size, baseline, design.features);
  const all = toWindowSet(windows);
  const cumulated = cumulate(windows, design.features);
  const groupAt = all.cells.map((cell) => grouped.groups.indexOf(cell) ?? 0);
  const found = rules.map(() => new Set<number>());
  const first = rules.map(() => Number.POSITIVE_INFINITY);
  for (let hour = hours; hour < hours + live; hour++) {
    scales.forEach((scale, scaleIndex) => {
      // A stretch holds live windows only.
      const from = Math.max(hours, hour - scale + 1);
      const seen = measureStretch(windows, cumulated, groupAt, from, hour, grouped.records, cells, design.features);
      rules.forEach((rule, index) => {
        const pairs = seen.map((each, feature) =>
          rule.pValues(feature, scaleFor(hour - from + 1, scaleIndex), each, floor),
        );
        const adjusted = benjaminiHochberg(pairs.map(([change]) => Math.min(1, 3 * change)));
        pairs.forEach(([, above], feature) => {
          if ((adjusted[feature] ?? 1) > level || above > floorLevel) return;
          found[index]?.add(feature);
          first[index] = Math.min(first[index] ?? 0, hour - hours + 1);
        });
      });
    });
  }
  rules.forEach(({ name }, index) => {
    const outcome = outcomes.get(name) ?? { weeks: 0, alarmed: 0, found: 0, falseFound: 0, first: [] };
    const here = found[index] ?? new Set();
    const truly = [...here].filter((feature) => feature < design.drifting).length;
    outcome.weeks++;
    outcome.alarmed += here.size > 0 ? 1 : 0;
    outcome.found += truly;
    outcome.falseFound += here.size - truly;
    outcome.first.push(first[index] ?? Number.POSITIVE_INFINITY);
    outcomes.set(name, outcome);
  });
}

/** A stretch that is not full yet wanders like a shorter one. */
function scaleFor(windows: number, scaleIndex: number): number {
  let index = 0;
  scales.forEach((scale, position) => {
    if (position <= scaleIndex && scale <= windows) index = position;
  });
  return index;
}

function countCells(groupOf: Int32Array, groups: number, windows: readonly DrawnWindow[], features: number) {
  const cells = Array.from({ length: features }, () => new Float64Array(groups * (bins + 1)));
  windows.forEach(({ counts }, window) => {
    const group = groupOf[window] ?? 0;
    counts.forEach((row, feature) => {
      const target = cells[feature];
      row.forEach((count, bin) => {
        const index = group * (bins + 1) + bin;
        if (target) target[index] = (target[index] ?? 0) + count;
      });
    });
  });
  return cells;
}

/** Counts of all windows up to each one, features side by side. */
function cumulate(windows: readonly DrawnWindow[], features: number): readonly Float64Array[] {
  const width = bins + 1;
  let sofar = new Float64Array(features * width);
  return windows.map(({ counts }) => {
    sofar = sofar.slice();
    counts.forEach((row, feature) => {
      for (let bin = 0; bin < width; bin++) {
        const index = feature * width + bin;
        sofar[index] = (sofar[index] ?? 0) + (row[bin] ?? 0);
      }
    });
    return sofar;
  });
}

function measureStretch(
  windows: readonly DrawnWindow[],
  cumulated: readonly Float64Array[],
  groupAt: readonly number[],
  from: number,
  to: number,
  records: Float64Array,
  cells: readonly Float64Array[],
  features: number,
): readonly Seen[] {
  const weights = new Float64Array(records.length);
  let total = 0;
  for (let hour = from; hour <= to; hour++) {
    const group = groupAt[hour] ?? 0;
    weights[group] = (weights[group] ?? 0) + (windows[hour]?.records ?? 0);
    total += windows[hour]?.records ?? 0;
  }
  const uncertainty = weights.reduce((sum, weight, group) => sum + (weight / total) ** 2 / (records[group] ?? 1), 0);
  return Array.from({ length: features }, (_, feature) => {
    const current = new Float64Array(bins + 1);
    for (let bin = 0; bin <= bins; bin++) {
      const index = feature * (bins + 1) + bin;
      current[bin] = (cumulated[to]?.[index] ?? 0) - (cumulated[from - 1]?.[index] ?? 0);
    }
    const expected = new Float64Array(bins + 1);
    for (let group = 0; group < weights.length; group++) {
      const weight = weights[group] ?? 0;
      if (weight === 0) continue;
      const factor = weight / total / (records[group] ?? 1);
      for (let bin = 0; bin < bins; bin++) {
        expected[bin] = (expected[bin] ?? 0) + factor * (cells[feature]?.[group * (bins + 1) + bin] ?? 0);
      }
    }
    return see(current, expected, 1 / uncertainty);
  });
}

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '4' },
    design: { type: 'string' },
    seed: { type: 'string', default: 'w' },
  },
});
for (const [name, design] of designs) {
  if (values.design !== undefined && values.design !== name) continue;
  const outcomes = new Map<string, Outcome>();
  for (let index = 0; index < Number(values.runs); index++) run(design, `${values.seed}/${name}/${index}`, outcomes);
  process.stdout.write(`${name}\n`);
  for (const [rule, { weeks, alarmed, found, falseFound, first }] of outcomes) {
    const median = first.toSorted((a, b) => a - b)[Math.floor(first.length / 2)];
    const numbers = [
      `weeks alarmed ${(alarmed / weeks).toFixed(2)}`,
      `false features ${(falseFound / weeks).toFixed(2)}`,
      ...(design.drifting > 0
        ? [`found ${(found / weeks).toFixed(1)} of ${design.drifting}`, `median first ${median}`]
        : []),
    ];
    process.stdout.write(`  ${rule.padEnd(40)} ${numbers.join(', ')}\n`);
  }
}
