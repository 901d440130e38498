import { logHypergeometricDensity } from './log-density.ts';
import { logMean } from './proportion-evidence.ts';
import { sumFallingTerms } from './tail-sum.ts';

/** Outcomes of two groups under the same conditions. Whole numbers. */
export interface PairedOutcomes {
  readonly successes: number;
  readonly trials: number;
  readonly otherSuccesses: number;
  readonly otherTrials: number;
}

/** Odds ratios that the evidence is averaged over, in both directions. */
const steps = [1.1, 1.25, 1.6, 2.5] as const;
const oddsRatios = [...steps, ...steps.map((step) => 1 / step)];

/**
 * ln of the evidence against "in each block success does not depend on the group": an e-value, in both directions. Above
 * ln(1/α) with probability at most α however often it is looked at while blocks come in (Ville's inequality). Blocks may
 * differ in their rates: each is judged given its totals, K ~ hypergeometric successes of the first group,
 *
 *   E = mean over ψ of Π ψ^k / E[ψ^K]
 *
 * the likelihood ratio of Fisher's noncentral hypergeometric law against the central one, which multiplies over blocks.
 * @throws {RangeError} on counts that are not whole or do not fit
 */
export function logOddsEvidence(blocks: readonly PairedOutcomes[]): number {
  return logMean(
    oddsRatios.map((ratio) =>
      blocks.reduce((sum, block) => sum + block.successes * Math.log(ratio) - logMoment(block, ratio), 0),
    ),
  );
}

/** ln E[ψ^K], summed from the mode of its terms outwards. */
function logMoment({ successes, trials, otherSuccesses, otherTrials }: PairedOutcomes, ratio: number): number {
  for (const [good, all] of [
    [successes, trials],
    [otherSuccesses, otherTrials],
  ] as const) {
    if (!(Number.isSafeInteger(all) && Number.isSafeInteger(good) && good >= 0 && good <= all)) {
      throw new RangeError(`odds evidence: expected whole successes from 0 to the trials, saw ${good} of ${all}`);
    }
  }
  const [population, total] = [trials + otherTrials, successes + otherSuccesses];
  const [least, most] = [Math.max(0, trials - (population - total)), Math.min(trials, total)];
  if (least === most) return least * Math.log(ratio);
  const slope = population + (ratio - 1) * (total + trials);
  const product = ratio * total * trials;
  const mode = (2 * product) / (slope + Math.sqrt(slope * slope + 4 * (1 - ratio) * product));
  const start = Math.min(Math.max(Math.round(mode), least), most);
  const failuresLeft = population - total - trials;
  const up = (step: number) => {
    const count = start + step;
    return (ratio * (total - count) * (trials - count)) / ((count + 1) * (failuresLeft + count + 1));
  };
  const down = (step: number) => {
    const count = start - step;
    return (count * (failuresLeft + count)) / (ratio * (total - count + 1) * (trials - count + 1));
  };
  const first = logHypergeometricDensity(start, trials, total, population) + start * Math.log(ratio);
  return first + Math.log(sumFallingTerms(1, up) + sumFallingTerms(1, down) - 1);
}
