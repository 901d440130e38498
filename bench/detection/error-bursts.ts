import type { AvailabilitySloPolicy } from '../../core/model/policy.ts';
import type { MinuteSlot } from '../../core/model/profile.ts';
import { judgeSlos } from '../../core/slo/judge-slos.ts';
import { samplePoisson } from './count-samplers.ts';
import type { RandomSource } from './random-source.ts';

const objective: AvailabilitySloPolicy = {
  kind: 'availability',
  name: 'availability',
  objective: 0.999,
  periodSeconds: 30 * 86_400,
};
const minutesPerWeek = 10_080;
const minutesPerHour = 60;
/** A page that returns within this time continues. */
const holdOffMinutes = 10;

/** Errors of a service that spends half its error budget, in clusters: callers that fail try again. */
export interface ErrorBursts {
  readonly requestsPerHour: number;
  readonly meanClusterSize: number;
}

/** Red episodes in weeks of such a service, judged every minute as the tick does. */
export function countFalseRed(random: RandomSource, bursts: ErrorBursts, weeks: number): number {
  const errorsPerMinute = ((1 - objective.objective) / 2) * (bursts.requestsPerHour / minutesPerHour);
  const slots: MinuteSlot[] = [];
  let [episodes, lastBroken] = [0, Number.NEGATIVE_INFINITY];
  for (let minute = 0; minute < weeks * minutesPerWeek; minute++) {
    slots.push(drawMinute(random, minute, bursts, errorsPerMinute));
    if (slots.length > minutesPerHour) slots.shift();
    const [verdict] = judgeSlos([objective], { hours: [], slots, slotsFrom: 0 }, minute + 1);
    if (!verdict?.broken) continue;
    if (minute - lastBroken > holdOffMinutes) episodes++;
    lastBroken = minute;
  }
  return episodes;
}

function drawMinute(
  random: RandomSource,
  minute: number,
  { requestsPerHour, meanClusterSize }: ErrorBursts,
  errorsPerMinute: number,
): MinuteSlot {
  let errors = 0;
  for (let cluster = samplePoisson(random, errorsPerMinute / meanClusterSize); cluster > 0; cluster--) {
    errors += 1 + Math.floor(Math.log(random.uniform()) / Math.log(1 - 1 / meanClusterSize));
  }
  const valid = samplePoisson(random, requestsPerHour / minutesPerHour) + errors;
  const slis = valid > 0 ? ([[objective.name, valid - errors, valid]] as const) : [];
  return { minute, rows: valid, requests: valid, schemaBreaks: 0, slis, missing: [] };
}
