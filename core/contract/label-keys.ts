import { checkDay, checkHash, encodeSegment, maximumRevision, nameAt, padNumber, parseKey } from './key-segments.ts';

/** The two sides of the join of labels. */
export type JoinSide = 'index' | 'labels';

/** What was taken from each object, by the day on which the object came. */
export function joinPartPrefix(side: JoinSide, model: string): string {
  return `${side}/parts/${encodeSegment(model)}/`;
}

function joinPartDayPrefix(side: JoinSide, model: string, day: string): string {
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
  return `${modelQualityPrefix(model)}${checkHash('hash', hash)}.json`;
}

export function modelQualityPrefix(model: string): string {
  return `quality/judgements/${encodeSegment(model)}/`;
}
