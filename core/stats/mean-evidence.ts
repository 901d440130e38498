import { logMean } from './proportion-evidence.ts';

/** Bets whose evidence is averaged: small ones are sure of small excesses after long, large ones of large ones soon. */
const bets: readonly number[] = [0.01, 0.03, 0.1, 0.3, 0.9];

/** Evidence of a stretch of values, by bet. Adds up over stretches. */
export type BetLogs = readonly number[];

/**
 * ln of the wealth of each bet against "values of mean atMost or less": Π (1 + λ·(x/m − 1)). No mean of a value at or below m
 * makes it grow on average, so that it is an e-value; values need not be independent, nor bounded.
 * @param values 0 or more
 * @param atMost m, above 0
 * @throws {RangeError} on other values
 */
export function betOnMean(values: readonly number[], atMost: number): BetLogs {
  if (!(atMost > 0 && Number.isFinite(atMost))) {
    throw new RangeError(`mean evidence: expected a largest mean above 0, saw ${atMost}`);
  }
  return bets.map((bet) =>
    values.reduce((sum, value) => {
      if (!(value >= 0)) throw new RangeError(`mean evidence: expected values of 0 or more, saw ${value}`);
      // A single value can't bankrupt a bet, and an infinite one wins all.
      return sum + Math.log1p(bet * (Math.min(value, Number.MAX_VALUE) / atMost - 1));
    }, 0),
  );
}

export function addBets(a: BetLogs, b: BetLogs): BetLogs {
  return bets.map((_, index) => (a[index] ?? 0) + (b[index] ?? 0));
}

/** ln of the evidence of all bets together: an e-value. */
export function logMeanEvidence(logs: BetLogs): number {
  return logMean(bets.map((_, index) => logs[index] ?? 0));
}
