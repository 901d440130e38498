import { describe, expect, test } from 'vitest';
import { hypergeometricUpperTail } from '../../core/stats/hypergeometric.ts';
import { logOddsEvidence, type PairedOutcomes } from '../../core/stats/odds-evidence.ts';

/** All splits of a total of successes over both groups. */
function splitsOf(trials: number, otherTrials: number, total: number): readonly PairedOutcomes[] {
  const least = Math.max(0, total - otherTrials);
  return Array.from({ length: Math.min(trials, total) - least + 1 }, (_, index) => ({
    successes: least + index,
    trials,
    otherSuccesses: total - least - index,
    otherTrials,
  }));
}

function chanceOf({ successes, trials, otherSuccesses, otherTrials }: PairedOutcomes): number {
  const [total, population] = [successes + otherSuccesses, trials + otherTrials];
  const atLeast = (count: number) => hypergeometricUpperTail(count, trials, total, population);
  return atLeast(successes) - atLeast(successes + 1);
}

describe('evidence that success depends on the group', () => {
  test.each([
    [10, 30, 5],
    [10, 30, 37],
    [1, 400, 200],
    [50, 50, 50],
    [200, 40, 1],
  ])('has a mean of 1 over all splits: %i and %i trials, %i successes', (trials, otherTrials, total) => {
    const mean = splitsOf(trials, otherTrials, total).reduce(
      (sum, block) => sum + chanceOf(block) * Math.exp(logOddsEvidence([block])),
      0,
    );
    expect(mean).toBeCloseTo(1, 9);
  });

  test('has it over two blocks together, whatever their rates', () => {
    let mean = 0;
    for (const one of splitsOf(6, 20, 4)) {
      for (const other of splitsOf(9, 11, 15)) {
        mean += chanceOf(one) * chanceOf(other) * Math.exp(logOddsEvidence([one, other]));
      }
    }
    expect(mean).toBeCloseTo(1, 9);
  });

  test('is nothing where totals leave no choice, and without blocks', () => {
    expect(logOddsEvidence([])).toBe(0);
    expect(logOddsEvidence([{ successes: 5, trials: 5, otherSuccesses: 9, otherTrials: 9 }])).toBeCloseTo(0, 12);
    expect(logOddsEvidence([{ successes: 3, trials: 5, otherSuccesses: 0, otherTrials: 0 }])).toBeCloseTo(0, 12);
  });

  test('grows either way, and for large counts stays a number', () => {
    const of = (successes: number, otherSuccesses: number, scale = 1) =>
      logOddsEvidence([
        {
          successes: successes * scale,
          trials: 300 * scale,
          otherSuccesses: otherSuccesses * scale,
          otherTrials: 3000 * scale,
        },
      ]);
    expect(of(240, 2760)).toBeGreaterThan(Math.log(1e6));
    expect(of(292, 2400)).toBeGreaterThan(Math.log(1e6));
    expect(of(276, 2760)).toBeLessThan(0);
    expect(of(276, 2760, 1000)).toBeLessThan(-50);
    expect(Number.isFinite(of(240, 2760, 100_000))).toBe(true);
  });

  test.each([
    { successes: 2, trials: 1, otherSuccesses: 0, otherTrials: 5 },
    { successes: 1, trials: 1, otherSuccesses: -1, otherTrials: 5 },
    { successes: 0.5, trials: 1, otherSuccesses: 1, otherTrials: 5 },
    { successes: Number.NaN, trials: 1, otherSuccesses: 1, otherTrials: 5 },
  ])('refuses %o', (block) => {
    expect(() => logOddsEvidence([block])).toThrow('odds evidence: expected whole successes');
  });
});
