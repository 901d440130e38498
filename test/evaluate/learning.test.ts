import { expect, test } from 'vitest';
import { muteLearning } from '../../core/evaluate/learning.ts';
import type { Layout } from '../../core/model/layout.ts';
import type { Finding, Verdict } from '../../core/model/verdict.ts';
import { noRecords } from './synthetic-model.ts';

const numeric = { kind: 'numeric', centre: 0, unit: 1, binEdges: [] } as const;
const layout: Layout = {
  schema: 'tidewatch.layout/1',
  features: [
    ['age', { ...numeric, side: 'input' }],
    ['score', { ...numeric, side: 'output' }],
  ],
  leftOut: [],
};

function finding(id: string, kind: Finding['kind'], feature?: string): Finding {
  return { id, tier: 'yellow', kind, message: id, evidence: {}, ...(feature !== undefined && { feature }) };
}

function mute(findings: readonly Finding[]): Verdict {
  const verdict: Verdict = {
    schema: 'tidewatch.verdict/1',
    mode: 'closed',
    model: 'credit',
    variant: 'AllTraffic',
    version: 'v2',
    window: { start: '2026-03-02T00:00:00.000Z', end: '2026-03-02T01:00:00.000Z' },
    revision: 0,
    tier: 'yellow',
    records: noRecords,
    requests: noRecords,
    rule: { level: 1e-4, minimumEffect: 0.02, effectLevel: 0.001, calibration: 'none' },
    features: {},
    slos: [],
    quality: [],
    findings,
    evidence: { baseline: '', config: '', code: '', profiles: [] },
  };
  return muteLearning(verdict, layout, { windows: 30, of: 168 });
}

const tiersOf = ({ findings }: Verdict) => findings.map(({ id, tier }) => [id, tier]);

test('while outputs are learned charts of their means are muted, and no others', () => {
  const charts = ['mean of score', 'mean of age', 'records', 'missing values', 'good events of latency', 'silence'];
  const muted = mute(charts.map((name) => finding(`chart:${name}`, 'chart')));
  expect(tiersOf(muted)).toEqual([
    ['chart:mean of score', 'green'],
    ['chart:mean of age', 'yellow'],
    ['chart:records', 'yellow'],
    ['chart:missing values', 'yellow'],
    ['chart:good events of latency', 'yellow'],
    ['chart:silence', 'yellow'],
    ['learning', 'green'],
  ]);
  expect(muted.tier).toBe('yellow');
});

test('drift of outputs is said, that of inputs is judged as ever', () => {
  const quiet = mute([finding('drift:score', 'drift', 'score'), finding('range:score', 'range', 'score')]);
  expect(quiet.tier).toBe('green');
  const loud = mute([finding('drift:age', 'drift', 'age'), finding('constant:score', 'constant', 'score')]);
  expect(tiersOf(loud).slice(0, 2)).toEqual([
    ['drift:age', 'yellow'],
    ['constant:score', 'yellow'],
  ]);
});
