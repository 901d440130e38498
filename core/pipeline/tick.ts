import { parseFragmentWindowPrefix } from '../contract/keys.ts';
import type { Series, Window } from '../model/profile.ts';
import { FailedModels, type ModelFailure } from './failed-models.ts';
import { guardIntegrity } from './guard-integrity.ts';
import type { LivePorts } from './judge-now.ts';
import { type Judgement, type JudgePorts, judgeWindow } from './judge-window.ts';
import { measureModel } from './measure-model.ts';
import { isInForce, type ModelRuntime } from './model-runtime.ts';
import type { Clock, MetricSink } from './ports.ts';
import { addRefused, GaugePublisher, type RefusedMetrics } from './publish-metrics.ts';
import { noRevision, rollUpWindow } from './roll-up.ts';
import { runBounded } from './run-bounded.ts';
import { isSameSeries, listSeries, type SeriesState, seriesOfState, updateSeries, windowAt } from './series.ts';
import type { WindowContent } from './window-reader.ts';

export type TickPorts = JudgePorts & LivePorts & { readonly metrics: MetricSink };

/** A closed window that was judged. */
export type JudgedWindow = Omit<Judgement, 'written'>;

/** How much of a fleet's work one tick takes on. */
export interface TickLimits {
  /**
   * Windows of a series that are judged at most; the next ticks go on. After an outage a model must not keep all others
   * waiting.
   */
  readonly catchUpWindows: number;
  /** Models measured and judged at a time: a tick mostly waits for S3. */
  readonly concurrentModels: number;
}

const usualLimits: TickLimits = { catchUpWindows: 8, concurrentModels: 5 };
/**
 * A tick that has judged for so long begins no other window. Measuring is not counted: it has to be done, and where it
 * takes long nothing would ever be judged. In event time, where the clock stands still, only the number of windows counts.
 */
const judgingMilliseconds = 45_000;

export interface TickReport {
  readonly judged: readonly JudgedWindow[];
  /** Scores and gauges that CloudWatch would not take. */
  readonly refused: readonly RefusedMetrics[];
}

/**
 * What happens every minute: every model is judged as of now, closed windows that are due are judged, the gauges are
 * published. Models are measured before any window is judged, and those that this concerns again after; one that is
 * behind by several windows only after, for all of them are read for it. Those that are behind the furthest come last, and
 * gauges wait for ten seconds at most and one more step.
 *
 * The heartbeat comes last and says that every model had its turn. A model that is not through with all of its windows had
 * it too: `EvaluationLagSeconds` tells that it is behind.
 * @throws {FailedModels} after the gauges of all other models were published, and without a heartbeat.
 */
export async function tick(
  runtimes: readonly ModelRuntime[],
  ports: TickPorts,
  { catchUpWindows, concurrentModels }: TickLimits = usualLimits,
): Promise<TickReport> {
  const judged: JudgedWindow[] = [];
  const gauges = new GaugePublisher(ports);
  const failures = new Map<string, ModelFailure>();
  // One model's trouble must not take the gauges of the others.
  const attempt = async ({ policy: { name } }: ModelRuntime, step: () => Promise<void>) => {
    // Its second turn is as good as its first.
    failures.delete(name);
    try {
      await step();
    } catch (error) {
      failures.set(name, { model: name, error });
    }
    await gauges.publishLate();
  };
  await ports.measurements?.refresh(runtimes, ports);
  const waiting: { readonly runtime: ModelRuntime; readonly states: readonly SeriesState[]; readonly due: number }[] =
    [];
  await runBounded(runtimes, concurrentModels, (runtime) =>
    attempt(runtime, async () => {
      const states = await listSeries(ports.table, runtime.policy.name);
      const due = Math.max(0, ...states.map((state) => countDue(runtime, ports, state)));
      if (due > 0) waiting.push({ runtime, states, due });
      if (due <= 1) gauges.add(await measureModel(runtime, ports, states));
    }),
  );
  const time = new JudgingTime(ports.clock, judgingMilliseconds * concurrentModels);
  const inTurn = waiting.sort((a, b) => a.due - b.due);
  await runBounded(inTurn, concurrentModels, ({ runtime, states }) =>
    attempt(runtime, async () => {
      for (const state of states) {
        for await (const window of judgeDueWindows(runtime, ports, state, time, catchUpWindows)) {
          if (window) judged.push(window);
          await gauges.publishLate();
        }
      }
      gauges.add(await measureModel(runtime, ports, await listSeries(ports.table, runtime.policy.name)));
    }),
  );
  const refused = await gauges.finish(failures.size === 0);
  if (failures.size > 0) throw new FailedModels('tick', [...failures.values()]);
  return { judged, refused: addRefused([...judged.flatMap((window) => window.refused), ...refused]) };
}

/** How long a tick has judged windows for, each by itself. */
class JudgingTime {
  readonly #clock: Clock;
  readonly #limit: number;
  #spent = 0;

  constructor(clock: Clock, limitMilliseconds: number) {
    this.#clock = clock;
    this.#limit = limitMilliseconds;
  }

  get isOver(): boolean {
    return this.#spent > this.#limit;
  }

  async spend<T>(step: () => Promise<T>): Promise<T> {
    const began = this.#clock.now();
    try {
      return await step();
    } finally {
      this.#spent += this.#clock.now() - began;
    }
  }
}

/**
 * Judges a window again that was touched by late data. Windows that are not due yet are left to their turn.
 * @param windowPrefix as `TouchQueue.touch` was given it.
 * @returns undefined where there was nothing to do.
 */
export async function judgeTouched(
  runtimes: readonly ModelRuntime[],
  ports: TickPorts,
  windowPrefix: string,
): Promise<JudgedWindow | undefined> {
  const parsed = parseFragmentWindowPrefix(windowPrefix);
  const runtime = runtimes.find(({ policy }) => policy.name === parsed?.series.model);
  if (!parsed || !runtime) return undefined;
  const { series, windowStart } = parsed;
  const window = windowAt(series, windowStart);
  const state = (await listSeries(ports.table, series.model)).find((one) => isSameSeries(one, series));
  if (!state || window.start >= state.judgedThrough) return undefined;
  return guardIntegrity(runtime, ports, async () => {
    const outcome = await judgeOwnWindow(runtime, ports, series, window);
    return outcome?.written ? outcome : undefined;
  });
}

/**
 * Judges a closed window where it is this series' to be judged for; else only its SLI sums are kept.
 * @returns undefined where it is not.
 */
async function judgeOwnWindow(
  runtime: ModelRuntime,
  ports: JudgePorts,
  series: Series,
  window: Window,
): Promise<Judgement | undefined> {
  const content = await ports.windows.read(series, window.start);
  if (await isForSeries(runtime, ports, series, window, content)) return judgeWindow(runtime, ports, series, window);
  // Of what was just seen to hold no records: sums without a verdict tell the sweep that these fragments need none.
  if (content.fragments.length > 0) await rollUpWindow(ports, series, window, content, noRevision);
  return undefined;
}

/** Windows of a series that are due and were not judged yet. */
function countDue({ policy }: ModelRuntime, { clock }: TickPorts, state: SeriesState): number {
  const due = clock.now() - policy.graceSeconds * 1000 - state.judgedThrough;
  return Math.floor(due / (state.windowSeconds * 1000));
}

/**
 * In the order of the windows; also where a window needed no verdict, which is undefined here, the series' place is moved
 * on. A series that can't be judged does not keep the others from it.
 */
async function* judgeDueWindows(
  runtime: ModelRuntime,
  ports: TickPorts,
  state: SeriesState,
  time: JudgingTime,
  catchUpWindows: number,
): AsyncGenerator<JudgedWindow | undefined> {
  const series = seriesOfState(runtime.policy.name, state);
  const first = windowAt(state, state.judgedThrough);
  const width = first.end - first.start;
  const count = Math.min(countDue(runtime, ports, state), catchUpWindows);
  for (let index = 0; index < count && !time.isOver; index++) {
    const window = { start: first.start + index * width, end: first.end + index * width };
    const outcome = await time.spend(() =>
      guardIntegrity(runtime, ports, async () => ({ judged: await judgeNext(runtime, ports, series, state, window) })),
    );
    if (!outcome) return;
    yield outcome.judged;
  }
}

async function judgeNext(
  runtime: ModelRuntime,
  ports: TickPorts,
  series: Series,
  state: SeriesState,
  window: Window,
): Promise<JudgedWindow | undefined> {
  const judged = await judgeOwnWindow(runtime, ports, series, window);
  if (judged) return judged;
  await updateSeries(ports.table, series, (known) => ({
    ...(known ?? state),
    judgedThrough: Math.max(known?.judgedThrough ?? 0, window.end),
  }));
  return undefined;
}

/**
 * A window without inference records is judged for one series only, the one that had records last, and only where no
 * other series of the model had any: a retired version is not silent, nor is a series that was begun under another
 * baseline or window. Of these one is asked only as long as there is none of what is in force.
 */
async function isForSeries(
  runtime: ModelRuntime,
  ports: JudgePorts,
  series: Series,
  window: Window,
  { summary }: WindowContent,
): Promise<boolean> {
  if (summary.records.captured > 0) return true;
  const all = await listSeries(ports.table, series.model);
  for (const other of all) {
    if (isSameSeries(other, series)) continue;
    // Its windows may be of another width: all that have a part of this one.
    const first = Math.max(windowAt(other, window.start).start, other.firstWindow);
    const last = Math.min(window.end - 1, other.newestWindow);
    if (first > last) continue;
    const contents = await ports.windows.readRange(seriesOfState(series.model, other), first, last);
    if (contents.some((content) => content.summary.records.captured > 0)) return false;
  }
  const inForce = all.filter((one) => isInForce(runtime, one));
  const [last] = (inForce.length > 0 ? inForce : all).toSorted(
    (a, b) => windowAt(b, b.newestWindow).end - windowAt(a, a.newestWindow).end,
  );
  return last !== undefined && isSameSeries(last, series);
}
