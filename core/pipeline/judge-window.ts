import { parseProfileKey, parseVerdictKey, profileKey, verdictKey, verdictWindowPrefix } from '../contract/keys.ts';
import { holdBack, needsSecondLook } from '../evaluate/hold-back.ts';
import { judgeClosed } from '../evaluate/judge-closed.ts';
import { judgeInContext as judgeFeatures } from '../evaluate/judge-in-context.ts';
import { composeVerdict, type WindowInput } from '../evaluate/window-verdict.ts';
import { canonicalJson } from '../model/canonical-json.ts';
import { shortHash } from '../model/content-hash.ts';
import type { Profile, Series, Window } from '../model/profile.ts';
import type { Verdict } from '../model/verdict.ts';
import { verdictMetrics } from '../publish/verdict-metrics.ts';
import { putEvidenceEntry } from './evidence.ts';
import { type ContextPorts, type JudgeContext, readJudgeContext } from './judge-context.ts';
import { type ModelRuntime, withWindow } from './model-runtime.ts';
import type { Clock, InvocationCounter, MetricSink, ObjectStore, StateTable } from './ports.ts';
import { publishMetrics, type RefusedMetrics } from './publish-metrics.ts';
import { rollUpWindow, settledRevision } from './roll-up.ts';
import { beginSeries, isSameSeries, type NewestVerdict, updateSeries } from './series.ts';
import { readServedBy } from './served-endpoints.ts';
import { keepTrail } from './trail-store.ts';
import type { WindowContent, WindowReader } from './window-reader.ts';
import { encodeJson, parseStored, putFact } from './write-once.ts';

export interface JudgePorts extends ContextPorts {
  readonly state: ObjectStore;
  readonly audit: ObjectStore;
  readonly table: StateTable;
  readonly metrics: MetricSink;
  readonly invocations: InvocationCounter;
  readonly clock: Clock;
  readonly windows: WindowReader;
}

export interface Judgement {
  readonly verdict: Verdict;
  readonly key: string;
  /** False where nothing had changed. */
  readonly written: boolean;
  /** Scores that CloudWatch would not take: of a window that ended more than two weeks ago. */
  readonly refused: readonly RefusedMetrics[];
}

/**
 * Judges a closed window by the fragments listed now. The same set of fragments is a no-op; a larger one writes the next
 * revision. Verdict first, then its evidence and metrics, then the state, so that a crash repeats the rest and nothing else.
 * A window of a width that is no longer in force is judged like any other of its series.
 */
export async function judgeWindow(
  current: ModelRuntime,
  ports: JudgePorts,
  series: Series,
  window: Window,
): Promise<Judgement> {
  const runtime = withWindow(current, series.windowSeconds);
  for (;;) {
    // Verdicts before fragments: then none of them can know a fragment that the listing doesn't show.
    const all = await readRevisions(ports.state, series, window.start);
    // Where the baseline or the window was changed, windows of two series may start here. They share the numbers of
    // revisions, and nothing else: what was counted into one says nothing of the other.
    const history = all.filter(({ verdict }) => isOfSeries(verdict, series));
    const content = await ports.windows.read(series, window.start);
    const profile = profileKey(series, window.start, shortHash(canonicalJson(content.fragments)));
    const known = history.find(({ verdict }) => verdict.evidence.profiles.includes(profile));
    const judged =
      known ?? (await putVerdict(runtime, ports, series, window, content, profile, { history, next: all.length }));
    if (!judged) continue;
    const revisions = known ? history : [...history, judged];
    const settled = await settledRevision(ports, series, window);
    const refused: RefusedMetrics[] = [];
    if (settled < judged.verdict.revision) {
      refused.push(...(await settleRevisions(runtime, ports, series, window, revisions, settled)));
      await rollUpWindow(ports, series, window, content, judged.verdict.revision);
    }
    await recordVerdict(ports.table, series, window, judged.key, judged.verdict);
    return { ...judged, written: !known, refused };
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
  earlier: Earlier,
): Promise<Revision | undefined> {
  await putProfile(ports, series, window, content, profile);
  const judged = await judge(runtime, ports, series, window, content, profile, earlier);
  const servedBy = await readServedBy(ports.table, runtime.policy, series.variant, window);
  const verdict = servedBy.length > 0 ? { ...judged, servedBy } : judged;
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
): Promise<readonly RefusedMetrics[]> {
  const refused: RefusedMetrics[] = [];
  for (const { key, verdict } of revisions) {
    if (verdict.revision <= settled) continue;
    await putEvidenceEntry(ports.audit, series.model, window.end, 'verdict', key, verdict);
    // Scores carry their window's end and are published for the first revision only: history is not rewritten.
    if (verdict === revisions[0]?.verdict)
      refused.push(...(await publishMetrics(ports, verdictMetrics(verdict, runtime.policy))));
  }
  return refused;
}

async function judge(
  runtime: ModelRuntime,
  ports: JudgePorts,
  series: Series,
  window: Window,
  content: WindowContent,
  profile: string,
  { history, next }: Earlier,
): Promise<Verdict> {
  const { policy } = runtime;
  const configured = runtime.baselineOf(series.version);
  // Records counted into another layout than the baseline in force can't be compared with it.
  const baseline = configured?.layoutId === series.layout ? configured : undefined;
  const first = history[0]?.verdict.rule;
  const context =
    baseline &&
    (await readJudgeContext(
      runtime,
      ports,
      baseline,
      series,
      window,
      content.summary,
      // However many have come since: a revision is judged by the level that the first was.
      first && (first.series ?? 1),
    ));
  // Later windows are compared with what this one was at first: it must be kept before anything is said of it.
  if (context?.trail && history.length === 0) await keepTrail(ports.state, series, context.trail);
  const input: Omit<WindowInput, 'mode'> = {
    policy,
    baseline,
    summary: content.summary,
    series,
    window,
    revision: next,
    lateCounted: await countLate(ports.state, history, content),
    invocations: await countInvocations(runtime, ports, window, content),
    evidence: {
      baseline: baseline?.sha256 ?? null,
      config: runtime.configHash,
      code: runtime.code,
      profiles: [profile],
      ...(context && { trails: context.keys }),
    },
  };
  if (!context) return composeVerdict({ ...input, mode: 'closed' }, judgeFeatures).verdict;
  const verdict = await judgeInContext(input, context);
  const earlier = history.map((revision) => revision.verdict);
  return earlier.length === 0 || !needsSecondLook(verdict, earlier)
    ? verdict
    : retest(input, context, verdict, earlier);
}

/** Since when something has drifted is asked only where something has, in a slice alone or as a whole. */
export async function judgeInContext(input: Omit<WindowInput, 'mode'>, context: JudgeContext): Promise<Verdict> {
  const verdict = judgeClosed(input, context.closed);
  const hasDrifted =
    Object.values(verdict.features).some(({ drifted }) => drifted) ||
    verdict.findings.some(({ slice }) => slice !== undefined);
  return hasDrifted ? judgeClosed(input, await context.readWindows()) : verdict;
}

/**
 * Late data restate their window, but a second look at it is paid for from a budget of its own: the first revision is
 * tested once more at that level, and only what passes is worse than before. In later revisions nothing is by a test.
 */
function retest(
  input: Omit<WindowInput, 'mode'>,
  { closed, retest: levels }: JudgeContext,
  verdict: Verdict,
  earlier: readonly Verdict[],
): Verdict {
  const confirmed =
    earlier.length === 1 && levels
      ? judgeClosed(input, {
          ...closed,
          drift: { ...closed.drift, level: levels.drift },
          quality: { ...closed.quality, level: levels.quality },
          charts: [],
          slices: undefined,
        })
      : undefined;
  return holdBack(verdict, earlier, confirmed);
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

/** What was said of a window before. */
interface Earlier {
  /** Of this very series, oldest first. */
  readonly history: readonly Revision[];
  /** Number of the revision that comes next, over all series whose windows start here. */
  readonly next: number;
}

function isOfSeries(verdict: Verdict, series: Series): boolean {
  return verdict.evidence.profiles.some((key) => {
    const of = parseProfileKey(key)?.series;
    return of !== undefined && isSameSeries(of, series);
  });
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
    const before = state ?? beginSeries(series, window);
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

/** @throws {IntegrityError} for bytes that are no verdict. */
export function parseVerdict(key: string, bytes: Uint8Array): Verdict {
  return parseStored<Verdict>(key, bytes, 'tidewatch.verdict/1');
}
