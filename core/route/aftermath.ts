import type { Finding, ScaleVerdict, Verdict } from '../model/verdict.ts';

/** The time of an incident that people know of and that is over. Milliseconds since the epoch. */
export interface ToldStretch {
  readonly from: number;
  readonly to: number;
}

/** Of a verdict, what tells when a drift was. */
export interface DatedVerdict extends Pick<Verdict, 'window'> {
  readonly findings: readonly Pick<Finding, 'tier' | 'feature' | 'slice' | 'evidence'>[];
  readonly features: Readonly<
    Record<string, { readonly scales?: readonly Pick<ScaleVerdict, 'scale' | 'drifted'>[] | undefined }>
  >;
}

/**
 * What is yellow, seen from the end of a red. A stretch of days that held a red drifts for days after it.
 *
 * | aftermath | of a finding                                                                                          |
 * |-----------|-------------------------------------------------------------------------------------------------------|
 * | present   | it began after the red, or a stretch of windows that begins after the red shows it                    |
 * | past      | it began with the red (at most two windows before), a window after the red was judged, and no stretch that begins after the red shows it |
 * | unclear   | it began earlier, does not say when it began, or no window after the red was judged yet               |
 */
export type Aftermath = 'past' | 'present' | 'unclear';

/** Alarms ring after what they ring for: a red may be told a window or two after it began. */
const windowsBefore = 2;

/**
 * What is yellow in the newest verdicts, all together: present where one finding is, past where every one is.
 * Drift that outlasts its red is present as soon as it would be seen had it begun at the red's end.
 */
export function judgeAftermath(verdicts: readonly DatedVerdict[], red: ToldStretch): Aftermath {
  const found = verdicts.flatMap((verdict) =>
    verdict.findings.filter(({ tier }) => tier === 'yellow').map((finding) => judgeFinding(finding, verdict, red)),
  );
  if (found.includes('present')) return 'present';
  return found.length > 0 && found.every((one) => one === 'past') ? 'past' : 'unclear';
}

function judgeFinding(
  finding: DatedVerdict['findings'][number],
  verdict: DatedVerdict,
  { from, to }: ToldStretch,
): Aftermath {
  const [start, end] = [Date.parse(verdict.window.start), Date.parse(verdict.window.end)];
  const { onset } = finding.evidence;
  const began = typeof onset === 'string' ? Date.parse(onset) : Number.NaN;
  if (began >= to) return 'present';
  // The stretches of a slice are in no verdict.
  const stretches = finding.slice === undefined ? stretchesOf(verdict, finding.feature) : [];
  const isSeenAfter = stretches.some(({ scale, drifted }) => drifted && end - scale * (end - start) >= to);
  if (isSeenAfter) return 'present';
  const beganWithIt = began >= from - windowsBefore * (end - start);
  return beganWithIt && start >= to && stretches.length > 0 ? 'past' : 'unclear';
}

function stretchesOf({ features }: DatedVerdict, feature: string | undefined) {
  return feature !== undefined && Object.hasOwn(features, feature) ? (features[feature]?.scales ?? []) : [];
}
