import type { CaptureListing, CaptureStore } from './ports.ts';

/** Keys without a date that are looked at in a source: a listing page of S3. */
const maximumUndated = 1_000;
/** Folders of dates in a source: one a production variant. Each costs a request. */
const maximumFolders = 32;

/**
 * Objects of a source whose keys are dated at or after a time, without listing those before: a folder of dates
 * (`{anything}/yyyy/mm/dd/hh/` or `{anything}/yyyy/mm/dd/`, UTC) is entered at that time. So the work follows the newest
 * hours instead of the whole history. Not everything: of keys without a date the first 1,000, and the first 32 folders of
 * dates. What lies beyond is left to a full listing.
 * @param from milliseconds since the epoch.
 */
export async function* listRecentCaptures(
  captures: Pick<CaptureStore, 'list'>,
  bucket: string,
  root: string,
  from: number,
): AsyncGenerator<CaptureListing> {
  const first = datePath(from);
  const folders = new Set<string>();
  let undated = 0;
  let after: string | undefined;
  for (;;) {
    let next: string | undefined;
    for await (const listing of captures.list(bucket, root, after)) {
      const dated = findDate(listing.key, root.length);
      if (!dated) {
        yield listing;
        if (++undated === maximumUndated) return;
        continue;
      }
      if (dated.path >= first.slice(0, dated.path.length)) {
        yield listing;
        continue;
      }
      // A store that knows no `after` lists from the beginning again: a folder is entered once.
      if (folders.has(dated.folder)) continue;
      if (folders.size >= maximumFolders) return;
      folders.add(dated.folder);
      next = dated.folder + first.slice(0, dated.path.length);
      break;
    }
    if (next === undefined) return;
    after = next;
  }
}

/** `2026/03/02/10/`. */
function datePath(time: number): string {
  return `${new Date(time).toISOString().slice(0, 13).replace(/[-T]/g, '/')}/`;
}

/** The date of a key and what comes before it. Digits compare as text; whether they are a date at all does not matter. */
function findDate(key: string, rootLength: number): { readonly folder: string; readonly path: string } | undefined {
  const rest = key.slice(rootLength);
  const match = /(?:^|\/)(\d{4}\/\d{2}\/\d{2}\/(?:\d{2}\/)?)/.exec(rest);
  const path = match?.[1];
  if (match === null || path === undefined) return undefined;
  return { folder: key.slice(0, rootLength + match.index + match[0].length - path.length), path };
}
