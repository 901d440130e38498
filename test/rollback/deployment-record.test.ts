import { describe, expect, test } from 'vitest';
import type { DeploymentRecord, RollbackLever, ServingState } from '../../core/model/rollback.ts';
import {
  creditWindow,
  currentSpell,
  discreditCurrent,
  emptyDeploymentRecord,
  type JudgedStretch,
  knownGoodConfigs,
  markProven,
  newlyProven,
  observeServing,
  spellOf,
} from '../../core/rollback/deployment-record.ts';

const minute = 60_000;
const hour = 60 * minute;
const start = Date.UTC(2026, 2, 1);
const lever: RollbackLever = { kind: 'sagemaker-endpoint', endpoint: 'credit' };

const ready = (config: string): ServingState => ({ config, status: 'ready', revision: '1' });
const changing = (config: string, pending?: string): ServingState => ({
  config,
  status: 'changing',
  revision: '2',
  ...(pending !== undefined && { pending }),
});

/** What a look every minute leaves behind; hours from `start`. */
function watch(plan: readonly (readonly [from: number, to: number, serving: ServingState])[]): DeploymentRecord {
  let record = emptyDeploymentRecord;
  for (const [from, to, serving] of plan) {
    for (let time = start + from * hour; time < start + to * hour; time += minute) {
      record = observeServing(record, serving, time);
    }
  }
  return record;
}

function window(at: number, changes: Partial<JudgedStretch> = {}): JudgedStretch {
  const from = start + at * hour;
  return {
    start: from,
    end: from + hour,
    tier: 'green',
    isBlamed: false,
    counted: 1000,
    versions: ['AllTraffic/v1'],
    ...changes,
  };
}

describe('spells', () => {
  test('one goes on as long as the same configuration is seen', () => {
    const record = watch([[0, 5, ready('A')]]);
    expect(record.spells).toHaveLength(1);
    expect(currentSpell(record)).toMatchObject({ config: 'A', since: start });
  });

  test('a deployment is between the sight of its beginning and that of its end', () => {
    const record = watch([
      [0, 2, ready('A')],
      [2, 2.2, changing('A', 'B')],
      [2.2, 3, ready('B')],
    ]);
    expect(record.spells.map(({ config }) => config)).toEqual(['A', 'B']);
    expect(currentSpell(record)).toMatchObject({ began: start + 2 * hour, since: start + 2.2 * hour });
  });

  test('nothing is known to answer alone while another configuration comes', () => {
    const record = watch([
      [0, 2, ready('A')],
      [2, 2.2, changing('A', 'B')],
    ]);
    expect(currentSpell(record)).toBeUndefined();
  });

  test('one that was never seen under way may have begun after the last sight of the other', () => {
    const record = observeServing(watch([[0, 1, ready('A')]]), ready('B'), start + 1.1 * hour);
    const [first, second] = record.spells;
    expect(second?.began).toBe(first?.seen);
    expect(second?.since).toBe(start + 1.1 * hour);
  });

  test('one that is given up ends the spell all the same: some calls may have been answered by it', () => {
    const record = watch([
      [0, 2, ready('A')],
      [2, 2.2, changing('A', 'B')],
      [2.2, 3, ready('A')],
    ]);
    expect(record.spells.map(({ config }) => config)).toEqual(['A', 'A']);
  });

  test('more instances of the same configuration are no deployment', () => {
    const record = watch([
      [0, 2, ready('A')],
      [2, 2.1, changing('A')],
      [2.1, 3, ready('A')],
    ]);
    expect(record.spells).toHaveLength(1);
  });

  test('a gap in the watch ends it', () => {
    const record = observeServing(watch([[0, 1, ready('A')]]), ready('A'), start + 2 * hour);
    expect(record.spells).toHaveLength(2);
    expect(spellOf(record, start + 0.5 * hour, start + 1.5 * hour)).toBeUndefined();
  });

  test('the record is the same object where there is nothing to note, and holds fifty', () => {
    const record = watch([[0, 1, ready('A')]]);
    const seen = record.spells[0]?.seen ?? 0;
    expect(observeServing(record, ready('A'), seen + minute)).toBe(record);
    let many = emptyDeploymentRecord;
    for (let index = 0; index < 200; index++) many = observeServing(many, ready(`C${index}`), start + index * minute);
    expect(many.spells).toHaveLength(50);
    expect(many.standings.length).toBeLessThanOrEqual(51);
  });
});

describe('a good name', () => {
  const watched = watch([[0, 30, ready('A')]]);
  const standing = (record: DeploymentRecord) => record.standings.find(({ config }) => config === 'A');
  const credit = (windows: readonly JudgedStretch[]) =>
    windows.reduce((record, one) => creditWindow(record, one, 100), watched);
  const day = Array.from({ length: 24 }, (_, at) => window(at));

  test('comes of green windows of enough records, in sum', () => {
    expect(newlyProven(credit(day.slice(1)), 86_400)).toEqual([]);
    expect(newlyProven(credit(day), 86_400).map(({ config }) => config)).toEqual(['A']);
    expect(standing(credit(day))?.versions).toEqual(['AllTraffic/v1']);
    expect(standing(credit([window(0, { counted: 99 }), window(1, { tier: 'yellow' })]))?.greenSeconds).toBe(0);
  });

  test('is begun anew by a red window, and lost to one', () => {
    const proven = markProven(credit(day), 'A', start + 25 * hour);
    expect(standing(proven)?.provenAt).toBe(start + 25 * hour);
    const blamed = creditWindow(proven, window(25, { tier: 'red', isBlamed: true }), 100);
    expect(standing(blamed)).toMatchObject({ greenSeconds: 0 });
    expect(standing(blamed)?.provenAt).toBeUndefined();
    // Red for what says nothing of the configuration: neither good nor bad.
    expect(standing(creditWindow(proven, window(25, { tier: 'red' }), 100))).toEqual(standing(proven));
    expect(standing(discreditCurrent(proven))?.provenAt).toBeUndefined();
  });

  test('is not made in windows that another configuration shared', () => {
    const shared = watch([
      [0, 2.5, ready('A')],
      [2.5, 2.6, changing('A', 'B')],
      [2.6, 6, ready('B')],
    ]);
    const record = [window(0), window(1), window(2), window(3)].reduce(
      (sum, one) => creditWindow(sum, one, 100),
      shared,
    );
    expect(record.standings.map(({ config, greenSeconds }) => [config, greenSeconds]).sort()).toEqual([
      ['A', 7200],
      ['B', 3600],
    ]);
    expect(record.creditedThrough).toBe(start + 4 * hour);
  });
});

describe('what can be gone back to', () => {
  const record = watch([
    [0, 2, ready('A')],
    [2, 4, ready('B')],
    [4, 6, ready('U')],
    [6, 8, ready('C')],
  ]);

  test('the newest that is known to be good, and is not what answers now', () => {
    expect(knownGoodConfigs(record, lever)).toEqual([]);
    const proven = ['A', 'B', 'C'].reduce((sum, config) => markProven(sum, config, start), record);
    expect(knownGoodConfigs(proven, lever).map(({ config }) => config)).toEqual(['B', 'A']);
  });

  test('weights of another endpoint configuration are out of reach', () => {
    const weights = (config: string, share: number) =>
      JSON.stringify([
        config,
        [
          ['canary', share],
          ['stable', 1 - share],
        ],
      ]);
    const states = [weights('old', 0), weights('new', 0), weights('new', 0.5)];
    const shifted = watch(states.map((config, at) => [at, at + 1, ready(config)] as const));
    const proven = states.reduce((sum, config) => markProven(sum, config, start), shifted);
    const reachable = knownGoodConfigs(proven, { kind: 'sagemaker-weights', endpoint: 'credit' });
    expect(reachable.map(({ config }) => config)).toEqual([weights('new', 0)]);
    expect(knownGoodConfigs(proven, lever)).toHaveLength(2);
  });
});
