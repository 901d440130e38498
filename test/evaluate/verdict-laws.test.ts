import fc from 'fast-check';
import { expect, test } from 'vitest';
import { calibrate } from '../../core/evaluate/calibration.ts';
import { cellOfWindow } from '../../core/evaluate/cells.ts';
import { prepareQuality } from '../../core/evaluate/data-quality.ts';
import { evaluateWindow } from '../../core/evaluate/evaluate-window.ts';
import { judgeClosed } from '../../core/evaluate/judge-closed.ts';
import { binCountsOf, extendTrail, trailingCounts, windowsOfTrails } from '../../core/evaluate/trail.ts';
import type { Baseline, BaselineFeature } from '../../core/model/baseline.ts';
import { utcCalendar } from '../../core/model/calendar.ts';
import { canonicalJson } from '../../core/model/canonical-json.ts';
import type { FeatureLayout } from '../../core/model/layout.ts';
import type { Cell } from '../../core/model/record-batch.ts';
import type { Trail } from '../../core/model/trailing-counts.ts';
import { type Verdict, worstTier } from '../../core/model/verdict.ts';
import {
  createBaseline,
  createInput,
  createSummary,
  learnCategorical,
  learnNumeric,
  plainPolicy,
  summariseCells,
} from './synthetic-model.ts';

const oddNumber = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(0, -0, Number.MAX_VALUE, -Number.MAX_VALUE, Number.MIN_VALUE, 1e308, 5),
  fc.integer({ min: -3, max: 3 }),
  fc.constant(null),
);
const oddText = fc.oneof(
  fc.constantFrom('a', 'b', '(other)', '(missing)', '__proto__', ''),
  fc.string(),
  fc.constant(null),
);

/** Few distinct values, many rows: what makes bins fill and tests run. */
function columnOf<T>(value: fc.Arbitrary<T>, rows: number): fc.Arbitrary<T[]> {
  return fc
    .tuple(
      fc.array(value, { minLength: 1, maxLength: 12 }),
      fc.integer({ min: 0, max: rows }),
      fc.integer({ min: 1, max: 7 }),
    )
    .map(([values, length, stride]) => Array.from({ length }, (_, row) => values[(row * stride) % values.length]))
    .map((cells) => cells.filter((cell) => cell !== undefined));
}

const pair = <T>(value: fc.Arbitrary<T>) => fc.tuple(columnOf(value, 600), columnOf(value, 400));

function judgePairs(
  numbers: readonly (readonly [readonly (number | null)[], readonly (number | null)[]])[],
  texts: readonly (readonly [readonly (string | null)[], readonly (string | null)[]])[],
) {
  const opaque: readonly [FeatureLayout, BaselineFeature] = [
    { kind: 'opaque', side: 'input' },
    { kind: 'opaque', summary: { kind: 'opaque', count: 40, missing: 2 }, distinct: 0, singletons: 0, rare: 0 },
  ];
  const learnt = [
    ...numbers.map(([before], index) => [`number ${index}`, learnNumeric(before)] as const),
    ['opaque', opaque] as const,
    ...texts.map(([before], index) => [`text ${index}`, learnCategorical(before, 1 + (index % 3))] as const),
  ];
  const currents = [...numbers.map(([, after]) => after), [1, null], ...texts.map(([, after]) => after)];
  const summary = createSummary(
    learnt.map(([name, [layout]], index) => [name, summariseCells(layout, currents[index] ?? [])] as const),
  );
  return evaluateWindow(createInput(createBaseline(learnt), summary));
}

function expectLawful(verdict: Verdict): void {
  // Refuses what is no JSON.
  canonicalJson(verdict);
  expect(new Set(verdict.findings.map(({ id }) => id)).size).toBe(verdict.findings.length);
  expect(verdict.findings.every(({ message }) => !/NaN|Infinity|undefined/.test(message))).toBe(true);
  expect(verdict.tier).toBe(worstTier(verdict.findings.map(({ tier }) => tier)));
  for (const feature of Object.values(verdict.features)) {
    expect(feature.bins?.baseline.length).toBe(feature.bins?.current.length);
    if (feature.bins?.categories) expect(new Set(feature.bins.categories).size).toBe(feature.bins.baseline.length);
    if (feature.bins?.edges) {
      const values = feature.bins.baseline.length - (feature.bins.missing ? 1 : 0);
      expect(feature.bins.edges.length).toBe(Math.max(values - 1, 0));
      expect(feature.bins.edges).toEqual(feature.bins.edges.toSorted((a, b) => a - b));
    }
    if (feature.drifted) expect(feature.qValue).toBeLessThanOrEqual(verdict.rule.level);
  }
}

test('a verdict holds no NaN and no infinity, says the same twice, and never repeats a finding', () => {
  fc.assert(
    fc.property(
      fc.array(pair(oddNumber), { maxLength: 4 }),
      fc.array(pair(oddText), { maxLength: 4 }),
      (numbers, texts) => {
        const verdict = judgePairs(numbers, texts);
        expect(canonicalJson(judgePairs(numbers, texts))).toBe(canonicalJson(verdict));
        expectLawful(verdict);
      },
    ),
    { numRuns: 150, seed: 20260301 },
  );
});

const windowSeconds = 4 * 3600;
const width = windowSeconds * 1000;
const firstStart = Date.UTC(2026, 2, 2);
/** Values of a column in each window of a day: what an hour of day may do to it. */
type DailyColumn = readonly (readonly Cell[])[];

/** Windows that are constant, empty, of one record, without any, or full of oddities, by the hour of day. */
function dailyColumn(value: fc.Arbitrary<Cell>): fc.Arbitrary<DailyColumn> {
  const window = fc.oneof(
    { weight: 3, arbitrary: fc.tuple(fc.array(value, { minLength: 1, maxLength: 5 }), fc.constantFrom(1, 7, 40, 120)) },
    { weight: 1, arbitrary: fc.tuple(fc.constant<Cell[]>([null]), fc.constantFrom(1, 40, 120)) },
    { weight: 1, arbitrary: fc.tuple(fc.constant<Cell[]>([]), fc.constant(0)) },
  );
  return fc
    .array(window, { minLength: 1, maxLength: 6 })
    .map((day) =>
      day.map(([values, rows]) =>
        Array.from({ length: values.length === 0 ? 0 : rows }, (_, row) => values[row % values.length] ?? null),
      ),
    );
}

interface HostileModel {
  readonly columns: readonly {
    readonly kind: 'numeric' | 'categorical';
    readonly before: DailyColumn;
    readonly after: DailyColumn;
  }[];
  readonly windows: number;
  readonly timed: boolean;
}

function cellsAt(column: DailyColumn, window: number): readonly Cell[] {
  return column[window % column.length] ?? [];
}

/** Verdicts of a few live windows in their context. */
function judgeHostile({ columns, windows, timed }: HostileModel): readonly Verdict[] {
  const at = Array.from({ length: windows }, (_, window) => window);
  const learnt = columns.map(({ kind, before }, index) => {
    const cells = at.flatMap((window) => cellsAt(before, window));
    const [layout, feature] =
      kind === 'numeric'
        ? learnNumeric(cells.filter((cell): cell is number | null => typeof cell !== 'string'))
        : learnCategorical(
            cells.filter((cell): cell is string | null => typeof cell !== 'number'),
            1 + (index % 3),
          );
    const rows = at.map((window) => binCountsOf(summariseCells(layout, cellsAt(before, window)), layout));
    return [
      `feature ${index}`,
      [layout, { ...feature, ...(timed && { binCounts: { windows: rows, cells: [] } }) }],
    ] as const;
  });
  const startOf = (window: number) => firstStart + window * width;
  const recordsOf = (side: 'before' | 'after', window: number) =>
    Math.max(0, ...columns.map((column) => cellsAt(column[side], window).length));
  const plain = createBaseline(learnt);
  const baseline: Baseline = timed
    ? {
        ...plain,
        time: {
          first: new Date(firstStart).toISOString(),
          last: new Date(startOf(windows)).toISOString(),
          windowSeconds,
          windows: at.map((window) => [new Date(startOf(window)).toISOString(), recordsOf('before', window)]),
          cells: [],
          longestGapSeconds: 60,
        },
      }
    : plain;
  const drift = { ...plainPolicy.drift, level: 0.05, minimumRecords: 1 };
  const policy = { ...plainPolicy, windowSeconds, drift };
  const calibration = calibrate(baseline, { windowSeconds, calendar: utcCalendar });
  const trails: Trail[] = [];
  return [0, 1, 2, 3, 4, 5, 6].map((live) => {
    const start = startOf(windows + live);
    const summary = createSummary(
      learnt.map(([name, [layout]], index) => {
        const column = columns[index];
        return [name, summariseCells(layout, column ? cellsAt(column.after, live) : [])] as const;
      }),
    );
    const now = extendTrail(trails.at(-1), { start }, summary, baseline.layout, cellOfWindow(start, utcCalendar));
    trails.push(now);
    const input = createInput(baseline, summary, { policy, window: { start, end: start + width }, invocations: 1 });
    return judgeClosed(input, {
      drift: {
        calibration,
        stretches: trailingCounts(now, trails, calibration.scales, width),
        windowsOfTrail: windowsOfTrails(trails),
      },
      calendar: utcCalendar,
      quality: { reference: prepareQuality(baseline, windowSeconds), level: 0.05 },
      slices: undefined,
      charts: [],
      learning: undefined,
      isRelearned: false,
    });
  });
}

test('nor does one of a window among others, whatever the hours do', () => {
  const numbers = dailyColumn(oddNumber);
  const texts = dailyColumn(oddText);
  const column = fc.oneof(
    fc.record({ kind: fc.constant<'numeric'>('numeric'), before: numbers, after: numbers }),
    fc.record({ kind: fc.constant<'categorical'>('categorical'), before: texts, after: texts }),
  );
  const model = fc.record({
    columns: fc.array(column, { minLength: 1, maxLength: 4 }),
    // Too few; two days; five; eight; four weeks.
    windows: fc.constantFrom(1, 12, 30, 48, 168),
    timed: fc.boolean(),
  });
  fc.assert(
    fc.property(model, (hostile) => {
      const verdicts = judgeHostile(hostile);
      expect(canonicalJson(judgeHostile(hostile))).toBe(canonicalJson(verdicts));
      for (const verdict of verdicts) expectLawful(verdict);
    }),
    { numRuns: 40, seed: 20260302 },
  );
});
