import { expect, test } from 'vitest';
import { shareWithBeside } from '../../core/evaluate/compare-beside.ts';
import { prepareQuality } from '../../core/evaluate/data-quality.ts';
import { type ClosedContext, judgeClosed } from '../../core/evaluate/judge-closed.ts';
import { utcCalendar } from '../../core/model/calendar.ts';
import { SlicedModel } from './sliced-model.ts';
import { createInput, createRandom, createSummary } from './synthetic-model.ts';

const traffic = [
  { region: 'EU', perHour: 160 },
  { region: 'APAC', perHour: 60 },
  { region: 'other', perHour: 40 },
];

test('a drift that is too small for what beside leaves of the level is still found where it lives', () => {
  const shift = (feature: number, region: string) => (feature === 1 && region === 'APAC' ? 0.7 : 0);
  const model = new SlicedModel({ features: 2, traffic, days: 28, shift }, createRandom(4));
  const slicesLevel = 0.02 / 168 / 5;
  for (let window = 0; window < 6; window++) model.judgeNext({ drift: 1e-9, slices: slicesLevel });
  const { policy, stretches, contexts, whole } = model.judgeNext({ drift: 1e-9, slices: slicesLevel });
  const qValue = whole.features.find(({ name }) => name === 'feature001')?.qValue ?? 1;
  // The whole is rejected at the level of its drift, and not at four fifths of it.
  const level = qValue / 0.9;
  const withoutFloor = { ...policy, drift: { ...policy.drift, minimumEffect: 0 } };
  const judge = (beside: ClosedContext['beside']) =>
    judgeClosed(createInput(model.baseline, createSummary([]), { policy: withoutFloor }), {
      drift: { calibration: model.calibration, stretches, windowsOfTrail: [], level },
      calendar: utcCalendar,
      quality: { reference: prepareQuality(model.baseline, 3600), level: 0 },
      slices: { contexts, level: slicesLevel },
      charts: [],
      beside,
      learning: undefined,
      isRelearned: false,
    });
  const drifts = (verdict: ReturnType<typeof judge>) =>
    verdict.findings.filter(({ feature }) => feature === 'feature001').map(({ id }) => id);
  const nobody = { variant: 'AllTraffic', version: 'v1', own: [], other: [] };
  expect(drifts(judge(undefined))).toEqual(['drift:feature001']);
  const verdict = judge(nobody);
  expect(verdict.rule.level).toBeCloseTo(level * 0.8, 12);
  expect(verdict.features.feature001?.drifted).toBe(false);
  expect(drifts(verdict)).toEqual(['drift:feature001@region=APAC']);
});

test('both comparisons together spend no more than the level of one', () => {
  for (const scales of [1, 2, 7, 8]) {
    const { baseline, beside } = shareWithBeside(1e-4, scales);
    expect(scales * baseline + 2 * beside).toBeLessThanOrEqual(scales * 1e-4 * (1 + 1e-12));
    expect(beside).toBeGreaterThan(0);
  }
});

test('whatever a judge says of a drift, it pages nobody', () => {
  const model = new SlicedModel({ features: 1, traffic, days: 28, shift: () => 0 }, createRandom(4));
  const { policy, stretches } = model.judgeNext({ drift: 1e-9, slices: 1e-9 });
  const drift = { id: 'drift:x', kind: 'drift', tier: 'red', message: 'far off', evidence: {} } as const;
  const verdict = judgeClosed(createInput(model.baseline, createSummary([]), { policy }), {
    drift: { calibration: model.calibration, stretches, windowsOfTrail: [], level: 1e-9 },
    calendar: utcCalendar,
    quality: { reference: prepareQuality(model.baseline, 3600), level: 0 },
    charts: [],
    callers: [drift],
    slices: undefined,
    learning: undefined,
    isRelearned: false,
  });
  expect(verdict.findings).toContainEqual({ ...drift, tier: 'yellow' });
});
