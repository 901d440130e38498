import type { RandomSource } from './random-source.ts';
import { hoursPerDay, type Movement, plan, restsAt, type Scenario } from './scenario.ts';

/** Where the means and missing shares of all features of a healthy model are, hour by hour. */
export class MeanMovement {
  /** In standard deviations, per feature; as of the hour last moved to. */
  readonly shifts: Float64Array;
  readonly missingShares: Float64Array;
  readonly #usualMissing: Float64Array;
  readonly #scenario: Scenario;
  readonly #random: RandomSource;
  readonly #phases: Float64Array;
  readonly #directions: Float64Array;
  readonly #daily: Float64Array;
  readonly #hourly: Float64Array;
  /** Features that wander together share a leader. */
  readonly #leaderOf: (feature: number) => number;
  #day = -1;

  constructor(scenario: Scenario, random: RandomSource) {
    const { features } = plan;
    this.#scenario = scenario;
    this.#random = random;
    this.shifts = new Float64Array(features);
    this.#usualMissing = Float64Array.from({ length: features }, (_, feature) => usualMissingShare(scenario, feature));
    this.missingShares = this.#usualMissing.slice();
    this.#phases = Float64Array.from({ length: features }, () => 2 * Math.PI * random.uniform());
    this.#directions = Float64Array.from({ length: features }, () => (random.uniform() < 0.5 ? -1 : 1));
    this.#daily = new Float64Array(features);
    const { hourlyWander } = scenario.movement;
    this.#hourly = Float64Array.from({ length: features }, () => (hourlyWander?.deviation ?? 0) * random.normal());
    const { shape } = scenario;
    const together = shape.kind === 'correlated' ? features / shape.blocks : 1;
    this.#leaderOf = (feature) => feature - (feature % together);
  }

  moveTo(hour: number): void {
    const { movement } = this.#scenario;
    const day = Math.floor(hour / hoursPerDay);
    if (day !== this.#day) this.#beginDay(movement);
    this.#day = day;
    this.#moveHour(movement);
    const rests = restsAt(this.#scenario, hour) ? movement.weekendShift : 0;
    const angle = (2 * Math.PI * (hour % hoursPerDay)) / hoursPerDay;
    for (let feature = 0; feature < this.shifts.length; feature++) {
      const leader = this.#leaderOf(feature);
      this.shifts[feature] =
        movement.dailySwing * Math.sin(angle + (this.#phases[leader] ?? 0)) +
        rests * (this.#directions[leader] ?? 0) +
        (this.#daily[leader] ?? 0) +
        (this.#hourly[leader] ?? 0);
    }
  }

  #beginDay({ dailyWander, missingWander }: Movement): void {
    for (let feature = 0; feature < this.#daily.length; feature++) {
      if (dailyWander > 0) this.#daily[feature] = dailyWander * this.#random.normal();
      if (missingWander > 0) {
        const usual = this.#usualMissing[feature] ?? 0;
        const share = usual + missingWander * oddsScale(this.#scenario, usual) * this.#random.normal();
        this.missingShares[feature] = Math.min(1, Math.max(0, share));
      }
    }
  }

  #moveHour({ hourlyWander }: Movement): void {
    if (!hourlyWander) return;
    const { coefficient, deviation } = hourlyWander;
    const fresh = deviation * Math.sqrt(1 - coefficient * coefficient);
    for (let feature = 0; feature < this.#hourly.length; feature++) {
      this.#hourly[feature] = coefficient * (this.#hourly[feature] ?? 0) + fresh * this.#random.normal();
    }
  }
}

function usualMissingShare({ missingShare, sparse }: Scenario, feature: number): number {
  if (!sparse || feature >= sparse.features) return missingShare;
  const { features, lowest, highest } = sparse;
  return lowest + ((highest - lowest) * feature) / Math.max(1, features - 1);
}

/** Shares near one half wander by more points than those near nought: all by as much of their log-odds. */
function oddsScale({ missingShare }: Scenario, share: number): number {
  return share === missingShare ? 1 : (share * (1 - share)) / (missingShare * (1 - missingShare));
}
