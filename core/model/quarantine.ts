/** Why a line or a row could not be counted. */
export type QuarantineReason =
  | 'not-json'
  | 'not-a-record'
  | 'no-payload'
  | 'bad-encoding'
  | 'column-count'
  | 'not-a-number'
  | 'not-finite'
  | 'not-text'
  | 'bad-time'
  | 'future-time'
  | 'unknown-version'
  | 'bad-label'
  | 'side-mismatch'
  | 'line-too-long'
  | 'too-deep'
  | 'too-many-columns'
  | 'too-many-rows'
  | 'too-large'
  | 'truncated'
  | 'broken-gzip';

/** One quarantined line or row: where it stood and what was expected, never what it held. */
export interface Quarantined {
  readonly reason: QuarantineReason;
  /** 1-based line in the capture object. */
  readonly line: number;
  /** Byte offset in the decompressed object. */
  readonly offset: number;
  /** Bytes. */
  readonly length: number;
  /** 0-based row of a multi-row payload; absent when the whole line is quarantined. */
  readonly row?: number | undefined;
  /** The configured column concerned. Never a name taken from the payload. */
  readonly column?: string | undefined;
  /** What was seen, by type or number only ("text", "7 columns"). */
  readonly seen: string;
  /** What would have been right ("a number", "5 columns"). */
  readonly expected: string;
  /** Milliseconds since the epoch, where the line could still be dated. */
  readonly time?: number | undefined;
  readonly variant?: string | undefined;
  readonly version?: string | undefined;
}

/** True where the reason says that the payload no longer fits its schema, rather than that a line is damaged. */
export function isSchemaBreak(reason: QuarantineReason): boolean {
  return reason === 'column-count' || reason === 'not-a-number' || reason === 'not-finite' || reason === 'not-text';
}
