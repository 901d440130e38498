import { sampleBinomial } from './count-samplers.ts';
import { createNumericCounters, drawFactorLevels, type NumericCounter } from './feature-counter.ts';
import { type IdentifierBaseline, IdentifierFeature } from './identifier-feature.ts';
import { MeanMovement } from './mean-movement.ts';
import type { RandomSource } from './random-source.ts';
import {
  baselineHours,
  hourMilliseconds,
  hoursPerDay,
  hoursPerWeek,
  plan,
  restsAt,
  type Scenario,
} from './scenario.ts';
import { TrafficVolume } from './traffic-volume.ts';

/** Counts of one window, per feature: bins or categories, (unseen,) missing. */
export interface StreamWindow {
  readonly start: number;
  readonly records: number;
  readonly counts: readonly (readonly number[])[];
  /** Where asked for: numeric features in the fine grid, missing last. */
  readonly fine: readonly Float64Array[];
}

/** A live window, by the series that are judged apart: the stable version, and the canary where there is one. */
export interface LiveWindow {
  readonly stable: StreamWindow;
  readonly canary?: StreamWindow;
}

export type StreamFeature =
  | { readonly kind: 'numeric'; readonly counter: NumericCounter }
  | { readonly kind: 'identifiers'; readonly baseline: IdentifierBaseline; readonly bins: number };

/** A change that is to be found. */
export interface InjectedDrift {
  /** Hour of the stream. */
  readonly from: number;
  /** Added to the mean of each of the first `features`, in standard deviations. */
  readonly shift: number;
  readonly features: number;
}

export interface StreamOptions {
  readonly fine?: boolean;
  readonly drift?: InjectedDrift | undefined;
  /** Hours before the live time begins. */
  readonly baselineHours?: number;
}

/** One model's traffic: first the baseline's windows, then live ones, an hour each. */
export class ModelStream {
  readonly scenario: Scenario;
  readonly #random: RandomSource;
  readonly #options: StreamOptions;
  readonly #volume: TrafficVolume;
  readonly #movement: MeanMovement;
  readonly #counters: readonly NumericCounter[];
  readonly #identifiers: readonly IdentifierFeature[];
  /** How the batch's caller differs, per feature. */
  readonly #batchShifts: readonly number[];
  readonly #baselineHours: number;
  #hour = 0;
  #features: readonly StreamFeature[] | undefined;

  constructor(scenario: Scenario, random: RandomSource, options: StreamOptions = {}) {
    this.scenario = scenario;
    this.#random = random;
    this.#options = options;
    this.#baselineHours = options.baselineHours ?? scenario.baselineHours ?? baselineHours;
    this.#volume = new TrafficVolume(scenario, random.fork('volume'));
    this.#movement = new MeanMovement(scenario, random.fork('movement'));
    this.#counters = createNumericCounters(scenario, options.fine ?? false);
    const { shape, batch } = scenario;
    const identifiers = shape.kind === 'identifiers' ? shape.identifiers : 0;
    this.#identifiers = Array.from({ length: identifiers }, (_, index) => new IdentifierFeature(index % 2 ? 1.5 : 1.1));
    this.#batchShifts = this.#counters.map(() => (batch?.deviation ?? 0) * random.normal());
  }

  /** Draws the baseline's windows. The layout follows from all of them. */
  drawBaseline(): readonly StreamWindow[] {
    const windows: Omit<StreamWindow, 'counts'>[] = [];
    const numeric: (readonly number[])[][] = [];
    while (this.#hour < this.#baselineHours) {
      const records = this.#advance();
      const { counts, fine } = this.#countNumeric(records);
      numeric.push(counts);
      for (const feature of this.#identifiers) feature.drawBaselineWindow(this.#random, records);
      windows.push({ start: this.#startOf(this.#hour), records: this.#withBatch(records), fine });
      this.#hour++;
    }
    const planned = this.#identifiers.map((feature) => {
      const baseline = feature.planLayout();
      return { kind: 'identifiers', baseline, bins: feature.bins } as const;
    });
    const counters = this.#numericCounters.map((counter) => ({ kind: 'numeric', counter }) as const);
    this.#features = [...counters, ...planned];
    const identifiers = this.#identifiers.map((feature) => feature.baselineCounts());
    return windows.map((window, index) => ({
      ...window,
      counts: [...(numeric[index] ?? []), ...identifiers.map((counts) => counts[index] ?? [])],
    }));
  }

  /** In the order of every window's counts. Known once the baseline is drawn. */
  get features(): readonly StreamFeature[] {
    if (!this.#features) throw new Error('stream: expected a drawn baseline, saw none');
    return this.#features;
  }

  next(): LiveWindow {
    const all = this.#advance();
    const { canaryShare } = this.scenario;
    const canaryRecords = canaryShare > 0 ? sampleBinomial(this.#random, all, canaryShare) : 0;
    const stable = this.#drawWindow(all - canaryRecords);
    const canary = canaryShare > 0 ? this.#drawWindow(canaryRecords) : undefined;
    this.#hour++;
    return { stable, ...(canary && { canary }) };
  }

  get #numericCounters(): readonly NumericCounter[] {
    return this.#counters.slice(0, plan.features - this.#identifiers.length);
  }

  #advance(): number {
    this.#movement.moveTo(this.#hour);
    return this.#volume.next(this.#hour);
  }

  #startOf(hour: number): number {
    return plan.start + hour * hourMilliseconds;
  }

  #drawWindow(records: number): StreamWindow {
    const { counts, fine } = this.#countNumeric(records);
    const identifiers = this.#identifiers.map((feature) => feature.countWindow(this.#random, records));
    return {
      start: this.#startOf(this.#hour),
      records: this.#withBatch(records),
      counts: [...counts, ...identifiers],
      fine,
    };
  }

  #withBatch(records: number): number {
    return records + (this.#batchNow?.records ?? 0);
  }

  get #batchNow() {
    const { batch } = this.scenario;
    return batch && this.#hour % hoursPerWeek === batch.hourOfWeek ? batch : undefined;
  }

  #countNumeric(records: number): { counts: (readonly number[])[]; fine: Float64Array[] } {
    const levels = this.#drawLevels(records);
    const batch = this.#batchNow;
    const counts: (readonly number[])[] = [];
    const fine: Float64Array[] = [];
    for (const [feature, counter] of this.#numericCounters.entries()) {
      const drawn = new Float64Array(counter.bins);
      const draw = {
        random: this.#random,
        missingShare: this.#isClosed(feature) ? 1 : (this.#movement.missingShares[feature] ?? 0),
        shift: (this.#movement.shifts[feature] ?? 0) + this.#driftOf(feature),
      };
      counter.count({ ...draw, records, levels: levels(feature) }, drawn, 0);
      if (batch) {
        const shift = draw.shift + (this.#batchShifts[feature] ?? 0);
        counter.count({ ...draw, records: batch.records, shift, levels: levels(feature) }, drawn, 0);
      }
      counts.push(this.#options.fine ? sumDeciles(counter, drawn) : [...drawn]);
      if (this.#options.fine) fine.push(drawn);
    }
    return { counts, fine };
  }

  #isClosed(feature: number): boolean {
    const { officeHours } = this.scenario;
    if (!officeHours || feature >= officeHours.features) return false;
    const hour = this.#hour % hoursPerDay;
    return restsAt(this.scenario, this.#hour) || hour < officeHours.from || hour >= officeHours.to;
  }

  /** Features of a block see the same records. */
  #drawLevels(records: number): (feature: number) => readonly number[] | undefined {
    const { shape } = this.scenario;
    if (shape.kind !== 'correlated') return () => undefined;
    const blocks = Array.from({ length: shape.blocks }, () => drawFactorLevels(this.#random, records));
    return (feature) => blocks[Math.floor((feature * shape.blocks) / plan.features)];
  }

  #driftOf(feature: number): number {
    const { drift } = this.#options;
    const { retrainedAt } = this.scenario;
    const injected = drift && feature < drift.features && this.#hour >= drift.from ? drift.shift : 0;
    const isPrediction = feature >= plan.features - plan.predictions;
    const isNew = retrainedAt !== undefined && this.#hour >= this.#baselineHours + retrainedAt;
    return injected + (isPrediction && isNew ? 1 : 0);
  }
}

function sumDeciles({ grid, bins }: NumericCounter, fine: Float64Array): number[] {
  const counts = new Array<number>((grid.decileOf.at(-1) ?? 0) + 2).fill(0);
  for (let bin = 0; bin < bins - 1; bin++) {
    const decile = grid.decileOf[bin] ?? 0;
    counts[decile] = (counts[decile] ?? 0) + (fine[bin] ?? 0);
  }
  counts[counts.length - 1] = fine[bins - 1] ?? 0;
  return counts;
}
