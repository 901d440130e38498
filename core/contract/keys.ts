import { canonicalJson } from '../model/canonical-json.ts';
import { sha256 } from '../model/content-hash.ts';
import type { Series } from '../model/profile.ts';

/** A series without its layout and the width of its windows: what a verdict is about. */
export type VerdictSeries = Pick<Series, 'model' | 'variant' | 'version'>;

/** Longest segment of a key, in bytes after encoding. A file name may have 255. */
export const maximumSegmentBytes = 200;

const maximumRevision = 999_999;
const maximumLogIndex = 999_999_999_999;
const maximumWindowSeconds = 86_400;
const dayPattern = /^\d{4}-\d{2}-\d{2}$/;
const hashPattern = /^[0-9a-f]{16,64}$/;

/** A value that can't stand in a storage key. `seen` is cut short and escaped, because it may come from a payload. */
export class KeyError extends Error {
  override readonly name = 'KeyError';

  constructor(what: string, seen: unknown, expected: string) {
    super(`storage key: ${what}: saw ${String(JSON.stringify(seen)).slice(0, 60)}, expected ${expected}`);
  }
}

/** The segment a name becomes, or undefined where it can't be one: empty, `.`, `..`, ill-formed or too long. */
function tryEncodeSegment(name: string): string | undefined {
  if (name === '' || name === '.' || name === '..' || name.length > maximumSegmentBytes || !name.isWellFormed()) {
    return undefined;
  }
  let encoded = '';
  for (const byte of new TextEncoder().encode(name)) {
    const character = String.fromCharCode(byte);
    encoded += /[A-Za-z0-9._-]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded.length <= maximumSegmentBytes ? encoded : undefined;
}

/** True where a model, variant or version of this name can have keys. Ingest quarantines records of others. */
export function isKeyName(name: string): boolean {
  return tryEncodeSegment(name) !== undefined;
}

/**
 * A name as one segment of a key: `[A-Za-z0-9._-]` stay, every other byte of its UTF-8 becomes `%XX`.
 * @throws {KeyError} for an empty name, `.`, `..`, a lone surrogate, or more than 200 bytes after encoding.
 */
export function encodeSegment(name: string): string {
  const encoded = tryEncodeSegment(name);
  if (encoded === undefined) {
    throw new KeyError('name', name, `well-formed text of 1 to ${maximumSegmentBytes} bytes other than "." and ".."`);
  }
  return encoded;
}

/** The name behind a segment; undefined where `encodeSegment` would not have written it so. */
export function decodeSegment(segment: string): string | undefined {
  try {
    const name = decodeURIComponent(segment);
    return tryEncodeSegment(name) === segment ? name : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The start of a window as key text that sorts by time: `20010211T000000Z`.
 * @param start Milliseconds since the epoch; whole seconds, years 0 to 9999.
 * @throws {KeyError} for any other number.
 */
export function windowKey(start: number): string {
  const date = new Date(start);
  const year = Number.isNaN(date.getTime()) ? -1 : date.getUTCFullYear();
  if (start % 1000 !== 0 || year < 0 || year > 9999) {
    throw new KeyError('window start', start, 'milliseconds since the epoch in whole seconds, years 0 to 9999');
  }
  return `${date.toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
}

/** Milliseconds since the epoch, or undefined where the text is no window key. */
export function parseWindowKey(text: string): number | undefined {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/.exec(text) ?? [];
  if (year === undefined) return undefined;
  const start = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return !Number.isNaN(start) && windowKey(start) === text ? start : undefined;
}

/** The UTC day of a time in milliseconds since the epoch: `2001-02-11`. */
export function dayKey(time: number): string {
  const date = new Date(time);
  const day = Number.isNaN(date.getTime()) ? '' : date.toISOString().slice(0, 10);
  if (!dayPattern.test(day)) throw new KeyError('time', time, 'milliseconds since the epoch, years 0 to 9999');
  return day;
}

/** The name of a capture object in our keys: 128 bits of the SHA-256 of its bucket and key. */
export function objectId(bucket: string, key: string): string {
  return sha256(canonicalJson([bucket, key])).slice(0, 32);
}

function checkDay(day: string): string {
  const isDay = dayPattern.test(day) && !Number.isNaN(Date.parse(day)) && dayKey(Date.parse(day)) === day;
  if (!isDay) throw new KeyError('day', day, 'a UTC day as yyyy-mm-dd');
  return day;
}

function checkHash(what: string, hash: string): string {
  if (!hashPattern.test(hash)) throw new KeyError(what, hash, '16 to 64 lower-case hexadecimal digits');
  return hash;
}

function padNumber(what: string, value: number, maximum: number): string {
  if (!Number.isInteger(value) || value < 0 || value > maximum) {
    throw new KeyError(what, value, `a whole number from 0 to ${maximum}`);
  }
  return String(value).padStart(String(maximum).length, '0');
}

/**
 * What the segments of a key say, if formatting it gives the same key again: no two keys are read as one.
 * @param head the first segment, @param count how many there are.
 */
function parseKey<T>(
  key: string,
  head: string,
  count: number,
  read: (segments: readonly string[]) => T,
  format: (value: T) => string,
): T | undefined {
  const segments = key.split('/');
  if (segments.length !== count || segments[0] !== head) return undefined;
  try {
    const value = read(segments);
    return format(value) === key ? value : undefined;
  } catch (error) {
    if (error instanceof KeyError) return undefined;
    throw error;
  }
}

function nameAt(segments: readonly string[], index: number): string {
  const name = decodeSegment(segments[index] ?? '');
  if (name === undefined) throw new KeyError('segment', segments[index], 'an encoded name');
  return name;
}

function windowAt(segments: readonly string[], index: number): number {
  const start = parseWindowKey(segments[index] ?? '');
  if (start === undefined) throw new KeyError('segment', segments[index], 'a window start');
  return start;
}

function seriesPath(series: Series): string {
  return `${encodeSegment(series.model)}/${seriesKey(series)}`;
}

/**
 * A series among those of its model: `AllTraffic/credit-v7/0123456789abcdef-3600`.
 * @throws {KeyError} also for windows that are no whole number of seconds, or longer than a day.
 */
export function seriesKey({ variant, version, layout, windowSeconds }: Omit<Series, 'model'>): string {
  if (!Number.isInteger(windowSeconds) || windowSeconds < 1 || windowSeconds > maximumWindowSeconds) {
    throw new KeyError('window', windowSeconds, `whole seconds from 1 to ${maximumWindowSeconds}`);
  }
  // The layout by itself too: with a width behind it, `..` would be a name.
  encodeSegment(layout);
  return [variant, version, `${layout}-${windowSeconds}`].map(encodeSegment).join('/');
}

function verdictSeriesPath(series: VerdictSeries): string {
  return [series.model, series.variant, series.version].map(encodeSegment).join('/');
}

function seriesAt(segments: readonly string[]): Series {
  // Greedy: of a layout with dashes the last one is meant.
  const [, layout, windowSeconds] = /^(.*)-(\d+)$/s.exec(nameAt(segments, 4)) ?? [];
  if (layout === undefined) throw new KeyError('segment', segments[4], 'a layout and the seconds of a window');
  return { ...verdictSeriesAt(segments), layout, windowSeconds: Number(windowSeconds) };
}

function verdictSeriesAt(segments: readonly string[]): VerdictSeries {
  return { model: nameAt(segments, 1), variant: nameAt(segments, 2), version: nameAt(segments, 3) };
}

/** The number in `000000.json`; NaN, which no key can be made of, where there is none. */
function numberAt(segments: readonly string[], index: number): number {
  return Number(/^\d+(?=\.json$)/.exec(segments[index] ?? '')?.[0]);
}

/** All fragments of a model. */
export function modelFragmentPrefix(model: string): string {
  return `fragments/${encodeSegment(model)}/`;
}

/** All fragments of a series. */
export function fragmentPrefix(series: Series): string {
  return `fragments/${seriesPath(series)}/`;
}

/** The fragments of one window: also what a touch names. `windowStart` in milliseconds since the epoch. */
export function fragmentWindowPrefix(series: Series, windowStart: number): string {
  return `${fragmentPrefix(series)}${windowKey(windowStart)}/`;
}

export function fragmentKey(series: Series, windowStart: number, object: string): string {
  return `${fragmentWindowPrefix(series, windowStart)}${checkHash('object id', object)}`;
}

/** What a fragment's key says; undefined for a key of another kind. */
export function parseFragmentKey(
  key: string,
): { readonly series: Series; readonly windowStart: number; readonly objectId: string } | undefined {
  return parseKey(
    key,
    'fragments',
    7,
    (segments) => ({ series: seriesAt(segments), windowStart: windowAt(segments, 5), objectId: segments[6] ?? '' }),
    (value) => fragmentKey(value.series, value.windowStart, value.objectId),
  );
}

/** The window that a touch names; undefined for a prefix of another kind. */
export function parseFragmentWindowPrefix(
  prefix: string,
): { readonly series: Series; readonly windowStart: number } | undefined {
  return parseKey(
    prefix,
    'fragments',
    7,
    (segments) => ({ series: seriesAt(segments), windowStart: windowAt(segments, 5) }),
    (value) => fragmentWindowPrefix(value.series, value.windowStart),
  );
}

/** All profiles of a series. */
export function profilePrefix(series: Series): string {
  return `profiles/${seriesPath(series)}/`;
}

export function profileKey(series: Series, windowStart: number, fragmentSetHash: string): string {
  return `${profilePrefix(series)}${windowKey(windowStart)}/${checkHash('fragment set hash', fragmentSetHash)}`;
}

export function parseProfileKey(
  key: string,
): { readonly series: Series; readonly windowStart: number; readonly fragmentSetHash: string } | undefined {
  return parseKey(
    key,
    'profiles',
    7,
    (segments) => ({
      series: seriesAt(segments),
      windowStart: windowAt(segments, 5),
      fragmentSetHash: segments[6] ?? '',
    }),
    (value) => profileKey(value.series, value.windowStart, value.fragmentSetHash),
  );
}

/** All trails of a series. */
export function trailPrefix(series: Series): string {
  return `trails/${seriesPath(series)}/`;
}

/** The counts of a series up to and with the window that starts then. */
export function trailKey(series: Series, windowStart: number): string {
  return `${trailPrefix(series)}${windowKey(windowStart)}`;
}

/** Start of the trail's newest window; undefined for a key of another kind. */
export function parseTrailKey(key: string): { readonly series: Series; readonly windowStart: number } | undefined {
  return parseKey(
    key,
    'trails',
    6,
    (segments) => ({ series: seriesAt(segments), windowStart: windowAt(segments, 5) }),
    (value) => trailKey(value.series, value.windowStart),
  );
}

/** What was learned of a series from its first so many windows. */
export function learnedKey(series: Series, windows: number): string {
  return `learned/${seriesPath(series)}/${padNumber('windows', windows, maximumRevision)}`;
}

/** All verdicts of a model, closed and live. */
export function modelVerdictPrefix(model: string): string {
  return `verdicts/${encodeSegment(model)}/`;
}

/** All verdicts of a series, closed and live. */
export function verdictPrefix(series: VerdictSeries): string {
  return `verdicts/${verdictSeriesPath(series)}/`;
}

/** All revisions of a window's verdict. */
export function verdictWindowPrefix(series: VerdictSeries, windowStart: number): string {
  return `${verdictPrefix(series)}${windowKey(windowStart)}/`;
}

/** The revision is padded with zeros, so that listing sorts by it: `…/20010211T000000Z/000000.json`. */
export function verdictKey(series: VerdictSeries, windowStart: number, revision: number): string {
  return `${verdictWindowPrefix(series, windowStart)}${padNumber('revision', revision, maximumRevision)}.json`;
}

export function parseVerdictKey(
  key: string,
): { readonly series: VerdictSeries; readonly windowStart: number; readonly revision: number } | undefined {
  return parseKey(
    key,
    'verdicts',
    6,
    (segments) => ({
      series: verdictSeriesAt(segments),
      windowStart: windowAt(segments, 4),
      revision: numberAt(segments, 5),
    }),
    (value) => verdictKey(value.series, value.windowStart, value.revision),
  );
}

/** All live verdicts of a series. */
export function liveVerdictPrefix(series: VerdictSeries): string {
  return `${verdictPrefix(series)}live/`;
}

/** @param minute Minutes since the epoch. */
export function liveVerdictKey(series: VerdictSeries, minute: number): string {
  return `${liveVerdictPrefix(series)}${windowKey(minute * 60_000)}.json`;
}

export function parseLiveVerdictKey(
  key: string,
): { readonly series: VerdictSeries; readonly minute: number } | undefined {
  return parseKey(
    key,
    'verdicts',
    6,
    (segments) => ({
      series: verdictSeriesAt(segments),
      minute: windowAt([(segments[5] ?? '').replace(/\.json$/, '')], 0) / 60_000,
    }),
    (value) => liveVerdictKey(value.series, value.minute),
  );
}

/** What objects of a model were counted by: its policy and baselines. @param hash of their hashes. */
export function runtimeKey(model: string, hash: string): string {
  return `runtimes/${encodeSegment(model)}/${checkHash('hash', hash)}`;
}

export function quarantinePrefix(model: string): string {
  return `quarantine/${encodeSegment(model)}/`;
}

export function quarantineKey(model: string, object: string): string {
  return `${quarantinePrefix(model)}${checkHash('object id', object)}.json`;
}

/** Notes of capture objects of which nothing was counted into any window. */
export function emptyPrefix(model: string): string {
  return `empty/${encodeSegment(model)}/`;
}

/** Those of objects that arrived on a UTC day, yyyy-mm-dd. */
export function emptyDayPrefix(model: string, day: string): string {
  return `${emptyPrefix(model)}${checkDay(day)}/`;
}

export function emptyKey(model: string, day: string, object: string): string {
  return `${emptyDayPrefix(model, day)}${checkHash('object id', object)}`;
}

/** All daily roll-ups of a model's SLI sums. */
export function slisPrefix(model: string): string {
  return `slis/${encodeSegment(model)}/`;
}

export function slisDayPrefix(model: string, day: string): string {
  return `${slisPrefix(model)}${checkDay(day)}/`;
}

/** @param hash Of what was summed. */
export function slisKey(model: string, day: string, hash: string): string {
  return `${slisDayPrefix(model, day)}${checkHash('hash', hash)}`;
}

export function parseSlisKey(
  key: string,
): { readonly model: string; readonly day: string; readonly hash: string } | undefined {
  return parseKey(
    key,
    'slis',
    4,
    (segments) => ({ model: nameAt(segments, 1), day: segments[2] ?? '', hash: segments[3] ?? '' }),
    (value) => slisKey(value.model, value.day, value.hash),
  );
}

/** The two sides of the join of labels. */
export type JoinSide = 'index' | 'labels';

/** What was taken from each object, by the day on which the object came. */
export function joinPartPrefix(side: JoinSide, model: string): string {
  return `${side}/parts/${encodeSegment(model)}/`;
}

export function joinPartDayPrefix(side: JoinSide, model: string, day: string): string {
  return `${joinPartPrefix(side, model)}${checkDay(day)}/`;
}

export function joinPartKey(side: JoinSide, model: string, day: string, object: string): string {
  return `${joinPartDayPrefix(side, model, day)}${checkHash('object id', object)}`;
}

export function parseJoinPartKey(
  key: string,
): { readonly side: JoinSide; readonly model: string; readonly day: string; readonly objectId: string } | undefined {
  const side = key.startsWith('index/') ? 'index' : 'labels';
  return parseKey(
    key,
    side,
    5,
    (segments) => ({ side, model: nameAt(segments, 2), day: segments[3] ?? '', objectId: segments[4] ?? '' }) as const,
    (value) => joinPartKey(value.side, value.model, value.day, value.objectId),
  );
}

/** Parts of a day put together. `recent`: they are put together again, and kept for weeks only. */
export function joinPackKey(
  side: JoinSide,
  kept: 'recent' | 'packs',
  model: string,
  day: string,
  hash: string,
): string {
  return `${side}/${kept}/${encodeSegment(model)}/${checkDay(day)}/${checkHash('hash', hash)}`;
}

/** All statements of a model's cohorts. */
export function cohortPrefix(model: string): string {
  return `quality/cohorts/${encodeSegment(model)}/`;
}

/** What labels showed of the inferences of a day, by the number of the statement. */
export function cohortKey(
  model: string,
  cohort: { readonly day: string; readonly variant: string; readonly version: string },
  revision: number,
  hash: string,
): string {
  const path = [cohort.variant, cohort.version].map(encodeSegment).join('/');
  const number = padNumber('revision', revision, maximumRevision);
  return `${cohortPrefix(model)}${checkDay(cohort.day)}/${path}/${number}-${checkHash('hash', hash)}.json`;
}

/** Where the join of a model's labels stands. */
export function joinManifestKey(model: string, hash: string): string {
  return `quality/manifests/${encodeSegment(model)}/${checkHash('hash', hash)}`;
}

/** What was said of a model's quality. */
export function qualityKey(model: string, hash: string): string {
  return `quality/judgements/${encodeSegment(model)}/${checkHash('hash', hash)}.json`;
}

/** All evidence bundles of a model, in the audit bucket. */
export function bundlePrefix(model: string): string {
  return `bundles/${encodeSegment(model)}/`;
}

/** @param day The UTC day of the key the bundle is encrypted under, yyyy-mm-dd. */
export function bundleKey(model: string, day: string, object: string): string {
  return `${bundlePrefix(model)}${checkDay(day)}/${checkHash('object id', object)}`;
}

export function parseBundleKey(
  key: string,
): { readonly model: string; readonly day: string; readonly objectId: string } | undefined {
  return parseKey(
    key,
    'bundles',
    4,
    (segments) => ({ model: nameAt(segments, 1), day: segments[2] ?? '', objectId: segments[3] ?? '' }),
    (value) => bundleKey(value.model, value.day, value.objectId),
  );
}

export const logSegmentPrefix = 'log/segments/';

/** A piece of the hash list, named by the index of its first entry and padded, so that listing sorts by it. */
export function logSegmentKey(firstIndex: number): string {
  return `${logSegmentPrefix}${padNumber('log index', firstIndex, maximumLogIndex)}.json`;
}

export function parseLogSegmentKey(key: string): number | undefined {
  return parseKey(key, 'log', 3, (segments) => numberAt(segments, 2), logSegmentKey);
}
