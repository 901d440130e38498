import {
  modelFragmentPrefix,
  modelQualityPrefix,
  modelVerdictPrefix,
  parseFragmentKey,
  parseLiveVerdictKey,
  parseProfileKey,
  parseVerdictKey,
} from '../../contract/keys.ts';
import type { ModelPolicy } from '../../model/policy.ts';
import type { Profile, Series } from '../../model/profile.ts';
import type { Verdict } from '../../model/verdict.ts';
import { parseVerdict } from '../judge-window.ts';
import type { ObjectStore } from '../ports.ts';
import type { StoredQuality } from '../stored-quality.ts';
import { parseFragment } from '../window-reader.ts';
import { parseStored } from '../write-once.ts';

/** A recorded verdict and when it came into force, milliseconds since the epoch. */
export interface RecordedVerdict {
  readonly at: number;
  readonly key: string;
  readonly verdict: Verdict;
  /** Of a closed window: its series. Absent: a live verdict. */
  readonly series?: Series | undefined;
}

type Readable = Pick<ObjectStore, 'get' | 'list'>;

/**
 * All verdicts of a model that a state folder or bucket holds, by the time they came into force: live ones at their
 * minute, closed ones when their window was due, restated ones when the data had come that they know more.
 */
export async function readRecordedVerdicts(
  state: Readable,
  { name: model, graceSeconds }: Pick<ModelPolicy, 'name' | 'graceSeconds'>,
): Promise<readonly RecordedVerdict[]> {
  const verdicts: RecordedVerdict[] = [];
  for await (const key of state.list(modelVerdictPrefix(model))) {
    const live = parseLiveVerdictKey(key);
    const closed = parseVerdictKey(key);
    const bytes = live || closed ? await state.get(key) : undefined;
    if (!bytes) continue;
    const verdict = parseVerdict(key, bytes);
    if (live) verdicts.push({ at: live.minute * 60_000, key, verdict });
    else verdicts.push(await dateClosed(state, key, verdict, graceSeconds));
  }
  return verdicts.sort((a, b) => a.at - b.at || (a.key < b.key ? -1 : 1));
}

async function dateClosed(
  state: Readable,
  key: string,
  verdict: Verdict,
  graceSeconds: number,
): Promise<RecordedVerdict> {
  const due = Date.parse(verdict.window.end) + graceSeconds * 1000;
  const profileKey = verdict.evidence.profiles[0] ?? '';
  const series = parseProfileKey(profileKey)?.series;
  const at = verdict.revision === 0 ? due : Math.max(due, await newestArrival(state, profileKey));
  return { at, key, verdict, ...(series && { series }) };
}

/** When the last of a profile's objects arrived; 0 where that can't be told any more. */
async function newestArrival(state: Readable, profileKey: string): Promise<number> {
  const bytes = await state.get(profileKey);
  if (!bytes) return 0;
  const { fragments, series, window } = parseStored<Profile>(profileKey, bytes, 'tidewatch.profile/1');
  const ids = new Set(fragments.map(([id]) => id));
  let newest = 0;
  for (const fragment of await readRecordedFragments(state, series.model, window.start)) {
    if (ids.has(fragment.objectId)) newest = Math.max(newest, fragment.at);
  }
  return newest;
}

/** What one object added to one window, and when it arrived, milliseconds since the epoch. */
export interface RecordedFragment {
  readonly at: number;
  readonly objectId: string;
  readonly series: Series;
  readonly windowStart: number;
}

/**
 * The fragments of a model by their arrival.
 * @param windowStart where given, of that window only
 */
export async function readRecordedFragments(
  state: Readable,
  model: string,
  windowStart?: number,
): Promise<readonly RecordedFragment[]> {
  const fragments: RecordedFragment[] = [];
  for await (const key of state.list(modelFragmentPrefix(model))) {
    const parsed = parseFragmentKey(key);
    if (!parsed || (windowStart !== undefined && parsed.windowStart !== windowStart)) continue;
    const bytes = await state.get(key);
    if (!bytes) continue;
    fragments.push({ at: parseFragment(key, bytes).object.lastModified, ...parsed });
  }
  return fragments.sort((a, b) => a.at - b.at || (a.objectId < b.objectId ? -1 : 1));
}

/** What labels showed of a model, and when it was judged, milliseconds since the epoch. */
export interface RecordedQuality {
  readonly at: number;
  readonly key: string;
  readonly model: string;
  readonly bytes: Uint8Array;
}

/** By their time. */
export async function readRecordedQuality(state: Readable, model: string): Promise<readonly RecordedQuality[]> {
  const judgements: RecordedQuality[] = [];
  for await (const key of state.list(modelQualityPrefix(model))) {
    const bytes = await state.get(key);
    if (!bytes) continue;
    judgements.push({ at: parseStored<StoredQuality>(key, bytes, 'tidewatch.quality/1').time, key, model, bytes });
  }
  return judgements.sort((a, b) => a.at - b.at || (a.key < b.key ? -1 : 1));
}
