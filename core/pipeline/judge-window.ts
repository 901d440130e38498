import { parseVerdictKey, profileKey, verdictKey, verdictWindowPrefix } from '../contract/keys.ts';
import { metricNamespace } from '../contract/metric-names.ts';
import { evaluateWindow } from '../evaluate/evaluate-window.ts';
import { canonicalJson } from '../model/canonical-json.ts';
import { shortHash } from '../model/content-hash.ts';
import type { Profile, Series, Window } from '../model/profile.ts';
import { tierValue, type Verdict } from '../model/verdict.ts';
import { batchMetrics } from '../publish/batch-metrics.ts';
import { verdictMetrics } from '../publish/verdict-metrics.ts';
import { putEvidenceEntry } from './evidence.ts';
import type { ModelRuntime } from './model-runtime.ts';
import type { Clock, InvocationCounter, MetricSink, ObjectStore, StateTable } from './ports.ts';
import { rollUpWindow, settledRevision } from './roll-up.ts';
import { type SeriesState, updateSeries } from './series.ts';
import type { WindowContent, WindowReader } from './window-reader.ts';
import { encodeJson, parseStored, putFact } from './write-once.ts';

export interface JudgePorts {
  readonly state: ObjectStore;
  readonly audit: ObjectStore;
  readonly table: StateTable;
  readonly metrics: MetricSink;
  readonly invocations: InvocationCounter;
  readonly clock: Clock;
  readonly windows: WindowReader;
}

/**
 * Judges a closed window by the fragments listed now. The same set of fragments is a no-op; a larger one writes the next
 * revision. Verdict first, then its evidence and metrics, then the state, so that a crash repeats the rest and nothing else.
 */
export async function judgeWindow(
  runtime: ModelRuntime,
  ports: JudgePorts,
  series: Series,
  window: Window,
): Promise<{ readonly verdict: Verdict; readonly key: string; readonly written: boolean }> {
  for (;;) {
    // Verdicts before fragments: then none of them can know a fragment that the listing doesn't show.
    const history = await readRevisions(ports.state, series, window.start);
    const content = await ports.windows.read(series, window.start);
    const profile = profileKey(series, window.start, shortHash(canonicalJson(content.fragments)));
    const known = history.find(({ verdict }) => verdict.evidence.profiles.includes(profile));
    const judged = known ?? (await putVerdict(runtime, ports, series, window, content, profile, history));
    if (!judged) continue;
    const revisions = known ? history : [...history, judged];
    const settled = await settledRevision(ports, series, window);
    if (settled < judged.verdict.revision) {
      await settleRevisions(runtime, ports, series, window, revisions, settled);
      await rollUpWindow(ports, series, window, content, judged.verdict.revision);
    }
    await recordVerdict(ports.table, series, window, judged.key, judged.verdict);
    return { ...judged, written: !known };
  }
}

/** Profile, then verdict. Undefined where someone else wrote this revision meanwhile. */
async function putVerdict(
  runtime: ModelRuntime,
  ports: JudgePorts,
  series: Series,
  window: Window,
  content: WindowContent,
  profile: string,
  history: readonly Revision[],
): Promise<Revision | undefined> {
  await putProfile(ports, series, window, content, profile);
  const verdict = await judge(runtime, ports, series, window, content, profile, history);
  const key = verdictKey(series, window.start, verdict.revision);
  return (await ports.state.putOnce(key, encodeJson(verdict))) === 'different' ? undefined : { key, verdict };
}

/** Evidence and metrics of the revisions after the settled one: also of those whose judgement crashed in between. */
async function settleRevisions(
  runtime: ModelRuntime,
  ports: JudgePorts,
  series: Series,
  window: Window,
  revisions: readonly Revision[],
  settled: number,
): Promise<void> {
  for (const { key, verdict } of revisions) {
    if (verdict.revision <= settled) continue;
    await putEvidenceEntry(ports.audit, series.model, window.end, 'verdict', key, verdict);
    if (verdict.revision === 0) await publish(runtime, ports, verdict);
  }
}

async function judge(
  runtime: ModelRuntime,
  ports: JudgePorts,
  series: Series,
  window: Window,
  content: WindowContent,
  profile: string,
  history: readonly Revision[],
): Promise<Verdict> {
  const { policy } = runtime;
  const verdict = evaluateWindow({
    policy,
    baseline: runtime.baselineOf(series.version),
    summary: content.summary,
    series,
    window,
    revision: history.length,
    lateCounted: await countLate(ports.state, history, content),
    invocations: await countInvocations(runtime, ports, window, content),
    mode: 'closed',
    evidence: {
      baseline: runtime.baselineOf(series.version)?.sha256 ?? null,
      config: runtime.configHash,
      code: runtime.code,
      profiles: [profile],
    },
  });
  const before = history.at(-1)?.verdict;
  // Late data restates its window but can't raise its tier: that would be a second look the budget doesn't pay for.
  return before && tierValue[verdict.tier] > tierValue[before.tier] ? { ...verdict, tier: before.tier } : verdict;
}

/** Calls of the model in the window; undefined where nobody can tell. HTTP captures prove calls, never their absence. */
async function countInvocations(
  runtime: ModelRuntime,
  ports: JudgePorts,
  window: Window,
  content: WindowContent,
): Promise<number | undefined> {
  const reported = await ports.invocations.count(runtime.policy.name, window.start, window.end);
  const requests = content.summary.requests.captured;
  return reported ?? (requests > 0 ? requests : undefined);
}

async function putProfile(
  ports: JudgePorts,
  series: Series,
  window: Window,
  content: WindowContent,
  key: string,
): Promise<void> {
  const profile: Profile = {
    schema: 'tidewatch.profile/1',
    series,
    window,
    fragments: content.fragments,
    summary: content.summary,
  };
  await putFact(ports.state, key, encodeJson(profile));
}

interface Revision {
  readonly key: string;
  readonly verdict: Verdict;
}

async function readRevisions(state: ObjectStore, series: Series, windowStart: number): Promise<readonly Revision[]> {
  const revisions: Revision[] = [];
  for await (const key of state.list(verdictWindowPrefix(series, windowStart))) {
    const bytes = parseVerdictKey(key) && (await state.get(key));
    if (bytes) revisions.push({ key, verdict: parseVerdict(key, bytes) });
  }
  return revisions;
}

/** Records of the fragments that the first judgement did not know. */
async function countLate(state: ObjectStore, history: readonly Revision[], content: WindowContent): Promise<number> {
  const first = history[0]?.verdict.evidence.profiles[0];
  if (first === undefined) return 0;
  const bytes = await state.get(first);
  if (!bytes) throw new Error(`${first}: the profile of the first judgement is gone, expected it to be kept`);
  const profile = parseStored<Profile>(first, bytes, 'tidewatch.profile/1');
  const known = new Set(profile.fragments.map(([id]) => id));
  return content.fragments.reduce((sum, [id], index) => (known.has(id) ? sum : sum + (content.counted[index] ?? 0)), 0);
}

/** Scores carry their window's end and are published for the first revision only: history is not rewritten. */
async function publish(runtime: ModelRuntime, ports: JudgePorts, verdict: Verdict): Promise<void> {
  for (const batch of batchMetrics(verdictMetrics(verdict, runtime.policy), ports.clock.now()).batches) {
    await ports.metrics.put(metricNamespace, batch);
  }
}

async function recordVerdict(
  table: StateTable,
  series: Series,
  window: Window,
  key: string,
  verdict: Verdict,
): Promise<void> {
  const { captured, quarantined } = verdict.records;
  const newest = { key, windowStart: window.start, tier: verdict.tier, captured, quarantined };
  await updateSeries(table, series, (state) => {
    const { variant, version, layout } = series;
    const before = state ?? {
      variant,
      version,
      layout,
      firstWindow: window.start,
      newestWindow: window.start,
      judgedThrough: window.start,
    };
    const judgedThrough = Math.max(before.judgedThrough, window.end);
    const isOlder = before.newest !== undefined && isLater(before.newest, newest);
    if (state && isOlder && judgedThrough === before.judgedThrough) return state;
    return { ...before, judgedThrough, newest: isOlder ? before.newest : newest };
  });
}

/** True for the verdict of a later window, or the same or a later revision of the same one. */
function isLater(a: NewestVerdict, b: NewestVerdict): boolean {
  return a.windowStart === b.windowStart ? a.key >= b.key : a.windowStart > b.windowStart;
}

type NewestVerdict = NonNullable<SeriesState['newest']>;

/** @throws {IntegrityError} for bytes that are no verdict. */
export function parseVerdict(key: string, bytes: Uint8Array): Verdict {
  return parseStored<Verdict>(key, bytes, 'tidewatch.verdict/1');
}
