import { type HashListObject, hashListObject, type LogHead, nextSegment } from '../../core/audit/hash-list.ts';
import { type LogReport, type LogToVerify, verifyLog } from '../../core/audit/verify-log.ts';

export function segmentKey(first: number): string {
  return `log/${String(first).padStart(12, '0')}`;
}

/** Evidence and its log as maps that a test may damage. */
export interface SampleLog {
  readonly objects: Map<string, Uint8Array>;
  readonly segments: Map<string, Uint8Array>;
  readonly head: LogHead;
}

/** An honest log of segments with these numbers of entries. */
export function sampleLog(sizes: readonly number[], content = 'evidence'): SampleLog {
  const objects = new Map<string, Uint8Array>();
  const segments = new Map<string, Uint8Array>();
  let last: Uint8Array | undefined;
  let head: LogHead = { count: 0, sha256: null };
  for (const size of sizes) {
    const entries: HashListObject[] = [];
    for (let place = 0; place < size; place += 1) {
      const key = `bundles/flights/${objects.size}`;
      const body = Buffer.from(`${content} ${objects.size}`);
      objects.set(key, body);
      entries.push(hashListObject(key, body));
    }
    const segment = nextSegment(last, entries);
    segments.set(segmentKey(segment.first), segment.bytes);
    ({ head } = segment);
    last = segment.bytes;
  }
  return { objects, segments, head };
}

export function verifySample(log: SampleLog, options: Partial<LogToVerify> = {}): Promise<LogReport> {
  return verifyLog({
    segments: (async function* () {
      for (const entry of [...log.segments].sort(([a], [b]) => (a < b ? -1 : 1))) yield entry;
    })(),
    readObject: async (key) => log.objects.get(key),
    listObjects: async function* () {
      yield* log.objects.keys();
    },
    segmentKey,
    ...options,
  });
}

/** What a report says, as `kind index`. */
export function findings({ problems }: LogReport): string[] {
  return problems.map(({ kind, index }) => (index === undefined ? kind : `${kind} ${index}`));
}
