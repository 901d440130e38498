import { trailKey } from '../contract/keys.ts';
import { cappedWindows, judgeCallers } from '../evaluate/caller-trail.ts';
import { cellOfWindow } from '../evaluate/cells.ts';
import { initialChartsState, judgeCharts } from '../evaluate/charts/judge-charts.ts';
import { valuesOfWindow } from '../evaluate/charts/window-values.ts';
import { besideWindows } from '../evaluate/compare-beside.ts';
import type { DriftContext } from '../evaluate/drift-context.ts';
import { extendEmbeddings, trailingEmbeddings } from '../evaluate/embedding/embedding-trail.ts';
import type { ClosedContext } from '../evaluate/judge-closed.ts';
import { extendScores, type PerformanceContext, trailingScores } from '../evaluate/performance/judge-performance.ts';
import { extendSliceTrails, trailsOfSlice } from '../evaluate/slice-trail.ts';
import { extendTrail, type TrailWindow, trailBorders, trailingCounts, windowsOfTrails } from '../evaluate/trail.ts';
import { levelsOf, scalesOf, type WindowLevels } from '../evaluate/window-levels.ts';
import type { Baseline } from '../model/baseline.ts';
import { utcCalendar } from '../model/calendar.ts';
import type { Series, Summary, Window } from '../model/profile.ts';
import { readBeside } from './beside.ts';
import type { Calibrations } from './calibrations.ts';
import { milestoneOf, readLearned, windowsOfWeek } from './learned-windows.ts';
import type { ModelRuntime } from './model-runtime.ts';
import type { ObjectStore, StateTable } from './ports.ts';
import { countInService, listSeries, type SeriesState } from './series.ts';
import type { SeriesTrail, TrailReader } from './trail-store.ts';
import type { WindowReader } from './window-reader.ts';

export interface ContextPorts {
  readonly state: ObjectStore;
  readonly table: StateTable;
  readonly trails: TrailReader;
  readonly windows: WindowReader;
  readonly calibrations: Calibrations;
}

/** What a closed window is judged with. */
export interface JudgeContext {
  readonly closed: ClosedContext;
  /** Levels of a second look at it; absent: there is none. */
  readonly retest: WindowLevels['retest'];
  /** The trail that ends with the window; absent where later windows have theirs already. */
  readonly trail: SeriesTrail | undefined;
  /** Keys of what was read: with the window's profile they say all that its verdict follows from. */
  readonly keys: readonly string[];
  /** The same with every window of the longest stretch: needed to tell since when something has drifted. */
  readWindows(): Promise<ClosedContext>;
}

/** Windows that are always at hand: enough to tell that a feature has stopped changing. */
const recentWindows = 24;

/**
 * Reads what came before a window. Work does not grow with the length of the stretches.
 * @param sharing series that shared the model's budget when the window was judged first; undefined: it is judged first
 */
export async function readJudgeContext(
  runtime: ModelRuntime,
  ports: ContextPorts,
  baseline: Baseline,
  series: Series,
  window: Window,
  summary: Summary,
  sharing: number | undefined,
): Promise<JudgeContext> {
  const { policy } = runtime;
  const width = window.end - window.start;
  const calendar = policy.calendar ?? utcCalendar;
  const scales = scalesOf(policy, baseline);
  const all = await listSeries(ports.table, series.model);
  const inService = sharing ?? countInService(all, series, window);
  const levels = levelsOf(policy, scales.length, inService);
  const known = await listAround(ports.trails, series, window, scales);
  // A window older than the trail is judged by itself: the trail has gone on without it.
  const isNewest = known.at(-1) === undefined || (known.at(-1) ?? 0) <= window.start;
  const earlier = isNewest ? known.filter((start) => start < window.start) : [];
  const borders = pickBorders(earlier, trailBorders(window.start, scales, width));
  const starts = [...new Set([...borders, ...earlier.slice(-recentWindows)])].sort((a, b) => a - b);
  const read = await ports.trails.read(series, starts);
  const previous = read.find(({ windowStart }) => windowStart === earlier.at(-1));

  const cell = cellOfWindow(window.start, calendar);
  const slices = (policy.slices ?? []).map(({ name }) => name);
  const week = windowsOfWeek(policy.windowSeconds);
  const isNew = isNewVersion(runtime, all, series);
  const milestone = milestoneOf(series, policy.windowSeconds, previous?.windows ?? 0);
  const isRelearned = isNew && milestone !== undefined && milestone.windows >= week;
  const prepared = await ports.calibrations.prepare(
    policy,
    runtime.configHash,
    baseline,
    milestone && {
      key: milestone.key,
      replacesOutputs: isRelearned,
      read: () => readLearned(ports.state, ports.trails, series, milestone),
    },
  );
  const { caller } = runtime.versionPolicy(series.version);
  const callers =
    prepared.callers && caller === baseline.callers?.column
      ? judgeCallers({
          summary,
          layout: baseline.layout,
          cell,
          expectation: prepared.callers,
          start: window.start,
          windowMilliseconds: width,
          previous: previous?.callers,
          earlier: read,
        })
      : undefined;
  // Where callers are held to their caps, what is not counted by caller says nothing of the others.
  const others = callers?.weighed ? { ...summary, features: [], slices: [], scores: [] } : summary;
  const now = extendTrail(previous, window, callers?.weighed?.counts ?? summary, baseline.layout, cell);
  const sliceTrails = extendSliceTrails(previous?.slices, window, others, baseline.layout, slices, cell);
  const scores = baseline.calibration && extendScores(previous?.scores, baseline.calibration, others);
  const embeddings = extendEmbeddings(previous?.embeddings, others, baseline.layout);
  const values = valuesOfWindow(summary, baseline.layout, callers?.weighed);
  const charts = isNewest ? prepared.chartsFor(inService) : undefined;
  const charted =
    charts !== undefined
      ? judgeCharts(charts, previous?.charts ?? initialChartsState, {
          start: window.start,
          values: values.map((value) => ({ ...value, cell })),
        })
      : undefined;
  const trail: SeriesTrail = {
    ...now,
    ...(slices.length > 0 && { slices: sliceTrails }),
    ...(embeddings && { embeddings }),
    ...(scores && { scores }),
    ...(callers && { callers: callers.trail }),
    values,
    ...(charted && { charts: charted.state }),
  };
  const { scales: judgedScales } = prepared.calibration;
  const driftWith = (trails: readonly SeriesTrail[]): DriftContext => {
    const stretches = trailingCounts(now, trails, isNewest ? judgedScales : [1], width);
    return {
      calibration: prepared.calibration,
      stretches,
      windowsOfTrail: windowsOfTrails([...trails, now]),
      level: levels.drift,
      series: inService,
      ...(callers && { capped: cappedWindows([...trails, trail]) }),
      ...(embeddings && {
        embeddings: {
          calibrations: prepared.embeddings,
          stretches: trailingEmbeddings(embeddings, trails, stretches, baseline.layout),
        },
      }),
    };
  };
  const performanceWith = (trails: readonly SeriesTrail[]): PerformanceContext | undefined => {
    // The scores of another model were never compared with labels.
    if (!baseline.calibration || !scores || isNew) return undefined;
    const counts = trailingCounts(now, trails, isNewest ? judgedScales : [1], width);
    const stretches = trailingScores(scores, trails, counts);
    return { calibration: baseline.calibration, stretches, windowSeconds: policy.windowSeconds };
  };
  // Where a caller is held to its cap, the other's records would not be weighed alike.
  const beside =
    isNewest && !callers?.weighed
      ? await readBeside(ports, all, series, window, summary.records.counted, baseline.layout, cell)
      : undefined;
  const contextWith = (trails: readonly SeriesTrail[]): ClosedContext => ({
    drift: driftWith(trails),
    performance: performanceWith(trails),
    beside: beside && { ...beside, own: recentOf(windowsOfTrails([...trails, now]), window) },
    calendar,
    quality: { reference: prepared.quality, level: levels.quality },
    slices:
      levels.slices === undefined || !isNewest
        ? undefined
        : {
            level: levels.slices,
            contexts: prepared.slices.map((slice) => {
              const earlierOfSlice = trailsOfSlice(trails, slice.slice.name);
              const [nowOfSlice = now] = trailsOfSlice([trail], slice.slice.name);
              return {
                ...slice,
                stretches: trailingCounts(nowOfSlice, earlierOfSlice, slice.calibration.scales, width),
                trails: [...earlierOfSlice, nowOfSlice],
              };
            }),
          },
    charts: charted?.findings ?? [],
    callers: callers?.findings ?? [],
    isRelearned: isRelearned && prepared.learnedKey !== undefined,
    learning: isNew && now.windows <= week ? { windows: now.windows, of: week } : undefined,
  });
  return {
    closed: contextWith(read),
    retest: levels.retest,
    trail: isNewest ? trail : undefined,
    keys: [
      ...starts.map((start) => trailKey(series, start)),
      ...(prepared.learnedKey === undefined ? [] : [prepared.learnedKey]),
      ...(beside?.keys ?? []),
    ],
    readWindows: async () => contextWith(await ports.trails.read(series, earlier)),
  };
}

function recentOf(windows: readonly TrailWindow[], { start, end }: Window): readonly TrailWindow[] {
  return windows.filter((window) => window.start > start - besideWindows * (end - start));
}

/** Starts of the windows with trails, from the longest stretch's border on; all of them where that border has none. */
async function listAround(
  trails: TrailReader,
  series: Series,
  window: Window,
  scales: readonly number[],
): Promise<readonly number[]> {
  const width = window.end - window.start;
  const border = window.start - Math.max(...scales) * width;
  const near = border - width < 0 ? await trails.list(series) : await trails.list(series, border - width);
  const [first] = near;
  return first !== undefined && first <= border ? near : trails.list(series);
}

/** For each border the newest trail at or before it. */
function pickBorders(starts: readonly number[], borders: readonly number[]): readonly number[] {
  return borders.flatMap((border) => starts.findLast((start) => start <= border) ?? []);
}

/**
 * A version that came after another one, counted into the same layout and without an entry of its own in the
 * configuration: its outputs have no baseline yet.
 */
function isNewVersion(runtime: ModelRuntime, all: readonly SeriesState[], series: Series): boolean {
  if (runtime.isConfigured(series.version, 'literally')) return false;
  const own = all.filter(({ version }) => version === series.version).map(({ firstWindow }) => firstWindow);
  return all.some(
    ({ version, layout, firstWindow }) =>
      version !== series.version && layout === series.layout && firstWindow < Math.min(...own),
  );
}
