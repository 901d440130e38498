import { parentPort } from 'node:worker_threads';
import { runTask } from './bench-task.ts';
import type { ResultMessage, TaskMessage } from './run-tasks.ts';

parentPort?.on('message', async ({ index, task, seed }: TaskMessage) => {
  const message: ResultMessage = { index, result: await runTask(task, seed) };
  parentPort?.postMessage(message);
});
