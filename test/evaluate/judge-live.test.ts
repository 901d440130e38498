import { expect, test } from 'vitest';
import { judgeLive, type LiveInput, silenceAfterSeconds } from '../../core/evaluate/judge-live.ts';
import { createLiveVerdict } from '../../core/evaluate/live-verdict.ts';
import type { ModelPolicy } from '../../core/model/policy.ts';
import type { MinuteSlot } from '../../core/model/profile.ts';
import type { BurningPair, SloVerdict } from '../../core/model/verdict.ts';
import { createRandom, noRecords, plainPolicy } from './synthetic-model.ts';

const policy: ModelPolicy = {
  ...plainPolicy,
  features: [
    ['age', { ignore: false, required: true, published: false }],
    ['income', { ignore: false, required: false, published: false }],
  ],
  slos: [{ kind: 'completeness', name: 'complete', objective: 0.99, periodSeconds: 30 * 86_400 }],
};
const endMinute = Date.UTC(2026, 2, 1, 14) / 60_000;

function createSlot(minute: number, rows: number, rest: Partial<MinuteSlot> = {}): MinuteSlot {
  return { minute, rows, requests: rows, schemaBreaks: 0, slis: [], missing: [], ...rest };
}

/** One slot a minute for the last hour; `describe` gets the minutes left until the end. */
function createHour(describe: (minutesLeft: number) => Partial<MinuteSlot>, rows = 20): MinuteSlot[] {
  return Array.from({ length: 60 }, (_, index) => createSlot(endMinute - 60 + index, rows, describe(60 - index)));
}

function judge(slots: readonly MinuteSlot[], rest: Partial<LiveInput> = {}) {
  return judgeLive({
    policy,
    slots,
    now: endMinute * 60_000,
    endMinute,
    longestGapSeconds: 60,
    invocations: undefined,
    slos: [],
    lastRecordTime: endMinute * 60_000 - 1000,
    monitoringSince: 0,
    ...rest,
  });
}

const missing = (rows: number): Partial<MinuteSlot> => ({ missing: rows > 0 ? [['age', rows]] : [] });

test('healthy minutes are green, and completeness stands beside the objectives given', () => {
  const judgement = judge(createHour(() => ({})));
  expect(judgement).toMatchObject({
    tier: 'green',
    findings: [],
    slos: [{ name: 'complete', kind: 'completeness', feature: 'age', good: 1200, valid: 1200, broken: false }],
  });
});

test('a required feature that turns null is red within three minutes, with its start', () => {
  const judgement = judge(createHour((left) => missing(left <= 3 ? 20 : 0)));
  expect(judgement.tier).toBe('red');
  expect(judgement.findings).toMatchObject([
    { id: 'completeness:age', kind: 'completeness', tier: 'red', feature: 'age' },
  ]);
  expect(judgement.findings[0]?.message).toBe(
    'age: 60 of 1,200 records of the last hour (5 %) have no value, 1 % are allowed; since 2026-03-01 13:57 UTC',
  );
});

test('a budget that burns is told where no feature is named for it', () => {
  const burning: SloVerdict = {
    name: 'complete',
    kind: 'completeness',
    objective: 0.99,
    good: 1140,
    valid: 1200,
    broken: true,
    burning: {
      tier: 'red',
      threshold: 6,
      longMinutes: 1440,
      shortMinutes: 30,
      bad: 60,
      valid: 1200,
      longRate: 5,
      shortRate: 50,
    },
  };
  const both = judge(
    createHour((left) => missing(left <= 3 ? 20 : 0)),
    { slos: [burning] },
  );
  expect(both.findings.map(({ id }) => id)).toEqual(['completeness:age']);
  expect(both.slos).toMatchObject([{ burning: { tier: 'red' } }, { feature: 'age', broken: true }]);
  const [left] = judge(
    createHour(() => ({})),
    { slos: [burning] },
  ).findings;
  expect(left).toMatchObject({ id: 'slo:complete', tier: 'red' });
  expect(left?.message).toContain('records of the last day lack a required value');
});

test('a trouble that is over ends within five minutes', () => {
  expect(judge(createHour((left) => missing(left > 3 && left < 20 ? 20 : 0))).tier).toBe('red');
  expect(judge(createHour((left) => missing(left > 5 && left < 20 ? 20 : 0))).tier).toBe('green');
});

test('only the hour before the watermark counts', () => {
  const slots = [
    createSlot(endMinute - 61, 1000, missing(1000)),
    ...createHour(() => ({})),
    createSlot(endMinute, 1000, missing(1000)),
  ];
  expect(judge(slots).tier).toBe('green');
});

test('a few missing values or a few rows are no evidence', () => {
  expect(judge(createHour((left) => missing(left === 1 ? 5 : 0))).tier).toBe('green');
  expect(judge([createSlot(endMinute - 1, 200, missing(200))]).tier).toBe('green');
  const slots = [30, 17, 9].map((left) => createSlot(endMinute - left, 2, missing(2)));
  expect(judge(slots.slice(1)).tier).toBe('green');
  expect(judge(slots).tier).toBe('red');
});

test('with little traffic trouble goes on until five good records in a row', () => {
  const bad = [58, 50, 42, 35, 31].map((left) => createSlot(endMinute - left, 1, missing(1)));
  const good = [25, 19, 12, 8, 1].map((left) => createSlot(endMinute - left, 1));
  expect(judge([...bad, ...good.slice(0, 4)]).tier).toBe('red');
  expect(judge([...bad, ...good]).tier).toBe('green');
});

test('at exactly the objective a week of minutes stays green', () => {
  const random = createRandom(5);
  for (const rows of [1, 20]) {
    const slots = Array.from({ length: 10_080 }, (_, index) => {
      const count = Array.from({ length: rows }, () => random() < 0.01).filter(Boolean).length;
      return createSlot(index, rows, missing(count));
    });
    const pages = slots.filter((_, index) => {
      const recent = slots.slice(Math.max(0, index - 59), index + 1);
      return (
        judge(recent, { endMinute: index + 1, now: (index + 1) * 60_000, lastRecordTime: index * 60_000 }).tier !==
        'green'
      );
    });
    expect(pages).toHaveLength(0);
  }
});

test('rows that no longer fit the schema are red within minutes', () => {
  const judgement = judge(createHour((left) => ({ rows: left <= 3 ? 0 : 20, schemaBreaks: left <= 3 ? 20 : 0 })));
  expect(judgement.findings).toMatchObject([{ id: 'schema-break', tier: 'red' }]);
  expect(judgement.findings[0]?.message).toBe(
    '60 of 1,200 records of the last hour (5 %) no longer fit the schema, 1 % are allowed; since 2026-03-01 13:57 UTC',
  );
  expect(judge(createHour((left) => ({ schemaBreaks: left === 1 ? 5 : 0 }))).tier).toBe('green');
});

const brokenSlo: SloVerdict = {
  name: 'fast',
  kind: 'latency',
  objective: 0.999,
  good: 1100,
  valid: 1200,
  burnRateLong: 83.3,
  burnRateShort: 1000,
  errorBudgetRemaining: 0.42,
  broken: true,
  burning: {
    tier: 'red',
    threshold: 14.4,
    longMinutes: 60,
    shortMinutes: 5,
    bad: 100,
    valid: 1200,
    longRate: 83.3,
    shortRate: 1000,
  },
};

test('a broken objective is red and says how fast it burns and since when', () => {
  const slots = createHour((left) => ({ slis: [['fast', left <= 5 ? 0 : 20, 20]] }));
  expect(judge(slots, { slos: [{ ...brokenSlo, broken: false, burning: undefined }] }).tier).toBe('green');
  const judgement = judge(slots, { slos: [brokenSlo] });
  expect(judgement.findings[0]).toMatchObject({ id: 'slo:fast', tier: 'red', kind: 'slo' });
  expect(judgement.findings[0]?.message).toBe(
    'fast: 100 of 1,200 requests of the last hour were too slow, 83.3 times what the objective allows (pages from 14.4 times over both 1 h and 5 min), 42 % of the error budget is left; since 2026-03-01 13:55 UTC',
  );
});

test('a finding names the pair of windows, and how long the budget lasts', () => {
  const slots = createHour((left) => ({ slis: [['fast', left <= 5 ? 0 : 20, 20]] }));
  const messageOf = (burning: Partial<BurningPair>, slo: Partial<SloVerdict> = {}) =>
    judge(slots, { slos: [{ ...brokenSlo, ...slo, burning: { ...pair, ...burning } }] }).findings[0];
  const pair: BurningPair = {
    tier: 'yellow',
    threshold: 3,
    longMinutes: 1440,
    shortMinutes: 120,
    bad: 150,
    valid: 30_000,
    longRate: 5,
    shortRate: 50,
  };
  const ticket = messageOf({}, { broken: false, errorBudgetExhaustionSeconds: 200_000 });
  expect(ticket).toMatchObject({ id: 'slo:fast', tier: 'yellow', evidence: { sinceMinute: null, longMinutes: 1440 } });
  expect(ticket?.message).toBe(
    'fast: 150 of 30,000 requests of the last day were too slow, 5 times what the objective allows (yellow from 3 times over both 24 h and 2 h), 42 % of the error budget is left, for 2.3 days at the rate of the last 6 h',
  );
  expect(messageOf({ longMinutes: 4320, shortMinutes: 360, threshold: 1 }, { errorBudgetRemaining: 0 })?.message).toBe(
    'fast: 150 of 30,000 requests of the last 3 days were too slow, 5 times what the objective allows (yellow from 1 time over both 3 days and 6 h), the error budget is spent',
  );
  // The trouble may be older than the oldest minute at hand: then it began six hours ago at the earliest.
  const old = createHour(() => ({ slis: [['fast', 0, 20]] }));
  const burning: BurningPair = { ...pair, tier: 'red', threshold: 6, longMinutes: 360, shortMinutes: 30 };
  expect(judge(old, { slos: [{ ...brokenSlo, burning }] }).findings[0]?.evidence.sinceMinute).toBe(endMinute - 360);
  expect(judge(slots, { slos: [{ ...brokenSlo, burning }] }).findings[0]?.evidence.sinceMinute).toBe(endMinute - 5);
});

test('silence is red, unless the source confirms that nobody called', () => {
  const since = endMinute * 60_000;
  const silent = (seconds: number, rest: Partial<LiveInput> = {}) =>
    judge([], { lastRecordTime: since, now: since + seconds * 1000, ...rest });
  expect(silent(900).tier).toBe('green');
  expect(silent(901).findings).toMatchObject([{ id: 'silence', tier: 'red' }]);
  expect(silent(901).findings[0]?.message).toBe(
    'no record for 15 min, since 2026-03-01 14:00 UTC; more than the 15 min that are allowed; calls may have been lost: the source does not say whether the model was called',
  );
  expect(silent(901, { invocations: 0 })).toMatchObject({
    tier: 'green',
    findings: [{ id: 'silence', tier: 'green' }],
  });
  expect(silent(901, { invocations: 3 }).findings[0]?.message).toContain('3 calls: captures are missing');
  expect(silent(901, { lastRecordTime: undefined, monitoringSince: since }).tier).toBe('red');
  expect(silent(901, { lastRecordTime: undefined, monitoringSince: since + 60_000 }).tier).toBe('green');
});

test('the span of silence: configured, else twice the longest gap, else a window, at least ten minutes', () => {
  expect(silenceAfterSeconds({ ...policy, silenceAfterSeconds: 30 }, 5000)).toBe(30);
  expect(silenceAfterSeconds(policy, 5000)).toBe(10_000);
  expect(silenceAfterSeconds(policy, 60)).toBe(600);
  expect(silenceAfterSeconds(policy, undefined)).toBe(3600);
});

test('a live verdict covers the hour observed and carries the judgement', () => {
  const judgement = judge(createHour(() => missing(20)));
  const verdict = createLiveVerdict({
    policy,
    series: { variant: 'AllTraffic', version: 'v7' },
    judgement,
    endMinute,
    records: { ...noRecords, captured: 1200, counted: 1200 },
    evidence: { baseline: null, config: 'c', code: 'd', profiles: [] },
  });
  expect(verdict).toMatchObject({
    mode: 'live',
    tier: 'red',
    window: { start: '2026-03-01T13:00:00.000Z', end: '2026-03-01T14:00:00.000Z' },
    slos: [{ feature: 'age', broken: true }],
    findings: [{ id: 'completeness:age' }],
  });
});
