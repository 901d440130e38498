import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BenchResult } from './bench-task.ts';
import type { DetectionReport } from './detection-report.ts';

/** What is committed: the report of the last full run. */
export interface CommittedReport extends DetectionReport {
  readonly schema: 'tidewatch.bench.detection/1';
  readonly seed: string;
  /** Fingerprint of the code that was measured. */
  readonly code: string;
  readonly node: string;
  readonly models: number;
  readonly judgedWindow: WindowTiming;
}

/** How long one window of 200 features takes to be judged at all scales. */
export interface WindowTiming {
  readonly medianMilliseconds: number;
  readonly slowest5PercentMilliseconds: number;
  /** Median time against that of a fixed piece of arithmetic on the same machine at the same time. */
  readonly ratioToReference: number;
}

const committedPath = fileURLToPath(new URL('../detection.json', import.meta.url));

export function readCommitted(path = committedPath): CommittedReport | undefined {
  if (!existsSync(path)) return undefined;
  const report: CommittedReport = JSON.parse(readFileSync(path, 'utf8'));
  return report;
}

export function writeCommitted(report: CommittedReport, path = committedPath): void {
  writeFileSync(path, `${JSON.stringify(report, undefined, 2)}\n`);
}

/** Results of a run that may be interrupted: one JSON line per task, so that a half-written last line loses one. */
export class PartialResults {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  read(): Map<string, BenchResult> {
    const known = new Map<string, BenchResult>();
    if (!existsSync(this.#path)) return known;
    for (const line of readFileSync(this.#path, 'utf8').split('\n')) {
      const entry = parseEntry(line);
      if (entry) known.set(entry.key, entry.result);
    }
    return known;
  }

  add(key: string, result: BenchResult): void {
    mkdirSync(dirname(this.#path), { recursive: true });
    appendFileSync(this.#path, `${JSON.stringify({ key, result })}\n`);
  }
}

function parseEntry(line: string): { key: string; result: BenchResult } | undefined {
  if (line === '') return undefined;
  try {
    return JSON.parse(line);
  } catch {
    // The run was stopped while it wrote this line: its task runs again.
    return undefined;
  }
}
