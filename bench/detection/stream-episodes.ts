import type { Finding } from '../../core/model/verdict.ts';
import type { JudgedStreamWindow } from './judge-records.ts';

/** An unbroken run of windows in which something was found. */
export interface StreamEpisode {
  /** Start of its first and of its last window. */
  readonly first: number;
  readonly last: number;
  readonly windows: number;
  readonly said: readonly SaidFinding[];
}

/** A finding, and the start of the window in which it was said so. */
export interface SaidFinding {
  readonly at: number;
  readonly finding: Finding;
}

export function findEpisodes(windows: readonly JudgedStreamWindow[]): readonly StreamEpisode[] {
  const runs: JudgedStreamWindow[][] = [];
  let open = false;
  for (const window of windows) {
    const inAlarm = window.findings.length > 0;
    if (inAlarm && !open) runs.push([]);
    if (inAlarm) runs.at(-1)?.push(window);
    open = inAlarm;
  }
  return runs.flatMap((run) => {
    const [first, last] = [run[0], run.at(-1)];
    return first && last ? [{ first: first.start, last: last.start, windows: run.length, said: listSaid(run) }] : [];
  });
}

/** Each finding as it was first said, and as it first named a change of units. */
function listSaid(run: readonly JudgedStreamWindow[]): readonly SaidFinding[] {
  const said: SaidFinding[] = [];
  for (const { start: at, findings } of run) {
    for (const finding of findings) {
      const before = said.filter((each) => each.finding.id === finding.id);
      const unit = unitIn(finding);
      if (before.length > 0 && (unit === null || before.some((each) => unitIn(each.finding) === unit))) continue;
      said.push({ at, finding });
    }
  }
  return said;
}

function unitIn({ evidence }: Finding): Finding['evidence'][string] {
  return evidence.unitChange ?? null;
}
