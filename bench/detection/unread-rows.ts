import { formatNumber } from '../../core/evaluate/number-text.ts';
import type { Quarantined, QuarantineReason } from '../../core/model/quarantine.ts';

/** Rows that could not be read for the same reason. */
export interface UnreadRows {
  readonly reason: QuarantineReason;
  readonly rows: number;
  /** The first of them. */
  readonly line: number;
  readonly column?: string | undefined;
  readonly expected: string;
  readonly seen: string;
}

/** Counts rows that could not be read, by reason. */
export class UnreadRowsCounter {
  readonly #reasons = new Map<QuarantineReason, UnreadRows>();

  add({ reason, line, column, expected, seen }: Quarantined): void {
    const known = this.#reasons.get(reason) ?? { reason, rows: 0, line, column, expected, seen };
    this.#reasons.set(reason, { ...known, rows: known.rows + 1 });
  }

  /** The most frequent reason first. */
  finish(): readonly UnreadRows[] {
    return [...this.#reasons.values()].sort((a, b) => b.rows - a.rows);
  }
}

/** `12 rows could not be read: 12 bad time (first in line 7: …)`; undefined where all could. */
export function describeUnread(unread: readonly UnreadRows[]): string | undefined {
  if (unread.length === 0) return undefined;
  const rows = unread.reduce((sum, each) => sum + each.rows, 0);
  return `${formatNumber(rows)} ${rows === 1 ? 'row' : 'rows'} could not be read: ${unread.map(describeReason).join(', ')}`;
}

function describeReason({ reason, rows, line, column, expected, seen }: UnreadRows): string {
  const where = column === undefined ? `line ${line}` : `line ${line}, column ${column}`;
  return `${formatNumber(rows)} ${reason.replaceAll('-', ' ')} (first in ${where}: expected ${expected}, saw ${seen})`;
}
