import type { Finding, FindingKind, SloVerdict, Verdict } from '../model/verdict.ts';
import { type AlarmNotice, fleetModel } from './alarm-notice.ts';
import { formatFigure, formatPercent } from './figures.ts';
import { driftedFeatures, type StoredVerdict, sortFindings, sortVerdicts } from './judgement.ts';
import { escapeName } from './plain-text.ts';

/** True where the alarm rang because of the tier, so that the newest verdict says why. */
export function verdictSpeaks(alarm: AlarmNotice): boolean {
  return alarm.model !== fleetModel && !(alarm.triggers.length > 0 && alarm.triggers.every(speaksForItself));
}

function speaksForItself(trigger: string): boolean {
  return trigger === 'lag' || trigger === 'quarantine';
}

/** What is wrong, in a few words: `latency SLO broken, burn 22x (1h)`. */
export function headline(alarm: AlarmNotice, verdicts: readonly StoredVerdict[]): string {
  if (verdictSpeaks(alarm)) {
    for (const { verdict } of sortVerdicts(verdicts)) {
      const findings = sortFindings(verdict.findings).filter((f) => alarm.tier !== 'red' || f.tier === 'red');
      const [first] = findings;
      if (first === undefined) continue;
      const others = new Set(findings.map((finding) => finding.kind)).size - 1;
      return `${findingHeadline(first, findings, verdict)}${others > 0 ? `, and ${others} more` : ''}`;
    }
  }
  if (alarm.triggers.includes('heartbeat')) return 'Tidewatch has stopped, no model is watched';
  if (alarm.triggers.includes('alert-path')) return 'alarms do not reach Tidewatch, models may be red unheard';
  if (alarm.triggers.includes('deliver-path')) return 'messages do not reach pagers, chats or webhooks';
  if (alarm.triggers.includes('quarantine')) return 'too many captured records are unreadable';
  if (alarm.triggers.includes('lag')) return 'judgement is late, drift is not being watched';
  return `tier is ${alarm.tier}, its verdict was not found`;
}

function findingHeadline(first: Finding, findings: readonly Finding[], verdict: Verdict): string {
  const name = first.feature === undefined ? 'a feature' : escapeName(first.feature);
  if (first.kind === 'slo') {
    const state = first.tier === 'red' ? 'broken' : 'burns slowly';
    const slo = verdict.slos.find(({ name, feature }) => feature === undefined && first.id === `slo:${name}`);
    if (slo === undefined) return `SLO ${state}`;
    const { rate, hours } = burnOf(slo);
    const size = rate < 10 ? Number(rate.toPrecision(2)) : Math.round(rate);
    return `${escapeName(slo.name)} SLO ${state}${rate > 0 ? `, burn ${formatFigure(size)}x (${hours}h)` : ''}`;
  }
  if (first.kind === 'completeness') {
    const slo = verdict.slos.find(
      (candidate) => candidate.kind === 'completeness' && candidate.feature === first.feature,
    );
    return slo === undefined || slo.valid === 0
      ? `${name} is missing too often`
      : `${name} missing in ${formatPercent(Number(((slo.valid - slo.good) / slo.valid).toPrecision(2)))}`;
  }
  if (first.kind === 'drift') {
    const drifted = driftedFeatures(verdict);
    const [worst] = drifted;
    if (worst === undefined) return `${name} drifted`;
    const index = worst[1].scores.populationStabilityIndex;
    const effect = index === undefined ? '' : `, PSI ${formatFigure(index)}`;
    return drifted.length === 1
      ? `${escapeName(worst[0])} drifted${effect}`
      : `${drifted.length} features drifted, worst ${escapeName(worst[0])}${effect}`;
  }
  const same = findings.filter((finding) => finding.kind === first.kind).length;
  return kindHeadlines[first.kind](same > 1 ? `${same} features` : name, same > 1);
}

/** The burn rate of the pair of windows that rang, and the length of its long window. */
function burnOf({ burning, burnRateLong }: SloVerdict): { readonly rate: number; readonly hours: number } {
  return burning ? { rate: burning.longRate, hours: burning.longMinutes / 60 } : { rate: burnRateLong ?? 0, hours: 1 };
}

type KindHeadline = (subject: string, several: boolean) => string;

const kindHeadlines: Readonly<Record<Exclude<FindingKind, 'slo' | 'completeness' | 'drift'>, KindHeadline>> = {
  integrity: () => 'stored evidence does not match',
  'schema-break': () => 'payloads break the schema',
  silence: () => 'no records arrive',
  unmeasured: () => 'metrics of an objective are not readable',
  'missing-column': (subject, several) => `${subject} ${several ? 'are' : 'is'} no longer sent`,
  'extra-column': () => 'payloads hold unknown columns',
  missing: (subject) => `${subject} missing more often`,
  'unseen-category': (subject, several) => `${subject} ${several ? 'have' : 'has'} new categories`,
  type: (subject, several) => `${subject} changed ${several ? 'types' : 'type'}`,
  range: (subject) => `${subject} out of range`,
  quarantine: () => 'too many captured records are unreadable',
  duplicate: () => 'records are repeated',
  constant: (subject, several) => `${subject} ${several ? 'have' : 'has'} a single value`,
  stale: () => 'data have stopped changing',
  beside: (subject) => `${subject} unlike the version beside it`,
  chart: () => 'a control chart left its limits',
  performance: () => 'estimated performance has changed',
  quality: (_, several) => `quality below ${several ? 'several objectives' : 'its objective'}, by labels`,
  'quality-beside': () => 'one version is worse than the other, by labels',
  labelling: () => 'labels have changed',
  caller: () => 'one caller sends more than its share',
  learning: () => 'a new version is being learned',
  'unknown-version': () => 'records of an unknown version',
  'no-baseline': () => 'no baseline to compare with',
  'insufficient-data': () => 'too few records to judge',
};
