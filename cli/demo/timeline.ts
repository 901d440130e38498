import type { Message } from '../../core/model/delivery.ts';
import type { Verdict } from '../../core/model/verdict.ts';
import { wrap } from '../command.ts';
import type { Style, Terminal } from '../terminal.ts';
import type { Flight } from './flights.ts';
import { type Incident, incidents } from './incidents.ts';

const millisecondsPerDay = 86_400_000;
const strip: Readonly<Record<Verdict['tier'], readonly [symbol: string, style: Style]>> = {
  green: ['·', 'green'],
  yellow: ['●', 'yellow'],
  red: ['■', 'red'],
};

export interface TimelineFacts {
  readonly verdicts: readonly Verdict[];
  readonly messages: readonly Message[];
  readonly flights: readonly Flight[];
  /** Mean delay over the baseline's days, minutes. */
  readonly usualDelayMinutes: number;
}

/** Prints what happened, day by day, for a person. */
export function printTimeline(facts: TimelineFacts, terminal: Terminal): void {
  const days = [...facts.verdicts].sort((a, b) => (a.window.start < b.window.start ? -1 : 1));
  terminal.print(terminal.paint('bold', 'Days judged'));
  printStrip(days, facts.messages, terminal);
  terminal.print();
  terminal.print(terminal.paint('bold', 'Timeline (UTC)'));
  const entries = [
    ...days.filter(({ tier }) => tier !== 'green').map((verdict) => dayEntry(verdict, facts)),
    ...Object.values(incidents).map(incidentEntry),
    ...facts.messages.map(messageEntry),
  ].sort((a, b) => a.time - b.time);
  for (const entry of entries) printEntry(entry, terminal);
  terminal.print();
  printQuietDays(facts, terminal);
}

/** The days before the first incident, in a sentence. */
function printQuietDays({ verdicts, messages, flights, usualDelayMinutes }: TimelineFacts, terminal: Terminal): void {
  const first = Math.min(...Object.values(incidents).map(({ from }) => Date.parse(from)));
  const before = verdicts.filter(({ window }) => Date.parse(window.end) <= first);
  const pages = messages.filter(({ time, tier, event }) => time < first && tier === 'red' && event === 'raised').length;
  const yellow = before.filter(({ tier }) => tier === 'yellow');
  const delays = yellow.map(({ window }) => meanDelay(Date.parse(window.start), flights));
  const range = `${Math.min(...delays).toFixed(1)} to ${Math.max(...delays).toFixed(1)}`;
  const text = `Before the first incident: ${before.length} days, ${pages} pages, ${yellow.length} yellow.`;
  const why = `On the yellow days flights left ${range} minutes late on average, ${usualDelayMinutes.toFixed(1)} over the baseline.`;
  for (const line of wrap(delays.length > 0 ? `${text} ${why}` : text, terminal.width - 2)) terminal.print(`  ${line}`);
}

/** A symbol a day, a line a month. A day on which red was raised is shown red: its window itself may be green. */
function printStrip(days: readonly Verdict[], messages: readonly Message[], terminal: Terminal): void {
  const paged = new Set(
    messages.filter(({ tier, event }) => tier === 'red' && event === 'raised').map(({ time }) => dayOf(time)),
  );
  const months = Map.groupBy(days, ({ window }) => window.start.slice(0, 7));
  for (const [month, verdicts] of months) {
    const first = Number(verdicts[0]?.window.start.slice(8, 10) ?? 1);
    const symbols = verdicts.map(({ tier, window }) => {
      const [symbol, style] = strip[paged.has(window.start.slice(0, 10)) ? 'red' : tier];
      return terminal.paint(style, symbol);
    });
    terminal.print(`  ${month}  ${' '.repeat(2 * (first - 1))}${symbols.join(' ')}`);
  }
  terminal.print(
    `  ${terminal.paint('dim', '· green   ● yellow: a feature drifted that day   ■ red: someone was paged')}`,
  );
}

interface Entry {
  /** Where it stands among the others: a day when it is over. */
  readonly time: number;
  readonly stamp: string;
  readonly label: string;
  readonly style: Style;
  readonly lines: readonly string[];
}

function dayEntry(verdict: Verdict, facts: TimelineFacts): Entry {
  const start = Date.parse(verdict.window.start);
  const injected = Object.values(incidents).filter(
    ({ from, to }) => Date.parse(from) < start + millisecondsPerDay && Date.parse(to) > start,
  );
  const judged = verdict.findings.filter(({ tier }) => tier !== 'green');
  const findings = judged.map(({ message }) => message);
  const why =
    injected.length > 0 ? injected.map(({ what }) => `injected: ${what}`) : [explainDay(start, judged, facts)];
  return {
    time: Date.parse(verdict.window.end),
    stamp: verdict.window.start.slice(0, 10),
    label: verdict.tier.toUpperCase(),
    style: strip[verdict.tier][1],
    lines: [...findings, ...why],
  };
}

/** A day after an incident may still be yellow for it: what began in one is not in the real data. */
function explainDay(start: number, findings: Verdict['findings'], facts: TimelineFacts): string {
  const onsets = findings.map(({ evidence }) => Date.parse(String(evidence.onset)));
  const cause = Object.values(incidents).find(({ from, to }) =>
    onsets.some((onset) => onset >= Date.parse(from) - millisecondsPerDay && onset < Date.parse(to)),
  );
  return cause ? `injected before: ${cause.what}` : describeDelays(start, facts);
}

/** What the real data says of a day: the reason for its yellow that needs no statistics. */
function describeDelays(start: number, { flights, usualDelayMinutes }: TimelineFacts): string {
  const mean = meanDelay(start, flights).toFixed(1);
  return `real data: flights left ${mean} minutes late on average that day, ${usualDelayMinutes.toFixed(1)} over the baseline`;
}

function meanDelay(start: number, flights: readonly Flight[]): number {
  const ofDay = flights.filter(({ time }) => time >= start && time < start + millisecondsPerDay);
  return ofDay.reduce((sum, { delayMinutes }) => sum + delayMinutes, 0) / Math.max(ofDay.length, 1);
}

function incidentEntry({ from, to, what }: Incident): Entry {
  const until = to.slice(0, 10) === from.slice(0, 10) ? to.slice(11, 16) : to.slice(0, 16).replace('T', ' ');
  return {
    time: Date.parse(from),
    stamp: stampOf(Date.parse(from)),
    label: 'INJECT',
    style: 'cyan',
    lines: [`until ${until}: ${what}`],
  };
}

function messageEntry({ time, subject, tier, event }: Message): Entry {
  const style = event === 'recovered' ? 'green' : tier;
  return { time, stamp: stampOf(time), label: 'SENT', style, lines: [`to ${tier}: ${subject}`] };
}

const stampWidth = 16;
const labelWidth = 6;

function printEntry({ stamp, label, style, lines }: Entry, terminal: Terminal): void {
  const indent = stampWidth + labelWidth + 6;
  const [first = '', ...rest] = lines.flatMap((line) => wrap(line, terminal.width - indent));
  terminal.print(`  ${stamp.padEnd(stampWidth)}  ${terminal.paint(style, label.padEnd(labelWidth))}  ${first}`);
  for (const line of rest) terminal.print(`${' '.repeat(indent)}${line}`);
}

function stampOf(time: number): string {
  return new Date(time).toISOString().slice(0, stampWidth).replace('T', ' ');
}

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
