import type { Message } from '../../core/model/delivery.ts';
import { findLost, type ToldIncident } from '../../core/pipeline/backtest/summarise.ts';
import { wrap } from '../command.ts';
import { countText } from '../count-text.ts';
import { makePrintable } from '../printable-text.ts';
import { paintTier, type Terminal } from '../terminal.ts';
import type { Period, Side, Suggestion } from './report.ts';

/** The time before a line. */
const stampWidth = 18;
const maximumMessages = 60;

/** Prints what would have happened, for a person. */
export function printBacktest(
  head: { readonly source: string; readonly templates: readonly string[]; readonly alarms: number },
  period: Period,
  current: Side,
  against: Side | undefined,
  suggestion: Suggestion | undefined,
  terminal: Terminal,
): void {
  const judged = current.replayed.windows.length;
  const of = `${countText(head.alarms, 'alarm')} of ${head.templates.join(' and ')}`;
  terminal.print();
  terminal.print(terminal.paint('bold', `What ${current.config} would have sent`));
  printText(
    `${head.source}, ${day(period.from)} to ${day(period.to)} (${current.summary.weeks.toFixed(1)} weeks), ${countText(judged, 'window')} judged; ${of}`,
    terminal,
  );
  printMessages(current.replayed.messages, terminal);
  printKnown(current, terminal);
  if (against) {
    terminal.print();
    terminal.print(terminal.paint('bold', `What ${against.config} would have sent`));
    printMessages(against.replayed.messages, terminal);
    printKnown(against, terminal);
  }
  printSummary(current, against, terminal);
  if (against) printDifference(current, against, terminal);
  if (suggestion) printSuggestion(suggestion, terminal);
}

function printMessages(messages: readonly Message[], terminal: Terminal): void {
  terminal.print();
  if (messages.length === 0) terminal.print('  Nothing: nobody would have been told of anything.');
  for (const { time, tier, event, subject } of messages.slice(0, maximumMessages)) {
    const [first = '', ...rest] = wrap(makePrintable(subject), terminal.width - stampWidth);
    const paint = (line: string) =>
      event === 'recovered' ? terminal.paint('green', line) : paintTier(terminal, tier, line);
    terminal.print(`${stamp(time).padEnd(stampWidth)}${paint(first)}`);
    for (const line of rest) terminal.print(`${' '.repeat(stampWidth)}${line}`);
  }
  if (messages.length > maximumMessages)
    terminal.print(`  … and ${messages.length - maximumMessages} more; --json has them all`);
}

function printKnown({ detections, quiet }: Side, terminal: Terminal): void {
  if (detections.length === 0) return;
  terminal.print();
  terminal.print(terminal.paint('bold', 'Known incidents'));
  const width = Math.max(...detections.map(({ incident }) => makePrintable(incident.name).length)) + 2;
  for (const { incident, first, firstPage, told } of detections) {
    const page =
      firstPage !== undefined && first?.tier === 'yellow' ? `, page after ${span(firstPage - incident.from)}` : '';
    const found = first
      ? `${paintTier(terminal, first.tier, first.tier)} after ${span(first.time - incident.from)}${page}, ${countText(told.length, 'incident')}`
      : terminal.paint('red', 'MISSED');
    terminal.print(`  ${makePrintable(incident.name).padEnd(width)}${stamp(incident.from)}  ${found}`);
  }
  if (!quiet) return;
  const { windows, pages, notices } = quiet;
  terminal.print(
    `  Before the first: ${countText(windows, 'window')} judged, ${countText(pages, 'page')}, ${notices} yellow.`,
  );
}

function printSummary(current: Side, against: Side | undefined, terminal: Terminal): void {
  terminal.print();
  const sides = against ? [current, against] : [current];
  const row = (label: string, cells: readonly string[]) =>
    terminal.print(`  ${label.padEnd(24)}${cells.map((cell) => cell.padStart(12)).join('')}`);
  if (against) row('', ['now', 'changed']);
  const rows: readonly (readonly [label: string, cell: (side: Side) => string])[] = [
    ['pages a week', ({ summary }) => rate(summary.pagesPerWeek)],
    ['yellow a week', ({ summary }) => rate(summary.noticesPerWeek)],
    ['incidents', ({ summary }) => String(summary.incidents)],
  ];
  const known: typeof rows = [
    ['known incidents found', ({ summary, detections }) => `${summary.detected} of ${detections.length}`],
    [
      'time to detect, mean',
      ({ summary: { meanDelaySeconds: mean } }) => (mean === undefined ? '–' : span(mean * 1000)),
    ],
    ['pages beside them', ({ summary }) => String(summary.besides?.pages ?? 0)],
    ['yellow beside them', ({ summary }) => String(summary.besides?.notices ?? 0)],
  ];
  for (const [label, cell] of current.detections.length > 0 ? [...rows, ...known] : rows) row(label, sides.map(cell));
}

function printDifference(current: Side, against: Side, terminal: Terminal): void {
  const lists: readonly (readonly [string, readonly ToldIncident[]])[] = [
    [`Not told any more under ${against.config}`, findLost(current.incidents, against.incidents)],
    [`Told only under ${against.config}`, findLost(against.incidents, current.incidents)],
  ];
  terminal.print();
  for (const [title, incidents] of lists) {
    terminal.print(terminal.paint('bold', `${title}: ${incidents.length === 0 ? 'nothing' : incidents.length}`));
    for (const incident of incidents) terminal.print(`  ${stamp(incident.began)}  ${makePrintable(incident.subject)}`);
  }
  if (against.how === 'rejudged') printText('The changed side was judged anew from the recorded fragments.', terminal);
}

function printSuggestion({ wanted, wants, trials, proposals, tickMinutes }: Suggestion, terminal: Terminal): void {
  const tiers = [
    ['red', 'pages', wanted.pagesPerWeek],
    ['yellow', 'yellow', wanted.noticesPerWeek],
  ] as const;
  for (const [tier, word, most] of tiers) {
    if (most === undefined) continue;
    terminal.print();
    terminal.print(terminal.paint('bold', `For at most ${rate(most)} ${word} a week`));
    if (!wants[tier]) printText('Nothing has to change: it is within that now.', terminal);
    else if (!proposals.some((one) => one.tier === tier)) printUnreached(tier, trials, terminal);
    for (const proposal of proposals) if (proposal.tier === tier) printProposal(proposal, terminal);
  }
  if (proposals.length > 0)
    printText(`Tried in steps of ${tickMinutes} minutes. Look at a change in full with --against.`, terminal);
}

function printProposal({ changes, outcome }: Suggestion['proposals'][number], terminal: Terminal): void {
  const sets = changes.map(({ setting, from, to }) => `${setting} = ${to} (now ${from})`).join(', ');
  printText(`${sets}: ${rate(outcome.pagesPerWeek)} pages and ${rate(outcome.noticesPerWeek)} yellow a week`, terminal);
  const missed = outcome.missed.length > 0 ? `known incidents missed: ${outcome.missed.join(', ')}` : '';
  const lost = outcome.lost.map(({ began, subject }) => `${stamp(began)} ${subject}`).join('; ');
  const price = [missed, lost === '' ? '' : `not told any more: ${lost}`].filter((part) => part !== '').join('. ');
  printText(price === '' ? 'nothing would be missed' : makePrintable(price), terminal, 4);
}

function printUnreached(tier: 'yellow' | 'red', trials: Suggestion['trials'], terminal: Terminal): void {
  const own = trials.filter((trial) => trial.tier === tier);
  const counts = own.map(({ outcome }) => (tier === 'red' ? outcome.pagesPerWeek : outcome.noticesPerWeek));
  const fewest =
    counts.length === 0
      ? 'none has a hand in them'
      : `the fewest of ${countText(own.length, 'trial')} were ${rate(Math.min(...counts))}`;
  const left =
    tier === 'red'
      ? 'What is left are faults that no setting explains away: a broken schema, or an objective missed by far.'
      : 'What is left is large, or is not drift.';
  printText(`No setting gets there: ${fewest}. ${left}`, terminal);
}

function printText(text: string, terminal: Terminal, indent = 2): void {
  const [first = '', ...rest] = wrap(text, terminal.width - indent - 2);
  terminal.print(`${' '.repeat(indent)}${first}`);
  for (const line of rest) terminal.print(`${' '.repeat(indent + 2)}${line}`);
}

function rate(value: number): string {
  return value === 0 ? '0' : value < 10 ? value.toFixed(2) : value.toFixed(0);
}

function stamp(time: number): string {
  return new Date(time).toISOString().slice(0, 16).replace('T', ' ');
}

function day(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

/** `32 min`, `1 h 2 min`, `1 d 38 min`. */
function span(milliseconds: number): string {
  const minutes = Math.round(milliseconds / 60_000);
  const parts = [
    [Math.floor(minutes / 1440), 'd'],
    [Math.floor(minutes / 60) % 24, 'h'],
    [minutes % 60, 'min'],
  ] as const;
  const shown = parts.filter(([count]) => count > 0).slice(0, 2);
  return shown.length === 0 ? '0 min' : shown.map(([count, unit]) => `${count} ${unit}`).join(' ');
}
