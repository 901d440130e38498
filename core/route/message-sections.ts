import { featurePolicy, type ModelPolicy } from '../model/policy.ts';
import type { RecordCounts } from '../model/profile.ts';
import type { FeatureVerdict, SloVerdict, Verdict } from '../model/verdict.ts';
import { formatFigure, formatMinute, formatPercent, formatProbability, formatSpan } from './figures.ts';
import { driftedFeatures, type StoredVerdict, sortFindings } from './judgement.ts';
import { cut, escapeName, escapeText, wrapText } from './plain-text.ts';

/** Findings and features listed; the verdict has the rest. */
const maximumItems = 5;
/** Longest sentence taken over from a finding. */
const maximumSentence = 300;

function item(text: string): string[] {
  return wrapText(text, '- ', '  ');
}

/** The findings that are not green, worst first, by verdict. */
export function describeFindings(verdicts: readonly StoredVerdict[]): string[] {
  const lines: string[] = [];
  for (const { verdict } of verdicts) {
    const findings = sortFindings(verdict.findings);
    if (findings.length === 0) continue;
    lines.push(...wrapText(`${describeScope(verdict)}:`));
    for (const finding of findings.slice(0, maximumItems)) {
      lines.push(...item(`${finding.tier}: ${escapeText(cut(finding.message, maximumSentence))}`));
    }
    if (findings.length > maximumItems)
      lines.push(...item(`and ${findings.length - maximumItems} more in the verdict`));
  }
  return lines;
}

/** `Window 2001-03-10 00:00 UTC to 2001-03-11 00:00 UTC, variant AllTraffic, version v1`. */
function describeScope(verdict: Verdict): string {
  const kind = verdict.mode === 'live' ? 'Live' : 'Window';
  const { start, end } = verdict.window;
  const revision = verdict.revision > 0 ? `, revision ${verdict.revision}` : '';
  return (
    `${kind} ${formatMinute(Date.parse(start))} to ${formatMinute(Date.parse(end))}, ` +
    `variant ${escapeName(verdict.variant)}, version ${escapeName(verdict.version)}${revision}${describeServing(verdict)}`
  );
}

/** `, served by config-7 since 2001-03-01 09:12 UTC (48 %), config-8 since 2001-03-10 00:31 UTC (40 %)`. */
function describeServing({ servedBy = [] }: Verdict): string {
  if (servedBy.length === 0) return '';
  const configs = servedBy.slice(-maximumItems).map(({ config, since, share }) => {
    const known = share === 1 ? '' : ` (${formatPercent(share)})`;
    return `${escapeName(config)} since ${formatMinute(Date.parse(since))}${known}`;
  });
  return `, served by ${configs.join(', ')}`;
}

/** Of the features that drifted, worst first: how improbable by chance, how large, on how many values. */
export function describeSureness(verdicts: readonly StoredVerdict[], policy: ModelPolicy | undefined): string[] {
  const lines: string[] = [];
  for (const { verdict } of verdicts) {
    const drifted = driftedFeatures(verdict);
    if (drifted.length === 0) continue;
    for (const [name, feature] of drifted.slice(0, maximumItems))
      lines.push(...item(describeFeature(name, feature, floorOf(name, verdict, policy))));
    if (drifted.length > maximumItems)
      lines.push(...item(`and ${drifted.length - maximumItems} more drifted features in the verdict`));
    const tested = Object.values(verdict.features).filter((feature) => feature.qValue !== null).length;
    lines.push(
      ...wrapText(
        `Of ${formatFigure(tested)} features tested, at most a share of ${formatFigure(verdict.rule.level)} of those ` +
          `called drifted is expected to be chance (Benjamini-Hochberg; ${escapeText(cut(verdict.rule.calibration, 120))}).`,
      ),
    );
  }
  return lines;
}

/** The smallest PSI that matters for a feature. */
function floorOf(name: string, verdict: Verdict, policy: ModelPolicy | undefined): number {
  const own = policy === undefined ? undefined : featurePolicy(policy, name).minimumEffect;
  return own ?? verdict.rule.minimumEffect;
}

function describeFeature(name: string, feature: FeatureVerdict, floor: number): string {
  const index = feature.scores.populationStabilityIndex;
  const smallest = feature.minimumDetectableEffect;
  const pValues = Object.entries(feature.tests)
    .filter(([test]) => test !== 'effectFloor')
    .map(([test, result]) => `${test} p ${formatProbability(result.pValue)}`);
  const parts = [
    ...(feature.qValue === null ? [] : [`q-value ${formatProbability(feature.qValue)}`]),
    ...(pValues.length === 0 ? [] : [`(${pValues.join(', ')})`]),
    ...(index === undefined ? [] : [`PSI ${formatFigure(index)}, where ${formatFigure(floor)} is worth a look`]),
    ...(smallest === null ? [] : [`and ${formatFigure(smallest)} would have been seen`]),
    `in ${formatFigure(feature.current.count)} values against ${formatFigure(feature.baseline.count)}`,
  ];
  return `${escapeName(name)}: ${parts.join(' ')}${describeShift(feature)}`;
}

function describeShift({ baseline, current }: FeatureVerdict): string {
  const shifts: string[] = [];
  if (baseline.mean !== undefined && current.mean !== undefined)
    shifts.push(`mean ${formatFigure(baseline.mean)} -> ${formatFigure(current.mean)}`);
  const before = baseline.missing / (baseline.count + baseline.missing);
  const after = current.missing / (current.count + current.missing);
  if (Math.abs(after - before) > 0.001) shifts.push(`missing ${formatShare(before)} -> ${formatShare(after)}`);
  return shifts.length === 0 ? '' : `; ${shifts.join(', ')}`;
}

function formatShare(share: number): string {
  return formatPercent(Number(share.toPrecision(3)));
}

/** The objectives with their numbers, broken ones first. */
export function describeSlos(verdicts: readonly StoredVerdict[], policy: ModelPolicy | undefined): string[] {
  const slos = verdicts.flatMap(({ verdict }) => verdict.slos);
  const sorted = slos.sort((a, b) => rankOf(b) - rankOf(a));
  const lines = sorted.slice(0, maximumItems).flatMap((slo) => item(describeSlo(slo, policy)));
  return sorted.length > maximumItems
    ? [...lines, ...item(`and ${sorted.length - maximumItems} more in the verdict`)]
    : lines;
}

function rankOf({ broken, burning }: SloVerdict): number {
  return broken ? 2 : burning ? 1 : 0;
}

function describeSlo(slo: SloVerdict, policy: ModelPolicy | undefined): string {
  const configured = policy?.slos.find((candidate) => candidate.kind === slo.kind && candidate.name === slo.name);
  const meaning =
    configured?.kind === 'latency'
      ? ` under ${formatFigure(configured.thresholdMilliseconds)} ms`
      : slo.feature === undefined
        ? ''
        : ` of ${escapeName(slo.feature)}`;
  const good =
    slo.valid === 0
      ? 'nothing to judge by'
      : `${formatPercent(slo.good / slo.valid)} good of ${formatFigure(slo.valid)}`;
  const parts = [
    `${slo.broken ? 'BROKEN' : slo.burning ? 'burns slowly' : 'kept'}, ${good}, objective ${formatPercent(slo.objective)}`,
    ...(slo.burnRateLong === undefined ? [] : [`burn ${formatFigure(slo.burnRateLong)}x over 1 h`]),
    ...(slo.burnRateShort === undefined ? [] : [`${formatFigure(slo.burnRateShort)}x now`]),
    ...(slo.errorBudgetRemaining === undefined
      ? []
      : [`${formatShare(slo.errorBudgetRemaining)} of the error budget left`]),
    ...(slo.errorBudgetExhaustionSeconds === undefined
      ? []
      : [`which lasts ${formatSpan(slo.errorBudgetExhaustionSeconds * 1000)} at the rate of the last 6 h`]),
  ];
  return `${escapeName(slo.name)}${meaning}: ${parts.join(', ')}`;
}

/** How the records of each window add up. */
export function describeRecords(verdicts: readonly StoredVerdict[]): string[] {
  return verdicts.flatMap(({ verdict }) => [
    ...item(`inferences: ${describeCounts(verdict.records)}`),
    ...(verdict.requests === undefined ? [] : item(`requests: ${describeCounts(verdict.requests)}`)),
  ]);
}

function describeCounts(counts: RecordCounts): string {
  const parts = (['quarantined', 'duplicate', 'pending', 'expired'] as const)
    .filter((kind) => counts[kind] > 0)
    .map((kind) => `${formatFigure(counts[kind])} ${kind}`);
  const late = counts.late > 0 ? ` (${formatFigure(counts.late)} late)` : '';
  return `${formatFigure(counts.captured)} captured = ${[`${formatFigure(counts.counted)} counted${late}`, ...parts].join(' + ')}`;
}
