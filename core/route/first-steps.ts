import type { FindingKind } from '../model/verdict.ts';
import type { AlarmNotice } from './alarm-notice.ts';
import { type StoredVerdict, sortFindings } from './judgement.ts';
import { wrapText } from './plain-text.ts';

/** Kinds of findings that call for the same first step. */
type Step =
  | 'serve'
  | 'payload'
  | 'column'
  | 'silence'
  | 'drift'
  | 'labels'
  | 'unreadable'
  | 'repeats'
  | 'version'
  | 'evidence'
  | 'few'
  | 'late'
  | 'stopped'
  | 'unheard'
  | 'cut'
  | 'undelivered'
  | 'measure';

const stepOfKind: Readonly<Record<FindingKind, Step>> = {
  slo: 'serve',
  unmeasured: 'measure',
  'schema-break': 'payload',
  type: 'payload',
  'extra-column': 'payload',
  'missing-column': 'payload',
  completeness: 'column',
  missing: 'column',
  silence: 'silence',
  drift: 'drift',
  'unseen-category': 'drift',
  range: 'drift',
  quarantine: 'unreadable',
  duplicate: 'repeats',
  constant: 'column',
  stale: 'repeats',
  chart: 'drift',
  beside: 'drift',
  performance: 'drift',
  quality: 'labels',
  'quality-beside': 'labels',
  labelling: 'labels',
  caller: 'drift',
  learning: 'version',
  'unknown-version': 'version',
  'no-baseline': 'version',
  integrity: 'evidence',
  'insufficient-data': 'few',
};

const words: Readonly<Record<Step, string>> = {
  serve:
    'Put the time it began beside the deployments of the service and of what it calls. Roll back where they match.',
  payload:
    'Find the caller whose payload changed: compare its newest release with the columns of the configuration. Roll it back, or configure the new version.',
  column:
    'Ask the owner of the column whether its source stopped; look for nulls in the newest requests of the service.',
  silence:
    'Check that the service answers and that capture is on (SageMaker stops capturing above 75 % disk use). Without calls there is nothing to judge.',
  drift:
    'Compare the bins in the verdict. A jump of all values by one factor is a change of units; one new group is a change of who calls. If the change is right, make a new baseline.',
  labels:
    'Ask who gives the labels whether their rule or source changed. If not, compare the versions that were deployed since the day named, and train anew or go back.',
  unreadable:
    'Look at the reasons under quarantine/ in the state bucket or folder, and at the capture objects they name.',
  repeats:
    'Find out what sends or scores the same again: retries of a caller, a replayed batch, or a feature pipeline that has stopped.',
  version: 'Add the version to the configuration, with its columns and its baseline.',
  evidence: 'Touch nothing. Run `tidewatch audit verify` and keep its output.',
  few: 'Check the traffic. If it is as it should be, choose a longer window.',
  late: 'Look at the log of the evaluation and at how many captures wait. Nothing is lost: windows are judged when it catches up.',
  unheard:
    'Find out why CloudWatch did not ring: the state and the actions of the alarm named below, its metric, its topic (runbook, "Who watches the alerts").',
  cut: 'Watch the alarms in CloudWatch by hand. Look at the topic of the alarms, its subscription and its key, and deploy again.',
  measure:
    'Look at the log of the evaluation for "metrics are unknown": a right to GetMetricData that is missing, or a statistic that CloudWatch refuses.',
  undelivered:
    'Tell who is on call by another way. Look at the topic named below, its subscription to the queue of deliver, and that function, and deploy again.',
  stopped: 'Check the scheduled tick and its log. Until it runs, watch the models by hand.',
};

/** At most three steps, the most urgent first, numbered. */
export function firstSteps(alarm: AlarmNotice, verdicts: readonly StoredVerdict[]): string[] {
  const steps = new Set<Step>();
  for (const { verdict } of verdicts) {
    for (const finding of sortFindings(verdict.findings)) steps.add(stepOfKind[finding.kind]);
  }
  if (alarm.triggers.includes('quarantine')) steps.add('unreadable');
  if (alarm.triggers.includes('lag')) steps.add('late');
  if (alarm.triggers.includes('heartbeat')) steps.add('stopped');
  if (alarm.triggers.includes('alert-path')) steps.add('cut');
  if (alarm.triggers.includes('deliver-path')) steps.add('undelivered');
  const urgent = alarm.triggers.includes('doorbell') ? ['unheard' as const] : [];
  const chosen = [...new Set([...urgent, ...steps])].slice(0, 3).map((step) => words[step]);
  return [...chosen, 'Follow the runbook article below.'].flatMap((step, index) =>
    wrapText(step, `${index + 1}. `, '   '),
  );
}
