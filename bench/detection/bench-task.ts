import { measureFalsePages } from '../alerting/burn-rates.ts';
import { type HealthyModel, judgeHealthyModel } from './healthy-model.ts';
import { type DriftDesign, type DriftRun, runDrift } from './injected-drift.ts';
import { createRandomSource } from './random-source.ts';
import { type Scenario, scenarios } from './scenario.ts';
import { measureShippedSizes, type ShippedSizes } from './shipped-size.ts';

/** One piece of the benchmark, that can run anywhere and whose result is plain JSON. */
export type BenchTask =
  | {
      readonly kind: 'scenario';
      readonly scenario: string;
      readonly model: number;
      readonly withPeers: boolean;
      /** Judged weeks; absent: the scenario's. */
      readonly weeks?: number | undefined;
    }
  | { readonly kind: 'errors'; readonly requestsPerHour: number; readonly weeks: number }
  | {
      readonly kind: 'drift';
      readonly design: DriftName;
      readonly effect: number;
      readonly run: number;
      readonly withPeers: boolean;
    }
  | { readonly kind: 'size'; readonly samples: number; readonly baselines: number };

/** Kinds of changes that are put in. */
export type DriftName = keyof typeof driftDesigns;

/** Messages of a service that spends exactly its error budget. */
export interface ErrorAlarms {
  readonly redEpisodes: number;
  readonly yellowEpisodes: number;
}

export type BenchResult =
  | { readonly kind: 'scenario'; readonly scenario: string; readonly result: HealthyModel }
  | { readonly kind: 'errors'; readonly name: string; readonly weeks: number; readonly alarms: ErrorAlarms }
  | { readonly kind: 'drift'; readonly design: DriftName; readonly effect: number; readonly result: DriftRun }
  | { readonly kind: 'size'; readonly result: ShippedSizes };

/** Failures come together: who fails tries again. */
const failuresInBurst = 5;

const quiet = requireScenario('independent null');

const tenOfAll: Omit<
  DriftDesign,
  'populationStabilityIndex' | 'withPeers' | 'minimumEffect' | 'baselineHours' | 'windows'
> = {
  scenario: quiet,
  features: 10,
  untilFound: true,
};

/** Records in the baseline: 100 hours of 500 are 50,000. */
const shortBaseline = 100;
const fourWeeks = 672;

/** Each for 500 records an hour and 200 features; unless said otherwise 10 of them change. */
export const driftDesigns = {
  /** No effect floor, a baseline of 50,000 records. */
  delay: { ...tenOfAll, minimumEffect: 0, baselineHours: shortBaseline, windows: 60 },
  /** No effect floor, the four weeks of the scenarios. */
  delayFourWeeks: { ...tenOfAll, minimumEffect: 0, baselineHours: fourWeeks, windows: 60 },
  /** The default floor of .02. */
  delayAtFloor: { ...tenOfAll, minimumEffect: 0.02, baselineHours: shortBaseline, windows: 100 },
  delayAtFloorFourWeeks: { ...tenOfAll, minimumEffect: 0.02, baselineHours: fourWeeks, windows: 100 },
  /** All features change by less than the floor, for a week: what is found is a trifle. */
  subFloor: {
    ...tenOfAll,
    minimumEffect: 0.02,
    baselineHours: fourWeeks,
    features: 200,
    windows: 168,
    untilFound: false,
  },
  /** A change within a model whose features wander, at the shipped defaults. */
  wandering: {
    ...tenOfAll,
    scenario: requireScenario('wander .05'),
    minimumEffect: 0.02,
    baselineHours: fourWeeks,
    windows: 72,
    untilFound: false,
  },
  /** The same of a baseline without times: a week of live windows has told how hours differ. */
  trainingTable: {
    ...tenOfAll,
    scenario: requireScenario('training table'),
    minimumEffect: 0.02,
    baselineHours: fourWeeks,
    windows: 72,
    untilFound: false,
  },
} as const satisfies Record<string, Omit<DriftDesign, 'populationStabilityIndex' | 'withPeers'>>;

export async function runTask(task: BenchTask, seed: string): Promise<BenchResult> {
  switch (task.kind) {
    case 'scenario': {
      const { scenario, model } = task;
      const result = await judgeHealthyModel(requireScenario(scenario), `${seed}/${scenario}/${model}`, task);
      return { kind: 'scenario', scenario, result };
    }
    case 'errors': {
      const { requestsPerHour, weeks } = task;
      const name = errorScenario(requestsPerHour);
      const { pages, ticketsPerWeek } = measureFalsePages(requestsPerHour, failuresInBurst, weeks, `${seed}/${name}`);
      const alarms = { redEpisodes: pages, yellowEpisodes: Math.round(ticketsPerWeek * weeks) };
      return { kind: 'errors', name, weeks, alarms };
    }
    case 'drift': {
      const { design, effect, run, withPeers } = task;
      const drift = { ...driftDesigns[design], populationStabilityIndex: effect, withPeers };
      const result = await runDrift(drift, `${seed}/${design}/${effect}/${run}`);
      return { kind: 'drift', design, effect, result };
    }
    case 'size':
      return { kind: 'size', result: measureShippedSizes(createRandomSource(`${seed}/size`), task) };
  }
}

/** Names a task among those of one seed. */
export function taskKey(task: BenchTask): string {
  switch (task.kind) {
    case 'scenario':
      return `scenario/${task.scenario}/${task.model}`;
    case 'errors':
      return `errors/${task.requestsPerHour}/${task.weeks}`;
    case 'drift':
      return `drift/${task.design}/${task.effect}/${task.run}`;
    case 'size':
      return `size/${task.samples}`;
  }
}

export function errorScenario(requestsPerHour: number): string {
  return `bursty errors, ${requestsPerHour.toLocaleString('en-US')} an hour`;
}

export function requireScenario(name: string): Scenario {
  const found = scenarios.find((scenario) => scenario.name === name);
  if (!found) throw new RangeError(`bench: expected the name of a scenario, saw ${JSON.stringify(name)}`);
  return found;
}
