import { describe, expect, test } from 'vitest';
import { type ChartsState, initialChartsState, judgeCharts } from '../../../core/evaluate/charts/judge-charts.ts';
import { type PreparedCharts, prepareCharts } from '../../../core/evaluate/charts/prepare-charts.ts';
import { exceedsHabit, extendRuns, highestBurst, slotOf } from '../../../core/evaluate/charts/volume-habits.ts';
import { createRandom, hour, monday } from './streams.ts';

const day = 24 * hour;
const week = 168;
const fourWeeks = 4 * week;

/** Calls an hour, half at weekends. */
function countsOf(seed: number, change: (hour: number, count: number) => number = (_, count) => count) {
  const { normal } = createRandom(seed);
  return (at: number) => {
    const mean = Math.floor(at / 24) % 7 >= 5 ? 250 : 500;
    return Math.max(0, Math.round(change(at, mean + Math.sqrt(mean) * normal())));
  };
}

function prepare(counts: (hour: number) => number, hours = fourWeeks): PreparedCharts {
  const phaseOne = Array.from({ length: hours }, (_, at) => ({
    start: monday + at * hour,
    value: counts(at),
    weight: 1,
  }));
  return prepareCharts([{ name: 'calls', kind: 'count', phaseOne }], { windowSeconds: 3600, falseAlarmsPerWeek: 0.02 });
}

/** Findings of live hours, by hour. */
function judge(prepared: PreparedCharts, counts: (hour: number) => number, hours: number, from = fourWeeks) {
  let state: ChartsState = initialChartsState;
  return Array.from({ length: hours }, (_, index) => {
    const values = [{ name: 'calls', value: counts(from + index), weight: 1 }];
    const judged = judgeCharts(prepared, state, { start: monday + (from + index) * hour, values });
    state = judged.state;
    return judged.findings;
  });
}

/** Every 50 hours or so ten times as many. */
const bursts = (at: number, count: number) => ((at * 7919) % 50 === 13 ? 10 * count : count);
/** Tuesdays at three. */
const batch = (at: number, count: number) => (at % week === 27 ? count + 300 : count);

describe('bursts', () => {
  test('that come as often as in the baseline are no finding', () => {
    const prepared = prepare(countsOf(1, bursts));
    expect(prepared.charts[0]?.habits?.bursts?.runs).toBeGreaterThan(10);
    expect(judge(prepared, countsOf(2, bursts), 2 * week).flat()).toEqual([]);
  });

  test('do not raise what is expected of their hour', () => {
    const prepared = prepare(countsOf(1, bursts));
    for (const [cell, expected] of prepared.charts[0]?.volume?.cells ?? []) {
      const usual = cell.endsWith('weekend') ? 250 : 500;
      expect(Math.abs(expected / usual - 1)).toBeLessThan(0.05);
    }
  });

  test('without any in the baseline are findings', () => {
    const [found] = judge(
      prepare(countsOf(1)),
      countsOf(2, (at, count) => (at === fourWeeks ? 10 * count : count)),
      1,
    );
    expect(found?.[0]?.message).toContain('times as many');
  });

  test('of one day are an incident, not a habit', () => {
    const prepared = prepare(countsOf(1, (at, count) => (at === 100 || at === 104 ? 10 * count : count)));
    expect(prepared.charts[0]?.habits?.bursts).toBeUndefined();
  });

  test('twice as high as ever are findings, and so are too many', () => {
    const prepared = prepare(countsOf(1, bursts));
    const higher = judge(
      prepared,
      countsOf(2, (at, count) => (at === fourWeeks + 5 ? 25 * count : count)),
      10,
    );
    expect(higher.map((found) => found.length)).toEqual([0, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
    const often = judge(
      prepared,
      countsOf(2, (at, count) => (at % 2 === 0 ? 10 * count : count)),
      48,
    );
    const first = often.findIndex((found) => found.length > 0);
    expect(first).toBeGreaterThan(3);
    expect(first).toBeLessThan(24);
  });

  test('that do not end are found by the chart within hours', () => {
    const prepared = prepare(countsOf(1, bursts));
    const found = judge(
      prepared,
      countsOf(2, (_, count) => 10 * count),
      24,
    );
    expect(found.findIndex((each) => each.length > 0)).toBeLessThan(12);
  });

  test('that come too often are counted in the finding', () => {
    const prepared = prepare(countsOf(1, bursts));
    const every = judge(
      prepared,
      countsOf(2, (at, count) => (at % 4 === 0 ? 9 * count : count)),
      week,
    ).flat();
    const told = every.find(({ evidence }) => evidence.bursts !== undefined);
    expect(told?.message).toMatch(/, \d+ such bursts in (1 d|7 d|24 h|\d+ days?) where [\d.]+ are usual; without/);
  });
});

/** Every five days or so a burst whose height is log-normal, ten times as many in the middle. */
function logNormalBursts(seed: number): (at: number, count: number) => number {
  const { uniform, normal } = createRandom(seed);
  return (_, count) => (uniform() < 0.008 ? count * Math.exp(Math.log(10) + normal()) : count);
}

describe('bursts of different heights', () => {
  test('are no finding because one is the highest yet', () => {
    let weeks = 0;
    let models = 0;
    for (let model = 0; model < 20; model++) {
      const prepared = prepare(countsOf(10 + model, logNormalBursts(100 + model)));
      if (prepared.charts[0]?.habits?.bursts) models++;
      else continue;
      const counts = countsOf(50 + model, logNormalBursts(200 + model));
      for (let at = 0; at < 3; at++) {
        const found = judge(prepared, counts, week, fourWeeks + at * week).flat();
        if (found.length > 0) weeks++;
      }
    }
    // Where no more than twice the highest is allowed, three weeks have findings.
    expect(models).toBeGreaterThan(14);
    expect(weeks).toBeLessThanOrEqual(1);
  });

  test('bound the next one by what they let expect, the wider the fewer they are', () => {
    const of = (runs: number, logDeviation: number) =>
      highestBurst({ runs, windows: fourWeeks, highest: 12, logMean: Math.log(10), logDeviation }, 1e-5);
    expect(of(13, 0)).toBe(24);
    expect(of(13, 0.05)).toBe(24);
    expect(of(13, 0.8)).toBeGreaterThan(10 * Math.exp(0.8 * 3.2));
    expect(of(13, 0.8)).toBeLessThan(1000);
    expect(of(5, 0.8)).toBeGreaterThan(of(13, 0.8));
    expect(of(2, 0.8)).toBeGreaterThan(1e9);
  });

  test('that hit one hour of three weeks by chance are no weekly batch', () => {
    // Thursdays at 17:00 in three weeks of four, and 16 times elsewhere.
    const chance = (at: number, count: number) => {
      const isThursday = at % week === 89 && at < 3 * week;
      return isThursday || (at * 7919) % 41 === 11 ? 8 * count : count;
    };
    const prepared = prepare(countsOf(1, chance));
    expect(prepared.charts[0]?.habits?.slots).toEqual([]);
    expect(judge(prepared, countsOf(2), week).flat()).toEqual([]);
  });
});

describe('with a week of past', () => {
  test('a window that is too high is no finding: whether it is a habit nobody knows', () => {
    for (const change of [bursts, batch]) {
      const prepared = prepare(countsOf(1, change), week);
      expect(prepared.charts[0]?.habits?.areKnown).toBe(false);
      expect(judge(prepared, countsOf(2, change), 3 * week, week).flat()).toEqual([]);
    }
  });

  test('a rise that lasts and an hour without calls are findings', () => {
    const prepared = prepare(countsOf(1), week);
    const risen = judge(
      prepared,
      countsOf(2, (_, count) => 4 * count),
      48,
      week,
    );
    expect(risen.findIndex((found) => found.length > 0)).toBeLessThan(36);
    expect(risen.flat().length).toBeGreaterThan(0);
    const fallen = judge(
      prepared,
      countsOf(2, (at) => (at === week ? 5 : 500)),
      1,
      week,
    );
    expect(fallen[0]).toHaveLength(1);
  });

  test('a weekend hour that was a burst twice is not taken for what is usual', () => {
    const twice = (at: number, count: number) => (at === 5 * 24 + 11 || at === 6 * 24 + 11 ? 10 * count : count);
    expect(judge(prepare(countsOf(1, twice), week), countsOf(2), week, week).flat()).toEqual([]);
  });
});

describe('a weekly batch', () => {
  test('is expected at its hour once the baseline has seen it three times', () => {
    const prepared = prepare(countsOf(1, batch));
    expect(prepared.charts[0]?.habits?.slots.map(([slot]) => slot)).toEqual([slotOf('03|weekday', monday + 27 * hour)]);
    expect(judge(prepared, countsOf(2, batch), 2 * week).flat()).toEqual([]);
  });

  test('at another time, or three times as large, is a finding', () => {
    const prepared = prepare(countsOf(1, batch));
    const moved = judge(
      prepared,
      countsOf(2, (at, count) => (at % week === 28 ? count + 400 : count)),
      week,
    );
    expect(moved[28]).toHaveLength(1);
    const larger = judge(
      prepared,
      countsOf(2, (at, count) => (at % week === 27 ? count + 900 : count)),
      week,
    );
    expect(larger[27]).toHaveLength(1);
  });
});

describe('the rate of bursts', () => {
  const options = { windowMilliseconds: hour, level: 1e-5 };
  const habit = { runs: 13, windows: fourWeeks, highest: 10, logMean: Math.log(10), logDeviation: 0.02 };

  test('counts runs of windows, not windows, of one week', () => {
    const runs = [0, 1, 2, 30, 31, 100].reduce(
      (known: ReturnType<typeof extendRuns>, at) => extendRuns(known, at * hour, hour),
      [],
    );
    expect(runs).toEqual([
      [0, 2 * hour],
      [30 * hour, 31 * hour],
      [100 * hour, 100 * hour],
    ]);
    expect(extendRuns(runs, 7 * day + 2 * hour, hour)).toHaveLength(3);
  });

  test('exceeds the habit where chance does not explain it', () => {
    const runsOf = (count: number) => Array.from({ length: count }, (_, at) => [at * 2 * hour, at * 2 * hour] as const);
    expect(exceedsHabit(habit, runsOf(4), 7 * hour, 10, options)).toBeUndefined();
    expect(exceedsHabit(habit, runsOf(10), 19 * hour, 10, options)).toMatchObject({ days: 1, runs: 10 });
    expect(exceedsHabit(habit, runsOf(1), hour, 21, options)).toBe('higher');
  });
});
