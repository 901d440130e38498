import { fragmentWindowPrefix, parseFragmentKey } from '../contract/keys.ts';
import { sha256 } from '../model/content-hash.ts';
import type { Fragment, Series, Summary } from '../model/profile.ts';
import { emptySummary, mergeSummaries } from '../profile/merge.ts';
import type { ObjectStore } from './ports.ts';

/** All fragments of a window, merged. */
export interface WindowContent {
  /** [objectId, SHA-256 of the fragment's bytes], sorted by objectId. */
  readonly fragments: readonly (readonly [objectId: string, sha256: string])[];
  /** Per fragment, in the same order: inference records it counted. */
  readonly counted: readonly number[];
  readonly summary: Summary;
}

const empty: WindowContent = { fragments: [], counted: [], summary: emptySummary };

/**
 * Lists and merges the fragments of a window. Fragments never change, so what was merged before is kept and only new
 * ones are read: merging is exact, hence the result is the same as merging all of them anew in the order of their keys.
 */
export class WindowReader {
  readonly #store: ObjectStore;
  readonly #capacity: number;
  readonly #cache = new Map<string, WindowContent>();

  /** @param capacity windows kept in memory. */
  constructor(store: ObjectStore, capacity = 64) {
    this.#store = store;
    this.#capacity = capacity;
  }

  async read(series: Series, windowStart: number): Promise<WindowContent> {
    const prefix = fragmentWindowPrefix(series, windowStart);
    const keys: string[] = [];
    for await (const key of this.#store.list(prefix)) keys.push(key);
    const known = this.#cache.get(prefix) ?? empty;
    const content = await this.#extend(known, keys);
    this.#remember(prefix, content);
    return content;
  }

  async #extend(known: WindowContent, keys: readonly string[]): Promise<WindowContent> {
    const merged = new Set(known.fragments.map(([id]) => id));
    const fresh = keys
      .map((key) => ({ key, id: parseFragmentKey(key)?.objectId ?? '' }))
      .filter(({ id }) => !merged.has(id));
    if (fresh.length === 0) return known;
    const entries = known.fragments.map(([id, hash], index) => ({ id, hash, counted: known.counted[index] ?? 0 }));
    const summaries = [known.summary];
    for (const { key, id } of fresh) {
      const bytes = await this.#store.get(key);
      if (!bytes) continue;
      const fragment = parseFragment(key, bytes);
      entries.push({ id, hash: sha256(bytes), counted: fragment.summary.records.counted });
      summaries.push(fragment.summary);
    }
    entries.sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
    return {
      fragments: entries.map(({ id, hash }) => [id, hash] as const),
      counted: entries.map(({ counted }) => counted),
      summary: mergeSummaries(summaries),
    };
  }

  #remember(prefix: string, content: WindowContent): void {
    this.#cache.delete(prefix);
    this.#cache.set(prefix, content);
    const oldest = this.#cache.keys().next();
    if (this.#cache.size > this.#capacity && !oldest.done) this.#cache.delete(oldest.value);
  }
}

/** @throws {TypeError} for bytes that are no fragment: someone other than ingest wrote there. */
export function parseFragment(key: string, bytes: Uint8Array): Fragment {
  const fragment: Fragment = JSON.parse(Buffer.from(bytes).toString('utf8'));
  if (fragment?.schema !== 'tidewatch.fragment/1') {
    throw new TypeError(`${key}: expected schema tidewatch.fragment/1, saw ${JSON.stringify(fragment?.schema)}`);
  }
  return fragment;
}
