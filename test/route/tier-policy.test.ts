import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { FindingKind } from '../../core/model/verdict.ts';
import { worstTiers } from '../../core/model/worst-tiers.ts';
import { isExplained, isMutedByRoot, tierPolicy } from '../../core/route/tier-policy.ts';

const kinds = Object.keys(tierPolicy) as FindingKind[];

test('the table of the runbook is the policy', () => {
  const text = readFileSync(new URL('../../docs/runbook.md', import.meta.url), 'utf8');
  for (const kind of kinds) {
    const { about, yellow, red } = tierPolicy[kind];
    expect(text).toContain(`| \`${kind}\` | ${about} | ${yellow} | ${red} | ${isMutedByRoot(kind) ? 'yes' : 'no'} |`);
  }
});

test('what a kind may do agrees with what makes it so', () => {
  for (const kind of kinds) {
    const { yellow, red } = tierPolicy[kind];
    const worst = worstTiers[kind];
    expect([kind, red !== '-']).toEqual([kind, worst === 'red']);
    expect([kind, yellow !== '-' || red !== '-']).toEqual([kind, worst !== 'green']);
  }
});

test('what a test finds is never red, and what was promised is never muted', () => {
  for (const kind of kinds) {
    const { about } = tierPolicy[kind];
    if (about === 'drift') expect([kind, worstTiers[kind]]).not.toEqual([kind, 'red']);
    if (['objective', 'silence', 'evidence', 'set-up'].includes(about)) expect(isMutedByRoot(kind)).toBe(false);
  }
});

test('nothing, and anything beside drift and quality, is not explained', () => {
  const of = (kind: FindingKind, tier: 'yellow' | 'red') => ({ id: kind, kind, tier, message: '', evidence: {} });
  expect(isExplained([], 'yellow')).toBe(false);
  expect(isExplained([of('drift', 'yellow')], 'yellow')).toBe(true);
  expect(isExplained([of('drift', 'yellow')], 'red')).toBe(false);
  expect(isExplained([of('drift', 'yellow'), of('unknown-version', 'yellow')], 'yellow')).toBe(false);
  expect(isExplained([of('drift', 'yellow'), of('schema-break', 'red')], 'red')).toBe(true);
  expect(isExplained([of('slo', 'red'), of('schema-break', 'red')], 'red')).toBe(false);
});
