import { isKeyName } from '../contract/keys.ts';
import type { ModelPolicy, SourcePolicy } from '../model/policy.ts';

/** A capture object that has been announced: by an event, a sweep or a listing. */
export interface CaptureEvent {
  readonly bucket: string;
  readonly key: string;
  /** The account the event came from, where it says so. */
  readonly account?: string | undefined;
  /** By a sweep, which may have found a note that its ingestion had begun. */
  readonly isRepeated?: boolean | undefined;
}

/** Where an object belongs. */
export interface Location<Source extends SourcePolicy = SourcePolicy> {
  readonly source: Source;
  /** Production variant, from the key. */
  readonly variant: string;
  /** Time in the key, milliseconds since the epoch: near its first record. */
  readonly keyTime?: number | undefined;
}

/** An object that is none of ours. It is not read. */
export class RefusedCapture extends Error {
  override readonly name = 'RefusedCapture';
}

const defaultVariant = 'AllTraffic';

/**
 * Finds the source that an object belongs to, by its bucket and key alone.
 * @throws {RefusedCapture} for another bucket, a key outside every prefix, another account, a key that climbs, or a variant
 * that could not be a part of our keys.
 */
export function locateCapture(policy: ModelPolicy, event: CaptureEvent): Location {
  const location = placeCapture(policy, event);
  const { account } = location.source;
  if (account === undefined || event.account === account) return location;
  throw new RefusedCapture(
    `${quote(`s3://${event.bucket}/${event.key}`)}: expected an event of account ${account}, saw ${event.account ?? 'none'}`,
  );
}

/**
 * The same for an object that was accepted already, whoever announces it now.
 * @throws {RefusedCapture} as `locateCapture`, for all but the account.
 */
export function placeCapture(policy: ModelPolicy, event: Pick<CaptureEvent, 'bucket' | 'key'>): Location {
  const named = `s3://${event.bucket}/${event.key}`;
  if (!isPlainKey(event.key))
    throw new RefusedCapture(`${quote(named)}: the key has empty, '.' or '..' segments or control characters`);
  const candidates = policy.sources.filter((source) => source.bucket === event.bucket);
  if (candidates.length === 0) {
    throw new RefusedCapture(`${quote(named)}: expected bucket ${list(policy.sources.map((source) => source.bucket))}`);
  }
  const source = candidates
    .filter((candidate) => event.key.startsWith(rootOf(candidate)))
    .sort((a, b) => rootOf(b).length - rootOf(a).length)[0];
  if (!source) throw new RefusedCapture(`${quote(named)}: expected a key under ${list(candidates.map(rootOf))}`);
  const rest = event.key.slice(rootOf(source).length);
  const segment = source.kind === 'sagemaker-capture' ? rest.slice(0, Math.max(rest.indexOf('/'), 0)) : '';
  const variant = segment || defaultVariant;
  if (!isKeyName(variant)) throw new RefusedCapture(`${quote(named)}: expected a variant of at most 200 bytes`);
  return { source, variant, keyTime: timeInKey(rest) };
}

/** Where the objects of a source begin: `datacapture/credit-scoring/`. */
export function rootOf(source: SourcePolicy): string {
  return source.endpoint === undefined ? source.prefix : `${source.prefix}${source.endpoint}/`;
}

/** The time in `…/yyyy/mm/dd/hh/MM-SS-mmm-…`, or to the hour where the name holds no minutes. */
export function timeInKey(key: string): number | undefined {
  const match = /(?:^|\/)(\d{4})\/(\d{2})\/(\d{2})\/(\d{2})\/(?:(\d{2})-(\d{2})-(\d{3})-)?/.exec(key);
  if (!match) return undefined;
  const [, year, month, day, hour, minute = '00', second = '00', millisecond = '000'] = match;
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${millisecond}Z`);
  return Number.isNaN(time) ? undefined : time;
}

function isPlainKey(key: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
  if (key.length === 0 || key.length > 1024 || /[\u0000-\u001f\u007f]/.test(key)) return false;
  return key.split('/').every((segment) => segment !== '' && segment !== '.' && segment !== '..');
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 300));
}

function list(items: readonly string[]): string {
  return [...new Set(items)].map((item) => JSON.stringify(item)).join(' or ');
}
