import type { ModelPolicy } from '../model/policy.ts';
import type { Summary, Window } from '../model/profile.ts';
import type { QuarantineReason } from '../model/quarantine.ts';
import type { Finding } from '../model/verdict.ts';
import {
  formatCount,
  formatDuration,
  formatName,
  formatNumber,
  formatShareBeside,
  formatShareBound,
} from './number-text.ts';

/** Of silence where the source can't tell calls. */
export const callsUnknown = 'calls may have been lost: the source does not say whether the model was called';

/** Fewer quarantined rows than this are not worth a finding, whatever their share. */
export const minimumQuarantined = 5;

const typeReasons: ReadonlySet<string> = new Set<QuarantineReason>(['not-a-number', 'not-finite', 'not-text']);

/**
 * Judges the share of records that could not be read. `type` where values of a wrong type alone exceed the share
 * allowed, `quarantine` where the other reasons do, or all of them together.
 */
export function findQuarantine(summary: Summary, policy: ModelPolicy): readonly Finding[] {
  const { captured, quarantined } = summary.records;
  const allowed = policy.drift.maximumQuarantineShare;
  const exceeds = (rows: number) => rows >= minimumQuarantined && captured > 0 && rows / captured > allowed;
  const wrongType = summary.quarantine.filter(([reason]) => typeReasons.has(reason));
  const others = summary.quarantine.filter(([reason]) => !typeReasons.has(reason));
  const findings: Finding[] = [];
  const report = (kind: 'type' | 'quarantine', rows: number, reasons: Summary['quarantine'], what: string) =>
    findings.push({
      id: kind,
      tier: 'yellow',
      kind,
      message: `${formatShareBeside(rows / captured, allowed)} of ${formatNumber(captured)} captured records ${what} (${describeReasons(reasons)}), ${formatShareBound(allowed)} are allowed`,
      evidence: { quarantined: rows, captured, share: rows / captured, allowed },
    });
  const wrongTypeRows = Math.min(countOf(wrongType), quarantined);
  if (exceeds(wrongTypeRows)) report('type', wrongTypeRows, wrongType, 'hold values of a wrong type');
  const otherRows = Math.min(countOf(others), quarantined);
  if (exceeds(otherRows)) report('quarantine', otherRows, others, 'could not be read');
  if (findings.length === 0 && exceeds(quarantined)) {
    report('quarantine', quarantined, summary.quarantine, 'could not be read');
  }
  return findings;
}

/**
 * Judges a closed window in which nothing was captured. Green where the source confirms that nobody called the model;
 * red where calls are known. Where nobody can tell, it is silence: red in a window as long as the model may be silent
 * (see `silenceAfterSeconds`), green in a shorter one, for a quiet night must not page.
 */
export function judgeEmptyWindow(
  summary: Summary,
  window: Window,
  invocations: number | undefined,
  allowedSilenceSeconds: number,
): Finding {
  const seconds = (window.end - window.start) / 1000;
  const span = formatDuration(seconds);
  const requests = summary.requests.counted;
  const silence = { id: 'silence', kind: 'silence' } as const;
  const evidence = { records: 0, requests, invocations: invocations ?? null, allowedSeconds: allowedSilenceSeconds };
  const calls = Math.max(requests, invocations ?? 0);
  if (calls > 0) {
    const message = `no record in a window of ${span}, although ${formatNumber(calls)} calls are known: captures are missing`;
    return { ...silence, tier: 'red', message, evidence };
  }
  if (invocations === 0) {
    const message = `no record in a window of ${span}, and the source confirms that the model was not called`;
    return { ...silence, tier: 'green', message, evidence };
  }
  const observed = `no record in a window of ${span}`;
  if (seconds >= allowedSilenceSeconds)
    return { ...silence, tier: 'red', message: `${observed}; ${callsUnknown}`, evidence };
  const message = `${observed}; up to ${formatDuration(allowedSilenceSeconds)} of silence are usual, and the source does not say whether the model was called`;
  return { ...silence, tier: 'green', message, evidence };
}

/** Says that a window holds too few records to judge drift, and what it could have shown. */
export function describeInsufficientData(counted: number, minimumRecords: number, detectable: number | null): Finding {
  const could =
    detectable === null
      ? 'such a window can show no drift at all'
      : `a typical feature would have to reach a PSI of ${formatNumber(Number(detectable.toPrecision(2)))} to be noticed`;
  return {
    id: 'insufficient-data',
    tier: 'green',
    kind: 'insufficient-data',
    message: `${formatCount(counted, 'record')}, at least ${formatNumber(minimumRecords)} are needed to judge drift; ${could}`,
    evidence: { records: counted, minimumRecords, minimumDetectableEffect: detectable },
  };
}

/** Says that there is nothing to compare with. */
export function describeMissingBaseline(version: string, counted: number): Finding {
  return {
    id: 'no-baseline',
    tier: 'green',
    kind: 'no-baseline',
    message: `version ${formatName(version)} has no baseline: ${formatNumber(counted)} records were counted, drift was not judged`,
    evidence: { records: counted },
  };
}

/** Says that records come from a version that the configuration does not name. */
export function findUnknownVersion(policy: ModelPolicy, version: string): Finding | undefined {
  if (policy.versions.some(({ match }) => matchesVersion(match, version))) return undefined;
  const expected = policy.versions.map(({ match }) => formatName(match)).join(', ');
  return {
    id: 'unknown-version',
    tier: 'yellow',
    kind: 'unknown-version',
    message: `records of version ${formatName(version)}, which the configuration does not name (it names ${expected || 'none'})`,
    evidence: { configuredVersions: policy.versions.length },
  };
}

/** True where a version is meant by a literal, or by a prefix followed by `*`. */
function matchesVersion(match: string, version: string): boolean {
  return match.endsWith('*') ? version.startsWith(match.slice(0, -1)) : match === version;
}

function countOf(reasons: Summary['quarantine']): number {
  return reasons.reduce((sum, [, count]) => sum + count, 0);
}

function describeReasons(reasons: Summary['quarantine']): string {
  const ranked = [...reasons].sort((a, b) => b[1] - a[1]).slice(0, 3);
  return (
    ranked.map(([reason, count]) => `${formatNumber(count)} ${formatName(reason).replaceAll('-', ' ')}`).join(', ') ||
    'reason unknown'
  );
}
