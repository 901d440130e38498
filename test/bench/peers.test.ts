import { describe, expect, test } from 'vitest';
import { addMultinomial } from '../../bench/detection/count-samplers.ts';
import { binShares, fineGrid, normalFamily } from '../../bench/detection/feature-family.ts';
import {
  jensenShannon,
  largestCumulativeDifference,
  type PeerReference,
} from '../../bench/detection/peers/peer-rule.ts';
import { peerRules } from '../../bench/detection/peers/peer-rules.ts';
import { createRandomSource } from '../../bench/detection/random-source.ts';

const grid = fineGrid(normalFamily);

function draw(records: number, shift: number, seed: string): Float64Array {
  const counts = new Float64Array(grid.edges.length + 1);
  addMultinomial(createRandomSource(seed), records, binShares(normalFamily, grid, shift), counts, 0);
  return counts;
}

function reference(): PeerReference {
  const chunks = Array.from({ length: 100 }, (_, chunk) => draw(500, 0, `chunk ${chunk}`));
  const counts = new Float64Array(grid.edges.length + 1);
  for (const chunk of chunks) for (const [bin, count] of chunk.entries()) counts[bin] = (counts[bin] ?? 0) + count;
  return { grid, standardDeviation: 1, counts, chunks };
}

function ruleNamed(part: string) {
  const rule = peerRules.find(({ name }) => name.includes(part));
  if (!rule) throw new Error(`no rule ${part}`);
  return rule.prepare(reference(), createRandomSource('peer'));
}

describe("the peers' rules", () => {
  test.each([
    ['Wasserstein', 0.05, 0.15],
    ['Jensen–Shannon', 0.1, 0.45],
    ['PSI', 0.35, 0.6],
    // The largest difference of two normal distribution functions is about .4 of the shift.
    ['simple', 0.15, 0.35],
    ['robust', 0.2, 0.4],
  ])('%s: quiet at a shift of %d, loud at %d', (name, quiet, loud) => {
    const judge = ruleNamed(name);
    expect(judge(draw(50_000, quiet, 'quiet'))).toBe(false);
    expect(judge(draw(50_000, loud, 'loud'))).toBe(true);
  });

  test('the Kolmogorov–Smirnov rule flags about one healthy window in twenty', () => {
    const rule = peerRules.find(({ name }) => name.includes('KS'));
    const past = reference();
    let flags = 0;
    for (let round = 0; round < 40; round++) {
      const judge = rule?.prepare(past, createRandomSource(`round ${round}`));
      for (let window = 0; window < 20; window++) if (judge?.(draw(500, 0, `${round} ${window}`))) flags++;
    }
    expect(flags / 800).toBeGreaterThan(0.02);
    expect(flags / 800).toBeLessThan(0.09);
  });

  test('the reference-chunk rule flags few healthy windows and a large shift', () => {
    const judge = ruleNamed('NannyML');
    const flags = Array.from({ length: 200 }, (_, window) => judge(draw(500, 0, `healthy ${window}`))).filter(Boolean);
    expect(flags.length).toBeLessThan(10);
    expect(judge(draw(500, 0.5, 'shifted'))).toBe(true);
  });

  test('nothing flags a window without records', () => {
    const empty = new Float64Array(grid.edges.length + 1);
    for (const rule of peerRules) expect(rule.prepare(reference(), createRandomSource('x'))(empty)).toBe(false);
  });

  test('distances agree with scipy', () => {
    // scipy.spatial.distance.jensenshannon([.1, .2, .3, .4], [.25, .25, .25, .25])
    expect(jensenShannon([1, 2, 3, 4], [1, 1, 1, 1])).toBeCloseTo(0.1669299657, 9);
    expect(largestCumulativeDifference([1, 2, 3, 4], [1, 1, 1, 1])).toBeCloseTo(0.2, 12);
  });
});
