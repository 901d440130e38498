import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FeatureVerdict, Finding, FindingKind, Verdict } from '../../core/model/verdict.ts';
import type { AlarmNotice } from '../../core/route/alarm-notice.ts';
import { composeMessage, type MessageFacts } from '../../core/route/compose-message.ts';
import type { EpisodeMessage } from '../../core/route/episode.ts';

const minute = 60_000;
const since = Date.UTC(2001, 2, 10, 10, 5);

function feature(index: number, over: Partial<FeatureVerdict> = {}): FeatureVerdict {
  return {
    kind: 'numeric',
    baseline: { count: 12_000, missing: 0, mean: 500 },
    current: { count: 400, missing: 40, mean: 800 },
    scores: { populationStabilityIndex: index },
    tests: { pearson: { statistic: 90, degreesOfFreedom: 9, pValue: 3e-16 } },
    qValue: 1e-14,
    minimumDetectableEffect: 0.031,
    drifted: true,
    ...over,
  };
}

function finding(kind: FindingKind, tier: Finding['tier'], message = `${kind} happened`, name?: string): Finding {
  return {
    id: kind === 'slo' ? 'slo:latency' : `${kind}${name ?? ''}`,
    kind,
    tier,
    message,
    feature: name,
    evidence: {},
  };
}

function verdict(over: Partial<Verdict> = {}): Verdict {
  return {
    schema: 'tidewatch.verdict/1',
    mode: 'live',
    model: 'credit-scoring',
    variant: 'AllTraffic',
    version: 'v1',
    window: { start: '2001-03-10T09:00:00.000Z', end: '2001-03-10T10:05:00.000Z' },
    revision: 0,
    tier: 'red',
    records: { captured: 1000, counted: 990, quarantined: 7, duplicate: 3, pending: 0, expired: 0, late: 12 },
    rule: { level: 0.0057, minimumEffect: 0.1, effectLevel: 0.05, calibration: 'independent records, no cells' },
    features: {},
    slos: [
      {
        name: 'latency',
        kind: 'latency',
        objective: 0.999,
        good: 9780,
        valid: 10_000,
        burnRateLong: 22,
        burnRateShort: 31.5,
        errorBudgetRemaining: 0.4,
        broken: true,
      },
    ],
    quality: [],
    findings: [finding('slo', 'red', 'latency: 2.2 % of requests took 100 ms or longer')],
    evidence: { baseline: null, config: 'c', code: 'c', profiles: [] },
    ...over,
  };
}

const key = 'verdicts/credit-scoring/AllTraffic/v1/live/20010310T100500Z.json';
const alarm: AlarmNotice = {
  alarm: 'tidewatch/credit-scoring/red',
  description: 'an objective is broken',
  runbook: 'https://example.com/docs/runbook.md#red',
  tier: 'red',
  model: 'credit-scoring',
  cause: 'health',
  triggers: ['red-tier'],
  to: 'ALARM',
  reason: 'red-tier transitioned to ALARM',
  time: since,
};
const episode: EpisodeMessage = {
  id: 'id1',
  episode: 'ep1',
  model: 'credit-scoring',
  cause: 'health',
  tier: 'red',
  event: 'raised',
  sequence: 1,
  time: since,
  since,
  startedAt: since,
};

function compose(
  over: { verdict?: Partial<Verdict>; alarm?: Partial<AlarmNotice>; episode?: Partial<EpisodeMessage> } & Partial<
    Pick<MessageFacts, 'now' | 'verdicts' | 'dependents'>
  > = {},
) {
  return composeMessage({
    alarm: { ...alarm, ...over.alarm },
    episode: { ...episode, ...over.episode },
    verdicts: over.verdicts ?? [{ key, verdict: verdict(over.verdict) }],
    now: over.now ?? since + 2 * minute,
    dependents: over.dependents,
  });
}

const yellow = {
  alarm: { tier: 'yellow', triggers: ['yellow-tier'] },
  episode: { tier: 'yellow' },
} as const satisfies { alarm: Partial<AlarmNotice>; episode: Partial<EpisodeMessage> };

describe('composeMessage', () => {
  test('red says what, since when, with the numbers and where to look', () => {
    const message = compose();
    expect(message).toMatchObject({
      id: 'id1',
      episode: 'ep1',
      tier: 'red',
      event: 'raised',
      model: 'credit-scoring',
      subject: 'RED credit-scoring: latency SLO broken, burn 22x (1h) since 10:05 UTC',
      time: since + 2 * minute,
    });
    const text = message.text.replace(/\s+/g, ' ');
    for (const words of [
      'This is a page',
      'red: latency: 2.2 % of requests took 100 ms or longer',
      '2001-03-10 10:05 UTC, 2 min ago',
      'latency: BROKEN, 97.8 % good of 10,000, objective 99.9 %, burn 22x over 1 h, 31.5x now, 40 % of the error budget left',
      '1,000 captured = 990 counted (12 late) + 7 quarantined + 3 duplicate',
      'Roll back where they match',
      'https://example.com/docs/runbook.md#red',
      key,
      'episode ep1',
    ])
      expect(text).toContain(words);
    expect(message.text).not.toContain('How sure');
  });

  test('says which endpoint configurations served what was judged', () => {
    const served = (config: string, share: number) => ({
      endpoint: 'credit',
      config,
      since: '2001-03-10T09:31:00.000Z',
      share,
    });
    const textOf = (...servedBy: ReturnType<typeof served>[]) =>
      compose({ verdict: { servedBy } }).text.replace(/\s+/g, ' ');
    expect(textOf(served('config-8', 1))).toContain('version v1, served by config-8 since 2001-03-10 09:31 UTC:');
    expect(textOf(served('config-7', 0.4833), served('config\n8', 0.5))).toMatch(
      /served by config-7 since 2001-03-10 09:31 UTC \(48\.33 %\), config\S{1,3}8 since 2001-03-10 09:31 UTC \(50 %\):/,
    );
    expect(textOf()).not.toContain('served by');
  });

  test.each([
    ['slo', 'an objective of credit-scoring is broken'],
    ['completeness', 'an objective of credit-scoring is broken'],
    ['quality', 'an objective of credit-scoring is broken'],
    ['silence', 'no records of credit-scoring arrive'],
    ['schema-break', 'payloads of credit-scoring break its schema'],
    ['missing-column', 'payloads of credit-scoring break its schema'],
    ['integrity', 'stored evidence of credit-scoring does not match what was written'],
  ] as const)('a page for %s says so', (kind, reason) => {
    const yellowToo = finding('drift', 'yellow');
    const { text } = compose({ verdict: { slos: [], findings: [yellowToo, finding(kind, 'red')] } });
    expect(text.replace(/\s+/g, ' ')).toMatch(new RegExp(`^RED\\. This is a page: ${reason}\\. What:`));
  });

  test.each([
    ['heartbeat', 'Tidewatch is not watching'],
    ['alert-path', 'a part of the alerting is cut'],
    ['deliver-path', 'a part of the alerting is cut'],
  ])('a page for %s of the fleet says so', (trigger, reason) => {
    const fleet = { model: 'fleet', cause: trigger } as const;
    const { text, subject } = compose({ alarm: { ...fleet, triggers: [trigger] }, episode: fleet, verdicts: [] });
    expect(text).toMatch(`RED. This is a page: ${reason}.\n`);
    expect(subject).not.toContain('verdict was not found');
  });

  test('a page whose verdict is not there claims no more than is known', () => {
    expect(compose({ verdicts: [] }).text).toMatch('RED. This is a page: credit-scoring was judged red.\n');
  });

  test('yellow is not a page, says how sure, and lists five features, worst first', () => {
    const features = Object.fromEntries(
      [0.2, 0.9, 0.3, 0.5, 0.4, 0.6, 0.05].map((index, at) => [`f${at}`, feature(index)]),
    );
    const message = compose({
      ...yellow,
      verdict: {
        mode: 'closed',
        tier: 'yellow',
        features,
        slos: [],
        findings: [finding('drift', 'yellow', 'f1 drifted', 'f1')],
      },
    });
    expect(message.subject).toBe('YELLOW credit-scoring: 7 features drifted, worst f1, PSI 0.9 since 10:05 UTC');
    expect(message.text).toContain('This is not a page');
    expect([...message.text.matchAll(/^- (f\d): q/gm)].map(([, name]) => name)).toEqual(['f1', 'f5', 'f3', 'f4', 'f2']);
    const text = message.text.replace(/\s+/g, ' ');
    expect(text).toContain(
      '- f1: q-value 1e-14 (pearson p 3e-16) PSI 0.9, where 0.1 is worth a look and 0.031 would have been seen in 400 ' +
        'values against 12,000; mean 500 -> 800, missing 0 % -> 9.09 %',
    );
    expect(text).toContain('and 2 more drifted features');
    expect(text).toContain('at most a share of 0.0057');
  });

  test.each<[Finding[], string]>([
    [[finding('completeness', 'red', 'x', 'income')], 'income is missing too often'],
    [[finding('schema-break', 'red'), finding('silence', 'red')], 'payloads break the schema, and 1 more'],
    [[finding('silence', 'red')], 'no records arrive'],
    [[finding('drift', 'yellow', 'x', 'age'), finding('slo', 'red')], 'latency SLO broken, burn 22x (1h)'],
  ])('headline of %#', (findings, words) => {
    expect(compose({ verdict: { findings } }).subject).toBe(`RED credit-scoring: ${words} since 10:05 UTC`);
  });

  test('without a verdict, or with one of another tier, it says so and gives the reason', () => {
    const bare = compose({ verdicts: [] });
    expect(bare.subject).toBe('RED credit-scoring: tier is red, its verdict was not found since 10:05 UTC');
    expect(bare.text).toContain('red-tier transitioned to ALARM');
    expect(bare.text).not.toContain('Verdict (key');
    expect(compose({ verdict: { tier: 'green', findings: [] } }).text).toContain(key);
  });

  test('lag, quarantine and heartbeat speak for themselves', () => {
    const late = compose({ alarm: { tier: 'yellow', triggers: ['lag'] }, episode: { tier: 'yellow' } });
    expect(late.subject).toBe('YELLOW credit-scoring: judgement is late, drift is not being watched since 10:05 UTC');
    expect(late.text).not.toContain('latency');
    const stopped = compose({
      alarm: { alarm: 'tidewatch/heartbeat', model: 'fleet', cause: 'heartbeat', triggers: ['heartbeat'] },
      episode: { model: 'fleet', cause: 'heartbeat' },
      verdicts: [],
    });
    expect(stopped.subject).toBe('RED fleet: Tidewatch has stopped, no model is watched since 10:05 UTC');
    expect(stopped.text).toContain('Check the scheduled tick');
  });

  test('the models behind it are listed with how long after, and those that may follow', () => {
    const affected = [
      { model: 'fraud', tier: 'yellow', lagMilliseconds: 65 * minute, muted: true },
      { model: 'evil\n[x](http://x)', tier: 'red', lagMilliseconds: -3 * minute, muted: false },
    ] as const;
    const dependents = ['evil\n[x](http://x)', 'fraud', 'pricing'];
    for (const event of ['raised', 'updated', 'lowered', 'recovered'] as const) {
      const message = compose({ episode: { event, affected }, dependents });
      const text = message.text.replace(/\s+/g, ' ');
      expect(text).toContain('- fraud: yellow, 65 min after it; its people are not told as long as this lasts');
      expect(text).toContain('red, 3 min before it');
      expect(message.text).not.toContain('http://');
      expect(text.includes('may follow: pricing')).toBe(event !== 'recovered');
      expect(message.detail.affected).toEqual(affected);
      expect(message.detail.mayFollow).toEqual(['pricing']);
    }
    expect(compose({ episode: { event: 'updated', affected } }).subject).toBe(
      'UPDATE credit-scoring: 2 models that depend on it affected since 10:05 UTC',
    );
  });

  test('lowered is not over, acknowledged is somebody at it', () => {
    const over = { time: since + 30 * minute } as const;
    const lowered = compose({ episode: { ...over, event: 'lowered' }, verdict: { tier: 'yellow', findings: [] } });
    expect(lowered.subject).toBe('LOWERED credit-scoring: no longer red, still yellow after 30 min');
    expect(lowered.text.replace(/\s+/g, ' ')).toContain('goes on until nothing rings');
    expect(compose({ episode: { ...over, event: 'acknowledged' } }).subject).toBe(
      'ACKNOWLEDGED credit-scoring: somebody is at it, red since 10:05 UTC',
    );
  });

  test('a verdict that no alarm rang for says so first', () => {
    const { text } = compose({ alarm: { triggers: ['doorbell'] } });
    expect(text.replace(/\s+/g, ' ')).toContain('1. Find out why CloudWatch did not ring');
    expect(text).toContain('red: latency');
  });

  test('recovery says how long, and what remains', () => {
    const over = { event: 'recovered', time: since + 125 * minute } as const;
    const still = compose({
      episode: over,
      verdict: { tier: 'yellow', slos: [], findings: [finding('drift', 'yellow', 'age drifted', 'age')] },
    });
    expect(still.subject).toBe('RECOVERED credit-scoring: no longer red, still yellow after 2 h 5 min');
    expect(still.text).toContain('yellow: age drifted');
    const green = compose({ episode: over, verdict: { tier: 'green', findings: [], slos: [] } });
    expect(green.subject).toBe('RECOVERED credit-scoring: no longer red after 2 h 5 min');
    expect(green.text).toContain('red from 2001-03-10 10:05 UTC to 2001-03-10 12:10 UTC');
    expect(green.text).toContain('The newest verdict is green.');
  });

  test('an escalation names the beginning of its episode, an old one its day', () => {
    expect(compose({ episode: { startedAt: since - 60 * minute } }).text).toContain('The episode began at');
    expect(compose({ now: since + 1440 * minute }).subject).toContain('since 03-10 10:05 UTC');
  });

  test('hostile names and sentences stay in their lines', () => {
    const hostile = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc.constantFrom(
        'a\r\nBcc: x@y',
        '\u202egnp',
        'https://evil.example',
        '__proto__',
        'x'.repeat(500),
        '\u2028',
        '</a>',
      ),
    );
    fc.assert(
      fc.property(hostile, hostile, hostile, fc.constantFrom('red', 'yellow'), (name, sentence, model, tier) => {
        const features = Object.fromEntries([[name, feature(0.5)]]);
        const message = compose({
          alarm: { tier },
          episode: { tier, model },
          verdict: {
            tier,
            version: name,
            features,
            findings: [finding('drift', tier, sentence, name), finding('slo', tier, sentence)],
          },
        });
        expect(message.subject).toMatch(/^[\x20-\x7e]{1,99}$/);
        expect(message.text).not.toMatch(/[^\P{C}\n]|[\p{Zl}\p{Zp}]/u);
        expect(message.text.split('://')).toHaveLength(2);
        for (const line of message.text.split('\n')) expect([...line].length).toBeLessThanOrEqual(78);
      }),
      { numRuns: 300 },
    );
  });

  test('odd numbers never break a message', () => {
    const odd = fc.constantFrom(0, -0, Number.NaN, Number.POSITIVE_INFINITY, 1e300, 5e-324, -1);
    fc.assert(
      fc.property(odd, odd, odd, (a, b, c) => {
        const slo = {
          name: 's',
          kind: 'latency',
          objective: a,
          good: b,
          valid: c,
          burnRateLong: a,
          errorBudgetRemaining: b,
          broken: true,
        } as const;
        const shifted = feature(a, {
          qValue: b,
          minimumDetectableEffect: c,
          current: { count: a, missing: b, mean: c },
        });
        const message = compose({
          verdict: { slos: [slo], features: { f: shifted } },
          now: Number.isFinite(a) ? a : 0,
        });
        expect(message.text).not.toMatch(/NaN|Infinity|undefined/);
        expect(message.subject).not.toMatch(/NaN|Infinity|undefined/);
      }),
    );
  });
});
