import { describe, expect, test } from 'vitest';
import { cohortOf, createQualityPolicy, dayName, firstDay } from '../../../bench/alerting/label-streams.ts';
import { compareVersions } from '../../../core/evaluate/performance/compare-versions.ts';
import { judgeQuality } from '../../../core/evaluate/performance/judge-quality.ts';
import type { Cohort, QualitySloPolicy } from '../../../core/model/labels.ts';
import { daysUntilTold } from './canary-stream.ts';
import { seededUniform } from './streams.ts';

const day = 86_400_000;
const waitDays = 2;

/** One hour of a version's predicted positives on a day. */
function served(version: string, at: number, right: number, wrong: number, hour = 12, rest: Partial<Cohort> = {}) {
  const counts = { day: dayName(at), truePositives: right, falsePositives: wrong, hour };
  return cohortOf(counts, { variant: version === 'v1' ? 'AllTraffic' : 'canary', version, ...rest });
}

function slosOf(slos: readonly Partial<QualitySloPolicy>[]): readonly QualitySloPolicy[] {
  return createQualityPolicy(slos.map((slo) => ({ labelsWithinSeconds: waitDays * 86_400, ...slo }))).qualitySlos ?? [];
}

const compare = (cohorts: readonly Cohort[], slos: readonly Partial<QualitySloPolicy>[] = [{}], today = 20) =>
  compareVersions(slosOf(slos), cohorts, firstDay + today * day);

const stable = [...Array(10).keys()].map((at) => served('v1', at, 460, 40));

describe('a version beside a larger one', () => {
  test('that is worse is yellow, by the records of the hours that both answered', () => {
    const [finding, ...others] = compare([...stable, ...[7, 8, 9].map((at) => served('v2', at, 40, 10))]);
    expect(others).toEqual([]);
    expect(finding).toMatchObject({
      id: 'quality-beside:precision:canary/v2',
      tier: 'yellow',
      kind: 'quality-beside',
      evidence: { value: 0.8, otherValue: expect.closeTo(0.92, 9), records: 150, otherRecords: 1500, hours: 3 },
    });
    expect(finding?.message).toMatch(
      /^precision: version v2 \(variant canary\) is worse than version v1 \(variant AllTraffic\) beside it: precision 80 % of 150 labelled against 92 % of 1,500 of the same 3 hours; evidence .* to 1 \(told from 100\)$/,
    );
  });

  test('that is better is told in green; that is alike, or alone, is not told of', () => {
    expect(compare([...stable, ...[7, 8, 9].map((at) => served('v2', at, 100, 0))])).toMatchObject([{ tier: 'green' }]);
    expect(compare([...stable, ...[7, 8, 9].map((at) => served('v2', at, 46, 4))])).toEqual([]);
    expect(compare([...stable, ...[11, 12].map((at) => served('v2', at, 40, 400))])).toEqual([]);
    expect(compare([...stable, served('v2', 8, 40, 400, 13)])).toEqual([]);
    expect(compare(stable)).toEqual([]);
  });

  test('is yellow also where the new one has become the larger of the two', () => {
    const grown = [7, 8, 9].map((at) => served('v2', at, 4000, 1000));
    expect(compare([...stable, ...grown])).toMatchObject([
      { id: 'quality-beside:precision:AllTraffic/v1', tier: 'yellow' },
    ]);
  });

  test('is compared once where both have as many', () => {
    const half = [7, 8, 9].map((at) => served('v2', at, 400, 100));
    expect(compare([...stable, ...half])).toMatchObject([{ id: 'quality-beside:precision:canary/v2', tier: 'yellow' }]);
    expect(compare([...half, ...stable])).toMatchObject([{ tier: 'yellow', evidence: { records: 1500 } }]);
  });

  test('is compared hour by hour: a mix of hours is no difference', () => {
    // At night both are right half the time, and the canary answers mostly then.
    const mixed = [...Array(10).keys()].flatMap((at) => [
      served('v1', at, 900, 100, 12),
      served('v1', at, 150, 150, 3),
      served('v2', at, 9, 1, 12),
      served('v2', at, 100, 100, 3),
    ]);
    expect(compare(mixed)).toEqual([]);
  });

  test('needs labels that had their time, a difference that matters, and more for several objectives', () => {
    const canary = [7, 8, 9].map((at) => served('v2', at, 40, 10));
    expect(compare([...stable, ...canary], [{}], 9)).toEqual([]);
    const many = stable.map((cohort) => ({ ...cohort, hours: cohort.hours.map((hour) => scale(hour, 400)) }));
    const slightlyWorse = stable.map((_, at) => served('v2', at, 18_200, 1800));
    expect(compare([...many, ...slightlyWorse])).toEqual([]);
    const close = [7, 8].map((at) => served('v2', at, 39, 11));
    expect(compare([...stable, ...close])).toHaveLength(1);
    const several = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((name) => ({ name }));
    expect(compare([...stable, ...close], several)).toEqual([]);
    expect(compare([...stable, ...canary], [{ measure: 'auc' }, { measure: 'rmse', bound: 3 }])).toEqual([]);
  });
});

function scale(hour: Cohort['hours'][number], by: number): Cohort['hours'][number] {
  const { hour: of, others, falseNegatives, trueNegatives, predicted, truePositives, falsePositives } = hour;
  return {
    hour: of,
    others,
    falseNegatives,
    trueNegatives,
    predicted: predicted * by,
    truePositives: truePositives * by,
    falsePositives: falsePositives * by,
  };
}

test('of healthy canaries hardly one is told of in four weeks of looks, and a bad one within days', () => {
  const uniform = seededUniform(11);
  const told = (canaryShare: number, rate: number, canaryRate: number, runs: number) =>
    Array.from({ length: runs }, () =>
      daysUntilTold({ labelsPerDay: 200, canaryShare, rate, canaryRate }, uniform),
    ).sort((a, b) => a - b);
  const healthy = [...told(0.1, 0.85, 0.85, 80), ...told(0.5, 0.85, 0.85, 80)];
  expect(healthy.filter((days) => days < Number.POSITIVE_INFINITY).length).toBeLessThanOrEqual(2);
  expect(told(0.1, 0.92, 0.8, 31)[15]).toBeLessThanOrEqual(9);
  expect(told(0.5, 0.92, 0.8, 31)[15]).toBeLessThanOrEqual(4);
});

describe('a judgement with several versions', () => {
  const policy = createQualityPolicy([{ labelsWithinSeconds: waitDays * 86_400, periodSeconds: 14 * 86_400 }]);
  const judge = (cohorts: readonly Cohort[], today = 11) =>
    judgeQuality({
      policy,
      cohorts,
      ids: 0,
      matched: 0,
      now: firstDay + today * day,
      calibrations: new Map(),
    });

  test('shows each by itself, the largest first, and is yellow by the comparison', () => {
    const judged = judge([...stable, ...[7, 8, 9].map((at) => served('v2', at, 80, 20))]);
    expect(judged.tier).toBe('yellow');
    expect(judged.quality[0]?.versions).toMatchObject([
      { variant: 'AllTraffic', version: 'v1', matured: { records: 4500, value: 0.92 }, provisional: { records: 500 } },
      { variant: 'canary', version: 'v2', matured: { records: 200, value: 0.8 }, provisional: { records: 100 } },
    ]);
  });

  test('shows none where all records are of one, and ten of many', () => {
    expect(judge(stable).quality[0]).not.toHaveProperty('versions');
    const many = [...Array(12).keys()].map((index) => served(`v${index}`, 9, 10 + index, 0));
    const { versions } = judge(many).quality[0] ?? {};
    expect(versions).toHaveLength(10);
    expect(versions?.[0]).toMatchObject({ version: 'v11' });
  });
});
