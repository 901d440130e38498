import { expect, test } from 'vitest';
import type { BurningPair, Finding, SloVerdict, Verdict } from '../../core/model/verdict.ts';
import type { AlarmNotice } from '../../core/route/alarm-notice.ts';
import { narrowVerdict } from '../../core/route/causes.ts';
import { headline } from '../../core/route/headline.ts';
import { describeSlos } from '../../core/route/message-sections.ts';

const slow: BurningPair = {
  tier: 'yellow',
  threshold: 3,
  longMinutes: 1440,
  shortMinutes: 120,
  bad: 150,
  valid: 30_000,
  longRate: 5,
  shortRate: 50,
};
const slo: SloVerdict = {
  name: 'latency',
  kind: 'latency',
  objective: 0.999,
  good: 1190,
  valid: 1200,
  burnRateLong: 8.3,
  burnRateShort: 0,
  errorBudgetRemaining: 0.42,
  errorBudgetExhaustionSeconds: 200_000,
  broken: false,
  burning: slow,
};

function verdictOf(burning: BurningPair): Verdict {
  const finding: Finding = {
    id: 'slo:latency',
    kind: 'slo',
    tier: burning.tier,
    message: 'latency burns',
    evidence: {},
  };
  return {
    schema: 'tidewatch.verdict/1',
    mode: 'live',
    model: 'credit',
    variant: 'AllTraffic',
    version: 'v1',
    window: { start: '2026-03-01T13:00:00.000Z', end: '2026-03-01T14:00:00.000Z' },
    revision: 0,
    tier: burning.tier,
    records: { captured: 0, counted: 0, quarantined: 0, duplicate: 0, pending: 0, expired: 0, late: 0 },
    rule: { level: 0.001, minimumEffect: 0.02, effectLevel: 0.001, calibration: 'none' },
    features: {},
    slos: [{ ...slo, broken: burning.tier === 'red', burning }],
    quality: [],
    findings: [finding],
    evidence: { baseline: null, config: 'c', code: 'd', profiles: [] },
  };
}

function headlineOf(burning: BurningPair): string {
  return headlineOfVerdict(verdictOf(burning), burning.tier);
}

function headlineOfVerdict(verdict: Verdict, tier: 'yellow' | 'red'): string {
  const alarm: AlarmNotice = {
    alarm: `tidewatch/credit/${tier}`,
    description: '',
    runbook: '',
    tier,
    model: 'credit',
    cause: 'health',
    triggers: [],
    to: 'ALARM',
    reason: '',
    time: 0,
  };
  return headline(alarm, [{ key: 'k', verdict }]);
}

test('the subject names the objective and the window that rang', () => {
  expect(headlineOf(slow)).toBe('latency SLO burns slowly, burn 5x (24h)');
  expect(headlineOf({ ...slow, longMinutes: 4320, longRate: 1.26 })).toBe('latency SLO burns slowly, burn 1.3x (72h)');
  expect(headlineOf({ ...slow, tier: 'red', longMinutes: 360, longRate: 71.6 })).toBe(
    'latency SLO broken, burn 72x (6h)',
  );
});

test('of objectives that burn, the subject names the one its first finding is about, not the one that burns fastest', () => {
  const whole = verdictOf({ ...slow, tier: 'red', longMinutes: 60, longRate: 20 });
  const other: SloVerdict = { ...slo, name: 'availability', kind: 'availability', broken: true };
  const fast = { ...other, burning: { ...slow, tier: 'red', longMinutes: 60, longRate: 900 } as const };
  const own: Finding = { id: 'slo:latency', kind: 'slo', tier: 'red', message: '', evidence: {} };
  const both: Verdict = {
    ...whole,
    slos: [fast, ...whole.slos],
    findings: [own, { ...own, id: 'slo:availability' }],
  };
  expect(headlineOfVerdict(both, 'red')).toBe('latency SLO broken, burn 20x (1h)');
  const narrowed = narrowVerdict(both, ({ id }) => id === 'slo:availability');
  expect(headlineOfVerdict(narrowed, 'red')).toBe('availability SLO broken, burn 900x (1h)');
  expect(describeSlos([{ key: 'k', verdict: narrowed }], undefined).join(' ')).not.toContain('latency');
});

test('the message says what is left of the budget, and for how long', () => {
  expect(
    describeSlos([{ key: 'k', verdict: verdictOf(slow) }], undefined)
      .join(' ')
      .replace(/\s+/g, ' '),
  ).toContain(
    'burns slowly, 99.167 % good of 1,200, objective 99.9 %, burn 8.3x over 1 h, 0x now, 42 % of the error budget left, which lasts 2 days 7 h at the rate of the last 6 h',
  );
});
