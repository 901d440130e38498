import { dayKey, parseLiveVerdictKey, parseVerdictKey } from '../contract/keys.ts';
import type { Verdict } from '../model/verdict.ts';
import type { EvidencedVerdict } from '../rollback/decide-rollback.ts';
import { hasEvidenceEntry } from './evidence.ts';
import type { ObjectStore } from './ports.ts';
import { parseStored } from './write-once.ts';

/**
 * A model's verdict, where its evidence says the very same; undefined where it is not evidenced, or not yet: the verdict is
 * written first. Names and times are taken from the key, which evidence is found by, and must be the verdict's own.
 */
export async function readEvidencedVerdict(
  ports: { readonly state: ObjectStore; readonly audit: ObjectStore },
  model: string,
  key: string,
): Promise<EvidencedVerdict | undefined> {
  const bytes = await ports.state.get(key);
  if (!bytes) return undefined;
  const verdict = parseStored<Verdict>(key, bytes, 'tidewatch.verdict/1');
  const place = placeOf(key, verdict);
  if (place?.model !== model || verdict.model !== model) return undefined;
  const isEvidenced = await hasEvidenceEntry(ports.audit, model, place.time, 'verdict', place.name, verdict);
  return isEvidenced ? { key, verdict } : undefined;
}

/** Where a verdict's evidence lies: by the end of a closed window, by the minute of a live judgement. */
function placeOf(key: string, verdict: Verdict) {
  const live = parseLiveVerdictKey(key);
  if (live) {
    const time = live.minute * 60_000;
    return verdict.mode === 'live' ? { model: live.series.model, time, name: `${key}\n${dayKey(time)}` } : undefined;
  }
  const closed = parseVerdictKey(key);
  const isItsWindow = verdict.mode === 'closed' && Date.parse(verdict.window.start) === closed?.windowStart;
  return closed && isItsWindow
    ? { model: closed.series.model, time: Date.parse(verdict.window.end), name: key }
    : undefined;
}
