import { describe, expect, test } from 'vitest';
import { TableServing } from '../../adapters/local/table-serving.ts';
import { liveVerdictKey, verdictKey } from '../../core/contract/keys.ts';
import type { RollbackHistory } from '../../core/model/rollback.ts';
import { putEvidenceEntry } from '../../core/pipeline/evidence.ts';
import { readEvidencedVerdict } from '../../core/pipeline/evidenced-verdict.ts';
import { stepRollback } from '../../core/pipeline/rollback.ts';
import { encodeJson } from '../../core/pipeline/write-once.ts';
import {
  changeServing,
  connect,
  createPolicy,
  createWorldState,
  hour,
  type LiveVerdictFacts,
  liveVerdict,
  minute,
  model,
  noon,
  settleServing,
  type WorldState,
} from './rollback-world.ts';

const { policy, rollback, fleet } = createPolicy('endpoint');

/** A look, as every minute has one. */
async function look(world: WorldState, after = minute, given = rollback) {
  world.now += after;
  return stepRollback(policy, given, fleet, connect(world, 'endpoint'));
}

/** What the tick leaves behind when its judgement changes. */
async function judge(world: WorldState, facts: LiveVerdictFacts) {
  const { state, audit, table } = connect(world, 'endpoint');
  const { key, verdict } = liveVerdict({ end: world.now - 5 * minute, ...facts });
  const time = (Math.floor(Date.parse(verdict.window.end) / minute) + 1) * minute;
  await state.putOnce(key, encodeJson(verdict));
  await putEvidenceEntry(
    audit,
    model,
    time,
    'verdict',
    `${key}\n${new Date(time).toISOString().slice(0, 10)}`,
    verdict,
  );
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
    expect(world.changes).toEqual([{ from: 'B', to: 'A', isEvidenced: true }]);
    expect(subjects(world)).toEqual(['RED credit: is being rolled back']);
    await look(world);
    settleServing(world);
    expect((await look(world, 5 * minute)).act?.phase).toBe('serving');
    await judge(world, { tier: 'green' });
    // Green, of an hour that ended before the configuration was back.
    expect((await look(world)).act?.phase).toBe('serving');
    world.now += 10 * minute;
    await judge(world, { tier: 'green' });
    expect((await look(world)).act).toMatchObject({ phase: 'closed', outcome: 'recovered' });
    expect(subjects(world).at(-1)).toBe('RED credit: has recovered after its rollback');
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
    expect(subjects(world)).toEqual(['RED credit: would be rolled back now (dry run)']);
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

test('when a live verdict reaches back before the deployment, its trouble must have begun in it and lasted', async () => {
  const deployed = { began: noon - 30 * minute, since: noon - 20 * minute };
  const refusalOf = async (verdict: LiveVerdictFacts) =>
    (await look(await createWorldState({ verdict, deployed }))).refusal;
  expect(await refusalOf({ since: noon - 31 * minute })).toBe('other-version-judged');
  expect(await refusalOf({ since: noon - 28 * minute })).toBeUndefined();
  expect(await refusalOf({ since: noon - 28 * minute, end: noon - 17 * minute })).toBe('other-version-judged');
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
