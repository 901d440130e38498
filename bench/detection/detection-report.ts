import { alarmRate } from './alarm-rate.ts';
import type { BenchResult, DriftName, ErrorAlarms } from './bench-task.ts';
import type { HealthyModel } from './healthy-model.ts';
import type { PeerRun } from './injected-drift.ts';
import { hoursPerWeek, plan } from './scenario.ts';
import type { ShippedSizes } from './shipped-size.ts';

/** False alarms of a scenario. */
export interface ScenarioRates {
  readonly falseYellowPerModelWeek: number;
  /** Of the verdicts of closed windows, or of objectives. */
  readonly falseRedPerModelWeek: number;
  readonly weeks: number;
  /** One-sided 95 % upper bound of the false yellows. */
  readonly upper95: number;
  /** The same of the false reds. */
  readonly redUpper95: number;
  /** Share of weeks with any yellow window. */
  readonly weeksWithYellow: number;
  readonly yellowWindowsPerModelWeek: number;
  /** Runs of windows in which a control chart signalled; they are among the yellows. */
  readonly chartEpisodesPerModelWeek: number;
  /** Windows a week with a finding that raised the tier, by the finding's kind. */
  readonly falseWindowsPerModelWeek: Readonly<Record<string, number>>;
  /** Features falsely found a week, by the scale that decided. */
  readonly falseFindingsPerModelWeek: Readonly<Record<string, number>>;
}

/** What all is asked of a rule. Keys of the records are effects (true PSI) or levels. */
export interface RuleReport {
  readonly scenarios: Readonly<Record<string, Partial<ScenarioRates>>>;
  /** Of the worst scenario. */
  readonly falseYellowPerModelWeek: number | null;
  readonly falseRedPerModelWeek: number | null;
  /** Mean windows to the first right finding; null where a run had none. */
  readonly delayWindows: Readonly<Record<string, number | null>>;
  /** Medians. */
  readonly delayWindowsAtFloor: Readonly<Record<string, number | null>>;
  readonly subFloorAlarmShare: Readonly<Record<string, number>>;
  readonly falseDiscoveryProportion: number | null;
}

/** How a shift of ten features was found. */
export interface ShiftReport {
  /** Of the ten, on average over the runs. */
  readonly featuresFound: number | null;
  readonly medianDelayWindows: number | null;
}

export interface DetectionReport extends RuleReport {
  /** P(p ≤ level) where nothing has changed. */
  readonly size: Readonly<Record<string, number>>;
  /** By test; empty: not measured. */
  readonly sizeDetails: Partial<ShippedSizes['details']>;
  readonly delayWindowsFourWeeks: RuleReport['delayWindows'];
  readonly delayWindowsAtFloorFourWeeks: RuleReport['delayWindows'];
  /** A .3σ shift of 10 features whose means wander by .05σ from day to day. */
  readonly wanderingShift: ShiftReport;
  /** The same with a baseline without times, a week after the first live window. */
  readonly trainingTableShift: ShiftReport;
  readonly runs: Readonly<Record<string, number>>;
  readonly peers: Readonly<Record<string, RuleReport>>;
}

type ResultOf<K extends BenchResult['kind']> = Extract<BenchResult, { kind: K }>;

/** Puts the results of tasks together. What was not run is left out of the records, or null. */
export function assembleReport(results: readonly BenchResult[]): DetectionReport {
  const of = <K extends BenchResult['kind']>(kind: K) =>
    results.filter((result): result is ResultOf<K> => result.kind === kind);
  const drifts = of('drift');
  const shipped = drifts.map(({ design, effect, result }) => ({ design, effect, run: result }));
  const models = groupBy(of('scenario'), ({ scenario }) => scenario);
  const scenarios = Object.fromEntries([
    ...[...models].map(([name, runs]) => [name, ratesOf(runs.map(({ result }) => result))] as const),
    ...of('errors').map(({ name, weeks, alarms }) => [name, errorRates(weeks, alarms)] as const),
  ]);
  const sizes = of('size').at(-1)?.result;
  const peers = [...new Set(drifts.flatMap(({ result }) => result.peers.map(([name]) => name)))];
  return {
    ...describeRule(shipped, scenarios),
    size: sizes?.size ?? {},
    sizeDetails: sizes?.details ?? {},
    delayWindowsFourWeeks: delaysBy(shipped, 'delayFourWeeks', mean),
    delayWindowsAtFloorFourWeeks: delaysBy(shipped, 'delayAtFloorFourWeeks', median),
    wanderingShift: describeShift(shipped, 'wandering'),
    trainingTableShift: describeShift(shipped, 'trainingTable'),
    runs: Object.fromEntries(
      [...groupBy(drifts, ({ design, effect }) => `${design} ${effect}`)].map(([name, runs]) => [name, runs.length]),
    ),
    peers: Object.fromEntries(
      peers.map((peer) => {
        const runs = drifts.flatMap(({ design, effect, result }) => {
          const run = result.peers.find(([name]) => name === peer)?.[1];
          return run ? [{ design, effect, run }] : [];
        });
        const rates = [...models].flatMap(([name, judged]) =>
          peerRates(
            name,
            judged.map(({ result }) => result),
            peer,
          ),
        );
        return [peer, describeRule(runs, Object.fromEntries(rates))];
      }),
    ),
  };
}

interface DesignedRun {
  readonly design: DriftName;
  readonly effect: number;
  readonly run: PeerRun;
}

function describeRule(runs: readonly DesignedRun[], scenarios: RuleReport['scenarios']): RuleReport {
  const worst = (key: 'falseYellowPerModelWeek' | 'falseRedPerModelWeek') => {
    const rates = Object.values(scenarios).flatMap((rates) => rates[key] ?? []);
    return rates.length > 0 ? Math.max(...rates) : null;
  };
  const strong = runs.filter(({ design }) => design !== 'subFloor');
  const sub = groupBy(
    runs.filter(({ design }) => design === 'subFloor'),
    ({ effect }) => String(effect),
  );
  return {
    scenarios,
    falseYellowPerModelWeek: worst('falseYellowPerModelWeek'),
    falseRedPerModelWeek: worst('falseRedPerModelWeek'),
    delayWindows: delaysBy(runs, 'delay', mean),
    delayWindowsAtFloor: delaysBy(runs, 'delayAtFloor', median),
    subFloorAlarmShare: Object.fromEntries(
      [...sub].map(([effect, group]) => [effect, average(group.map(({ run }) => run.featuresFound)) / plan.features]),
    ),
    falseDiscoveryProportion: strong.length > 0 ? average(strong.map(({ run }) => run.falseDiscoveryProportion)) : null,
  };
}

function describeShift(runs: readonly DesignedRun[], wanted: DriftName): ShiftReport {
  const found = runs.filter(({ design }) => design === wanted).map(({ run }) => run);
  return {
    featuresFound: found.length > 0 ? average(found.map(({ featuresFound }) => featuresFound)) : null,
    medianDelayWindows: median(found.map(({ delayWindows }) => delayWindows)),
  };
}

function ratesOf(models: readonly HealthyModel[]): ScenarioRates {
  const weeks = weeksOf(models);
  const rateOf = (key: 'yellowEpisodes' | 'redEpisodes') =>
    alarmRate(
      models.map((model) => model[key]),
      weeks / models.length,
    );
  const [yellow, red] = [rateOf('yellowEpisodes'), rateOf('redEpisodes')];
  const findings = sumCounts(models.flatMap(({ falseFindings }) => falseFindings));
  const kinds = sumCounts(models.flatMap(({ falseKinds }) => falseKinds));
  return {
    falseYellowPerModelWeek: yellow.perModelWeek,
    falseRedPerModelWeek: red.perModelWeek,
    weeks,
    upper95: yellow.upper95,
    redUpper95: red.upper95,
    weeksWithYellow: models.reduce((sum, model) => sum + model.weeksWithYellow, 0) / weeks,
    yellowWindowsPerModelWeek: models.reduce((sum, { yellowWindows }) => sum + yellowWindows, 0) / weeks,
    chartEpisodesPerModelWeek: models.reduce((sum, { chartEpisodes }) => sum + chartEpisodes, 0) / weeks,
    falseWindowsPerModelWeek: Object.fromEntries([...kinds].map(([kind, count]) => [kind, count / weeks])),
    falseFindingsPerModelWeek: Object.fromEntries(
      [...findings].sort(([a], [b]) => a - b).map(([scale, count]) => [String(scale), count / weeks]),
    ),
  };
}

function weeksOf(models: readonly HealthyModel[]): number {
  return models.reduce((sum, { weeks }) => sum + weeks, 0);
}

function sumCounts<Key>(counts: readonly (readonly [key: Key, count: number])[]): ReadonlyMap<Key, number> {
  const sums = new Map<Key, number>();
  for (const [key, count] of counts) sums.set(key, (sums.get(key) ?? 0) + count);
  return sums;
}

function errorRates(weeks: number, { redEpisodes, yellowEpisodes }: ErrorAlarms): Partial<ScenarioRates> {
  return {
    falseYellowPerModelWeek: yellowEpisodes / weeks,
    falseRedPerModelWeek: redEpisodes / weeks,
    weeks,
    upper95: alarmRate([yellowEpisodes], weeks).upper95,
    redUpper95: alarmRate([redEpisodes], weeks).upper95,
  };
}

function peerRates(name: string, models: readonly HealthyModel[], peer: string) {
  const counts = models.flatMap(({ peers }) => peers.find(([rule]) => rule === peer)?.[1] ?? []);
  if (counts.length === 0) return [];
  const weeks = (weeksOf(models) / models.length) * counts.length;
  const total = (key: 'yellowEpisodes' | 'yellowWindows' | 'flags') =>
    counts.reduce((sum, count) => sum + count[key], 0);
  const yellow = alarmRate(
    counts.map(({ yellowEpisodes }) => yellowEpisodes),
    weeks / counts.length,
  );
  const rates = {
    falseYellowPerModelWeek: yellow.perModelWeek,
    weeks,
    upper95: yellow.upper95,
    yellowWindowsPerModelWeek: total('yellowWindows') / weeks,
    shareOfYellowWindows: total('yellowWindows') / weeks / hoursPerWeek,
    falseFlagsPerModelWeek: total('flags') / weeks,
  };
  return [[name, rates] as const];
}

function delaysBy(
  runs: readonly DesignedRun[],
  design: DriftName,
  centre: (delays: readonly (number | null)[]) => number | null,
): RuleReport['delayWindows'] {
  const groups = groupBy(
    runs.filter((run) => run.design === design),
    ({ effect }) => String(effect),
  );
  return Object.fromEntries(
    [...groups].map(([effect, group]) => [effect, centre(group.map(({ run }) => run.delayWindows))]),
  );
}

/** Mean of the delays; runs without a finding make it unknown where they are many. */
function mean(delays: readonly (number | null)[]): number | null {
  const found = delays.filter((delay) => delay !== null);
  return found.length === delays.length && found.length > 0 ? average(found) : null;
}

/** Median of the delays, the runs without a finding being the longest. */
function median(delays: readonly (number | null)[]): number | null {
  const sorted = delays.map((delay) => delay ?? Number.POSITIVE_INFINITY).sort((a, b) => a - b);
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.ceil((sorted.length - 1) / 2)]];
  if (low === undefined || high === undefined) return null;
  const middle = (low + high) / 2;
  return Number.isFinite(middle) ? middle : null;
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}
