import type { Layout } from '../model/layout.ts';
import type { Summary } from '../model/profile.ts';
import type { Finding } from '../model/verdict.ts';
import {
  type CallerExpectation,
  type CappedCaller,
  findCapped,
  mostOfTraffic,
  type WeighedWindow,
  weighWindow,
} from './caller-caps.ts';
import type { Cell } from './cells.ts';
import { formatNumber, formatShare } from './number-text.ts';

/** What is kept of a series' callers from window to window. */
export interface CallerTrail {
  /** Records as they came, and those of them above the caps, cumulated from the first window on. */
  readonly records: number;
  readonly excess: number;
  /** Who exceeded a cap in this window, and whether that was held. */
  readonly capped: readonly CappedCaller[];
}

/** A window with callers held to their caps, as later findings name them. */
export interface CappedWindow {
  /** Milliseconds since the epoch. */
  readonly start: number;
  /** Records as they came. */
  readonly records: number;
  readonly capped: readonly CappedCaller[];
}

export interface JudgedCallers {
  /** Present where a cap was held. */
  readonly weighed: WeighedWindow | undefined;
  readonly trail: CallerTrail;
  readonly findings: readonly Finding[];
}

export interface CallerInput {
  readonly summary: Summary;
  /** The baseline's. */
  readonly layout: Layout;
  readonly cell: Cell;
  readonly expectation: CallerExpectation;
  readonly start: number;
  readonly windowMilliseconds: number;
  /** The trail that ends before the window; absent at the beginning. */
  readonly previous: CallerTrail | undefined;
  /** Earlier ones, in any order. */
  readonly earlier: readonly { readonly windowStart: number; readonly callers?: CallerTrail | undefined }[];
}

const millisecondsPerDay = 86_400_000;
/** An excess smaller than this part of the window is not worth a line. */
const smallestTold = 0.05;

/**
 * Holds the callers of a window to their caps, unless callers above theirs have sent most records for a day: then they
 * are what the model is used for, and holding them down would hide it.
 */
export function judgeCallers(input: CallerInput): JudgedCallers {
  const { summary, layout, previous } = input;
  const found = findCapped(summary, input.cell, input.expectation);
  const isTakenOver = excessOfDay(input) > mostOfTraffic;
  const capped = isTakenOver ? found.map((each) => ({ ...each, kept: each.records })) : found;
  const excess = found.reduce((sum, { records, kept }) => sum + records - kept, 0);
  const { counted } = summary.records;
  const weighed = capped.length > 0 && !isTakenOver ? weighWindow(summary, layout, capped) : undefined;
  return {
    weighed,
    trail: { records: (previous?.records ?? 0) + counted, excess: (previous?.excess ?? 0) + excess, capped },
    findings: found
      .filter(({ records, kept }) => records - kept >= smallestTold * counted)
      .map((each) => describeCaller(each, counted, weighed?.records ?? counted, isTakenOver)),
  };
}

/** Share of the records above caps over the day before the window; of two windows where they are long. */
function excessOfDay({ start, windowMilliseconds, previous, earlier }: CallerInput): number {
  if (!previous) return 0;
  const border = start - Math.max(millisecondsPerDay, 2 * windowMilliseconds);
  let before: (typeof earlier)[number] | undefined;
  for (const trail of earlier) {
    if (
      trail.callers &&
      trail.windowStart <= border &&
      trail.windowStart > (before?.windowStart ?? Number.NEGATIVE_INFINITY)
    )
      before = trail;
  }
  const records = previous.records - (before?.callers?.records ?? 0);
  return before?.callers && records > 0 ? (previous.excess - before.callers.excess) / records : 0;
}

/** The windows in [start, end) in which a cap was held. */
export function cappedWindows(
  trails: readonly { readonly windowStart: number; readonly callers?: CallerTrail | undefined }[],
): readonly CappedWindow[] {
  const ordered = [...trails].sort((a, b) => a.windowStart - b.windowStart);
  return ordered.flatMap(({ windowStart, callers }) => {
    const held = callers?.capped.filter(({ records, kept }) => kept < records) ?? [];
    const [first] = held;
    return first ? [{ start: windowStart, records: Math.round(first.records / first.share), capped: held }] : [];
  });
}

/** A caller over the windows of a stretch in which it was held to its cap. */
export interface HeldCaller {
  readonly caller: string;
  /** Of the records of these windows. */
  readonly share: number;
  readonly records: number;
  readonly kept: number;
  readonly windows: number;
}

/** Who was held to a cap within [start, end), the largest excess first. */
export function heldCallers(windows: readonly CappedWindow[], start: number, end: number): readonly HeldCaller[] {
  const held = new Map<string, HeldCaller & { readonly of: number }>();
  for (const window of windows) {
    if (window.start < start || window.start >= end) continue;
    for (const { caller, records, kept } of window.capped) {
      const before = held.get(caller) ?? { caller, share: 0, records: 0, kept: 0, windows: 0, of: 0 };
      const [all, of] = [before.records + records, before.of + window.records];
      const counts = { records: all, kept: before.kept + kept, windows: before.windows + 1 };
      held.set(caller, { caller, ...counts, of, share: all / of });
    }
  }
  return [...held.values()]
    .map(({ of: _, ...caller }) => caller)
    .sort((a, b) => b.records - b.kept - (a.records - a.kept) || (a.caller < b.caller ? -1 : 1));
}

/** "caller 3fa9c1d2e4b5f607 sent 62 % of the records and counts as 300" */
export function describeHeld({ caller, share, records, kept, windows }: HeldCaller): string {
  const where = windows === 1 ? 'a window' : `${formatNumber(windows)} windows`;
  return `caller ${caller} sent ${formatShare(share)} of the records of ${where}: ${formatNumber(records)} count as ${formatNumber(kept)}`;
}

function describeCaller(
  { caller, records, share, expectedShare, allowedShare, cap, kept }: CappedCaller,
  counted: number,
  left: number,
  isTakenOver: boolean,
): Finding {
  const seen = `caller ${caller} sent ${formatShare(share)} of ${formatNumber(counted)} records, ${formatShare(expectedShare)} in the baseline at these hours`;
  const told = isTakenOver
    ? 'callers like it have sent most records for a day, so that they are judged like any others'
    : `its ${formatNumber(records)} records count as ${formatNumber(kept)} of ${formatNumber(left)} where drift is judged`;
  return {
    id: `caller:${caller}`,
    tier: 'green',
    kind: 'caller',
    message: `${seen}; ${told}`,
    evidence: {
      caller,
      records,
      share,
      expectedShare,
      allowedShare,
      cap,
      kept: isTakenOver ? records : kept,
      judgedRecords: left,
    },
  };
}
