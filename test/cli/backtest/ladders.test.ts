import { expect, test } from 'vitest';
import { ladders } from '../../../cli/backtest/ladders.ts';
import { applyChanges, settingText } from '../../../cli/backtest/settings.ts';
import { prepareModels } from '../../../cli/load-config.ts';
import {
  availabilitySlo,
  completenessSlo,
  freshnessSlo,
  latencySlo,
  metricSlo,
  parseConfig,
  sagemakerCapture,
} from '../../../core/contract/config.ts';
import type { Finding, FindingKind, SloVerdict } from '../../../core/model/verdict.ts';
import { detailOf, verdictOf } from './recorded.ts';

const model = {
  name: 'm',
  source: sagemakerCapture({ bucket: 'captures', prefix: 'data', endpoint: 'm' }),
  versions: [{ match: 'v1', schema: { columns: ['a b', '__proto__'], prediction: 'score' } }],
  features: { 'a b': { required: true } },
  slos: [
    latencySlo({ threshold: '100ms', objective: 0.99 }),
    availabilitySlo({ objective: 0.999 }),
    completenessSlo({ objective: 0.99 }),
    freshnessSlo({ threshold: '15m', objective: 0.99 }),
    metricSlo({ namespace: 'Shop', metric: 'ClickThrough', atLeast: 0.02, objective: 0.9 }),
  ],
};

/** The settings that are tried for one message of a tier, of what a verdict found. */
async function settingsFor(
  tier: 'yellow' | 'red',
  findings: readonly (readonly [kind: FindingKind, feature?: string])[],
  slos: readonly Pick<SloVerdict, 'name' | 'broken' | 'burning'>[] = [],
  changes: object = {},
) {
  const raw = { models: [{ ...model, ...changes }] };
  const all = findings.map(
    ([kind, feature], index): Finding => ({
      ...{ id: `${kind}:${index}`, tier, kind, message: '', evidence: {} },
      ...(feature !== undefined && { feature }),
    }),
  );
  const found = ladders(
    { red: tier === 'red', yellow: tier === 'yellow' },
    await prepareModels(raw, '.'),
    raw,
    [detailOf({ tier, model: 'm', time: 2_000 })],
    [{ at: 1_000, key: 'live', verdict: verdictOf({ findings: all, slos }) }],
  );
  for (const { rungs } of found) for (const rung of rungs) parseConfig(applyChanges(raw, [rung]));
  return found.map(({ setting, rungs }) => `${setting} ${rungs[0]?.from} ${rungs.at(-1)?.to}`);
}

const burning: SloVerdict['burning'] = {
  tier: 'yellow',
  threshold: 3,
  longMinutes: 1440,
  shortMinutes: 120,
  bad: 9,
  valid: 10,
  longRate: 5,
  shortRate: 5,
  endMinute: 0,
};
const budget = 'fleet.falseAlarms.yellowPerWeek 1 0.02';

test('pages are answered by what they were about', async () => {
  expect(await settingsFor('red', [['silence']])).toEqual(['models[0].silenceAfter default 1d']);
  expect(await settingsFor('red', [['silence']], [], { silenceAfter: '3h' })).toEqual([
    'models[0].silenceAfter 180m 1d',
  ]);
  expect(await settingsFor('red', [['schema-break']])).toEqual(['models[0].drift.maximumQuarantineShare 0.01 0.5']);
  expect(await settingsFor('red', [['completeness', 'a b']], [{ name: 'completeness', broken: true }])).toEqual([
    'models[0].slos[2].objective 0.99 0.5',
  ]);
  expect(await settingsFor('red', [['slo']], [{ name: 'freshness', broken: true }])).toEqual([
    'models[0].slos[3].objective 0.99 0.5',
    'models[0].slos[3].threshold 15m 300m',
  ]);
  expect(await settingsFor('red', [['slo']], [{ name: 'ClickThrough', broken: true }])).toEqual([
    'models[0].slos[4].objective 0.9 0.5',
  ]);
  expect(await settingsFor('red', [['integrity'], ['missing-column', 'a b'], ['quality']])).toEqual([]);
});

test('yellow is answered by what it was about, and by the budget of false alarms', async () => {
  expect(
    await settingsFor('yellow', [
      ['drift', 'a b'],
      ['drift', '__proto__'],
    ]),
  ).toEqual([
    'models[0].drift.minimumEffect 0.02 5',
    'models[0].features["a b"].minimumEffect 0.02 5',
    'models[0].features.__proto__.minimumEffect 0.02 5',
    budget,
  ]);
  expect(await settingsFor('yellow', [['missing', 'a b']], [], { drift: { level: 0.001 } })).toEqual([
    'models[0].drift.minimumEffect 0.02 5',
    'models[0].drift.level 0.001 0.00002',
    'models[0].drift.minimumMissingRise 0.01 0.5',
    budget,
  ]);
  expect(await settingsFor('yellow', [['unseen-category', 'a b']])).toContain(
    'models[0].drift.minimumUnseenRise 0.01 0.5',
  );
  expect(await settingsFor('yellow', [['slo']], [{ name: 'availability', broken: false, burning }])).toEqual([
    'models[0].slos[1].objective 0.999 0.95',
    budget,
  ]);
  expect(await settingsFor('yellow', [['labelling'], ['chart'], ['stale']])).toEqual([budget]);
});

test('settings are written as in the configuration, and changed in a copy', () => {
  expect(settingText(['models', 0, 'features', 'a "b"', 'minimumEffect'])).toBe(
    'models[0].features["a \\"b\\""].minimumEffect',
  );
  const raw = { models: [{ slos: [{ objective: 0.9 }] }] };
  const path = ['models', 0, 'slos', 0, 'objective'];
  expect(applyChanges(raw, [{ setting: '', path, from: 0.9, to: 0.8 }])).toEqual({
    models: [{ slos: [{ objective: 0.8 }] }],
  });
  expect(raw.models[0]?.slos[0]?.objective).toBe(0.9);
});
