import { expect, test } from 'vitest';
import { MemoryStateTable } from '../../adapters/local/memory-state-table.ts';
import { parseConfig, sagemakerCapture } from '../../core/contract/config.ts';
import type { AlarmStateValue } from '../../core/model/alarm.ts';
import type { Message } from '../../core/model/delivery.ts';
import type { FeatureVerdict, ScaleVerdict, Verdict } from '../../core/model/verdict.ts';
import { type NotifyPorts, notifyOf, notifyOverdue } from '../../core/pipeline/notify.ts';
import { ReplayClock } from '../../core/pipeline/replay.ts';
import { beginSeries, updateSeries, windowAt } from '../../core/pipeline/series.ts';
import { noRecords } from '../../core/profile/summarise.ts';
import { MemoryObjectStore } from './memory-object-store.ts';

const [minute, hour] = [60_000, 3_600_000];
const day = Date.UTC(2001, 2, 17);
const at = (hours: number, minutes = 0) => day + hours * hour + minutes * minute;
const { models } = parseConfig({
  models: [
    {
      name: 'm',
      source: sagemakerCapture({ bucket: 'captures', prefix: 'data', endpoint: 'm' }),
      versions: [{ match: 'v1', schema: { columns: ['origin'], prediction: 'score' } }],
    },
  ],
});
const series = { model: 'm', variant: 'AllTraffic', version: 'v1', layout: 'none', windowSeconds: 3600 };

function scaleOf(scale: number, drifted: boolean): ScaleVerdict {
  const untested = { pearsonPValue: null, ranksPValue: null, effectFloorPValue: null, unseenPValue: null };
  const found = { populationStabilityIndex: 1, missingPValue: 1e-9, qValue: 1e-9, minimumDetectableEffect: 0.1 };
  return { scale, windows: scale, records: 100 * scale, drifted, ...untested, ...found };
}

/** An hour whose own records have the feature or not; the day that ends with it lacks it, as of 08:00. */
function verdictOf(end: number, isMissingNow: boolean, isGreen = false): Verdict {
  const side = { count: 100, missing: 0 };
  const origin: FeatureVerdict = {
    kind: 'categorical',
    baseline: side,
    current: side,
    scores: {},
    tests: {},
    qValue: 1e-9,
    minimumDetectableEffect: 0.1,
    drifted: !isGreen,
    scales: [scaleOf(1, isMissingNow), scaleOf(24, !isGreen)],
  };
  const message = 'origin: 40 % of records have no value';
  const evidence = { onset: new Date(at(8)).toISOString() };
  const finding = {
    id: 'missing:origin',
    tier: 'yellow',
    kind: 'missing',
    feature: 'origin',
    message,
    evidence,
  } as const;
  const tier = isGreen ? 'green' : 'yellow';
  return {
    schema: 'tidewatch.verdict/1',
    mode: 'closed',
    model: 'm',
    variant: 'AllTraffic',
    version: 'v1',
    window: { start: new Date(end - hour).toISOString(), end: new Date(end).toISOString() },
    revision: 0,
    tier,
    records: { ...noRecords, captured: 100, counted: 100 },
    rule: { level: 0.001, minimumEffect: 0.02, effectLevel: 0.001, calibration: 'none' },
    features: { origin },
    slos: [],
    quality: [],
    findings: isGreen ? [] : [finding],
    evidence: { baseline: null, config: 'c', code: 'test', profiles: [] },
  };
}

type Step = readonly [time: number, what: Verdict | readonly ['yellow' | 'red', AlarmStateValue]];

/** Lives through a night: verdicts are put in force, alarms ring, and every minute what is due is said. */
async function live(steps: readonly Step[], from: number, to: number): Promise<readonly string[]> {
  const said: string[] = [];
  const clock = new ReplayClock();
  const ports: NotifyPorts = {
    state: new MemoryObjectStore(),
    audit: new MemoryObjectStore(),
    table: new MemoryStateTable(),
    clock,
    notifier: {
      deliver: async ({ tier, event }: Message) => {
        said.push(`${new Date(clock.now()).toISOString().slice(11, 16)} ${tier} ${event}`);
      },
    },
  };
  for (let time = from; time <= to; time += minute) {
    clock.set(time);
    for (const [, what] of steps.filter(([when]) => when === time)) {
      if ('schema' in what) {
        const key = `verdicts/${what.window.start}`;
        const window = windowAt(series, Date.parse(what.window.start));
        await ports.state.putOnce(key, new TextEncoder().encode(JSON.stringify(what)));
        const newest = { key, windowStart: window.start, tier: what.tier, captured: 100, quarantined: 0 };
        const judged = { newestWindow: window.start, judgedThrough: window.end, newest };
        await updateSeries(ports.table, series, (known) => ({ ...(known ?? beginSeries(series, window)), ...judged }));
        continue;
      }
      const [tier, change] = what;
      const of = { alarm: `tidewatch/m/${tier}`, description: '', runbook: '', tier, model: 'm', cause: 'health' };
      await notifyOf(models, ports, { ...of, triggers: [`${tier}-tier`], to: change, reason: '', time });
    }
    await notifyOverdue(models, ports);
  }
  return said;
}

// Red from 08:20 on; yellow rings when red is over, as the suppressor has it.
const incident: readonly Step[] = [
  [at(19, 11), verdictOf(at(19), true)],
  [at(8, 20), ['red', 'ALARM']],
  [at(20, 11), verdictOf(at(20), true)],
  [at(20, 30), ['red', 'OK']],
  [at(20, 32), ['yellow', 'ALARM']],
  [at(21, 11), verdictOf(at(21), false)],
];
const told = ['08:20 red raised', '20:40 red lowered'];

test('the hours after a red that only look back at it say nothing, and end its incident', async () => {
  const steps: readonly Step[] = [
    ...incident,
    [at(22, 11), verdictOf(at(22), false)],
    [at(23, 11), verdictOf(at(23), false)],
    [at(24, 11), verdictOf(at(24), false, true)],
    [at(24, 14), ['yellow', 'OK']],
  ];
  expect(await live(steps, at(8), at(25))).toEqual([...told, '22:11 red recovered']);
});

test('drift that outlasts its red is told with the first window after it', async () => {
  const steps: readonly Step[] = [...incident, [at(22, 11), verdictOf(at(22), true)]];
  expect(await live(steps, at(8), at(23))).toEqual([...told, '22:11 yellow raised']);
});

test('drift that comes back is told in the minute of its verdict', async () => {
  const steps: readonly Step[] = [
    ...incident,
    [at(22, 11), verdictOf(at(22), false)],
    [at(23, 11), verdictOf(at(23), true)],
    [at(24, 11), verdictOf(at(24), false, true)],
    [at(24, 14), ['yellow', 'OK']],
  ];
  // When its own recovery is told is another matter.
  expect((await live(steps, at(8), at(24, 10))).slice(2)).toEqual(['22:11 red recovered', '23:11 yellow raised']);
});

test('where judging falls behind, a yellow that goes on ringing is told', async () => {
  const steps: readonly Step[] = [...incident, [at(22, 11), verdictOf(at(22), false)]];
  // An hour, its grace and a quarter of an hour after the newest window, and the minutes in which its alarm may end.
  expect((await live(steps, at(8), at(25))).slice(2)).toEqual(['22:11 red recovered', '23:36 yellow raised']);
});
