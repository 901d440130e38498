import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseAlarmRule, ruleAlarms } from '../../core/alarm/alarm-rule.ts';
import { type AlarmState, evaluateAlarms, planAlarms } from '../../core/alarm/evaluate-alarms.ts';
import { fleetAlarms, modelAlarms } from '../../core/contract/alarm-definitions.ts';
import { dimensionNames, metricNames, metricNamespace } from '../../core/contract/metric-names.ts';
import type { FleetPolicy, ModelPolicy } from '../../core/model/policy.ts';

const minute = 60_000;

const fleet: FleetPolicy = {
  schema: 'tidewatch.fleet/1',
  falseAlarms: { yellowPerWeek: 1 },
  runbook: 'https://example.com/runbook.md',
};

function modelPolicy(over: Partial<ModelPolicy> = {}): ModelPolicy {
  return {
    schema: 'tidewatch.config/1',
    name: 'credit-scoring',
    sources: [],
    versions: [],
    windowSeconds: 3600,
    graceSeconds: 600,
    captureDelaySeconds: 300,
    features: [],
    slos: [],
    drift: {
      level: 0.01,
      minimumEffect: 0.1,
      effectLevel: 0.05,
      minimumMissingRise: 0.01,
      minimumUnseenRise: 0.01,
      minimumRecords: 100,
      maximumQuarantineShare: 0.02,
    },
    publishedFeatures: 5,
    alerts: { yellow: [], red: [] },
    ...over,
  };
}

const definitions = [...modelAlarms(modelPolicy(), fleet), ...fleetAlarms(fleet)];
const find = (name: string) => {
  const definition = definitions.find((candidate) => candidate.name === name);
  if (definition === undefined) throw new Error(`no alarm ${name}`);
  return definition;
};

/** What GitHub makes of a heading. */
function anchors(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}

describe('alarm definitions', () => {
  test('are the six alarms of a model and the heartbeat', () => {
    expect(definitions.map(({ name, audience }) => [name, audience])).toEqual([
      ['tidewatch/credit-scoring/yellow-tier', 'none'],
      ['tidewatch/credit-scoring/red-tier', 'none'],
      ['tidewatch/credit-scoring/lag', 'none'],
      ['tidewatch/credit-scoring/quarantine', 'none'],
      ['tidewatch/credit-scoring/red', 'red'],
      ['tidewatch/credit-scoring/yellow', 'yellow'],
      ['tidewatch/heartbeat', 'red'],
    ]);
  });

  test('stay within the limits of CloudWatch', () => {
    for (const definition of definitions) {
      expect(definition.name.length).toBeLessThanOrEqual(255);
      expect(definition.description.length).toBeGreaterThan(20);
      if (definition.type === 'composite') {
        expect(definition.rule.length).toBeLessThanOrEqual(10_240);
        expect(ruleAlarms(parseAlarmRule(definition.rule)).length).toBeGreaterThan(0);
        continue;
      }
      const { periodSeconds, evaluationPeriods, datapointsToAlarm } = definition;
      expect(periodSeconds === 10 || periodSeconds === 30 || periodSeconds % 60 === 0).toBe(true);
      expect(periodSeconds * evaluationPeriods).toBeLessThanOrEqual(86_400);
      expect(datapointsToAlarm).toBeLessThanOrEqual(evaluationPeriods);
      expect(definition.missingDataReason.length).toBeGreaterThan(20);
      if (definition.type === 'metric') expect(definition.namespace).toBe(metricNamespace);
    }
  });

  test('watch metrics under the dimensions they are published with', () => {
    for (const definition of definitions) {
      if (definition.type !== 'metric') continue;
      expect(Object.values(metricNames)).toContain(definition.metric);
      expect(definition.dimensions).toEqual(
        definition.metric === metricNames.heartbeat ? [] : [[dimensionNames.model, 'credit-scoring']],
      );
    }
  });

  test('link to articles that the runbook has', () => {
    const articles = anchors(readFileSync(new URL('../../docs/runbook.md', import.meta.url), 'utf8'));
    for (const { runbook } of definitions) {
      const [base, fragment] = runbook.split('#');
      expect(base).toBe(fleet.runbook);
      expect(articles).toContain(fragment);
    }
  });

  test('derive limits from the policy', () => {
    expect(find('tidewatch/credit-scoring/lag')).toMatchObject({ threshold: 3600 + 600 + 900 });
    expect(find('tidewatch/credit-scoring/quarantine')).toMatchObject({ threshold: 0.02 });
  });

  test.each(['a"b', 'a\\b', 'a\nb', '', ' a', 'modèle', 'm'.repeat(250)])('refuse the model name %j', (name) => {
    expect(() => modelAlarms(modelPolicy({ name }), fleet)).toThrow(RangeError);
  });

  test('keep names that a rule must quote apart', () => {
    const odd = modelAlarms(modelPolicy({ name: 'a) OR TRUE OR ALARM(b' }), fleet);
    expect(planAlarms(odd).steps).toHaveLength(6);
  });
});

describe('the definitions under evaluation', () => {
  /** Replays tiers minute by minute; reports enabled changes of alarms that have people. */
  function replay(
    tiers: readonly number[],
    extra: (metric: string, minuteIndex: number) => number | undefined = () => undefined,
  ) {
    const plan = planAlarms(definitions);
    const start = Date.UTC(2001, 2, 10);
    let states: ReadonlyMap<string, AlarmState> = new Map();
    const heard: string[] = [];
    for (let index = 1; index <= tiers.length; index++) {
      const now = start + index * minute;
      const result = evaluateAlarms(
        plan,
        (definition, from, to) => {
          const data: { time: number; value: number }[] = [];
          for (let time = Math.max(from, start); time < to; time += minute) {
            const at = (time - start) / minute;
            const normal = new Map<string, number | undefined>([
              [metricNames.tier, tiers[at]],
              [metricNames.heartbeat, 1],
              [metricNames.evaluationLagSeconds, 60],
              [metricNames.quarantineShare, 0],
            ]);
            const value = extra(definition.metric, at) ?? normal.get(definition.metric);
            if (value !== undefined && !Number.isNaN(value)) data.push({ time, value });
          }
          return data;
        },
        states,
        now,
        { recordedSince: start },
      );
      states = result.states;
      for (const { alarm, from, to, actionsEnabled } of result.transitions) {
        if (actionsEnabled && from !== 'INSUFFICIENT_DATA' && find(alarm).audience !== 'none')
          heard.push(`${index} ${alarm.split('/').slice(1).join('/')} ${to}`);
      }
    }
    return heard;
  }
  const repeat = (value: number, times: number) => Array.from({ length: times }, () => value);

  test('yellow, red, yellow, green: red speaks at once, yellow never over it', () => {
    expect(replay([...repeat(0, 10), ...repeat(1, 10), ...repeat(2, 10), ...repeat(1, 10), ...repeat(0, 10)])).toEqual([
      '13 credit-scoring/yellow ALARM',
      '21 credit-scoring/red ALARM',
      '31 credit-scoring/red OK',
      '33 credit-scoring/yellow ALARM',
      '43 credit-scoring/yellow OK',
    ]);
  });

  test('green straight to red and back wakes nobody of yellow', () => {
    expect(replay([...repeat(0, 10), ...repeat(2, 10), ...repeat(0, 10)])).toEqual([
      '11 credit-scoring/red ALARM',
      '21 credit-scoring/red OK',
    ]);
  });

  test('a withheld tier neither clears nor raises', () => {
    expect(replay([...repeat(0, 5), ...repeat(2, 5), ...repeat(Number.NaN, 60)])).toEqual([
      '6 credit-scoring/red ALARM',
    ]);
  });

  test('a late judgement and unreadable captures are yellow', () => {
    const late = replay(repeat(0, 40), (metric) => (metric === metricNames.evaluationLagSeconds ? 6000 : undefined));
    expect(late).toEqual(['17 credit-scoring/yellow ALARM']);
    const unreadable = replay(repeat(0, 20), (metric, at) =>
      metric === metricNames.quarantineShare && at >= 9 ? 0.03 : undefined,
    );
    expect(unreadable).toEqual(['12 credit-scoring/yellow ALARM']);
  });

  test('a heartbeat that stops pages after the evaluation range is empty', () => {
    const heard = replay(repeat(0, 60), (metric, at) =>
      metric === metricNames.heartbeat && at >= 20 ? Number.NaN : undefined,
    );
    expect(heard).toEqual(['45 heartbeat ALARM']);
  });
});
