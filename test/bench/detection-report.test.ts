import { describe, expect, test } from 'vitest';
import { alarmRate } from '../../bench/detection/alarm-rate.ts';
import { fullSize, planTasks, quickSize } from '../../bench/detection/bench-plan.ts';
import { type BenchResult, requireScenario, taskKey } from '../../bench/detection/bench-task.ts';
import { assembleReport } from '../../bench/detection/detection-report.ts';
import type { DriftRun } from '../../bench/detection/injected-drift.ts';
import { liveWeeksOf, scenarios } from '../../bench/detection/scenario.ts';

function healthy(yellowEpisodes: number): BenchResult {
  return {
    kind: 'scenario',
    scenario: 'season',
    result: {
      weeks: 2,
      redEpisodes: 0,
      falseKinds: yellowEpisodes > 0 ? [['drift', 3 * yellowEpisodes]] : [],
      yellowEpisodes,
      yellowWindows: 3 * yellowEpisodes,
      weeksWithYellow: Math.min(yellowEpisodes, 2),
      chartEpisodes: 0,
      falseFindings: yellowEpisodes > 0 ? [[24, yellowEpisodes]] : [],
      peers: [['PSI ≥ .2', { yellowEpisodes: 4, yellowWindows: 40, flags: 400 }]],
    },
  };
}

function drift(design: 'delay' | 'delayAtFloor' | 'subFloor', delayWindows: number | null): BenchResult {
  const run = { delayWindows, featuresFound: delayWindows === null ? 0 : 4, falseDiscoveryProportion: 0.1 };
  const result: DriftRun = { ...run, peers: [['PSI ≥ .2', { ...run, delayWindows: null }]] };
  return { kind: 'drift', design, effect: 0.01, result };
}

describe('the report', () => {
  const report = assembleReport([
    healthy(0),
    healthy(1),
    drift('delay', 2),
    drift('delay', 7),
    drift('delayAtFloor', 3),
    drift('delayAtFloor', 5),
    drift('delayAtFloor', null),
    drift('subFloor', 4),
    { kind: 'errors', name: 'bursty errors, 50 an hour', weeks: 10, alarms: { redEpisodes: 1, yellowEpisodes: 2 } },
  ]);

  test('counts false alarms by scenario and names the worst', () => {
    expect(report.scenarios.season).toMatchObject({
      falseYellowPerModelWeek: 0.25,
      falseRedPerModelWeek: 0,
      weeks: 4,
      weeksWithYellow: 0.25,
      yellowWindowsPerModelWeek: 0.75,
      falseWindowsPerModelWeek: { drift: 0.75 },
      falseFindingsPerModelWeek: { '24': 0.25 },
    });
    expect(report.scenarios.season?.upper95).toBeGreaterThan(1);
    expect([report.falseYellowPerModelWeek, report.falseRedPerModelWeek]).toEqual([0.25, 0.1]);
  });

  test('says of every scenario how often it was wrong, of how many weeks, and the bound', () => {
    for (const rates of Object.values(report.scenarios)) {
      for (const key of ['falseYellowPerModelWeek', 'falseRedPerModelWeek', 'weeks', 'upper95'] as const) {
        expect(rates[key]).toBeTypeOf('number');
      }
    }
    expect(report.scenarios['bursty errors, 50 an hour']).toMatchObject({
      falseYellowPerModelWeek: 0.2,
      falseRedPerModelWeek: 0.1,
    });
  });

  test('takes means without a floor, medians with one, and leaves out of neither a run that found nothing', () => {
    expect(report.delayWindows).toEqual({ '0.01': 4.5 });
    expect(report.delayWindowsAtFloor).toEqual({ '0.01': 5 });
    expect(assembleReport([drift('delay', 2), drift('delay', null)]).delayWindows).toEqual({ '0.01': null });
    expect(report.subFloorAlarmShare).toEqual({ '0.01': 4 / 200 });
    expect(report.falseDiscoveryProportion).toBeCloseTo(0.1, 12);
  });

  test('says the same of each peer', () => {
    expect(report.peers['PSI ≥ .2']).toMatchObject({
      falseYellowPerModelWeek: 2,
      delayWindows: { '0.01': null },
      scenarios: { season: { yellowWindowsPerModelWeek: 20, falseFlagsPerModelWeek: 200 } },
    });
  });

  test('is empty, not wrong, where nothing was run', () => {
    expect(assembleReport([])).toMatchObject({ scenarios: {}, falseYellowPerModelWeek: null, size: {}, peers: {} });
  });
});

describe('the plan', () => {
  test('names every task once, and a quick run is a small part of a full one', () => {
    const keys = planTasks(fullSize).map(taskKey);
    expect(new Set(keys).size).toBe(keys.length);
    expect(planTasks(quickSize).length).toBeLessThan(keys.length / 5);
  });

  test('judges enough weeks of every scenario that two false yellows can be told from a rate of .1', () => {
    const weeks = new Map<string, number>();
    for (const task of planTasks(fullSize)) {
      if (task.kind !== 'scenario') continue;
      const { scenario } = task;
      weeks.set(scenario, (weeks.get(scenario) ?? 0) + liveWeeksOf(requireScenario(scenario)));
    }
    expect([...weeks.keys()]).toEqual(scenarios.map(({ name }) => name));
    for (const each of weeks.values()) {
      expect(alarmRate([2], each).upper95).toBeLessThan(0.1);
      expect(each).toBeLessThan(70);
    }
  });
});
