import { utcCalendar } from '../../core/model/calendar.ts';
import { makeBaseline } from './counted-baseline.ts';
import { countedWindow } from './counted-summary.ts';
import { binShares, decileGrid, normalFamily } from './feature-family.ts';
import { ModelStream } from './model-stream.ts';
import { PeerPanel } from './peer-panel.ts';
import { createRandomSource } from './random-source.ts';
import { hoursPerWeek, type Scenario } from './scenario.ts';
import { populationStabilityIndexOfShares } from './share-distance.ts';
import { shippedPolicy } from './shipped-policy.ts';
import { ShippedModel } from './shipped-rule.ts';

/** A change that is put into some features of an otherwise healthy model. */
export interface DriftDesign {
  readonly scenario: Scenario;
  readonly baselineHours: number;
  /** True population stability index of each changed feature. */
  readonly populationStabilityIndex: number;
  readonly features: number;
  /** The rule's effect floor; 0: none. */
  readonly minimumEffect: number;
  /** Windows judged after the change. */
  readonly windows: number;
  /** Judge no further by a rule that has found the change. */
  readonly untilFound: boolean;
  readonly withPeers: boolean;
}

/** What one run of a design showed. */
export interface DriftRun {
  /** The window, counted from 1, in which one of the changed features was found first; null: in none. */
  readonly delayWindows: number | null;
  /** Changed features found in any of the windows. */
  readonly featuresFound: number;
  /** Share of the features found that had not changed, averaged over the windows judged. */
  readonly falseDiscoveryProportion: number;
  readonly peers: readonly (readonly [rule: string, run: PeerRun])[];
}

export type PeerRun = Omit<DriftRun, 'peers'>;

/** The shift of a normal feature's mean, in standard deviations, that has this PSI over its deciles. */
export function shiftOfIndex(index: number): number {
  const grid = decileGrid(normalFamily);
  const shares = binShares(normalFamily, grid, 0);
  let [low, high] = [0, 3];
  while (high - low > 1e-9) {
    const middle = (low + high) / 2;
    if (populationStabilityIndexOfShares(shares, binShares(normalFamily, grid, middle)) < index) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/**
 * Runs a design once. A week of healthy windows goes before the change, so that the long scales are full of them; the
 * first windows after it are judged by each rule until it finds the change, or all of them.
 */
export async function runDrift(design: DriftDesign, seed: string): Promise<DriftRun> {
  const random = createRandomSource(seed);
  const from = design.baselineHours + hoursPerWeek;
  const stream = new ModelStream(design.scenario, random.fork('stream'), {
    fine: design.withPeers,
    baselineHours: design.baselineHours,
    drift: { from, features: design.features, shift: shiftOfIndex(design.populationStabilityIndex) },
  });
  const windows = stream.drawBaseline();
  const { timed = true } = design.scenario;
  const baseline = makeBaseline(stream.features, windows, timed);
  const policy = shippedPolicy({ minimumEffect: design.minimumEffect });
  const model = new ShippedModel(baseline, utcCalendar, { policy, learns: !timed });
  const series = model.openSeries();
  const panel = design.withPeers ? new PeerPanel(stream.features, windows, random.fork('peers')) : undefined;
  for (let hour = 0; hour < hoursPerWeek; hour++)
    model.skip(countedWindow(series, baseline.layout, stream.next().stable));
  const shipped = new DiscoveryLog(design);
  const peers = panel?.counts().map(([name]) => ({ name, log: new DiscoveryLog(design) })) ?? [];
  for (let window = 0; window < design.windows; window++) {
    const live = stream.next().stable;
    if (!shipped.isComplete) {
      const [judged] = await model.judge([countedWindow(series, baseline.layout, live)]);
      shipped.add(judged?.drifted.map(({ feature }) => feature) ?? []);
    }
    const flagged = panel?.judge(live) ?? [];
    for (const [index, { log }] of peers.entries()) log.add(flagged[index] ?? []);
    if (shipped.isComplete && peers.every(({ log }) => log.isComplete)) break;
  }
  return { ...shipped.summary(), peers: peers.map(({ name, log }) => [name, log.summary()]) };
}

/** Keeps book of what a rule found, window by window. */
class DiscoveryLog {
  readonly #changed: number;
  readonly #untilFound: boolean;
  readonly #found = new Set<number>();
  #windows = 0;
  #delay: number | null = null;
  #falseShares = 0;

  /** The first `features` have changed. */
  constructor({ features, untilFound }: Pick<DriftDesign, 'features' | 'untilFound'>) {
    this.#changed = features;
    this.#untilFound = untilFound;
  }

  /** What a window shows after the book is complete is left out. */
  add(features: readonly number[]): void {
    if (this.isComplete) return;
    this.#windows++;
    const right = features.filter((feature) => feature < this.#changed);
    for (const feature of right) this.#found.add(feature);
    if (right.length > 0) this.#delay ??= this.#windows;
    if (features.length > 0) this.#falseShares += (features.length - right.length) / features.length;
  }

  get isComplete(): boolean {
    return this.#untilFound && this.#delay !== null;
  }

  summary(): PeerRun {
    return {
      delayWindows: this.#delay,
      featuresFound: this.#found.size,
      falseDiscoveryProportion: this.#windows > 0 ? this.#falseShares / this.#windows : 0,
    };
  }
}
