import { readdirSync, realpathSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { isErrorCode } from './error-code.ts';
import { compareUtf8, splitKey, splitPrefix } from './object-key.ts';

const maximumListed = 256;

export interface KeysOptions {
  /** Begins behind this key, which need not exist. Directories that end before it are not read. */
  readonly after?: string | undefined;
  /** A directory at the root that holds no keys, with its slash. */
  readonly leaveOut?: string | undefined;
}

/** A directory that objects are read from and written into, and that nothing leads out of. */
export class Directory {
  /** Absolute, without symbolic links. */
  readonly root: string;

  /** Entries by path, where nobody else writes. */
  readonly #listed: Map<string, readonly string[]> | undefined;

  /**
   * @param exclusive nobody else writes below it: listings are remembered until `forget`
   * @throws where the directory does not exist.
   */
  constructor(root: string, exclusive = false) {
    this.root = realpathSync.native(root);
    this.#listed = exclusive ? new Map() : undefined;
  }

  /** The path of a key. @throws {InvalidKeyError} */
  pathOf(key: string): string {
    return join(this.root, ...splitKey(key));
  }

  /**
   * The path, or undefined where nothing is there.
   * @throws where a symbolic link leads to another place.
   */
  resolve(path: string): string | undefined {
    let real: string;
    try {
      real = realpathSync.native(path);
    } catch (cause) {
      if (isErrorCode(cause, 'ENOENT', 'ENOTDIR')) return undefined;
      throw cause;
    }
    if (real !== path) throw new Error(`${path}: expected no symbolic link below ${this.root}, saw one to ${real}`);
    return real;
  }

  /**
   * Keys of the files under a prefix, ascending by UTF-8 bytes of the whole key. Reads a directory when the walk
   * comes to it; symbolic links and whatever else is neither file nor directory are left out.
   */
  *keys(prefix: string, options: KeysOptions = {}): Generator<string> {
    const { directory, begin } = splitPrefix(prefix);
    const top = this.resolve(join(this.root, ...directory));
    if (top !== undefined) {
      yield* this.#walk(top, directory.map((segment) => `${segment}/`).join(''), begin, options);
    }
  }

  /** To be called when something was added to a directory. */
  forget(path: string): void {
    for (let next = path; this.contains(next) && this.#listed?.size; next = dirname(next)) this.#listed.delete(next);
  }

  *#walk(path: string, keyPrefix: string, begin: string, options: KeysOptions): Generator<string> {
    const { after, leaveOut } = options;
    for (const entry of this.#entries(path)) {
      if (!entry.startsWith(begin) && !(entry.endsWith('/') && entry.slice(0, -1).startsWith(begin))) continue;
      if (keyPrefix === '' && entry === leaveOut) continue;
      const key = keyPrefix + entry;
      // All keys below a directory begin with its name: where `after` does not, they lie on one side of it.
      const isBehind = after === undefined || compareUtf8(key, after) > 0;
      if (!isBehind && !(entry.endsWith('/') && after.startsWith(key))) continue;
      // Without the slash: that is the name by which it is forgotten.
      if (entry.endsWith('/')) yield* this.#walk(join(path, entry.slice(0, -1)), key, '', options);
      else yield key;
    }
  }

  #entries(path: string): readonly string[] {
    const known = this.#listed?.get(path);
    if (known) return known;
    const entries = readEntries(path);
    const [oldest] = this.#listed?.keys() ?? [];
    if (oldest !== undefined && this.#listed && this.#listed.size >= maximumListed) this.#listed.delete(oldest);
    this.#listed?.set(path, entries);
    return entries;
  }

  /** True where the path is the root or lies below it. */
  contains(path: string): boolean {
    return path === this.root || path.startsWith(this.root.endsWith(sep) ? this.root : this.root + sep);
  }
}

/** Names in key order; a directory's name ends with a slash, as its keys go on with one (`a-b` is before `a/b`). */
function readEntries(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isFile() || entry.isDirectory())
      .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
      .sort(compareUtf8);
  } catch (cause) {
    // A directory that went away in between, or a prefix that goes through a file, holds no keys.
    if (isErrorCode(cause, 'ENOENT', 'ENOTDIR')) return [];
    throw cause;
  }
}
