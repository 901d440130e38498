import { expect, test } from 'vitest';
import { modelAlarms } from '../../core/contract/alarm-definitions.ts';
import { parseConfig, sagemakerCapture } from '../../core/contract/config.ts';
import { answerDoorbells } from '../../core/pipeline/answer-doorbells.ts';
import { readStanding } from '../../core/pipeline/episode-rows.ts';
import { type ModelState, updateModelState } from '../../core/pipeline/model-state.ts';
import { notifyOf, notifyOverdue } from '../../core/pipeline/notify.ts';
import { listSeries, seriesOfState, updateSeries } from '../../core/pipeline/series.ts';
import { AlertedWorld, hour, minute, origin, wordsOf } from './alerted-world.ts';

const source = sagemakerCapture({ bucket: 'captures', endpoint: 'm' });
const { fleet } = parseConfig({ models: [{ name: 'm', source, versions: [{ match: '*' }] }] });

/** Lives through minutes in which nothing more is judged, and says what people hear. */
async function listen(world: AlertedWorld, minutes: number): Promise<readonly string[]> {
  world.said.length = 0;
  for (let past = 0; past < minutes; past++) {
    world.clock.set(world.clock.now() + minute);
    await answerDoorbells(fleet, world.policies, world.ports);
    await notifyOverdue(world.policies, world.ports);
  }
  return wordsOf(world.said);
}

/** Red for an hour, and green by fresh verdicts since; the alarm's OK is lost. */
async function createLost(): Promise<AlertedWorld> {
  const world = new AlertedWorld();
  world.hearsEnds = false;
  await world.live([{ kind: 'silence', tier: 'red', from: 2 * hour, to: 3 * hour }], 0, 3 * hour + 15 * minute);
  expect(wordsOf(world.said)).toEqual(['0d2h m red raised']);
  return world;
}

test('a red alarm whose OK is lost is over when the verdicts have said so for twenty minutes, and the hold', async () => {
  expect(await listen(await createLost(), 25)).toEqual([]);
  expect(await listen(await createLost(), 40)).toEqual(['0d3h m red recovered']);
});

test('it goes on where judging is behind, for nobody knows', async () => {
  const world = await createLost();
  world.clock.set(origin + 6 * hour);
  expect(await listen(world, 60)).not.toContain('0d6h m red recovered');
});

test('it goes on where stored bytes do not match, which no verdict says', async () => {
  const world = await createLost();
  const now = world.clock.now();
  const distrust = (state: ModelState): ModelState => ({ ...state, integrity: [['profiles/x', now]] });
  await updateModelState(world.ports.table, 'm', now, distrust);
  expect((await listen(world, 50)).filter((words) => words.includes('recovered'))).toEqual([]);
  expect((await readStanding(world.ports.table, 'm'))?.red?.inAlarm).toBe(true);
});

test.each([
  ['rings for quarantine, of which green verdicts say nothing', 50, []],
  ['rang for what is over', 0, ['0d3h m yellow recovered']],
])('a yellow alarm that %s', async (_, quarantined, heard) => {
  const world = new AlertedWorld();
  await world.live([], 0, 3 * hour + 15 * minute);
  const { table, clock } = world.ports;
  for (const state of await listSeries(table, 'm'))
    await updateSeries(table, seriesOfState('m', state), (known = state) => ({
      ...known,
      ...(known.newest && { newest: { ...known.newest, quarantined } }),
    }));
  const [policy] = world.policies;
  const alarm = policy && modelAlarms(policy, fleet).find(({ audience }) => audience === 'yellow');
  if (!alarm) throw new Error('expected a yellow alarm');
  const words = { alarm: alarm.name, description: '', runbook: alarm.runbook, reason: '', triggers: ['quarantine'] };
  const notice = { ...words, tier: 'yellow', model: 'm', cause: 'health', to: 'ALARM', time: clock.now() } as const;
  await notifyOf(world.policies, world.ports, notice);
  expect(await listen(world, 40)).toEqual(heard);
});
