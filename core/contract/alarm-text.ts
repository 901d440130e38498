import type { AlarmDefinition, MissingDataTreatment } from '../model/alarm.ts';

/** CloudWatch's limit on an alarm's description, in characters. */
export const maximumAlarmDescriptionLength = 1024;

const runbookLabel = 'Runbook: ';
const missingLabel = 'Missing data: ';

/**
 * The description an alarm is deployed with: what it means, where its runbook article is, and for a metric alarm how
 * missing data is treated and why.
 * @throws {RangeError} where CloudWatch would refuse it.
 */
export function formatAlarmDescription(definition: AlarmDefinition): string {
  const lines = [definition.description, `${runbookLabel}${definition.runbook}`];
  if (definition.type !== 'composite') {
    lines.push(`${missingLabel}${definition.missingData}, because ${definition.missingDataReason}`);
  }
  const text = lines.join('\n');
  if (text.length > maximumAlarmDescriptionLength) {
    throw new RangeError(
      `alarm ${definition.name}: expected a description of at most ${maximumAlarmDescriptionLength} characters with its runbook link, saw ${text.length}`,
    );
  }
  return text;
}

/** What a deployed description says; undefined for a text of another form. */
export function parseAlarmDescription(
  text: string,
): { readonly description: string; readonly runbook: string; readonly missingDataReason?: string } | undefined {
  const match =
    /^(?<description>[^\n]*)\nRunbook: (?<runbook>\S+)(?:\nMissing data: \w+, because (?<reason>[^\n]*))?$/.exec(text);
  const { description, runbook, reason } = match?.groups ?? {};
  if (description === undefined || runbook === undefined) return undefined;
  return reason === undefined ? { description, runbook } : { description, runbook, missingDataReason: reason };
}

export const missingDataTreatments: readonly MissingDataTreatment[] = [
  'breaching',
  'notBreaching',
  'ignore',
  'missing',
];
