import type { AvailabilitySloPolicy } from '../../core/model/policy.ts';
import type { MinuteSlot } from '../../core/model/profile.ts';
import type { SloVerdict } from '../../core/model/verdict.ts';
import { judgeSlos, type TiersInForce } from '../../core/slo/judge-slos.ts';
import { type HourSum, sumHours } from '../../core/slo/minute-slots.ts';
import { samplePoisson } from '../detection/count-samplers.ts';
import type { RandomSource } from '../detection/random-source.ts';

export const objective: AvailabilitySloPolicy = {
  kind: 'availability',
  name: 'availability',
  objective: 0.999,
  periodSeconds: 30 * 86_400,
};

/** How requests fail. */
export interface Service {
  readonly requestsPerHour: number;
  /** Failures come in bursts of this many, within ten seconds. */
  readonly burst: number;
}

const minutesPerHour = 60;
/** Hours known by the minute, and all hours looked at, as the tick has them. */
const slotHours = 3;
const keptHours = 80;

/** A service minute by minute, with what the tick knows of it. */
export class SimulatedService {
  readonly #random: RandomSource;
  readonly #service: Service;
  readonly #failures = new Map<number, number>();
  #slots: MinuteSlot[] = [];
  #hours: HourSum[] = [];
  #minute = 0;

  constructor(random: RandomSource, service: Service) {
    this.#random = random;
    this.#service = service;
  }

  /** The next minute. Bursts begin at `burnRate` times the budgeted rate; one may reach into the minute after. */
  step(burnRate: number): { readonly minute: number; readonly failed: boolean } {
    const minute = this.#minute++;
    const { requestsPerHour, burst } = this.#service;
    const budget = 1 - objective.objective;
    const bursts = samplePoisson(this.#random, (burnRate * budget * requestsPerHour) / minutesPerHour / burst);
    for (let index = 0; index < bursts; index++) {
      const begin = 60 * this.#random.uniform();
      const late = Math.round((Math.max(0, begin + 10 - 60) / 10) * burst);
      this.#fail(minute, burst - late);
      this.#fail(minute + 1, late);
    }
    const failed = this.#failures.get(minute) ?? 0;
    this.#failures.delete(minute);
    const good = samplePoisson(this.#random, (requestsPerHour * (1 - burnRate * budget)) / minutesPerHour);
    if (minute % minutesPerHour === 0) this.#roll(minute);
    const valid = good + failed;
    const slis = valid > 0 ? ([[objective.name, good, valid]] as const) : [];
    this.#slots.push({ minute, rows: valid, requests: valid, schemaBreaks: 0, slis, missing: [] });
    return { minute, failed: failed > 0 };
  }

  judge(inForce?: TiersInForce): SloVerdict | undefined {
    const slotsFrom = Math.floor((this.#slots[0]?.minute ?? 0) / minutesPerHour);
    return judgeSlos([objective], { hours: this.#hours, slots: this.#slots, slotsFrom }, this.#minute, inForce)[0];
  }

  #fail(minute: number, failures: number): void {
    if (failures > 0) this.#failures.set(minute, (this.#failures.get(minute) ?? 0) + failures);
  }

  #roll(minute: number): void {
    const from = minute - slotHours * minutesPerHour;
    this.#hours.push(...sumHours(this.#slots.filter((slot) => slot.minute < from)));
    this.#hours = this.#hours.slice(-keptHours);
    this.#slots = this.#slots.filter((slot) => slot.minute >= from);
  }
}
