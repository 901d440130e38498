import type { Terminal } from '../../cli/terminal.ts';
import type { DetectionReport, RuleReport, ShiftReport } from './detection-report.ts';
import type { WindowTiming } from './result-file.ts';
import type { SizesByTest } from './shipped-size.ts';

/** Targets of the shipped rule, beside which its numbers are printed. */
export const targets = {
  falseYellowPerModelWeek: 0.1,
  falseRedPerModelWeek: 0.01,
  /** Largest factor between size and level, either way. */
  size: { '0.05': 1.1, '0.01': 1.1, '0.0001': 2, '0.000001': 3 },
  delayWindows: { '0.005': 13, '0.01': 7, '0.02': 3, '0.05': 2 },
  delayWindowsAtFloor: { '0.03': 16, '0.05': 4, '0.1': 2 },
  subFloorAlarmShare: { '0.01': 0.01 },
  falseDiscoveryProportion: 0.05,
  judgedWindowMilliseconds: 25,
} as const;

type Printed = DetectionReport & {
  readonly judgedWindow: WindowTiming;
  readonly sample?: DetectionReport['scenarios'];
  readonly committedSeed?: string | null;
  readonly code?: string;
  readonly committedCode?: string | null;
};

/** Prints a report as tables, ours against its targets first, then the peers'. */
export function printReport(report: Printed, terminal: Terminal): void {
  const say = (line = '') => terminal.print(line);
  const mark = (right: boolean, text: string) => terminal.paint(right ? 'green' : 'red', text);
  say(terminal.paint('bold', 'False alarms of the shipped defaults, per model-week'));
  if (report.committedSeed !== undefined) {
    const isOlder = report.committedCode !== report.code;
    say(`  from the full run with seed ${JSON.stringify(report.committedSeed)}${isOlder ? ', of other code' : ''}`);
  }
  printScenarios(report.scenarios, terminal, mark);
  if (report.sample) {
    say();
    say(terminal.paint('bold', 'The same, a sample run now'));
    // So few weeks can't say that a rate is low.
    printScenarios(report.sample, terminal, (_, text) => text);
  }
  say();
  say(terminal.paint('bold', 'Size over level, of 500 independent records'));
  for (const [level, size] of Object.entries(report.size)) {
    const factor = size / Number(level);
    const limit = Object.entries(targets.size).find(([key]) => key === level)?.[1] ?? Number.POSITIVE_INFINITY;
    const pearson = mark(factor <= limit && factor >= 1 / limit, `Pearson ${factor.toFixed(3)}`);
    say(`  ${level.padEnd(10)} ${pearson}${describeOthers(report.sizeDetails.independent, Number(level))}`);
  }
  say();
  say(terminal.paint('bold', 'Windows until a change of 10 of 200 features is found, 500 records an hour'));
  printDelays('no floor', report.delayWindows, targets.delayWindows, terminal, mark);
  printDelays('floor .02', report.delayWindowsAtFloor, targets.delayWindowsAtFloor, terminal, mark);
  printDelays('no floor, four weeks of baseline', report.delayWindowsFourWeeks, {}, terminal, mark);
  printDelays('floor .02, four weeks of baseline', report.delayWindowsAtFloorFourWeeks, {}, terminal, mark);
  printShift('a shift of .3σ where features wander by .05σ a day', report.wanderingShift, terminal);
  printShift('the same, a baseline without times', report.trainingTableShift, terminal);
  say();
  printLimit('features below the floor found in a week', report.subFloorAlarmShare['0.01'], 0.01, terminal, mark);
  printLimit('false discovery proportion', report.falseDiscoveryProportion, 0.05, terminal, mark);
  const { medianMilliseconds, ratioToReference } = report.judgedWindow;
  printLimit(
    'milliseconds for a window at all scales',
    medianMilliseconds,
    targets.judgedWindowMilliseconds,
    terminal,
    mark,
  );
  say(`  ${ratioToReference.toFixed(2)} times the time of a million logarithms`);
  say();
  say(terminal.paint('bold', "Other tools' documented defaults on the same streams"));
  for (const [name, peer] of Object.entries(report.peers)) printPeer(name, peer, terminal);
}

function printShift(name: string, { featuresFound, medianDelayWindows }: ShiftReport, terminal: Terminal): void {
  if (featuresFound === null) return;
  const median = medianDelayWindows ?? 'not found';
  terminal.print(`  ${name}: median ${median}, ${featuresFound.toFixed(1)} of 10 features`);
}

function describeOthers(sizes: SizesByTest | undefined, wanted: number): string {
  const ratioOf = (test: keyof SizesByTest) =>
    sizes?.[test].find(({ level }) => level === wanted)?.ratio.toFixed(3) ?? 'not measured';
  return `   ranks ${ratioOf('ranks')}   all tests of a feature together ${ratioOf('combined')}`;
}

type Mark = (right: boolean, text: string) => string;

function printScenarios(scenarios: RuleReport['scenarios'], terminal: Terminal, mark: Mark): void {
  for (const [name, rates] of Object.entries(scenarios)) {
    const { falseYellowPerModelWeek: yellow = 0, falseRedPerModelWeek: red = 0, weeks = 0 } = rates;
    const say = (tier: string, isRight: boolean, rate: number, upper: number | undefined) =>
      mark(isRight, `${tier} ${rate.toFixed(3)}${upper === undefined ? '' : `, at most ${upper.toFixed(3)}`}`);
    // Of the yellows the bound must hold as well.
    const { falseYellowPerModelWeek, falseRedPerModelWeek } = targets;
    const tiers = [
      say('yellow', (rates.upper95 ?? yellow) <= falseYellowPerModelWeek, yellow, rates.upper95),
      say('red', red <= falseRedPerModelWeek, red, rates.redUpper95),
    ];
    terminal.print(`  ${name.padEnd(30)} ${tiers.join('; ')} (${weeks} weeks)`);
  }
}

function printDelays(
  label: string,
  delays: RuleReport['delayWindows'],
  limits: Readonly<Record<string, number>>,
  terminal: Terminal,
  mark: Mark,
): void {
  const parts = Object.entries(delays).map(([effect, delay]) => {
    const limit = limits[effect];
    const text = `PSI ${effect}: ${delay === null ? 'not found' : delay.toFixed(1)}`;
    return limit === undefined ? text : mark(delay !== null && delay <= limit, text);
  });
  if (parts.length > 0) terminal.print(`  ${label.padEnd(34)} ${parts.join('   ')}`);
}

function printLimit(label: string, value: number | null | undefined, limit: number, terminal: Terminal, mark: Mark) {
  if (value === null || value === undefined) return;
  terminal.print(`  ${label.padEnd(42)} ${mark(value <= limit, value.toPrecision(3))}`);
}

function printPeer(name: string, peer: RuleReport, terminal: Terminal): void {
  terminal.print(`  ${name}`);
  const worst = Object.entries(peer.scenarios).sort(
    ([, a], [, b]) => (b.yellowWindowsPerModelWeek ?? 0) - (a.yellowWindowsPerModelWeek ?? 0),
  );
  const quiet = peer.scenarios['independent null'];
  if (quiet) terminal.print(`      independent null: ${describeYellow(quiet)}`);
  const [worstName, rates] = worst[0] ?? [];
  if (worstName !== undefined && rates) terminal.print(`      worst, ${worstName}: ${describeYellow(rates)}`);
  printDelays('    windows to a true change', peer.delayWindows, {}, terminal, (_, text) => text);
}

function describeYellow(rates: RuleReport['scenarios'][string]): string {
  const { yellowWindowsPerModelWeek = 0 } = rates;
  return `${yellowWindowsPerModelWeek.toFixed(1)} of 168 windows a week with a false flag`;
}
