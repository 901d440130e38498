import { describe, expect, test } from 'vitest';
import {
  availabilitySlo,
  ConfigError,
  type ConfigInput,
  freshnessSlo,
  httpCapture,
  latencySlo,
  metricSlo,
  parseConfig,
  sagemakerCapture,
} from '../../core/contract/config.ts';

const endpoint = sagemakerCapture({ bucket: 'captures', endpoint: 'credit-scoring' });
const requests = httpCapture({ bucket: 'requests', role: 'requests' });
const monthSeconds = 30 * 86_400;

function parse(
  slos: ConfigInput['models'][number]['slos'],
  source: ConfigInput['models'][number]['source'] = endpoint,
) {
  return parseConfig({ models: [{ name: 'credit', source, versions: [{ match: 'v' }], slos }] }).models[0]?.slos;
}

function problemsOf(slos: unknown, source: unknown = endpoint): readonly string[] {
  try {
    parseConfig({ models: [{ name: 'credit', source, versions: [{ match: 'v' }], slos }] });
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ path, message }) => `${path}: ${message}`);
    throw error;
  }
  return [];
}

describe('where requests are counted', () => {
  const latency = { threshold: '100ms', objective: 0.999 } as const;
  test('from captures that hold status and latency, else from the endpoint itself', () => {
    expect(parse([latencySlo(latency), availabilitySlo({ objective: 0.99 })])).toEqual([
      {
        kind: 'latency',
        name: 'latency',
        thresholdMilliseconds: 100,
        objective: 0.999,
        periodSeconds: monthSeconds,
        endpoint: 'credit-scoring',
      },
      {
        kind: 'availability',
        name: 'availability',
        objective: 0.99,
        periodSeconds: monthSeconds,
        endpoint: 'credit-scoring',
      },
    ]);
    expect(parse([latencySlo(latency)], [endpoint, requests])?.[0]).not.toHaveProperty('endpoint');
    const overhead = latencySlo({ ...latency, from: 'endpoint', endpointMetric: 'OverheadLatency' });
    expect(parse([overhead], [endpoint, requests])?.[0]).toMatchObject({
      endpoint: 'credit-scoring',
      endpointMetric: 'OverheadLatency',
    });
  });

  test('what can not be counted is refused', () => {
    const other = sagemakerCapture({ bucket: 'captures', endpoint: 'other' });
    expect(problemsOf([latencySlo({ ...latency, from: 'captures' })])[0]).toContain("use from: 'endpoint'");
    expect(
      problemsOf([latencySlo({ ...latency, from: 'endpoint' })], [requests, httpCapture({ bucket: 'c' })])[0],
    ).toMatch(/^models\[0\]\.source|slos\[0\]\.from: saw "endpoint", expected .* \(there are 0\)/);
    expect(problemsOf([latencySlo(latency)], [endpoint, other])).toEqual([
      expect.stringContaining('models[0].slos[0].from: saw nothing, expected "captures" and an httpCapture source'),
    ]);
    expect(problemsOf([latencySlo({ ...latency, endpointMetric: 'ModelLatency' })], [endpoint, requests])).toEqual([
      `models[0].slos[0].endpointMetric: saw "ModelLatency", expected none beside captures; add from: 'endpoint'`,
    ]);
  });
});

test('a budget may be wide: the rates that ring are scaled to it', () => {
  const slos = [latencySlo({ threshold: '100ms', objective: 0.5 }), availabilitySlo({ objective: 0.9 })];
  expect(parse(slos)?.map(({ objective }) => objective)).toEqual([0.5, 0.9]);
});

test('freshness is a share of minutes', () => {
  expect(parse([freshnessSlo({ threshold: '30m', objective: 0.99, period: '7d' })])).toEqual([
    { kind: 'freshness', name: 'freshness', thresholdSeconds: 1800, objective: 0.99, periodSeconds: 7 * 86_400 },
  ]);
  expect(problemsOf([{ kind: 'freshness', threshold: '30s', objective: 0.99 }])).toEqual([
    'models[0].slos[0].threshold: saw "30s", expected whole minutes from "1m" to "7d"',
  ]);
});

describe('a metric somebody names', () => {
  const clicks = { namespace: 'Shop', metric: 'Click rate', atLeast: 0.02, objective: 0.95 } as const;
  test('is known by its own name, with its dimensions in order', () => {
    const dimensions = JSON.parse('{"Variant":"A","Country":"DE","__proto__":"x"}');
    expect(parse([metricSlo({ ...clicks, dimensions, statistic: 'p99.9', atMost: 1 })])).toEqual([
      {
        kind: 'metric',
        name: 'Click-rate',
        metric: {
          namespace: 'Shop',
          metric: 'Click rate',
          dimensions: [
            ['Country', 'DE'],
            ['Variant', 'A'],
            ['__proto__', 'x'],
          ],
          statistic: 'p99.9',
        },
        atLeast: 0.02,
        atMost: 1,
        objective: 0.95,
        periodSeconds: monthSeconds,
      },
    ]);
    expect(parse([metricSlo(clicks)])?.[0]).toMatchObject({ metric: { statistic: 'Average', dimensions: [] } });
  });

  test.each([
    'Sum',
    'p100',
    'p0.1',
    'tm99',
    'TC(:100)',
    'TC(0.5:2)',
    'PR(10:)',
    'TM(2%:98%)',
    'WM(:95%)',
    'IQM',
    'SampleCount',
  ])('%s is a statistic', (statistic) => {
    expect(problemsOf([metricSlo({ ...clicks, statistic })])).toEqual([]);
  });

  test.each([
    [{ statistic: 'average' }, 'statistic: saw "average", expected a CloudWatch statistic'],
    [{ statistic: 'TC(:)' }, 'statistic: saw "TC(:)", expected'],
    [{ statistic: 'p999' }, 'statistic: saw "p999", expected'],
    [{ statistic: 'p0' }, 'statistic: saw "p0", expected'],
    [{ statistic: 'TC(10:5)' }, 'statistic: saw "TC(10:5)", expected'],
    [{ statistic: 'PR(5:5)' }, 'statistic: saw "PR(5:5)", expected'],
    [{ statistic: 'PR(1%:5%)' }, 'statistic: saw "PR(1%:5%)", expected'],
    [{ statistic: 'TM(98%:2%)' }, 'statistic: saw "TM(98%:2%)", expected'],
    [{ statistic: 'TM(2%:101%)' }, 'statistic: saw "TM(2%:101%)", expected'],
    [{ statistic: 'TM(100%:)' }, 'statistic: saw "TM(100%:)", expected'],
    [{ statistic: 'TM(2%:98)' }, 'statistic: saw "TM(2%:98)", expected'],
    [{ statistic: 'tm0' }, 'statistic: saw "tm0", expected'],
    [{ objective: 1 }, 'objective: saw 1, expected a number in (0, 1): at 1 there is no error budget'],
    [{ objective: 0 }, 'objective: saw 0, expected a number in (0, 1)'],
    [{ atLeast: Number.NaN }, 'atLeast: saw NaN, expected a finite number'],
    [{ atLeast: undefined }, 'atLeast: saw nothing, expected a bound: atLeast, atMost or both'],
    [{ atMost: 0.01 }, 'atMost: saw 0.01, expected at least atLeast (0.02)'],
    [{ namespace: '' }, 'namespace: saw "", expected a CloudWatch namespace'],
    [{ metric: 'Klickräte' }, 'metric: saw "Klickräte", expected a metric name of 1 to 255 printable ASCII characters'],
    [{ dimensions: { ':a': 'b' } }, 'dimensions'],
    [{ dimensions: { a: 5 } }, 'dimensions'],
    [{ dimensions: 'a' }, 'dimensions: saw "a", expected an object of dimension values by name'],
    [{ dimensions: Object.fromEntries(Array.from({ length: 31 }, (_, at) => [`d${at}`, 'x'])) }, 'dimensions'],
    [{ threshold: 5 }, ''],
  ])('%j is refused', (changes, expected) => {
    const problems = problemsOf([{ kind: 'metric', ...clicks, ...changes }]);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(`models[0].slos[0]${expected === '' ? '' : '.'}${expected}`);
  });

  test('two of one name are refused', () => {
    expect(problemsOf([metricSlo(clicks), metricSlo({ ...clicks, statistic: 'p10' })])).toEqual([
      expect.stringContaining('models[0].slos[1].name'),
    ]);
  });
});
