import type { ModelPolicy } from '../model/policy.ts';
import type { RecordCounts, Series } from '../model/profile.ts';
import type { Verdict } from '../model/verdict.ts';
import type { LiveJudgement } from './judge-live.ts';
import { formatInstant } from './number-text.ts';
import { calibration } from './window-verdict.ts';

/** The judgement of a minute and where it belongs. */
export interface LiveVerdictInput {
  readonly policy: ModelPolicy;
  readonly series: Pick<Series, 'variant' | 'version'>;
  readonly judgement: LiveJudgement;
  /** The minute at which the observed windows end, exclusive. */
  readonly endMinute: number;
  /** Records of the observed hour. */
  readonly records: RecordCounts;
  readonly evidence: Verdict['evidence'];
}

const observedMinutes = 60;

/** The verdict that is written where the live tier changes. Its window is the hour that was observed. */
export function createLiveVerdict(input: LiveVerdictInput): Verdict {
  const { policy, series, judgement, endMinute } = input;
  const { level, minimumEffect, effectLevel } = policy.drift;
  return {
    schema: 'tidewatch.verdict/1',
    mode: 'live',
    model: policy.name,
    variant: series.variant,
    version: series.version,
    window: {
      start: formatInstant((endMinute - observedMinutes) * 60_000),
      end: formatInstant(endMinute * 60_000),
    },
    revision: 0,
    tier: judgement.tier,
    records: input.records,
    rule: { level, minimumEffect, effectLevel, calibration },
    features: {},
    slos: judgement.slos,
    quality: judgement.quality ?? [],
    findings: judgement.findings,
    evidence: input.evidence,
  };
}
