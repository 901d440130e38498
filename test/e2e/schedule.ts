import { metricNames, metricNamespace } from '../../core/contract/metric-names.ts';
import { type Aws, invokeFunction, readLog } from './aws.ts';
import { readMetric } from './cloudwatch-stand-in.ts';
import { type Fleet, models } from './fleet.ts';
import type { Report } from './report.ts';
import { waitFor } from './report.ts';

const minute = 60_000;
/** A schedule of every minute fires up to 70 s after it was made; the rest is for a cold start. */
const scheduleSeconds = 110;
const runSeconds = 300;

/**
 * Waits until the schedule has had the closed windows judged. The emulator calls a function once and forgets a call
 * that failed: after the time in which it should have happened, the tick is run by hand, and the report says so.
 * @returns how many ticks were completed by hand.
 */
export async function waitForScores(
  aws: Aws,
  fleet: Fleet,
  report: Report,
  windowEnd: number,
  judged: readonly string[],
): Promise<number> {
  const isDone = async () => {
    for (const model of judged) {
      const recorded = await readMetric(aws, 'Tidewatch', 'Records', [['Model', model]], windowEnd - minute);
      if (recorded.length === 0) return undefined;
    }
    return true;
  };
  const scheduled = await waitFor('the scores', scheduleSeconds, isDone).catch(() => undefined);
  if (scheduled) return 0;
  report.say(`gap: no scores by the schedule after ${scheduleSeconds} s; the tick is run by hand`);
  report.say(`evaluate said: ${(await readRuns(aws, fleet)).slice(-5).join(' | ') || 'nothing'}`);
  let completed = 0;
  for (let runs = 1; ; runs++) {
    const failure = await runTick(aws, fleet).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (failure === undefined) completed++;
    if ((await isDone()) === true) return completed;
    if (runs === 5) throw new Error(`no scores after ${runs} ticks by hand: ${String(failure)}`, { cause: failure });
    report.say(`a tick by hand did not do: ${String(failure)}`);
  }
}

export function runTick(aws: Aws, fleet: Fleet): Promise<unknown> {
  return invokeFunction(aws.emulator, fleet.functions.get('evaluate')?.FunctionName ?? '', { schedule: 'tick' });
}

/** The emulator keeps what a function wrote, also where it was called by the schedule. */
async function readRuns(aws: Aws, fleet: Fleet): Promise<readonly string[]> {
  const lines = await readLog(aws.emulator, fleet.functions.get('evaluate')?.FunctionName ?? '');
  return lines.filter((line) => !/^(START|END) /.test(line));
}

/** How many ticks were completed: the models' tiers are published last. */
export async function countTicks(aws: Aws): Promise<number> {
  const since = Date.now() - 6 * 3_600_000;
  const tiers = await readMetric(
    aws,
    metricNamespace,
    metricNames.tier,
    [['Model', models.quiet]],
    since,
    'SampleCount',
  );
  return tiers.reduce((sum, { value }) => sum + value, 0);
}

/**
 * However late it was: that the deployed schedule calls its function with the right event must be seen once.
 * @param byHand ticks that were completed by hand
 */
export async function checkSchedule(aws: Aws, report: Report, byHand: number): Promise<void> {
  const completed = await waitFor('a scheduled tick', runSeconds, async () => {
    const ticks = await countTicks(aws);
    return ticks > byHand ? ticks - byHand : undefined;
  }).catch(() => 0);
  report.check(`the deployed schedule runs the tick: ${completed} times until now`, completed > 0);
}
