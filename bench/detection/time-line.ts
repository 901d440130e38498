import type { Terminal } from '../../cli/terminal.ts';
import type { Finding } from '../../core/model/verdict.ts';
import type { JudgedStream, JudgedStreamWindow } from './judge-records.ts';
import { findEpisodes, type StreamEpisode } from './stream-episodes.ts';
import { describeUnread } from './unread-rows.ts';

const dayMilliseconds = 86_400_000;
const daysPerWeek = 7;

/** A week of judged windows. */
export interface StreamWeek {
  /** The Monday it begins with, `2026-03-02`. */
  readonly week: string;
  readonly records: number;
  readonly windows: number;
  readonly yellowWindows: number;
  /** What was found in it, features first of all, and the largest PSI of each. */
  readonly found: readonly (readonly [feature: string, populationStabilityIndex: number | null])[];
}

/** Adds up windows by calendar week, UTC. */
export function summariseWeeks(windows: readonly JudgedStreamWindow[]): readonly StreamWeek[] {
  return [...groupByWeek(windows)].map(([week, members]) => {
    const found = new Map<string, number | null>();
    for (const finding of members.flatMap(({ findings }) => findings)) {
      const subject = subjectOf(finding);
      const before = found.get(subject) ?? null;
      const now = numberIn(finding, 'populationStabilityIndex');
      found.set(subject, before === null || (now ?? 0) > before ? now : before);
    }
    return {
      week: isoDate(week),
      records: members.reduce((sum, { records }) => sum + records, 0),
      windows: members.length,
      yellowWindows: members.filter(({ findings }) => findings.length > 0).length,
      found: [...found].sort(([, a], [, b]) => (b ?? 0) - (a ?? 0)),
    };
  });
}

/** Prints what was found: the conclusion first, then a line per week with its days, then each run of yellow windows. */
export function printTimeLine(stream: JudgedStream, terminal: Terminal): void {
  const { windows, baseline } = stream;
  const yellow = windows.filter(({ findings }) => findings.length > 0);
  const weeks = groupByWeek(windows);
  const yellowWeeks = [...weeks.values()].filter((members) => members.some(({ findings }) => findings.length > 0));
  const found =
    yellow.length === 0
      ? `Nothing found in ${windows.length} windows.`
      : `Something found in ${yellow.length} of ${windows.length} windows, in ${yellowWeeks.length} of ${weeks.size} weeks; the first at ${isoMinute(yellow[0]?.start ?? 0)}.`;
  const unread = describeUnread(stream.unread);
  terminal.print(terminal.paint('bold', unread === undefined ? found : `${found} ${unread}.`));
  terminal.print(`Baseline: ${baseline.records} records. ${stream.calibration}.`);
  for (const note of baseline.notes) terminal.print(`  ${note}`);
  terminal.print();
  terminal.print('  week of      Mo Tu We Th Fr Sa Su   (· quiet, ▲ yellow, blank: no record)');
  for (const [week, members] of weeks) terminal.print(`  ${isoDate(week)}   ${drawDays(week, members, terminal)}`);
  if (yellow.length === 0) return;
  terminal.print();
  for (const episode of findEpisodes(windows)) printEpisode(episode, terminal);
}

function drawDays(week: number, members: readonly JudgedStreamWindow[], terminal: Terminal): string {
  const marks = Array.from({ length: daysPerWeek }, (_, day) => {
    const from = week + day * dayMilliseconds;
    const inDay = members.filter(({ start }) => start >= from && start < from + dayMilliseconds);
    if (inDay.length === 0) return '  ';
    return inDay.some(({ findings }) => findings.length > 0) ? terminal.paint('yellow', '▲ ') : '· ';
  });
  const names = [...new Set(members.flatMap(({ findings }) => findings.map(subjectOf)))];
  const listed = names.slice(0, 6).join(', ') + (names.length > 6 ? ` and ${names.length - 6} more` : '');
  return `${marks.join(' ')}  ${listed}`.trimEnd();
}

function printEpisode({ first, last, windows, said }: StreamEpisode, terminal: Terminal): void {
  const until = windows > 1 ? ` to ${isoMinute(last)} (${windows} windows)` : '';
  terminal.print(`${terminal.paint('yellow', 'yellow')} ${isoMinute(first)}${until}`);
  for (const { at, finding } of said) {
    terminal.print(`    ${at === first ? '' : `from ${isoMinute(at)}: `}${finding.message}`);
  }
}

/** What a finding is about: a feature, or what its id names after its kind. */
function subjectOf({ feature, id, kind }: Finding): string {
  return feature ?? (id.startsWith(`${kind}:`) ? id.slice(kind.length + 1) : id);
}

function numberIn({ evidence }: Finding, name: string): number | null {
  const value = evidence[name];
  return typeof value === 'number' ? value : null;
}

function groupByWeek(windows: readonly JudgedStreamWindow[]): Map<number, JudgedStreamWindow[]> {
  const weeks = new Map<number, JudgedStreamWindow[]>();
  for (const window of windows) {
    const week = mondayOf(window.start);
    const members = weeks.get(week);
    if (members) members.push(window);
    else weeks.set(week, [window]);
  }
  return weeks;
}

/** 00:00 UTC of the Monday at or before a time. */
function mondayOf(time: number): number {
  const midnight = Math.floor(time / dayMilliseconds) * dayMilliseconds;
  return midnight - ((new Date(midnight).getUTCDay() + 6) % daysPerWeek) * dayMilliseconds;
}

function isoDate(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

function isoMinute(time: number): string {
  return new Date(time).toISOString().slice(0, 16).replace('T', ' ');
}
