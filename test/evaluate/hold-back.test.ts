import { expect, test } from 'vitest';
import { holdBack, needsSecondLook } from '../../core/evaluate/hold-back.ts';
import type { Finding, Tier, Verdict } from '../../core/model/verdict.ts';

type Brief = readonly [id: string, tier: Tier];

function verdictOf(tier: Tier, level: number, briefs: readonly Brief[]): Verdict {
  const findings = briefs.map(([id, of]): Finding => {
    const [kind, feature] = id.split(':');
    return { id, tier: of, kind: kind as Finding['kind'], feature, message: id, evidence: {} };
  });
  const statistics = { count: 0, missing: 0 };
  const features = ['a', 'b', '__proto__'].map((name) => [
    name,
    {
      kind: 'numeric',
      baseline: statistics,
      current: statistics,
      scores: {},
      tests: {},
      qValue: null,
      minimumDetectableEffect: null,
      drifted: findings.some(({ kind, feature }) => kind === 'drift' && feature === name),
    },
  ]);
  return {
    schema: 'tidewatch.verdict/1',
    mode: 'closed',
    model: 'm',
    variant: 'v',
    version: '1',
    window: { start: '', end: '' },
    revision: 0,
    tier,
    records: { captured: 0, counted: 0, quarantined: 0, duplicate: 0, pending: 0, expired: 0, late: 0 },
    rule: { level, minimumEffect: 0, effectLevel: 1, calibration: '' },
    features: Object.fromEntries(features),
    slos: [],
    quality: [],
    findings,
    evidence: { baseline: null, config: '', code: '', profiles: [] },
  };
}

const briefly = ({ findings }: Verdict) => findings.map(({ id, tier, message }) => [id, tier, message === id]);
const driftedIn = ({ features }: Verdict) =>
  Object.entries(features).flatMap(([name, { drifted }]) => (drifted ? [name] : []));

test('each finding is as bad as it was before, or as a second look confirms', () => {
  const before = verdictOf('yellow', 1e-4, [['drift:a', 'yellow']]);
  const now = verdictOf('red', 1e-4, [
    ['drift:a', 'yellow'],
    ['drift:b', 'yellow'],
    ['drift:__proto__', 'yellow'],
    ['missing-column:c', 'red'],
    ['learning', 'green'],
  ]);
  const confirmed = verdictOf('yellow', 1e-6, [['drift:b', 'yellow']]);
  const held = holdBack(now, [before], confirmed);
  expect(held.tier).toBe('yellow');
  expect(held.rule.level).toBe(1e-6);
  expect(briefly(held)).toEqual([
    ['drift:a', 'yellow', true],
    ['drift:b', 'yellow', true],
    ['drift:__proto__', 'green', false],
    ['missing-column:c', 'green', false],
    ['learning', 'green', true],
  ]);
  expect(driftedIn(held)).toEqual(['a', 'b']);
});

test('a finding that was yellow before and would be red now stays yellow', () => {
  const before = verdictOf('yellow', 1e-4, [['performance:a', 'yellow']]);
  const held = holdBack(verdictOf('red', 1e-4, [['performance:a', 'red']]), [before], undefined);
  expect(held).toMatchObject({ tier: 'yellow', rule: { level: 1e-4 } });
});

test('where what explains a drift is held back the drift that is confirmed speaks', () => {
  const before = verdictOf('green', 1e-4, []);
  const now = verdictOf('yellow', 1e-4, [['constant:a', 'yellow']]);
  const held = holdBack(now, [before], verdictOf('yellow', 1e-6, [['drift:a', 'yellow']]));
  expect(held.tier).toBe('yellow');
  expect(briefly(held)).toEqual([
    ['constant:a', 'green', false],
    ['drift:a', 'yellow', true],
  ]);
});

test('facts need no level, at whichever revision', () => {
  const before = verdictOf('green', 1e-4, []);
  const now = verdictOf('red', 1e-4, [
    ['quarantine', 'red'],
    ['drift:a', 'yellow'],
  ]);
  expect(briefly(holdBack(now, [before], undefined))).toEqual([
    ['quarantine', 'red', true],
    ['drift:a', 'green', false],
  ]);
});

test('what any earlier revision said stays said', () => {
  const yellow = verdictOf('yellow', 1e-4, [['drift:a', 'yellow']]);
  const green = verdictOf('green', 1e-4, []);
  const held = holdBack(yellow, [yellow, green], undefined);
  expect(briefly(held)).toEqual([['drift:a', 'yellow', true]]);
  expect(driftedIn(held)).toEqual(['a']);
});

test('that a feature has drifted is one finding, whichever its surest cause', () => {
  const before = verdictOf('yellow', 1e-4, [['drift:a', 'yellow']]);
  const now = verdictOf('yellow', 1e-4, [['missing:a', 'yellow']]);
  expect(needsSecondLook(now, [before])).toBe(false);
  expect(briefly(holdBack(now, [before], before))).toEqual([['missing:a', 'yellow', true]]);
});

test('a second look is needed for what is worse than before, whatever the tier of the verdict', () => {
  const before = verdictOf('yellow', 1e-4, [['drift:a', 'yellow']]);
  const more = verdictOf('yellow', 1e-4, [
    ['drift:a', 'yellow'],
    ['drift:b', 'yellow'],
  ]);
  expect(needsSecondLook(more, [before])).toBe(true);
  expect(needsSecondLook(before, [before])).toBe(false);
  expect(needsSecondLook(verdictOf('yellow', 1e-4, [['quarantine', 'yellow']]), [before])).toBe(false);
});
