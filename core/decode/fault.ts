import type { QuarantineReason } from '../model/quarantine.ts';

/** What could be read of a line before it was found faulty. */
export interface FaultOrigin {
  readonly time?: number | undefined;
  readonly variant?: string | undefined;
  readonly version?: string | undefined;
}

/** Why a line or row is to be quarantined. `seen` and `expected` hold types, counts and names of our own, never content. */
export class Fault {
  readonly reason: QuarantineReason;
  readonly seen: string;
  readonly expected: string;
  readonly origin: FaultOrigin;

  constructor(reason: QuarantineReason, seen: string, expected: string, origin: FaultOrigin = {}) {
    this.reason = reason;
    this.seen = seen;
    this.expected = expected;
    this.origin = origin;
  }

  /** The same fault, dated. */
  of(origin: FaultOrigin): Fault {
    return new Fault(this.reason, this.seen, this.expected, origin);
  }
}

/** "1 column", "7 columns". */
export function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
