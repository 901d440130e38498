import { samplePoisson } from './count-samplers.ts';
import type { RandomSource } from './random-source.ts';
import { restsAt, type Scenario } from './scenario.ts';

/** Records of one hour after another. */
export class TrafficVolume {
  readonly #scenario: Scenario;
  readonly #random: RandomSource;
  #logarithm: number;

  constructor(scenario: Scenario, random: RandomSource) {
    this.#scenario = scenario;
    this.#random = random;
    this.#logarithm = (scenario.traffic.persistence?.deviation ?? 0) * random.normal();
  }

  next(hour: number): number {
    const { recordsPerHour, weekendVolume, persistence, bursts } = this.#scenario.traffic;
    let mean = recordsPerHour * (restsAt(this.#scenario, hour) ? weekendVolume : 1);
    if (persistence) {
      const { coefficient, deviation } = persistence;
      const fresh = deviation * Math.sqrt(1 - coefficient * coefficient) * this.#random.normal();
      this.#logarithm = coefficient * this.#logarithm + fresh;
      mean *= Math.exp(this.#logarithm - (deviation * deviation) / 2);
    }
    if (bursts && this.#random.uniform() < bursts.chance) {
      mean *= bursts.factor;
      if (bursts.deviation !== undefined) mean *= Math.exp(bursts.deviation * this.#random.normal());
    }
    return samplePoisson(this.#random, mean);
  }
}
