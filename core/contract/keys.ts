import type { Series } from '../model/profile.ts';
import {
  checkDay,
  checkHash,
  encodeSegment,
  KeyError,
  maximumRevision,
  nameAt,
  padNumber,
  parseKey,
  windowAt,
  windowKey,
} from './key-segments.ts';

export {
  dayKey,
  decodeSegment,
  encodeSegment,
  isKeyName,
  KeyError,
  maximumSegmentBytes,
  objectId,
  parseWindowKey,
  windowKey,
} from './key-segments.ts';
export * from './label-keys.ts';

/** A series without its layout and the width of its windows: what a verdict is about. */
export type VerdictSeries = Pick<Series, 'model' | 'variant' | 'version'>;

const maximumLogIndex = 999_999_999_999;
const maximumWindowSeconds = 86_400;

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
function slisPrefix(model: string): string {
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
