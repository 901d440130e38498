import { expect, test } from 'vitest';
import type { Finding, FindingKind, Tier, Verdict } from '../../core/model/verdict.ts';
import { causeOf, describeCause, findCauses, narrowVerdict } from '../../core/route/causes.ts';

const of = (kind: FindingKind, tier: Tier, id: string = kind, evidence: Finding['evidence'] = {}): Finding => {
  return { id, kind, tier, message: '', evidence };
};
const verdict = (mode: Verdict['mode'], findings: readonly Finding[]) => ({ mode, findings });

test('a cause is the class of a finding, and of an objective which one', () => {
  const causes = [
    of('slo', 'red', 'slo:availability', { sloKind: 'availability' }),
    of('unmeasured', 'yellow', 'unmeasured:availability'),
    of('quality', 'red', 'quality:precision'),
    of('completeness', 'red', 'completeness:amount'),
    of('slo', 'yellow', 'slo:records', { sloKind: 'completeness' }),
    of('silence', 'red'),
    of('schema-break', 'red'),
    of('drift', 'yellow', 'drift:amount@region=EU'),
    of('integrity', 'red', 'integrity:abc'),
    of('unknown-version', 'yellow'),
  ].map(causeOf);
  expect(causes).toEqual([
    'objective:availability',
    'objective:availability',
    'objective:precision',
    'objective:completeness',
    'objective:completeness',
    'silence',
    'quality',
    'drift',
    'evidence',
    'set-up',
  ]);
});

test('causes are found once for each tier, the most urgent first, live where any finding is', () => {
  const found = findCauses([
    verdict('live', [of('schema-break', 'red'), of('slo', 'red', 'slo:a'), of('silence', 'green')]),
    verdict('closed', [of('drift', 'yellow', 'drift:x'), of('missing-column', 'red', 'missing-column:y')]),
    verdict('closed', [of('missing', 'yellow', 'missing:y'), of('drift', 'yellow', 'drift:z')]),
  ]);
  expect(found).toEqual([
    { cause: 'objective:a', tier: 'red', isLive: true },
    { cause: 'quality', tier: 'red', isLive: true },
    { cause: 'quality', tier: 'yellow', isLive: false },
    { cause: 'drift', tier: 'yellow', isLive: false },
  ]);
});

test('a cause began with the last of its findings, where each says when', () => {
  const [early, late] = ['2001-03-10T08:00:00.000Z', '2001-03-11T08:00:00.000Z'];
  const drift = (id: string, onset?: string) => of('drift', 'yellow', id, onset === undefined ? {} : { onset });
  const began = (...findings: Finding[]) => findCauses([verdict('closed', findings)])[0]?.began;
  expect(began(drift('a', late), drift('b', early))).toBe(Date.parse(late));
  expect(began(drift('a', late), drift('b'))).toBeUndefined();
});

test('a verdict is narrowed to the findings of an incident, and to their tier', () => {
  const whole = {
    tier: 'red',
    findings: [of('slo', 'red', 'slo:a'), of('drift', 'yellow'), of('learning', 'green')],
  } as const;
  const slos = [
    { name: 'a', kind: 'latency' },
    { name: 'b', kind: 'availability' },
  ];
  const narrowed = (kind: FindingKind) =>
    narrowVerdict({ ...whole, slos } as unknown as Verdict, (finding) => finding.kind === kind);
  const [, kept] = slos;
  expect(narrowed('drift')).toEqual({ tier: 'yellow', findings: whole.findings.slice(1), slos: [kept] });
  expect(narrowed('silence')).toEqual({ tier: 'green', findings: whole.findings.slice(2), slos: [kept] });
  expect(narrowed('slo')).toEqual({ tier: 'red', findings: [whole.findings[0], whole.findings[2]], slos });
});

test('names of objectives can neither break a line nor become a link', () => {
  expect(describeCause('objective:a\nhttps://x')).toBe('objective a?https:[//]x');
  expect(describeCause('quality')).toBe('data quality');
});
