import type { Message } from '../../core/model/delivery.ts';
import type { Verdict } from '../../core/model/verdict.ts';
import { wrap } from '../command.ts';
import { paintTier, type Style, type Terminal } from '../terminal.ts';
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
  readonly time: number;
  readonly label: string;
  readonly style: Style;
  readonly lines: readonly string[];
}

function dayEntry(verdict: Verdict, facts: TimelineFacts): Entry {
  const start = Date.parse(verdict.window.start);
  const injected = Object.values(incidents).filter(
    ({ from, to }) => Date.parse(from) < start + millisecondsPerDay && Date.parse(to) > start,
  );
  const findings = verdict.findings.filter(({ tier }) => tier !== 'green').map(({ message }) => message);
  const why = injected.length > 0 ? injected.map(({ what }) => `injected: ${what}`) : [describeDelays(start, facts)];
  return {
    time: start,
    label: verdict.tier.toUpperCase(),
    style: strip[verdict.tier][1],
    lines: [...findings, ...why],
  };
}

/** What the real data says of a day: the reason for its yellow that needs no statistics. */
function describeDelays(start: number, { flights, usualDelayMinutes }: TimelineFacts): string {
  const delays = flights
    .filter(({ time }) => time >= start && time < start + millisecondsPerDay)
    .map(({ delayMinutes }) => delayMinutes);
  const mean = delays.reduce((sum, delay) => sum + delay, 0) / Math.max(delays.length, 1);
  return `real data: that day's ${delays.length} flights left ${mean.toFixed(1)} minutes late on average; over the baseline ${usualDelayMinutes.toFixed(1)}`;
}

function incidentEntry({ from, to, what }: Incident): Entry {
  const until = to.slice(0, 10) === from.slice(0, 10) ? to.slice(11, 16) : to.slice(0, 16).replace('T', ' ');
  return { time: Date.parse(from) - 1, label: 'INJECT', style: 'cyan', lines: [`until ${until}: ${what}`] };
}

function messageEntry({ time, subject, tier, event }: Message): Entry {
  const style = event === 'recovered' ? 'green' : tier;
  return { time, label: 'SENT', style, lines: [`to ${tier}: ${subject}`] };
}

function printEntry({ time, label, style, lines }: Entry, terminal: Terminal): void {
  const stamp = new Date(label === 'INJECT' ? time + 1 : time).toISOString().slice(0, 16).replace('T', ' ');
  const isDay = label === 'YELLOW' || label === 'RED' || label === 'GREEN';
  const shown = isDay ? `${stamp.slice(0, 10)}      ` : stamp;
  const [first = '', ...rest] = lines.flatMap((line) => wrap(line, 88));
  terminal.print(
    `  ${shown}  ${isDay && style !== 'cyan' ? paintTier(terminal, style === 'red' ? 'red' : 'yellow', label.padEnd(6)) : terminal.paint(style, label.padEnd(6))}  ${first}`,
  );
  for (const line of rest) terminal.print(`  ${' '.repeat(26)}${line}`);
}

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
