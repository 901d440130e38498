import type { SloPolicy } from '../model/policy.ts';
import type { SloVerdict, Tier } from '../model/verdict.ts';
import type { Objective } from './burn-rate.ts';
import { burnRules, goesOn, guardLevel, isBeyondChance, type RuleReading, readRule, rings } from './burn-rules.ts';
import {
  burnRateOver,
  countPeriod,
  type EventHistory,
  errorBudgetRemaining,
  firstMinute,
  secondsToExhaustion,
} from './error-budget.ts';

/** The tier of each objective at the minute before, by name: what has rung goes on until it is over. */
export type TiersInForce = ReadonlyMap<string, Tier>;

/** The stretch whose rate projections go by. */
const projectionMinutes = 360;

/**
 * Judges objectives at the minute `endMinute` (exclusive; see `findWatermark`) by the pairs of
 * windows of `burnRules`. A pair rings where both its windows burn the budget too fast, and the bad events of the long one
 * are more than chance explains at exactly the budgeted rate, clusters counted as one: with ten requests an hour one
 * failure is a burn rate of 100 and means nothing, nor does one caller that tries twenty times.
 * `good`, `valid` and the two burn rates are those of the last hour and its last five minutes.
 * @throws {RangeError} for an objective outside (0, 1)
 */
export function judgeSlos(
  slos: readonly SloPolicy[],
  history: EventHistory,
  endMinute: number,
  inForce: TiersInForce = new Map(),
): readonly SloVerdict[] {
  return slos.map((slo) => {
    const readings = burnRules.map((rule) => readRule(rule, slo, history, endMinute));
    const burning = findBurning(slo, readings, history, endMinute, inForce.get(slo.name) ?? 'green');
    const [page] = readings;
    const exhaustion = projectExhaustion(slo, slo.periodSeconds, history, endMinute);
    return {
      name: slo.name,
      kind: slo.kind,
      objective: slo.objective,
      good: page?.long.good ?? 0,
      valid: page?.long.valid ?? 0,
      burnRateLong: page?.long.rate,
      burnRateShort: page?.short.rate,
      errorBudgetRemaining: errorBudgetRemaining(slo, countPeriod(history, slo.name, endMinute, slo.periodSeconds)),
      ...(exhaustion !== undefined && { errorBudgetExhaustionSeconds: exhaustion }),
      broken: burning?.rule.tier === 'red',
      ...(burning && { burning: describe(burning, endMinute) }),
    };
  });
}

/** The most urgent pair that rings, or goes on. */
function findBurning(
  slo: Objective,
  readings: readonly RuleReading[],
  history: EventHistory,
  endMinute: number,
  inForce: Tier,
): RuleReading | undefined {
  for (const tier of ['red', 'yellow'] as const) {
    const ofTier = readings.filter(({ rule }) => rule.tier === tier);
    const found =
      ofTier.find((reading) => rings(slo, reading)) ??
      (inForce === tier ? ofTier.find((reading) => goesOn(slo, reading, history, endMinute)) : undefined);
    if (found) return found;
  }
  return undefined;
}

/** Seconds from `endMinute` on; undefined where the budget is spent already, or chance explains what burns. */
function projectExhaustion(
  slo: Objective,
  periodSeconds: number,
  history: EventHistory,
  endMinute: number,
): number | undefined {
  const recent = burnRateOver(history, slo, endMinute, projectionMinutes);
  if (recent.rate === undefined || recent.rate <= 1 || !isBeyondChance(slo, recent, guardLevel)) return undefined;
  const remaining = errorBudgetRemaining(slo, countPeriod(history, slo.name, endMinute, periodSeconds));
  const first = firstMinute(history, slo.name, endMinute, periodSeconds);
  if (remaining <= 0 || first === undefined) return undefined;
  const coveredSeconds = (endMinute - first) * 60;
  return Math.round(secondsToExhaustion({ remaining, periodSeconds, coveredSeconds }, recent.rate));
}

function describe({ rule, threshold, long, short }: RuleReading, endMinute: number): SloVerdict['burning'] {
  return {
    tier: rule.tier,
    threshold,
    longMinutes: rule.longMinutes,
    shortMinutes: rule.shortMinutes,
    bad: long.valid - long.good,
    valid: long.valid,
    longRate: long.rate ?? 0,
    shortRate: short.rate ?? 0,
    endMinute,
  };
}
