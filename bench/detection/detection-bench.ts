import type { Terminal } from '../../cli/terminal.ts';
import { type BenchSize, fullSize, planTasks, quickSize } from './bench-plan.ts';
import { type BenchResult, taskKey } from './bench-task.ts';
import { fingerprintCode } from './code-fingerprint.ts';
import { assembleReport, type DetectionReport } from './detection-report.ts';
import { printReport } from './print-report.ts';
import { type CommittedReport, PartialResults, readCommitted, writeCommitted } from './result-file.ts';
import { runTasks } from './run-tasks.ts';
import { timeWindows } from './window-timing.ts';

export interface BenchOptions {
  readonly quick: boolean;
  readonly seed: string;
  readonly workers: number;
  readonly models?: number | undefined;
}

const partialFolder = '.tidewatch/bench';

/** Runs the benchmark, in full or in short, and prints what it measured. */
export async function runDetectionBench(options: BenchOptions, terminal: Terminal): Promise<void> {
  const { quick, seed, workers, models } = options;
  const size: BenchSize = quick ? quickSize : { ...fullSize, ...(models !== undefined && { models }) };
  const code = fingerprintCode();
  const partial = quick
    ? undefined
    : new PartialResults(`${partialFolder}/detection-${code}-${encodeURIComponent(seed)}.jsonl`);
  const results = await runWithProgress(size, { seed, workers }, partial, terminal);
  const report = assembleReport(results);
  const judgedWindow = timeWindows();
  if (quick) {
    const committed = readCommitted();
    const shown = {
      ...mergeWithCommitted(report, committed),
      seed,
      code,
      committedCode: committed?.code ?? null,
      judgedWindow,
    };
    terminal.printJson(shown);
    printReport(shown, terminal);
    return;
  }
  const committed: CommittedReport = {
    schema: 'tidewatch.bench.detection/1',
    seed,
    code,
    node: process.version,
    models: size.models,
    judgedWindow,
    ...report,
  };
  writeCommitted(committed);
  terminal.printJson(committed);
  printReport(committed, terminal);
}

async function runWithProgress(
  size: BenchSize,
  { seed, workers }: { seed: string; workers: number },
  partial: PartialResults | undefined,
  terminal: Terminal,
): Promise<readonly BenchResult[]> {
  const tasks = planTasks(size);
  const known = partial?.read() ?? new Map<string, BenchResult>();
  const progress = terminal.progress('detection');
  const results = await runTasks(tasks, {
    seed,
    workers,
    known,
    onResult(task, result, done, total) {
      partial?.add(taskKey(task), result);
      progress.update(done / total, taskKey(task));
    },
  });
  progress.done(`${results.length} simulations`);
  return results;
}

/** What a quick run prints: sizes and delays as just measured, rates of the full run, and its own sample of them. */
export type QuickReport = DetectionReport & {
  /** Rates of the scenarios that this run sampled: a few weeks each, a check that nothing broke, not a measurement. */
  readonly sample: DetectionReport['scenarios'];
  /** The seed of the full run that the scenarios' rates are from; null: there was none. */
  readonly committedSeed: string | null;
};

function mergeWithCommitted(fresh: DetectionReport, committed: CommittedReport | undefined): QuickReport {
  const sampled = { ...fresh, sample: fresh.scenarios, committedSeed: committed?.seed ?? null };
  if (!committed) return sampled;
  const { scenarios, falseYellowPerModelWeek, falseRedPerModelWeek, subFloorAlarmShare } = committed;
  const { delayWindowsFourWeeks, delayWindowsAtFloorFourWeeks, wanderingShift, trainingTableShift } = committed;
  const peers = Object.fromEntries(
    Object.entries(committed.peers).map(([name, rule]) => {
      const now = fresh.peers[name];
      const { delayWindows, delayWindowsAtFloor } = now ?? rule;
      return [name, { ...rule, delayWindows, delayWindowsAtFloor }];
    }),
  );
  const rates = { scenarios, falseYellowPerModelWeek, falseRedPerModelWeek, subFloorAlarmShare };
  const slow = { delayWindowsFourWeeks, delayWindowsAtFloorFourWeeks, wanderingShift, trainingTableShift };
  return { ...sampled, ...rates, ...slow, peers };
}
