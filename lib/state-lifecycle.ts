/** Objects of the state bucket under a prefix, and why they stay as long as they do. */
interface StatePrefix {
  readonly prefix: string;
  readonly reason: string;
}

export interface ExpiringPrefix extends StatePrefix {
  /** Of the lifecycle rule. */
  readonly id: string;
  readonly days: number;
}

/**
 * A fragment serves its window until seven days after the window's end; a window is a day long at most. A late object may be
 * found a week after it came, and its window is then restated from all of its fragments.
 */
const fragmentDays = 16;
/** Stretches reach four weeks back, and four weeks of windows are learned from. Budgets are of up to thirty days. */
const monthlyDays = 40;
/** Objects of labels and of what they are joined with are open for 22 days, and a manifest is renewed every 20. */
const joinDays = 60;
const quarantineDays = 90;

/**
 * What a lifecycle rule removes.
 * @param retentionDays of evidence
 * @param horizonDays the longest of the models' labels; 0 where there are none
 */
export function listExpiring(retentionDays: number, horizonDays: number): readonly ExpiringPrefix[] {
  const sides = ['index', 'labels'] as const;
  return [
    { id: 'fragments', prefix: 'fragments/', days: fragmentDays, reason: 'their windows are restated until then' },
    { id: 'empty', prefix: 'empty/', days: fragmentDays, reason: 'objects are looked for as long as fragments live' },
    { id: 'daily-sums', prefix: 'slis/', days: monthlyDays, reason: 'they serve budgets of up to thirty days' },
    { id: 'trails', prefix: 'trails/', days: monthlyDays, reason: 'four weeks of them are judged together' },
    { id: 'quarantine', prefix: 'quarantine/', days: quarantineDays, reason: 'reports for people, who have seen them' },
    {
      id: 'profiles',
      prefix: 'profiles/',
      days: Math.max(monthlyDays, retentionDays),
      reason: 'a verdict’s figures can be computed again from them as long as its evidence is locked',
    },
    ...sides.flatMap((side) => [
      { id: `${side}-parts`, prefix: `${side}/parts/`, days: joinDays, reason: 'they were put together into packs' },
      { id: `${side}-recent`, prefix: `${side}/recent/`, days: joinDays, reason: 'they were put together for good' },
      {
        id: `${side}-packs`,
        prefix: `${side}/packs/`,
        days: joinDays + horizonDays,
        reason: 'beyond the horizon nothing is joined',
      },
    ]),
    {
      id: 'join-manifests',
      prefix: 'quality/manifests/',
      days: joinDays,
      reason: 'the one in force is never older than twenty days',
    },
  ];
}

/** What is never removed. It is small, or it is what people look up. */
export const keptPrefixes: readonly StatePrefix[] = [
  { prefix: 'verdicts/', reason: 'the record that people look up and that reports and backtests are made of' },
  { prefix: 'quality/judgements/', reason: 'the record of quality, as verdicts are of drift' },
  { prefix: 'quality/cohorts/', reason: 'what judgements and their evidence name; one in force may be of any age' },
  { prefix: 'learned/', reason: 'a series is judged with it as long as it lives, and what it came from has expired' },
  { prefix: 'runtimes/', reason: 'rows of the table say that it is there, and evidence names it; one a configuration' },
  { prefix: 'log/', reason: 'the hash list proves all evidence, from the first on' },
];
