import { expect, test } from 'vitest';
import { TableServing } from '../../adapters/local/table-serving.ts';
import { sagemakerEndpoint } from '../../core/contract/config.ts';
import type { Message } from '../../core/model/delivery.ts';
import type { DeploymentRecord } from '../../core/model/rollback.ts';
import { followModel } from '../../core/pipeline/cause-ledger.ts';
import { stepRollback } from '../../core/pipeline/rollback.ts';
import type { EpisodeState } from '../../core/route/episode.ts';
import { createRandom } from '../evaluate/synthetic-model.ts';
import { type Call, hour, linesOf, minute, payloadKey, payloadLine, requestKey, requestLine } from './capture-lines.ts';
import { createWorld, start, usualRow } from './embedded-world.ts';

/** The world looks at everything this often. */
const pace = 5 * minute;
const callsPerMinute = 4;

/**
 * A model's life with the real tick: what answers decides whether requests fail. `B` does, from its first one.
 */
async function live(hours: number, deployments: ReadonlyMap<number, string>) {
  const world = await createWorld({
    rollback: sagemakerEndpoint({ dryRun: false, provenFor: '1h', recoverWithin: '2h' }),
  });
  const { policy, fleet } = world.runtime;
  const { rollback } = policy;
  if (!rollback) throw new Error('expected a rollback');
  const { table } = world.sqlite;
  const control = new TableServing(table);
  await control.deploy(rollback.lever, 'A');
  const random = createRandom(5);
  const messages: Message[] = [];
  const refusals = new Set<string>();
  const served: (readonly [minute: number, config: string])[] = [];
  for (let at = 0; at < hours * 60; at += 5) {
    const from = start + at * minute;
    const deployed = deployments.get(at);
    if (deployed !== undefined) await control.deploy(rollback.lever, deployed);
    // The look before was a minute after the last requests were.
    const failsFrom = deployed === undefined ? from : from + 2 * minute;
    const { config } = await control.describe(rollback.lever);
    if (served.at(-1)?.[1] !== config) served.push([at, config]);
    const calls: Call[] = [];
    const requests: string[] = [];
    for (let index = 0; index < 5 * callsPerMinute; index++) {
      const time = from + Math.floor((index * pace) / (5 * callsPerMinute));
      const id = `${at}-${index}`;
      calls.push({ time, id, rows: [usualRow(random)] });
      requests.push(requestLine({ time, id, status: config === 'B' && time >= failsFrom ? 503 : 200 }));
    }
    const arrived = from + pace + minute;
    await world.deliver({ key: payloadKey(from, `p${at}`), body: linesOf(calls.map(payloadLine)), arrived });
    await world.deliver({ key: requestKey(from, `r${at}`), body: linesOf(requests), arrived });
    await world.tick(arrived);
    await keepEpisode(arrived);
    const ports = { ...world.ports(), control, notifier: { deliver: async (one: Message) => void messages.push(one) } };
    const { refusal } = await stepRollback(policy, rollback, fleet, ports);
    if (refusal !== undefined) refusals.add(refusal);
  }
  const record = (await table.get('deployments', policy.name))?.value as DeploymentRecord;
  return { world, served, messages, refusals, record };

  /** As notify does where the red alarm rings. */
  async function keepEpisode(now: number) {
    const key = `${policy.name}#health`;
    const row = await table.get('episodes', key);
    const isRed = (await world.modelState()).live.tier === 'red';
    const red: EpisodeState['red'] = {
      inAlarm: isRed,
      told: isRed ? 'raised' : 'nothing',
      changed: now,
      heard: now,
      since: now,
      sequence: 1,
    };
    const state: EpisodeState = { id: 'e', model: policy.name, cause: 'health', startedAt: start, red, past: [] };
    await followModel(world.ports(), policy, new Map(row ? [['health', state]] : []));
    if (row || isRed)
      await table.put('episodes', key, { schema: 'tidewatch.episode/1', state, pending: [] }, row?.revision ?? 0);
  }
}

test('a bad deployment is found, undone and seen to be over', async () => {
  const { world, served, messages, record } = await live(8, new Map([[185, 'B']]));
  expect(served.map(([, config]) => config)).toEqual(['A', 'B', 'A']);
  const undone = served[2]?.[0] ?? 0;
  // The page takes minutes, and what it says must have lasted into the time in which B answers alone.
  expect(undone - 185).toBeLessThanOrEqual(30);
  expect(messages.map(({ subject }) => subject)).toEqual([
    'ROLLBACK credit: is being rolled back',
    'ROLLBACK credit: has recovered, no longer red',
  ]);
  expect(record.spells.map(({ config }) => config)).toEqual(['A', 'B', 'A']);
  const [good] = record.standings.filter(({ config }) => config === 'A');
  expect(good?.versions).toEqual(['AllTraffic/v1']);
  const texts = world.audit.contents('bundles/').map(([, body]) => Buffer.from(body, 'base64').toString());
  const evidence: readonly { type: string; body: { step?: string; config?: string } }[] = texts.flatMap((text) =>
    text.startsWith('{"body":') ? JSON.parse(text) : [],
  );
  const told = evidence.filter(({ type }) => type === 'rollback').map(({ body }) => body.step);
  expect(told.sort()).toEqual(['action', 'intent', 'outcome']);
  const proofs = evidence.filter(({ type }) => type === 'deployment').map(({ body }) => body.config);
  expect(new Set(proofs)).toEqual(new Set(['A']));
});

test('where nothing before it was good for long enough, it is left to people', async () => {
  const { served, messages, refusals } = await live(4, new Map([[30, 'B']]));
  expect(served.map(([, config]) => config)).toEqual(['A', 'B']);
  expect(messages).toEqual([]);
  expect(refusals).toContain('no-known-good');
});

test('a red that lasts is evidenced anew', async () => {
  const { world } = await live(4, new Map([[30, 'B']]));
  const red = world.liveVerdicts().filter(({ tier }) => tier === 'red');
  expect(red.length).toBeGreaterThan((2 * hour) / (15 * minute));
});
