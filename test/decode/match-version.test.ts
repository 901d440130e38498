import { expect, it } from 'vitest';
import { matchVersion } from '../../core/decode/match-version.ts';

const versions = ['credit-v*', 'credit-v7', 'credit-v7.*', 'exact*name'].map((match) => ({ match, predictions: [] }));
const matched = (version: string) => matchVersion(versions, version)?.match;

it('prefers the literal, then the longest prefix', () => {
  expect(['credit-v1', 'credit-v7', 'credit-v7.2', 'credit-v'].map(matched)).toEqual([
    'credit-v*',
    'credit-v7',
    'credit-v7.*',
    'credit-v*',
  ]);
});

it('matches nothing else', () => {
  expect(['credit-w1', 'CREDIT-v1', 'exact-name', ''].map(matched)).toEqual(Array(4).fill(undefined));
  expect(matchVersion([{ match: '*', predictions: [] }], '')?.match).toBe('*');
});
