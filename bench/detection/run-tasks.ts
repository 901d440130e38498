import { Worker } from 'node:worker_threads';
import { type BenchResult, type BenchTask, runTask, taskKey } from './bench-task.ts';

export interface TaskRun {
  readonly seed: string;
  /** 1: in this thread. */
  readonly workers: number;
  /** Results of an earlier, unfinished run, by task key: not run again. */
  readonly known: ReadonlyMap<string, BenchResult>;
  /** Told of each result, in the order in which they arrive. */
  onResult(task: BenchTask, result: BenchResult, done: number, total: number): void;
}

/** What a worker is sent and what it sends back. */
export interface TaskMessage {
  readonly index: number;
  readonly task: BenchTask;
  readonly seed: string;
}

export interface ResultMessage {
  readonly index: number;
  readonly result: BenchResult;
}

/** Runs tasks, here or on worker threads. The results are in the tasks' order, whoever ran them. */
export async function runTasks(tasks: readonly BenchTask[], run: TaskRun): Promise<readonly BenchResult[]> {
  const results = new Map<number, BenchResult>();
  const open: number[] = [];
  for (const [index, task] of tasks.entries()) {
    const known = run.known.get(taskKey(task));
    if (known) results.set(index, known);
    else open.push(index);
  }
  const finish = (index: number, task: BenchTask, result: BenchResult) => {
    results.set(index, result);
    run.onResult(task, result, results.size, tasks.length);
  };
  if (run.workers <= 1) {
    for (const index of open) {
      const task = tasks[index];
      if (task) finish(index, task, await runTask(task, run.seed));
      // Lets a progress bar be drawn and an interruption be heard.
      await new Promise((resolve) => setImmediate(resolve));
    }
  } else {
    await Promise.all(Array.from({ length: Math.min(run.workers, open.length) }, () => work(tasks, open, run, finish)));
  }
  return tasks.flatMap((_, index) => results.get(index) ?? []);
}

/** One worker thread, that takes the next open task until there is none. */
function work(
  tasks: readonly BenchTask[],
  open: number[],
  { seed }: TaskRun,
  finish: (index: number, task: BenchTask, result: BenchResult) => void,
): Promise<void> {
  const worker = new Worker(new URL('./task-worker.ts', import.meta.url), { execArgv: process.execArgv });
  return new Promise((resolve, reject) => {
    const next = () => {
      const index = open.shift();
      const task = index === undefined ? undefined : tasks[index];
      if (index === undefined || task === undefined) {
        worker.terminate().then(() => resolve(), reject);
        return;
      }
      const message: TaskMessage = { index, task, seed };
      worker.postMessage(message);
    };
    worker.on('error', reject);
    worker.on('message', ({ index, result }: ResultMessage) => {
      const task = tasks[index];
      if (task) finish(index, task, result);
      next();
    });
    next();
  });
}
