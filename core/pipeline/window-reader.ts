import { fragmentPrefix, fragmentWindowPrefix, parseFragmentKey, windowKey } from '../contract/keys.ts';
import { sha256 } from '../model/content-hash.ts';
import type { Fragment, Series, Summary } from '../model/profile.ts';
import { keptCallerShare } from '../profile/caller-counter.ts';
import { emptySummary, mergeSummaries } from '../profile/merge.ts';
import type { Clock, ObjectStore } from './ports.ts';
import { RecentlyUsed } from './recently-used.ts';
import { parseStored } from './write-once.ts';

const parallelReads = 16;

/** All fragments of a window, merged. */
export interface WindowContent {
  /** [objectId, SHA-256 of the fragment's bytes], sorted by objectId. */
  readonly fragments: readonly (readonly [objectId: string, sha256: string])[];
  /** Per fragment, in the same order: inference records it counted. */
  readonly counted: readonly number[];
  readonly summary: Summary;
}

interface KnownWindow {
  /** Keys merged already. */
  readonly keys: ReadonlySet<string>;
  readonly content: WindowContent;
}

const empty: KnownWindow = { keys: new Set(), content: { fragments: [], counted: [], summary: emptySummary } };

/**
 * Lists and merges the fragments of a window. Fragments never change, so what was merged before is kept and only new
 * ones are read: merging is exact, hence the result is the same as merging all of them anew in the order of their keys.
 */
export class WindowReader {
  readonly #store: ObjectStore;
  readonly #capacity: number;
  readonly #clock: Clock | undefined;
  readonly #known: RecentlyUsed<KnownWindow>;

  /**
   * @param capacity windows kept in memory.
   * @param clock where given, fragments of objects that arrive later than it shows are not seen yet.
   */
  constructor(store: ObjectStore, capacity = 64, clock?: Clock) {
    this.#store = store;
    this.#capacity = capacity;
    this.#clock = clock;
    this.#known = new RecentlyUsed(capacity);
  }

  /** A reader of the same store that sees only what has arrived by the clock's time, however the store came by more. */
  upTo(clock: Clock): WindowReader {
    return new WindowReader(this.#store, this.#capacity, clock);
  }

  async read(series: Series, windowStart: number): Promise<WindowContent> {
    const prefix = fragmentWindowPrefix(series, windowStart);
    const keys: string[] = [];
    for await (const key of this.#store.list(prefix)) keys.push(key);
    return this.#merge(prefix, keys);
  }

  /**
   * The windows of a series that have fragments and start in [first, last], ascending, by one listing of them all: for
   * every minute, where a listing each would cost.
   */
  async readRange(series: Series, first: number, last: number): Promise<readonly WindowContent[]> {
    const root = fragmentPrefix(series);
    const begin = root + windowKey(first);
    const end = root + windowKey(Math.floor(last / 1000) * 1000);
    const keysOf = new Map<string, string[]>();
    for await (const key of this.#store.list(root, begin)) {
      const prefix = key.slice(0, key.lastIndexOf('/') + 1);
      // A store that knows no beginning shows older windows as well.
      if (prefix < begin) continue;
      if (prefix > `${end}/`) break;
      const keys = keysOf.get(prefix);
      if (keys) keys.push(key);
      else keysOf.set(prefix, [key]);
    }
    const contents: WindowContent[] = [];
    for (const [prefix, keys] of keysOf) contents.push(await this.#merge(prefix, keys));
    return contents;
  }

  async #merge(prefix: string, keys: readonly string[]): Promise<WindowContent> {
    const known = this.#known.get(prefix) ?? empty;
    const fresh = keys.filter((key) => !known.keys.has(key));
    const extended = fresh.length === 0 ? known : await this.#extend(known, fresh);
    this.#known.keep(prefix, extended);
    return withLargeCallers(extended.content);
  }

  async #extend(known: KnownWindow, fresh: readonly string[]): Promise<KnownWindow> {
    const { fragments, counted, summary } = known.content;
    const entries = fragments.map(([id, hash], index) => ({ id, hash, counted: counted[index] ?? 0 }));
    const summaries = [summary];
    const keys = new Set(known.keys);
    for await (const [key, bytes] of this.#readAll(fresh)) {
      const id = parseFragmentKey(key)?.objectId;
      if (id === undefined || !bytes) continue;
      const fragment = parseFragment(key, bytes);
      if (this.#clock && fragment.object.lastModified > this.#clock.now()) continue;
      entries.push({ id, hash: sha256(bytes), counted: fragment.summary.records.counted });
      summaries.push(fragment.summary);
      keys.add(key);
    }
    entries.sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
    return {
      keys,
      content: {
        fragments: entries.map(({ id, hash }) => [id, hash] as const),
        counted: entries.map((entry) => entry.counted),
        summary: mergeSummaries(summaries),
      },
    };
  }

  /** Several at a time, in the order of the keys. */
  async *#readAll(keys: readonly string[]): AsyncGenerator<readonly [key: string, bytes: Uint8Array | undefined]> {
    for (let first = 0; first < keys.length; first += parallelReads) {
      const group = keys.slice(first, first + parallelReads);
      yield* await Promise.all(group.map(async (key) => [key, await this.#store.get(key)] as const));
    }
  }
}

/** Callers that are large in some objects need not be so in the window: only those with 3 % of it matter to anybody. */
function withLargeCallers(content: WindowContent): WindowContent {
  const { callers: all, ...summary } = content.summary;
  if (!all) return content;
  const callers = all.filter(([, { records }]) => records >= keptCallerShare * summary.records.counted);
  return { ...content, summary: callers.length > 0 ? { ...summary, callers } : summary };
}

/** @throws {IntegrityError} for bytes that are no fragment. */
export function parseFragment(key: string, bytes: Uint8Array): Fragment {
  return parseStored<Fragment>(key, bytes, 'tidewatch.fragment/1');
}
