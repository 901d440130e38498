import type { FeatureKind } from '../model/layout.ts';

/** The tests of one feature that share its false-alarm level. */
export type DriftTest = 'pearson' | 'ranks' | 'missing' | 'unseen';

/** p-value of each test that was run. */
export type DriftPValues = Readonly<Partial<Record<DriftTest, number | undefined>>>;

/**
 * Share of a feature's false-alarm level that each test gets. Missing and unseen values that matter are seen at any
 * level; a small change of the distribution is not, so that its tests get most.
 */
const testShares: Readonly<Record<FeatureKind, Readonly<Partial<Record<DriftTest, number>>>>> = {
  numeric: { pearson: 0.45, ranks: 0.45, missing: 0.1 },
  categorical: { pearson: 0.8, missing: 0.1, unseen: 0.1 },
  opaque: { missing: 1 },
  embedding: { missing: 1 },
};

/** Share of the level that Pearson's test gets, of which the smallest detectable effect follows. */
export function pearsonShare(kind: FeatureKind): number {
  return testShares[kind].pearson ?? 1;
}

/**
 * A test's p-value as the feature's: p/share, at most 1. By the union bound the smallest over a feature's tests is a valid
 * p-value, however they depend on one another (weighted Bonferroni).
 * @returns undefined where the test was not run, or has no part in features of this kind.
 */
export function weighTest(kind: FeatureKind, test: DriftTest, pValues: DriftPValues): number | undefined {
  const share = testShares[kind][test];
  const pValue = pValues[test];
  return share === undefined || pValue === undefined ? undefined : Math.min(1, pValue / share);
}

const tests: readonly DriftTest[] = ['pearson', 'ranks', 'missing', 'unseen'];

/** The feature's p-value; null: no test was run. */
export function combineTests(kind: FeatureKind, pValues: DriftPValues): number | null {
  const weighed = tests.flatMap((test) => weighTest(kind, test, pValues) ?? []);
  return weighed.length === 0 ? null : Math.min(...weighed);
}
