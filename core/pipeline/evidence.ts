import { type EvidenceType, evidenceEntry } from '../audit/evidence-entry.ts';
import { type HashListObject, hashListObject, nextSegment, parseSegment } from '../audit/hash-list.ts';
import { bundleKey, bundlePrefix, dayKey, logSegmentKey, logSegmentPrefix } from '../contract/keys.ts';
import { shortHash } from '../model/content-hash.ts';
import type { Clock, ObjectStore, StateTable } from './ports.ts';
import { putFact } from './write-once.ts';

/** Everything the hash list covers. */
export const evidencePrefix = 'bundles/';
/** Entries of one segment: bounds its size to about a megabyte. */
const maximumSegmentEntries = 5_000;
/** Objects read at a time. */
const concurrentReads = 16;
/** Times a call starts anew after another writer was first. What is left then is found by the next call. */
const maximumAttempts = 10;
const millisecondsPerDay = 86_400_000;

/**
 * Keeps a copy of a decision in the evidence.
 * @param name what the entry is about, unique among the model's entries of that day.
 */
export async function putEvidenceEntry(
  audit: ObjectStore,
  model: string,
  time: number,
  type: EvidenceType,
  name: string,
  body: unknown,
): Promise<void> {
  await putFact(audit, evidenceEntryKey(model, time, type, name), evidenceEntry(type, body));
}

/** Whether the evidence holds this very copy of a decision: what somebody else put under its key in the state does not. */
export async function hasEvidenceEntry(
  audit: ObjectStore,
  model: string,
  time: number,
  type: EvidenceType,
  name: string,
  body: unknown,
): Promise<boolean> {
  const held = await audit.get(evidenceEntryKey(model, time, type, name));
  return held !== undefined && Buffer.compare(held, evidenceEntry(type, body)) === 0;
}

function evidenceEntryKey(model: string, time: number, type: EvidenceType, name: string): string {
  return bundleKey(model, dayKey(time), shortHash(`${type}\n${name}`));
}

/**
 * Where a sequencer looks for evidence. With it, the work and memory of a call follow the newest days instead of the
 * whole history: evidence of an older day, or of another model, is left for a sequencer of a wider scope.
 */
export interface SequencerScope {
  readonly models: readonly string[];
  /** Days looked back, today included. Ingest takes in nothing older than a week by itself. */
  readonly days: number;
  readonly clock: Clock;
  /** Remembers from which segment on each day's evidence is listed, so that older segments need not be read. */
  readonly table: StateTable;
}

/** Of each day: index of a segment before which none lists evidence of that day. Written before the segment is. */
type DayStarts = ReadonlyMap<string, number>;

const partition = 'log';
const dayStartsKey = 'day-starts';

/** What the hash list covers already, kept between calls so that only new objects are read. */
export class Sequencer {
  readonly #state: ObjectStore;
  readonly #audit: ObjectStore;
  readonly #scope: SequencerScope | undefined;
  /** Listed names by the prefix they are under. */
  readonly #listed = new Map<string, Set<string>>();
  /** Of the segments read. */
  readonly #starts = new Map<string, number>();
  #last: Uint8Array | undefined;
  #next = 0;

  /** @param scope absent: all evidence there is, with all that is listed in memory. */
  constructor(state: ObjectStore, audit: ObjectStore, scope?: SequencerScope) {
    this.#state = state;
    this.#audit = audit;
    this.#scope = scope;
  }

  /**
   * Appends every evidence object of its scope that the list doesn't hold yet, in the order of their keys. Segments are
   * written once under the index of their first entry, so of two writers one loses and starts anew.
   * @returns how many objects were appended.
   */
  async appendNew(): Promise<number> {
    let appended = 0;
    for (let attempt = 0; attempt < maximumAttempts; attempt++) {
      const oldest = this.#oldestDay();
      await this.#catchUp(oldest);
      const outcome = await this.#appendListed(oldest);
      appended += outcome.appended;
      if (!outcome.lost) break;
    }
    return appended;
  }

  async #appendListed(oldest: string): Promise<{ readonly appended: number; readonly lost: boolean }> {
    let appended = 0;
    let pending: string[] = [];
    for (const prefix of this.#prefixes(oldest)) {
      for await (const key of this.#audit.list(prefix)) {
        if (this.#isListed(key)) continue;
        pending.push(key);
        if (pending.length < maximumSegmentEntries) continue;
        const count = await this.#append(pending);
        if (count === undefined) return { appended, lost: true };
        appended += count;
        pending = [];
      }
    }
    const count = pending.length > 0 ? await this.#append(pending) : 0;
    return { appended: appended + (count ?? 0), lost: count === undefined };
  }

  /** Undefined where another writer was first. */
  async #append(keys: readonly string[]): Promise<number | undefined> {
    const objects: HashListObject[] = [];
    for (let start = 0; start < keys.length; start += concurrentReads) {
      const bodies = await Promise.all(
        keys.slice(start, start + concurrentReads).map(async (key) => ({ key, body: await this.#audit.get(key) })),
      );
      for (const { key, body } of bodies) if (body) objects.push(hashListObject(key, body));
    }
    if (objects.length === 0) return 0;
    const segment = nextSegment(this.#last, objects);
    await this.#noteDays(keys, segment.first);
    const result = await this.#state.putOnce(logSegmentKey(segment.first), segment.bytes);
    if (result === 'different') return undefined;
    this.#take(segment.bytes, this.#oldestDay());
    return objects.length;
  }

  /** Reads the segments that may list evidence of the scope, and always the last one, which the next must follow. */
  async #catchUp(oldest: string): Promise<void> {
    for (const prefix of this.#listed.keys()) if (this.#scope && dayOf(prefix) < oldest) this.#listed.delete(prefix);
    const from = this.#last ? this.#next : await this.#firstNeeded(oldest);
    const keys: string[] = [];
    let last: string | undefined;
    for await (const key of this.#state.list(logSegmentPrefix)) {
      last = key;
      if (key >= logSegmentKey(from)) keys.push(key);
    }
    if (!this.#last && last !== undefined && keys.length === 0) keys.push(last);
    for (const key of keys) {
      const bytes = await this.#state.get(key);
      if (bytes) this.#take(bytes, oldest);
    }
  }

  #take(bytes: Uint8Array, oldest: string): void {
    const segment = parseSegment(bytes);
    for (const { key } of segment.entries) {
      const [prefix, name] = splitKey(key);
      const day = dayOf(prefix);
      if (!this.#starts.has(day)) this.#starts.set(day, segment.first);
      if (!this.#isInScope(prefix, oldest)) continue;
      const names = this.#listed.get(prefix);
      if (names) names.add(name);
      else this.#listed.set(prefix, new Set([name]));
    }
    this.#last = bytes;
    this.#next = segment.first + segment.entries.length;
  }

  #isListed(key: string): boolean {
    const [prefix, name] = splitKey(key);
    return this.#listed.get(prefix)?.has(name) ?? false;
  }

  #isInScope(prefix: string, oldest: string): boolean {
    const { models } = this.#scope ?? {};
    return !models || (dayOf(prefix) >= oldest && models.some((model) => prefix.startsWith(bundlePrefix(model))));
  }

  #oldestDay(): string {
    if (!this.#scope) return '';
    return dayKey(this.#scope.clock.now() - (this.#scope.days - 1) * millisecondsPerDay);
  }

  /** In the order of keys. The day after today is for clocks that differ. */
  #prefixes(oldest: string): readonly string[] {
    if (!this.#scope) return [evidencePrefix];
    const { models, days } = this.#scope;
    const first = Date.parse(oldest);
    return [...new Set(models)]
      .map(bundlePrefix)
      .sort()
      .flatMap((prefix) =>
        Array.from({ length: days + 1 }, (_, index) => `${prefix}${dayKey(first + index * millisecondsPerDay)}/`),
      );
  }

  /** Index of the first segment that may list evidence of these days. */
  async #firstNeeded(oldest: string): Promise<number> {
    const { starts } = await this.#readStarts();
    if (!starts) return 0;
    return Math.min(maximumIndex, ...[...starts].filter(([day]) => day >= oldest).map(([, first]) => first));
  }

  async #readStarts(): Promise<{ readonly starts: DayStarts | undefined; readonly revision: number }> {
    const row = await this.#scope?.table.get(partition, dayStartsKey);
    const starts = row && new Map(row.value as readonly (readonly [day: string, first: number])[]);
    return { starts, revision: row?.revision ?? 0 };
  }

  /** Where nobody noted the days so far, all segments were read: then theirs are noted as well. */
  async #noteDays(keys: readonly string[], first: number): Promise<void> {
    if (!this.#scope) return;
    const days = new Set(keys.map((key) => dayOf(splitKey(key)[0])));
    for (;;) {
      const { starts, revision } = await this.#readStarts();
      const noted = new Map(starts ?? this.#starts);
      for (const day of days) noted.set(day, Math.min(first, noted.get(day) ?? first));
      const isKnown = starts && [...days].every((day) => starts.get(day) === noted.get(day));
      const value = [...noted].sort(([a], [b]) => (a < b ? -1 : 1));
      if (isKnown || (await this.#scope.table.put(partition, dayStartsKey, value, revision))) return;
    }
  }
}

/** Beyond every index a segment can have. */
const maximumIndex = 999_999_999_999;

function splitKey(key: string): readonly [prefix: string, name: string] {
  const end = key.lastIndexOf('/') + 1;
  return [key.slice(0, end), key.slice(end)];
}

/** The day in `bundles/{model}/{day}/`. */
function dayOf(prefix: string): string {
  return prefix.split('/')[2] ?? '';
}
