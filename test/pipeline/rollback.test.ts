import { describe, expect, test } from 'vitest';
import { TableServing } from '../../adapters/local/table-serving.ts';
import { liveVerdictKey, verdictKey } from '../../core/contract/keys.ts';
import type { DeploymentRecord, RollbackHistory } from '../../core/model/rollback.ts';
import { readEvidencedVerdict } from '../../core/pipeline/evidenced-verdict.ts';
import { stepRollback } from '../../core/pipeline/rollback.ts';
import { encodeJson } from '../../core/pipeline/write-once.ts';
import {
  changeServing,
  connect,
  createPolicy,
  createWorldState,
  episode,
  hour,
  incidentOf,
  keepCauses,
  keepIncident,
  type LiveVerdictFacts,
  liveVerdict,
  minute,
  model,
  noon,
  redCause,
  settleServing,
  type WorldState,
  writeLiveVerdict,
} from './rollback-world.ts';

const { policy, rollback, fleet } = createPolicy('endpoint');
const availability = 'objective:availability';

/** A look, as every minute has one. */
async function look(world: WorldState, after = minute, given = rollback) {
  world.now += after;
  return stepRollback(policy, given, fleet, connect(world, 'endpoint'));
}

/** What the tick leaves behind when its judgement changes. */
async function judge(world: WorldState, facts: LiveVerdictFacts) {
  const { table } = connect(world, 'endpoint');
  const { key, verdict } = liveVerdict({ end: world.now - 5 * minute, ...facts });
  await writeLiveVerdict(world, { key, verdict });
  const row = await table.get('models', model);
  const live = { tier: verdict.tier, found: key, key, since: world.now };
  await table.put('models', model, { ...(row?.value as object), live }, row?.revision ?? 0);
}

const steps = (world: WorldState) =>
  world.audit.flatMap(([, body]) => {
    const entry: { type: string; body: { step: string; outcome?: string } } = JSON.parse(body);
    return entry.type === 'rollback' ? [`${entry.body.step} ${entry.body.outcome ?? ''}`.trim()] : [];
  });
const subjects = (world: WorldState) => world.messages.map((line) => line.slice(line.indexOf(' ') + 1));

describe('a rollback', () => {
  test('is done, verified and told', async () => {
    const world = await createWorldState();
    expect((await look(world)).act?.phase).toBe('started');
    expect(world.changes).toMatchObject([{ from: 'B', to: 'A', isEvidenced: true }]);
    expect(subjects(world)).toEqual(['ROLLBACK credit: is being rolled back']);
    await look(world);
    settleServing(world);
    expect((await look(world, 5 * minute)).act?.phase).toBe('serving');
    await judge(world, { tier: 'green' });
    // Green, of an hour that ended before the configuration was back.
    expect((await look(world)).act?.phase).toBe('serving');
    world.now += 10 * minute;
    await judge(world, { tier: 'green' });
    expect((await look(world)).act).toMatchObject({ phase: 'closed', outcome: 'recovered' });
    expect(subjects(world).at(-1)).toBe('ROLLBACK credit: has recovered, no longer red');
    expect(steps(world).sort()).toEqual(['action', 'intent', 'outcome recovered']);
    await look(world);
    expect(world.changes).toHaveLength(1);
    expect(world.messages).toHaveLength(2);
  });

  test('that does not help pages again, and is not repeated', async () => {
    const world = await createWorldState();
    await look(world);
    settleServing(world);
    await look(world, 5 * minute);
    await judge(world, { tier: 'red' });
    expect((await look(world, rollback.recoverySeconds * 1000)).act).toMatchObject({ outcome: 'not-recovered' });
    expect(subjects(world).at(-1)).toBe('RED credit: was rolled back and is still red');
    for (let index = 0; index < 5; index++) await look(world);
    expect(world.changes).toHaveLength(1);
  });

  test('of which the update fails pages', async () => {
    const world = await createWorldState();
    await look(world);
    world.serving = { config: 'B', status: 'ready', revision: 9 };
    expect((await look(world)).act?.phase).toBe('started');
    expect((await look(world, 5 * minute)).act).toMatchObject({ outcome: 'failed', reason: 'update-given-up' });
    const broken = await createWorldState();
    await look(broken);
    broken.serving = { config: 'B', status: 'failed', revision: 9 };
    expect((await look(broken)).act).toMatchObject({ outcome: 'failed', reason: 'update-failed' });
    const stuck = await createWorldState();
    await look(stuck);
    expect((await look(stuck, 50 * minute)).act?.phase).toBe('started');
    expect((await look(stuck, 50 * minute)).act).toMatchObject({ outcome: 'failed', reason: 'update-takes-too-long' });
  });

  test('is overtaken by a deployment, and leaves it alone', async () => {
    const world = await createWorldState();
    await look(world);
    settleServing(world);
    await look(world, 5 * minute);
    changeServing(world, 'endpoint', 'C');
    expect((await look(world)).act).toMatchObject({ outcome: 'overtaken' });
    expect(world.changes).toHaveLength(1);
  });

  test('in a dry run says what it would do', async () => {
    const world = await createWorldState();
    const dry = createPolicy('endpoint', { dryRun: true }).rollback;
    expect((await look(world, minute, dry)).act).toMatchObject({ phase: 'closed', outcome: 'dry-run', to: 'A' });
    expect(subjects(world)).toEqual(['ROLLBACK credit: would be rolled back now (dry run)']);
    expect(steps(world).sort()).toEqual(['intent', 'outcome dry-run']);
    expect((await look(world, minute, dry)).refusal).toBe('done-in-episode');
    expect(world.changes).toEqual([]);
  });

  test('waits for an update that is under way, and then judges what came of it', async () => {
    const world = await createWorldState({ serving: { status: 'changing', pending: 'C' } });
    expect((await look(world)).refusal).toBe('not-ready');
    settleServing(world);
    expect((await look(world)).refusal).toBe('other-version-judged');
  });

  test('that the service keeps refusing pages', async () => {
    const world = await createWorldState();
    const ports = connect(world, 'endpoint');
    const control = { describe: ports.control.describe, change: async () => 'refused' as const };
    for (let index = 0; index < 5; index++) {
      world.now += minute;
      await stepRollback(policy, rollback, fleet, { ...ports, control });
    }
    expect(subjects(world)).toEqual(['RED credit: rollback refused by the service']);
    expect(steps(world)).toContain('outcome refused');
  });

  test('needs an incident that people know of', async () => {
    const world = await createWorldState();
    world.rows = world.rows.filter(([name]) => !name.startsWith('episodes'));
    expect((await look(world)).refusal).toBe('no-incident');
    expect(world.changes).toEqual([]);
  });

  test('takes an incident of another form for none', async () => {
    const world = await createWorldState();
    world.rows = world.rows.map(([name, value, revision]) => [name, value.replace('episode/1', 'episode/2'), revision]);
    expect((await look(world)).refusal).toBe('no-incident');
  });

  test('answers to a red that began while another incident went on', async () => {
    const world = await createWorldState();
    const { table } = connect(world, 'endpoint');
    const first = incidentOf('first', noon - hour);
    await keepIncident(table, 'health', { ...first, red: first.red && { ...first.red, told: 'lowered' } });
    expect((await look(world)).refusal).toBe('no-incident');
    await keepIncident(table, availability, incidentOf('second', noon));
    await keepCauses(table, [redCause(availability, availability)]);
    expect((await look(world)).act).toMatchObject({ phase: 'started', episode: 'second' });
  });

  test('is of the incident that tells of its ground, not of the newest', async () => {
    const world = await createWorldState();
    const { table } = connect(world, 'endpoint');
    await keepIncident(table, 'silence', incidentOf('newer', noon));
    await keepCauses(table, [redCause('silence', 'silence'), redCause(availability, 'health')]);
    expect((await look(world)).act).toMatchObject({ phase: 'started', episode });
  });

  test('of a red that another model explains is not licensed by another incident', async () => {
    const incident = { told: 'nothing', sequence: 0, muted: { by: 'root', episode: 'r' } } as const;
    const world = await createWorldState({ incident, verdict: { kind: 'schema-break', evidence: { records: 500 } } });
    expect((await look(world)).refusal).toBe('no-incident');
    const { table } = connect(world, 'endpoint');
    await keepIncident(table, 'silence', incidentOf('told', noon));
    await keepCauses(table, [redCause('quality', 'health'), redCause('silence', 'silence')]);
    expect((await look(world)).refusal).toBe('other-incident');
    expect(world.changes).toEqual([]);
  });

  test('waits until it is known which incident tells of what is red', async () => {
    const world = await createWorldState();
    await keepCauses(connect(world, 'endpoint').table, [redCause('silence', 'health')]);
    expect((await look(world)).refusal).toBe('other-incident');
  });

  test('is done once for one incident, whatever other one begins', async () => {
    const past = [{ episode, time: noon - 25 * hour, changed: true }];
    const world = await createWorldState({ history: { past } });
    expect((await look(world)).refusal).toBe('done-in-episode');
    const { table } = connect(world, 'endpoint');
    await keepIncident(table, 'objective:precision', incidentOf('second', noon));
    await keepCauses(table, [redCause(availability, 'health'), redCause('objective:precision', 'objective:precision')]);
    expect((await look(world)).refusal).toBe('other-incident');
    expect(world.changes).toEqual([]);
  });

  test('is withdrawn where its incident is no longer red when it is to begin', async () => {
    const world = await createWorldState();
    const ports = connect(world, 'endpoint');
    const control = { describe: ports.control.describe, change: async () => 'refused' as const };
    await stepRollback(policy, rollback, fleet, { ...ports, control });
    const { red, ...state } = incidentOf(episode, noon - hour);
    await keepIncident(ports.table, 'health', { ...state, red: red && { ...red, inAlarm: false } });
    expect((await look(world)).act).toMatchObject({ outcome: 'withdrawn', reason: 'no-incident' });
    expect(world.changes).toEqual([]);
  });

  test('rests on the events of the stretch that its finding is about', async () => {
    const few = await createWorldState({ verdict: { valid: 500, evidence: { events: 99, longMinutes: 5 } } });
    expect((await look(few)).refusal).toBe('too-few-records');
    const many = await createWorldState({ verdict: { valid: 99, evidence: { events: 600, longMinutes: 60 } } });
    expect((await look(many)).refusal).toBeUndefined();
  });

  test('is done by what compares and swaps at once', async () => {
    const world = await createWorldState();
    const { policy: aliased, rollback: byAlias } = createPolicy('alias');
    const ports = connect(world, 'alias');
    const control = new TableServing(ports.table);
    await control.deploy(byAlias.lever, 'B');
    expect((await stepRollback(aliased, byAlias, fleet, { ...ports, control })).act).toMatchObject({
      phase: 'serving',
    });
    expect((await control.describe(byAlias.lever)).config).toBe('A');
  });
});

describe('why nothing is done', () => {
  const refusals = (world: WorldState) =>
    world.audit.flatMap(([, body]) => {
      const entry: { type: string; body: Record<string, unknown> } = JSON.parse(body);
      return entry.type === 'rollback' && entry.body.step === 'refused' ? [entry.body] : [];
    });

  test('is evidenced once for each reason of an incident, and again in another', async () => {
    const world = await createWorldState({ serving: { status: 'changing', pending: 'C' } });
    await look(world);
    const first = { model, reason: 'not-ready', time: world.now, config: 'B' };
    expect(refusals(world)).toMatchObject([first]);
    await look(world);
    settleServing(world);
    for (let index = 0; index < 5; index++) await look(world);
    expect(refusals(world)).toHaveLength(2);
    expect(refusals(world)).toEqual(
      expect.arrayContaining([
        expect.objectContaining(first),
        expect.objectContaining({ reason: 'other-version-judged', config: 'C' }),
      ]),
    );
    world.rows = world.rows.map(([name, value, revision]) =>
      name.startsWith('episodes') ? [name, value.replace('"id":"', '"id":"next-'), revision] : [name, value, revision],
    );
    await look(world);
    expect(refusals(world)).toHaveLength(3);
    expect(new Set(refusals(world).map(({ episode }) => episode)).size).toBe(2);
  });

  test('is evidenced by the next look where the one that noted it died, with the same words', async () => {
    const world = await createWorldState({ serving: { status: 'changing', pending: 'C' } });
    const ports = connect(world, 'endpoint');
    world.now += minute;
    const dying = { ...ports.audit, putOnce: () => Promise.reject(new Error('killed')) };
    await expect(stepRollback(policy, rollback, fleet, { ...ports, audit: dying })).rejects.toThrow('killed');
    const noted = world.now;
    expect(refusals(world)).toEqual([]);
    await Promise.all([look(world), look(world)]);
    expect(refusals(world)).toMatchObject([{ reason: 'not-ready', time: noted }]);
  });

  test('is nothing to tell where there is no incident, or something was done in it', async () => {
    const quiet = await createWorldState();
    quiet.rows = quiet.rows.filter(([name]) => !name.startsWith('episodes'));
    await look(quiet);
    expect(refusals(quiet)).toEqual([]);
    const done = await createWorldState();
    const dry = createPolicy('endpoint', { dryRun: true }).rollback;
    for (let index = 0; index < 3; index++) await look(done, minute, dry);
    expect(refusals(done)).toEqual([]);
  });
});

test('when a live verdict reaches back before the deployment, its trouble must have begun in it and lasted', async () => {
  const deployed = { began: noon - 30 * minute, since: noon - 20 * minute };
  const refusalOf = async (verdict: LiveVerdictFacts) =>
    (await look(await createWorldState({ verdict, deployed }))).refusal;
  expect(await refusalOf({ since: noon - 31 * minute })).toBe('other-version-judged');
  expect(await refusalOf({ since: noon - 28 * minute })).toBeUndefined();
  expect(await refusalOf({ since: noon - 28 * minute, end: noon - 17 * minute })).toBe('other-version-judged');
});

test('an objective that rests on more than the live hour, or on an older one, is judged by its own stretch', async () => {
  const deployed = { began: noon - 2 * hour, since: noon - 115 * minute };
  const refusalOf = async (verdict: LiveVerdictFacts) =>
    (await look(await createWorldState({ verdict, deployed }))).refusal;
  const sixHours = { longMinutes: 360 };
  expect(await refusalOf({ evidence: { longMinutes: 60 }, since: noon - 130 * minute })).toBeUndefined();
  expect(await refusalOf({ evidence: sixHours, since: noon - 130 * minute })).toBe('other-version-judged');
  expect(await refusalOf({ evidence: sixHours, since: noon - 118 * minute })).toBeUndefined();
  const before = { endMinute: (noon - 125 * minute) / minute, longMinutes: 60 };
  expect(await refusalOf({ evidence: before, since: noon - 130 * minute })).toBe('stale');
});

describe('what says nothing of the configuration', () => {
  const blameless: readonly [string, LiveVerdictFacts][] = [
    ['silence', { kind: 'silence' }],
    ['quality by labels', { kind: 'quality' }],
    ['freshness, which is silence under another name', { sloKind: 'freshness' }],
    ['a metric that somebody named', { sloKind: 'metric' }],
  ];

  test.each(blameless)('%s: no reason to go back', async (_, verdict) => {
    const world = await createWorldState({ verdict });
    expect((await look(world)).refusal).toBe('not-judged-red');
    expect(world.changes).toEqual([]);
  });

  const isKnownGood = async (verdict: LiveVerdictFacts) => {
    const world = await createWorldState();
    // A answers again, and has for two hours.
    world.serving = { config: 'A', status: 'ready', revision: 9 };
    await look(world);
    for (let index = 0; index < 12; index++) await look(world, 10 * minute);
    await judge(world, verdict);
    await look(world);
    const record = (await connect(world, 'endpoint').table.get('deployments', model))?.value as DeploymentRecord;
    return record.standings.find(({ config }) => config === 'A')?.provenAt !== undefined;
  };

  test.each(blameless)('%s: its good name stays', async (_, verdict) => {
    expect(await isKnownGood(verdict)).toBe(true);
  });

  test('but not where requests fail', async () => {
    expect(await isKnownGood({})).toBe(false);
  });

  test('silence after a rollback is no recovery, nor are minutes', async () => {
    const rolledBack = async () => {
      const world = await createWorldState();
      await look(world);
      settleServing(world);
      await look(world, 5 * minute);
      world.now += 10 * minute;
      return world;
    };
    const silent = await rolledBack();
    await judge(silent, { kind: 'silence' });
    expect((await look(silent)).act?.phase).toBe('serving');
    const idle = await rolledBack();
    const slo = { name: 'f', objective: 0.9, good: 60, valid: 60, broken: false } as const;
    await judge(idle, { tier: 'green', valid: 0, slos: [{ ...slo, kind: 'freshness' }] });
    expect((await look(idle)).act?.phase).toBe('serving');
    const busy = await rolledBack();
    await judge(busy, { tier: 'green', valid: 0, slos: [{ ...slo, kind: 'latency' }] });
    expect((await look(busy)).act?.outcome).toBe('recovered');
  });
});

describe('an evidenced verdict', () => {
  test('must be the same in both stores, and of the model and minute of its key', async () => {
    const world = await createWorldState();
    const { state, audit } = connect(world, 'endpoint');
    const { key, verdict } = liveVerdict({});
    expect((await readEvidencedVerdict({ state, audit }, model, key))?.verdict).toEqual(verdict);
    expect(await readEvidencedVerdict({ state, audit }, 'other', key)).toBeUndefined();
    const copy = liveVerdictKey({ model, variant: 'AllTraffic', version: 'v2' }, noon / minute);
    await state.putOnce(copy, encodeJson(verdict));
    expect(await readEvidencedVerdict({ state, audit }, model, copy)).toBeUndefined();
    const closed = verdictKey({ model, variant: 'AllTraffic', version: 'v2' }, noon - hour, 0);
    await state.putOnce(closed, encodeJson(verdict));
    expect(await readEvidencedVerdict({ state, audit }, model, closed)).toBeUndefined();
    world.state = world.state.map(([name, body]) => [name, name === key ? body.replace('"red"', '"green"') : body]);
    expect(await readEvidencedVerdict({ state, audit }, model, key)).toBeUndefined();
  });
});

test('the row keeps earlier rollbacks', async () => {
  const world = await createWorldState({
    history: { past: [{ episode: 'older', time: noon - 100 * hour, changed: true }] },
  });
  await look(world);
  const row = await connect(world, 'endpoint').table.get('rollbacks', model);
  const history = row?.value as RollbackHistory | undefined;
  expect(history?.past.map(({ episode }) => episode)).toEqual(['older']);
});
