import { modelVerdictPrefix, parseVerdictKey, verdictWindowPrefix } from '../contract/keys.ts';
import type { Verdict } from '../model/verdict.ts';
import { parseVerdict } from './judge-window.ts';
import type { ObjectStore } from './ports.ts';

/** The newest revision of every closed window's verdict of a model, by series and window. */
export async function listVerdicts(
  state: ObjectStore,
  model: string,
): Promise<readonly { readonly key: string; readonly verdict: Verdict }[]> {
  const newest = new Map<string, string>();
  // Revisions are padded, so the newest comes last.
  for await (const key of state.list(modelVerdictPrefix(model))) {
    const parsed = parseVerdictKey(key);
    if (parsed) newest.set(verdictWindowPrefix(parsed.series, parsed.windowStart), key);
  }
  const verdicts: { key: string; verdict: Verdict }[] = [];
  for (const key of newest.values()) {
    const bytes = await state.get(key);
    if (bytes) verdicts.push({ key, verdict: parseVerdict(key, bytes) });
  }
  return verdicts;
}
