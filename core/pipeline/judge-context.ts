import { trailKey } from '../contract/keys.ts';
import { cellOfWindow } from '../evaluate/cells.ts';
import { initialChartsState, judgeCharts } from '../evaluate/charts/judge-charts.ts';
import { valuesOfWindow } from '../evaluate/charts/window-values.ts';
import type { ClosedContext } from '../evaluate/judge-closed.ts';
import { extendSliceTrails, type SliceTrails } from '../evaluate/slice-trail.ts';
import { extendTrail, trailBorders, trailingCounts, windowsOfTrails } from '../evaluate/trail.ts';
import type { Baseline } from '../model/baseline.ts';
import { utcCalendar } from '../model/calendar.ts';
import type { Series, Summary, Window } from '../model/profile.ts';
import { chooseScales } from '../model/scales.ts';
import type { Calibrations } from './calibrations.ts';
import { milestoneOf, readLearned, windowsOfWeek } from './learned-windows.ts';
import type { ModelRuntime } from './model-runtime.ts';
import type { ObjectStore, StateTable } from './ports.ts';
import { listSeries } from './series.ts';
import type { SeriesTrail, TrailReader } from './trail-store.ts';

export interface ContextPorts {
  readonly state: ObjectStore;
  readonly table: StateTable;
  readonly trails: TrailReader;
  readonly calibrations: Calibrations;
}

/** What a closed window is judged with. */
export interface JudgeContext {
  readonly closed: ClosedContext;
  /** The trail that ends with the window; absent where later windows have theirs already. */
  readonly trail: SeriesTrail | undefined;
  /** Keys of what was read: with the window's profile they say all that its verdict follows from. */
  readonly keys: readonly string[];
  /** The same with every window of the longest stretch: needed to tell since when something has drifted. */
  readWindows(): Promise<ClosedContext>;
}

/** Windows that are always at hand: enough to tell that a feature has stopped changing. */
const recentWindows = 24;

/** Reads what came before a window. Work does not grow with the length of the stretches. */
export async function readJudgeContext(
  runtime: ModelRuntime,
  ports: ContextPorts,
  baseline: Baseline,
  series: Series,
  window: Window,
  summary: Summary,
): Promise<JudgeContext> {
  const { policy } = runtime;
  const width = window.end - window.start;
  const calendar = policy.calendar ?? utcCalendar;
  const scales = policy.drift.scales ?? chooseScales(policy.windowSeconds);
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
  const now = extendTrail(previous, window, summary, baseline.layout, cell);
  const sliceTrails = extendSliceTrails(previous?.slices, window, summary, baseline.layout, slices, cell);
  const values = valuesOfWindow(summary, baseline.layout);
  const week = windowsOfWeek(policy.windowSeconds);
  const isNew = await isNewVersion(runtime, ports.table, series);
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
  const charted =
    prepared.charts && isNewest
      ? judgeCharts(prepared.charts, previous?.charts ?? initialChartsState, {
          start: window.start,
          values: values.map((value) => ({ ...value, cell })),
        })
      : undefined;
  const trail: SeriesTrail = {
    ...now,
    ...(slices.length > 0 && { slices: sliceTrails }),
    values,
    ...(charted && { charts: charted.state }),
  };
  const { scales: judgedScales } = prepared.calibration;
  const contextWith = (trails: readonly SeriesTrail[]): ClosedContext => ({
    drift: {
      calibration: prepared.calibration,
      stretches: trailingCounts(now, trails, isNewest ? judgedScales : [1], width),
      windowsOfTrail: windowsOfTrails([...trails, now]),
    },
    calendar,
    quality: { reference: prepared.quality, level: policy.drift.qualityLevel ?? 0 },
    slices:
      policy.sliceLevel === undefined || !isNewest
        ? undefined
        : {
            level: policy.sliceLevel,
            contexts: prepared.slices.map((slice) => ({
              ...slice,
              stretches: trailingCounts(
                trailOfSlice(sliceTrails, slice.slice.name) ?? now,
                trails.flatMap(({ slices: of }) => trailOfSlice(of, slice.slice.name) ?? []),
                slice.calibration.scales,
                width,
              ),
              windowsOfTrail: [],
            })),
          },
    charts: charted?.findings ?? [],
    isRelearned: isRelearned && prepared.learnedKey !== undefined,
    learning: isNew && now.windows <= week ? { windows: now.windows, of: week } : undefined,
  });
  return {
    closed: contextWith(read),
    trail: isNewest ? trail : undefined,
    keys: [
      ...starts.map((start) => trailKey(series, start)),
      ...(prepared.learnedKey === undefined ? [] : [prepared.learnedKey]),
    ],
    readWindows: async () => contextWith(await ports.trails.read(series, earlier)),
  };
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

function trailOfSlice(trails: SliceTrails | undefined, name: string) {
  return trails?.find(([slice]) => slice === name)?.[1];
}

/**
 * A version that came after another one, counted into the same layout and without an entry of its own in the
 * configuration: its outputs have no baseline yet.
 */
async function isNewVersion(runtime: ModelRuntime, table: StateTable, series: Series): Promise<boolean> {
  if (runtime.isConfigured(series.version, 'literally')) return false;
  const all = await listSeries(table, series.model);
  const own = all.filter(({ version }) => version === series.version).map(({ firstWindow }) => firstWindow);
  return all.some(
    ({ version, layout, firstWindow }) =>
      version !== series.version && layout === series.layout && firstWindow < Math.min(...own),
  );
}
