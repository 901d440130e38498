import { createHash } from 'node:crypto';
import { sha256 } from '../model/content-hash.ts';
import { type HashListEntry, type HashListSegment, type LogHead, parseSegment } from './hash-list.ts';

/**
 * missing: listed, but not there. changed: not the bytes listed. unreadable: listed, but reading it fails.
 * listed-twice: one key under two indices. malformed: a segment that is none. misplaced: a segment under another
 * segment's key. gap: indices that no segment has. fork: indices that two segments have. broken-chain: a segment that
 * does not follow the one before it. rolled-back: the log ends before the trusted head. diverged: the log does not
 * pass through the trusted head. unlisted: there, but in no segment.
 */
export type LogProblemKind =
  | 'missing'
  | 'changed'
  | 'unreadable'
  | 'listed-twice'
  | 'malformed'
  | 'misplaced'
  | 'gap'
  | 'fork'
  | 'broken-chain'
  | 'rolled-back'
  | 'diverged'
  | 'unlisted';

export interface LogProblem {
  readonly kind: LogProblemKind;
  /** Index of the entry concerned, or of the first entry of the segment concerned. */
  readonly index?: number | undefined;
  /** Key of the object or segment concerned. */
  readonly key?: string | undefined;
  readonly message: string;
}

export interface LogReport {
  /** No problem was found. */
  readonly ok: boolean;
  readonly segments: number;
  readonly entries: number;
  /** Bytes of evidence objects read and hashed. */
  readonly checkedBytes: number;
  readonly head: LogHead;
  /** False without a trusted head: then a log cut short at the end of a segment, or rewritten whole, looks intact. */
  readonly rollbackChecked: boolean;
  readonly problemCount: number;
  /** The first thousand. */
  readonly problems: readonly LogProblem[];
  /** Objects that are in no segment: evidence not yet sequenced. The log can say nothing of them. */
  readonly pending: { readonly count: number; readonly keys: readonly string[] };
}

export interface LogToVerify {
  /** Every segment with its key, ascending by key. */
  readonly segments: AsyncIterable<readonly [key: string, bytes: Uint8Array]>;
  readObject(key: string): Promise<Uint8Array | undefined>;
  /** Keys of all evidence objects, the segments themselves left out. */
  listObjects(): AsyncIterable<string>;
  /** The key that a segment must have. @default - keys of segments are not checked */
  readonly segmentKey?: ((first: number) => string) | undefined;
  /** A head noted earlier and kept where the log's owner can't change it. @default - rollback is not checked */
  readonly trustedHead?: LogHead | undefined;
  /**
   * `problem`: all evidence is known to be sequenced, so an unlisted object was slipped in, or the end of the log
   * was cut off. @default 'pending' - reported apart, and no problem: keys carry no time, so an object waiting for
   * the sequencer looks the same
   */
  readonly unlisted?: 'pending' | 'problem' | undefined;
}

const maximumProblems = 1_000;
const maximumPendingKeys = 100;

/**
 * Checks a log and every object that it lists. Segments and objects are read one at a time; what grows with the log
 * is one 16-byte digest per key. Goes on after a problem, so that each is placed.
 */
export async function verifyLog(log: LogToVerify): Promise<LogReport> {
  const problems: LogProblem[] = [];
  const pendingKeys: string[] = [];
  let problemCount = 0;
  let pendingCount = 0;
  let checkedBytes = 0;
  let segments = 0;
  let entries = 0;
  let head: LogHead = { count: 0, sha256: null };
  let trustedSeen = log.trustedHead === undefined || log.trustedHead.count === 0;
  const listed = new Set<string>();

  const report = (problem: LogProblem) => {
    problemCount += 1;
    if (problems.length < maximumProblems) problems.push(problem);
  };

  for await (const [key, bytes] of log.segments) {
    segments += 1;
    const parsed = readSegment(bytes);
    if (typeof parsed === 'string') {
      report({ kind: 'malformed', index: head.count, key, message: `segment ${key}: ${parsed}` });
      continue;
    }
    const placed = placeSegment(key, parsed, head, log.segmentKey);
    for (const problem of placed) report(problem);
    if (placed.some(({ kind }) => kind === 'fork')) continue;
    head = { count: parsed.first + parsed.entries.length, sha256: sha256(bytes) };
    entries += parsed.entries.length;
    if (log.trustedHead?.count === head.count) {
      trustedSeen = true;
      if (log.trustedHead.sha256 !== head.sha256) {
        report({ kind: 'diverged', index: parsed.first, key, message: describeDivergence(log.trustedHead, head) });
      }
    }
    for (const entry of parsed.entries) {
      const digest = digestKey(entry.key);
      if (listed.has(digest)) {
        const message = `entry ${entry.index}: ${entry.key} was listed before`;
        report({ kind: 'listed-twice', index: entry.index, key: entry.key, message });
      }
      listed.add(digest);
      const found = await checkObject(entry, log);
      if (typeof found === 'number') checkedBytes += found;
      else report(found);
    }
  }

  if (log.trustedHead !== undefined && !trustedSeen) {
    const { count } = log.trustedHead;
    const kind = head.count < count ? 'rolled-back' : 'diverged';
    const seen = head.count < count ? `it ends at ${head.count}` : 'no segment ends there';
    report({ kind, index: Math.min(head.count, count), message: `expected ${count} entries as once trusted: ${seen}` });
  }

  for await (const key of log.listObjects()) {
    if (listed.has(digestKey(key))) continue;
    if (log.unlisted === 'problem') {
      report({ kind: 'unlisted', key, message: `${key}: expected an entry in the log, saw none` });
      continue;
    }
    pendingCount += 1;
    if (pendingKeys.length < maximumPendingKeys) pendingKeys.push(key);
  }

  return {
    ok: problemCount === 0,
    segments,
    entries,
    checkedBytes,
    head,
    rollbackChecked: log.trustedHead !== undefined,
    problemCount,
    problems,
    pending: { count: pendingCount, keys: pendingKeys },
  };
}

function readSegment(bytes: Uint8Array): HashListSegment | string {
  try {
    return parseSegment(bytes);
  } catch (cause) {
    return cause instanceof Error ? cause.message : String(cause);
  }
}

/** How a segment stands to the one before it. At most one problem of order, so that one fault is not told twice. */
function placeSegment(
  key: string,
  { first, previous }: HashListSegment,
  head: LogHead,
  segmentKey: LogToVerify['segmentKey'],
): LogProblem[] {
  const problems: LogProblem[] = [];
  const expectedKey = segmentKey?.(first);
  if (expectedKey !== undefined && expectedKey !== key) {
    const message = `segment ${key}: expected under ${expectedKey}, by its first index ${first}`;
    problems.push({ kind: 'misplaced', index: first, key, message });
  }
  if (first > head.count) {
    const message = `entries ${head.count} to ${first - 1}: expected a segment, saw none before ${key}`;
    problems.push({ kind: 'gap', index: head.count, key, message });
  } else if (first < head.count) {
    const message = `segment ${key}: begins at ${first}, but an earlier segment reaches to ${head.count - 1}`;
    problems.push({ kind: 'fork', index: first, key, message });
  } else if (previous !== head.sha256) {
    const message = `segment ${key}: follows a segment of hash ${previous}, but the one before it has ${head.sha256}: one of both was changed`;
    problems.push({ kind: 'broken-chain', index: first, key, message });
  }
  return problems;
}

/** Bytes read, or what is wrong with the object. */
async function checkObject(entry: HashListEntry, log: LogToVerify): Promise<number | LogProblem> {
  const { index, key } = entry;
  let body: Uint8Array | undefined;
  try {
    body = await log.readObject(key);
  } catch (cause) {
    const message = `entry ${index}: ${key} can't be read: ${cause instanceof Error ? cause.message : cause}`;
    return { kind: 'unreadable', index, key, message };
  }
  if (body === undefined) {
    return { kind: 'missing', index, key, message: `entry ${index}: expected ${key}, saw no such object` };
  }
  if (body.length !== entry.bytes) {
    const message = `entry ${index}: expected ${key} to have ${entry.bytes} bytes, saw ${body.length}`;
    return { kind: 'changed', index, key, message };
  }
  const seen = sha256(body);
  if (seen !== entry.sha256) {
    const message = `entry ${index}: expected ${key} to have SHA-256 ${entry.sha256}, saw ${seen}`;
    return { kind: 'changed', index, key, message };
  }
  return body.length;
}

function describeDivergence(trusted: LogHead, head: LogHead): string {
  return `expected hash ${trusted.sha256} at ${trusted.count} entries as once trusted, saw ${head.sha256}`;
}

function digestKey(key: string): string {
  return createHash('sha256').update(key).digest().toString('latin1', 0, 16);
}
