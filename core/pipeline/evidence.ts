import { type EvidenceType, evidenceEntry } from '../audit/evidence-entry.ts';
import { type HashListObject, hashListObject, nextSegment, parseSegment } from '../audit/hash-list.ts';
import { bundleKey, dayKey, logSegmentKey, logSegmentPrefix } from '../contract/keys.ts';
import { shortHash } from '../model/content-hash.ts';
import type { ObjectStore } from './ports.ts';
import { putFact } from './write-once.ts';

/** Everything the hash list covers. */
export const evidencePrefix = 'bundles/';
/** Entries of one segment: bounds its size to about a megabyte. */
const maximumSegmentEntries = 5_000;

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
  await putFact(audit, bundleKey(model, dayKey(time), shortHash(`${type}\n${name}`)), evidenceEntry(type, body));
}

/** What the hash list covers already, kept between calls so that only new objects are read. */
export class Sequencer {
  readonly #state: ObjectStore;
  readonly #audit: ObjectStore;
  readonly #listed = new Set<string>();
  #last: Uint8Array | undefined;
  #next = 0;

  constructor(state: ObjectStore, audit: ObjectStore) {
    this.#state = state;
    this.#audit = audit;
  }

  /**
   * Appends every evidence object that the list doesn't hold yet, in the order of their keys. Segments are written
   * once under the index of their first entry, so of two writers one loses and starts anew.
   * @returns how many objects were appended.
   */
  async appendNew(): Promise<number> {
    await this.#catchUp();
    let appended = 0;
    let pending: HashListObject[] = [];
    for await (const key of this.#audit.list(evidencePrefix)) {
      if (this.#listed.has(key)) continue;
      const body = await this.#audit.get(key);
      if (!body) continue;
      pending.push(hashListObject(key, body));
      if (pending.length < maximumSegmentEntries) continue;
      appended += await this.#append(pending);
      pending = [];
    }
    return appended + (pending.length > 0 ? await this.#append(pending) : 0);
  }

  async #append(objects: readonly HashListObject[]): Promise<number> {
    const segment = nextSegment(this.#last, objects);
    const result = await this.#state.putOnce(logSegmentKey(segment.first), segment.bytes);
    if (result === 'different') return 0;
    this.#take(segment.bytes);
    return objects.length;
  }

  async #catchUp(): Promise<void> {
    for await (const key of this.#state.list(logSegmentPrefix)) {
      if (key < logSegmentKey(this.#next)) continue;
      const bytes = await this.#state.get(key);
      if (bytes) this.#take(bytes);
    }
  }

  #take(bytes: Uint8Array): void {
    const segment = parseSegment(bytes);
    for (const { key } of segment.entries) this.#listed.add(key);
    this.#last = bytes;
    this.#next = segment.first + segment.entries.length;
  }
}
