import { describe, expect, test } from 'vitest';
import { kolmogorovSmirnovTest } from '../../core/stats/kolmogorov.ts';
import { pooledMeanTest, type SampleMoments, varianceTest, welchTest } from '../../core/stats/moment-tests.ts';
import { seededUniform } from './reference.ts';

function seededNormal(seed: number): () => number {
  const uniform = seededUniform(seed);
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

function draw(size: number, value: () => number): number[] {
  return Array.from({ length: size }, value);
}

function momentsOf(sample: readonly number[]): SampleMoments {
  const mean = sample.reduce((sum, value) => sum + value, 0) / sample.length;
  const squares = sample.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { count: sample.length, mean, standardDeviation: Math.sqrt(squares / (sample.length - 1)) };
}

/** Share of pairs of samples without drift that a test rejects at .05. */
function measureSize(runs: number, pValue: () => number): number {
  let rejected = 0;
  for (let run = 0; run < runs; run++) if (pValue() <= 0.05) rejected++;
  return rejected / runs;
}

/** Four standard errors of 1,500 runs at .05. */
const noise = 0.0225;
const runs = 1500;

describe('size at .05', () => {
  test('means of normal values', () => {
    const normal = seededNormal(11);
    const pair = () => [momentsOf(draw(300, normal)), momentsOf(draw(60, normal))] as const;
    for (const compare of [pooledMeanTest, welchTest]) {
      const size = measureSize(runs, () => compare(...pair()).pValue);
      expect(Math.abs(size - 0.05)).toBeLessThan(noise);
    }
  });
  test('the pooled mean keeps its size for skewed values and a short window, where Welch’s does not', () => {
    const normal = seededNormal(12);
    const lognormal = () => Math.exp(normal());
    const pair = () => [momentsOf(draw(1000, lognormal)), momentsOf(draw(25, lognormal))] as const;
    expect(measureSize(runs, () => pooledMeanTest(...pair()).pValue)).toBeLessThan(0.05 + noise);
    expect(measureSize(runs, () => welchTest(...pair()).pValue)).toBeGreaterThan(0.05 + noise);
  });
  test('variances: normal values hold it, heavy tails break it, the kurtosis mends it', () => {
    const normal = seededNormal(13);
    const uniform = seededUniform(14);
    // A Laplace distribution: excess kurtosis 3.
    const laplace = () => Math.log(1 - uniform()) * (uniform() < 0.5 ? -1 : 1);
    const pair = (value: () => number) => [momentsOf(draw(400, value)), momentsOf(draw(150, value))] as const;
    const sizeOf = (value: () => number, excess?: number) =>
      measureSize(runs, () => varianceTest(...pair(value), excess).pValue);
    expect(Math.abs(sizeOf(normal) - 0.05)).toBeLessThan(noise);
    expect(sizeOf(laplace)).toBeGreaterThan(0.15);
    expect(Math.abs(sizeOf(laplace, 3) - 0.05)).toBeLessThan(noise);
  });
  test('Kolmogorov and Smirnov, five distinct values: given the ties near it, ignoring them far below', () => {
    const uniform = seededUniform(15);
    const level = () => Math.floor(5 * uniform());
    const size = (ties: 'conditional' | 'ignored') =>
      measureSize(runs, () => kolmogorovSmirnovTest(draw(80, level), draw(60, level), { ties }).pValue);
    expect(size('conditional')).toBeGreaterThan(0.02);
    expect(size('conditional')).toBeLessThan(0.05 + noise);
    expect(size('ignored')).toBeLessThan(0.02);
  });
});
