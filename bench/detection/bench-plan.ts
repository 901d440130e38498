import { type BenchTask, type DriftName, requireScenario } from './bench-task.ts';
import { liveWeeksOf, plan, scenarios } from './scenario.ts';

/** How much of everything is run. */
export interface BenchSize {
  /** Simulated models per scenario of two judged weeks each; of those with more weeks as many fewer. */
  readonly models: number;
  /** Of these, judged by the peers' rules as well. */
  readonly modelsWithPeers: number;
  /** Judged weeks of each; absent: the scenario's. */
  readonly liveWeeks?: number;
  /** Scenarios by name; absent: all. */
  readonly scenarios?: readonly string[];
  /** Runs per change that is put in; twice as many of the smallest, whose delays scatter most. */
  readonly driftRuns: number;
  /** Of these, judged by the peers' rules as well. */
  readonly driftRunsWithPeers: number;
  readonly driftDesigns: readonly DriftName[];
  readonly subFloorRuns: number;
  /** Draws per level of the size measurement. */
  readonly sizeSamples: number;
  /** Baselines that these are shared out over. */
  readonly sizeBaselines: number;
  /** Weeks of bursty errors per volume. */
  readonly errorWeeks: number;
}

export const fullSize: BenchSize = {
  models: 32,
  modelsWithPeers: 2,
  driftRuns: 30,
  driftRunsWithPeers: 10,
  driftDesigns: ['delay', 'delayAtFloor', 'delayFourWeeks', 'delayAtFloorFourWeeks', 'wandering', 'trainingTable'],
  subFloorRuns: 10,
  sizeSamples: 160_000,
  sizeBaselines: 16,
  errorWeeks: 300,
};

/** Under a minute on one core. */
export const quickSize: BenchSize = {
  models: 1,
  liveWeeks: 1,
  modelsWithPeers: 0,
  scenarios: ['independent null', 'wander .15'],
  driftRuns: 5,
  driftRunsWithPeers: 0,
  driftDesigns: ['delay', 'delayAtFloor'],
  subFloorRuns: 0,
  sizeSamples: 16_000,
  sizeBaselines: 2,
  errorWeeks: 4,
};

/** True population stability indices put in, by design. */
export const driftEffects: Readonly<Record<DriftName, readonly number[]>> = {
  delay: [0.005, 0.01, 0.02, 0.05],
  delayFourWeeks: [0.005, 0.01, 0.02, 0.05],
  delayAtFloor: [0.03, 0.05, 0.1],
  delayAtFloorFourWeeks: [0.03, 0.05, 0.1],
  subFloor: [0.01],
  // A shift of .3 standard deviations.
  wandering: [0.0855],
  trainingTable: [0.0855],
};

export const errorVolumes: readonly number[] = [50, 500, 5_000];

/** All tasks, the quick ones first; scenarios take turns, so that an unfinished run has something of each. */
export function planTasks(size: BenchSize): readonly BenchTask[] {
  const tasks: BenchTask[] = [];
  if (size.sizeSamples > 0) tasks.push({ kind: 'size', samples: size.sizeSamples, baselines: size.sizeBaselines });
  if (size.errorWeeks > 0) {
    for (const requestsPerHour of errorVolumes) tasks.push({ kind: 'errors', requestsPerHour, weeks: size.errorWeeks });
  }
  const hasPeers = (design: DriftName) => design === 'delay' || design === 'delayAtFloor' || design === 'subFloor';
  for (let run = 0; run < Math.max(2 * size.driftRuns, size.subFloorRuns); run++) {
    const withPeers = run < size.driftRunsWithPeers;
    for (const design of size.driftDesigns) {
      for (const [place, effect] of driftEffects[design].entries()) {
        if (run >= (place === 0 ? 2 : 1) * size.driftRuns) continue;
        tasks.push({ kind: 'drift', design, effect, run, withPeers: withPeers && hasPeers(design) });
      }
    }
    if (run >= size.subFloorRuns) continue;
    for (const effect of driftEffects.subFloor) {
      tasks.push({ kind: 'drift', design: 'subFloor', effect, run, withPeers: withPeers && run < 2 });
    }
  }
  const names = size.scenarios ?? scenarios.map(({ name }) => name);
  for (let model = 0; model < size.models; model++) {
    for (const scenario of names) {
      if (model * liveWeeksOf(requireScenario(scenario)) >= size.models * plan.liveWeeks) continue;
      tasks.push({
        kind: 'scenario',
        scenario,
        model,
        withPeers: model < size.modelsWithPeers,
        weeks: size.liveWeeks,
      });
    }
  }
  return tasks;
}
