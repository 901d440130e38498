import { describe, expect, test } from 'vitest';
import { ConfigError, configHash, httpCapture, parseConfig } from '../../core/contract/config.ts';
import type { ModelPolicy } from '../../core/model/policy.ts';

const model = {
  name: 'credit',
  source: httpCapture({ bucket: 'captures' }),
  versions: [{ match: 'v1', schema: { columns: ['region', 'age'], prediction: 'score' } }],
};

function parse(changes: object): ModelPolicy {
  const [policy] = parseConfig({ models: [{ ...model, ...changes }] }).models;
  if (!policy) throw new Error('expected a model');
  return policy;
}

function problemsOf(changes: object): readonly string[] {
  try {
    parse(changes);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ path, message }) => `${path}: ${message}`);
  }
}

describe('slices', () => {
  test('are listed by name, with the text of their values', () => {
    expect(parse({ slices: { region: ['US', 'EU'], age: [39, true] } }).slices).toEqual([
      { name: 'age=39', column: 'age', value: '39' },
      { name: 'age=true', column: 'age', value: 'true' },
      { name: 'region=EU', column: 'region', value: 'EU' },
      { name: 'region=US', column: 'region', value: 'US' },
    ]);
  });

  test('share the budget with drift', () => {
    const [without, sliced] = [parse({}), parse({ slices: { region: ['EU'] } })];
    expect(without.slices).toBeUndefined();
    expect(without.sliceLevel).toBeUndefined();
    expect(sliced.drift.level).toBeLessThan(without.drift.level);
    expect((sliced.sliceLevel ?? 0) + sliced.drift.level).toBeCloseTo(without.drift.level, 12);
    expect(configHash(parse({ slices: {} }))).toBe(configHash(without));
  });

  test('may be of any column where payloads carry names, of one called __proto__ too', () => {
    const versions = [{ match: 'v1' }];
    const slices: unknown = JSON.parse('{"__proto__": ["EU"], "constructor": ["a"]}');
    expect(parse({ versions, slices }).slices?.map(({ name }) => name)).toEqual(['__proto__=EU', 'constructor=a']);
  });

  test.each([
    [
      { slices: { region: 'each' } },
      'models[0].slices.region: saw "each", expected a list of values: "each" is refused, because every slice takes its part of the budget for false alarms',
    ],
    [{ slices: { region: 'EU' } }, 'models[0].slices.region: saw "EU", expected a list of values'],
    [{ slices: { region: [] } }, 'models[0].slices.region: saw an empty list, expected at least one value'],
    [{ slices: ['region'] }, 'models[0].slices: saw a list of 1, expected an object of lists of values by column'],
    [
      { slices: { region: [''] } },
      'models[0].slices.region[0]: saw "", expected a value: text of 1 to 200 printable characters, a finite number, true or false',
    ],
    [
      { slices: { region: [Number.POSITIVE_INFINITY] } },
      'models[0].slices.region[0]: saw Infinity, expected a value: text of 1 to 200 printable characters, a finite number, true or false',
    ],
    [
      { slices: { region: [{}] } },
      'models[0].slices.region[0]: saw an object, expected a value: text of 1 to 200 printable characters, a finite number, true or false',
    ],
    [{ slices: { age: [1, '1'] } }, 'models[0].slices.age[1]: saw "1", expected each slice once: age=1 is given'],
    [
      { slices: { score: ['1'] } },
      'models[0].slices.score: saw "score", expected a column of the input, not a prediction',
    ],
    [
      { slices: { regoin: ['EU'] } },
      'models[0].slices.regoin: saw "regoin", expected a column of every version\'s schema',
    ],
    [
      { slices: { region: Array.from({ length: 51 }, (_, index) => `r${index}`) } },
      'models[0].slices: saw 51, expected at most 50 slices',
    ],
  ])('%j is refused', (changes, expected) => {
    expect(problemsOf(changes)).toEqual([expected]);
  });
});
