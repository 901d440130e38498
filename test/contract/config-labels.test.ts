import { describe, expect, test } from 'vitest';
import {
  ConfigError,
  type ConfigInput,
  groundTruth,
  httpCapture,
  parseConfig,
  qualitySlo,
  sagemakerCapture,
} from '../../core/contract/config.ts';

type ModelInput = ConfigInput['models'][number];

const captures = sagemakerCapture({ bucket: 'captures', prefix: 'data', endpoint: 'credit' });
const labels = groundTruth({ bucket: 'captures', prefix: 'labels' });

function parse(changes: Partial<ModelInput>) {
  const model: ModelInput = { name: 'credit', source: [captures, labels], versions: [{ match: 'v1' }], ...changes };
  return parseConfig({ models: [model] });
}

function problemsOf(changes: Partial<ModelInput>): readonly string[] {
  try {
    parse(changes);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ path, message }) => `${path}: ${message}`);
  }
}

test('labels with their defaults', () => {
  const [policy] = parse({}).models;
  expect(policy?.sources[1]).toEqual({
    kind: 'ground-truth',
    bucket: 'captures',
    prefix: 'labels/',
    account: undefined,
    role: 'labels',
    format: 'sagemaker',
  });
  expect(policy?.labels).toEqual({
    task: 'binary',
    threshold: 0.5,
    horizonDays: 90,
    sources: [],
    columns: { id: 'event_id', label: 'label', time: 'time', source: 'source', row: 'row' },
  });
  expect(policy?.qualitySlos).toBeUndefined();
  expect(parse({ source: captures }).models[0]).not.toHaveProperty('labels');
});

test('objectives of quality', () => {
  const slos = [
    qualitySlo({ measure: 'precision', atLeast: 0.85, period: '7d', labelsWithin: '60d' }),
    qualitySlo({ name: 'error', measure: 'calibration', atMost: 0.1, labelsWithin: '1d', labelCoverage: 0.1 }),
  ];
  expect(parse({ slos }).models[0]?.qualitySlos).toEqual([
    {
      name: 'precision',
      measure: 'precision',
      bound: 0.85,
      periodSeconds: 604_800,
      labelsWithinSeconds: 5_184_000,
      labelCoverage: 1,
    },
    {
      name: 'error',
      measure: 'calibration',
      bound: 0.1,
      periodSeconds: 604_800,
      labelsWithinSeconds: 86_400,
      labelCoverage: 0.1,
    },
  ]);
  expect(parse({ slos }).models[0]?.slos).toEqual([]);
});

describe('refused', () => {
  const precision = { measure: 'precision', atLeast: 0.85, labelsWithin: '1d' } as const;
  test.each([
    ['labels alone', { source: labels }, 'models[0].source: saw an object, expected a source of inferences'],
    [
      'labels beside requests alone',
      { source: [labels, httpCapture({ bucket: 'captures', prefix: 'requests', role: 'requests' })] },
      'models[0].source: saw a list of 2, expected a source of inferences',
    ],
    [
      'labels under the captures',
      { source: [captures, groundTruth({ bucket: 'captures', prefix: 'data/credit' })] },
      'models[0].source[1].prefix: saw "data/credit/", expected keys that are not also those',
    ],
    [
      'two sources of labels',
      { source: [captures, labels, groundTruth({ bucket: 'captures', prefix: 'more' })] },
      'models[0].source[2]: saw an object, expected at most one groundTruth',
    ],
    [
      'a yes of classes',
      { source: [captures, groundTruth({ bucket: 'captures', prefix: 'labels', task: 'classes', positive: 'cat' })] },
      'models[0].source[1].positive: saw "cat", expected none',
    ],
    [
      'columns that are one',
      { source: [captures, groundTruth({ bucket: 'captures', prefix: 'labels', columns: { id: 'label' } })] },
      'models[0].source[1].columns: saw an object, expected another column for each',
    ],
    [
      'several predictions of which none is named',
      { versions: [{ match: 'v1', schema: { prediction: ['a', 'b'] } }] },
      'models[0].versions[0].schema.prediction: saw "v1", expected one name',
    ],
    [
      'a horizon of three years',
      { source: [captures, groundTruth({ bucket: 'captures', prefix: 'labels', horizon: '1000d' })] },
      'models[0].source[1].horizon: saw "1000d", expected whole days from "30d" to "731d"',
    ],
    [
      'a wait beyond the horizon',
      { slos: [qualitySlo({ ...precision, labelsWithin: '91d' })] },
      'models[0].slos[0].labelsWithin: saw "91d", expected at most the horizon of the labels (90d)',
    ],
    [
      'a measure of another task',
      { slos: [qualitySlo({ measure: 'rmse', atMost: 1, labelsWithin: '1d' })] },
      'models[0].slos[0].measure: saw "rmse", expected precision',
    ],
    [
      'a bound on the wrong side',
      { slos: [qualitySlo({ measure: 'precision', atMost: 0.85, labelsWithin: '1d' })] },
      'models[0].slos[0].atLeast: saw nothing, expected a number for precision',
    ],
    ['a precision of 100 %', { slos: [qualitySlo({ ...precision, atLeast: 1 })] }, 'models[0].slos[0].atLeast: saw 1'],
    [
      'one name twice',
      { slos: [qualitySlo(precision), qualitySlo(precision)] },
      'models[0].slos[1].name: saw "precision", expected another SLO name',
    ],
  ] satisfies [string, Partial<ModelInput>, string][])('%s', (_, changes, expected) => {
    expect(problemsOf(changes).some((problem) => problem.startsWith(expected))).toBe(true);
  });
});
