import { verdictKey } from '../../core/contract/keys.ts';
import { restateSeconds } from '../../core/model/rollback.ts';
import type { Verdict } from '../../core/model/verdict.ts';
import { putEvidenceEntry } from '../../core/pipeline/evidence.ts';
import type { ModelState } from '../../core/pipeline/model-state.ts';
import { beginSeries, seriesPartition } from '../../core/pipeline/series.ts';
import { encodeJson } from '../../core/pipeline/write-once.ts';
import type { EpisodeState } from '../../core/route/episode.ts';
import {
  acceptChange,
  changeServing,
  configName,
  connect,
  hourOfU,
  incidentOf,
  keepCauses,
  keepIncident,
  type LeverKind,
  liveVerdict,
  minute,
  model,
  redCause,
  type WorldState,
  writeLiveVerdict,
} from './rollback-world.ts';

/** Who changes the world beside the executions of the rollback, at any time between their calls. */
export interface Actor {
  /** What it may do now. */
  choices(world: WorldState): readonly string[];
  take(world: WorldState, choice: string): Promise<void> | void;
  /** Rows that it may still write, or what is read with them, before all processes end. */
  mayWrite(world: WorldState): readonly string[];
}

const modelRow = `models ${model}`;
const episodeRow = `episodes ${model}#health`;
const secondName = 'objective:precision';
const causesRow = `episodes ${model}#causes`;
const secondRow = `episodes ${model}#${secondName}`;

function turnsOf(world: WorldState, name: string): number {
  return world.turns[name] ?? 0;
}

function countTurn(world: WorldState, name: string): void {
  world.turns = { ...world.turns, [name]: turnsOf(world, name) + 1 };
}

/** Turns that are over with the processes that took them. */
export function beginTurns(world: WorldState): void {
  const { deploy = 0, second = 0 } = world.turns;
  world.turns = { deploy, second };
}

/** Somebody deploys a configuration, once, where the service lets them. */
export function deployment(kind: LeverKind, label: string): Actor {
  return {
    choices: (world) => (world.serving.status === 'ready' && turnsOf(world, 'deploy') === 0 ? ['deploy'] : []),
    take: (world) => {
      countTurn(world, 'deploy');
      changeServing(world, kind, configName(kind, label));
    },
    mayWrite: () => [],
  };
}

/** The workflow that was started looks, and changes the endpoint where it still has what it was told. */
export const workflow: Actor = {
  choices: ({ workflows }) => (workflows.some(({ isOver }) => !isOver) ? ['workflow'] : []),
  take: (world) => {
    const next = world.workflows.find(({ isOver }) => !isOver);
    if (!next) return;
    world.workflows = world.workflows.map((one) => (one === next ? { ...one, isOver: true } : one));
    const { config, status } = world.serving;
    if (config === next.from && status === 'ready') acceptChange(world, 'workflow', next.to);
  },
  mayWrite: () => [],
};

/**
 * Evaluators, one after the other: each judges the hour that ended a minute or two ago red, for what answered at its end, or
 * green, where late captures show nothing wrong; and points the model's row to it, where that is news or the news of a red is
 * ten minutes old. What they write first is read by nobody before.
 */
export function evaluators(count: number): Actor {
  const endOf = (world: WorldState) => world.now - (count - turnsOf(world, 'evaluate')) * minute;
  const answeredAt = (world: WorldState, time: number) => world.answered.findLast(([, from]) => from < time) ?? ['', 0];
  return {
    choices: (world) => {
      if (turnsOf(world, 'evaluate') === count) return [];
      const live = readLive(world);
      if (live?.tier !== 'red') return ['judge red'];
      const isNews = world.blamed.at(-1) !== answeredAt(world, endOf(world))[0];
      const isOld = world.now - live.since >= restateSeconds * 1000;
      return isNews || isOld ? ['judge red', 'judge green'] : ['judge green'];
    },
    mayWrite: (world) => (turnsOf(world, 'evaluate') < count ? [modelRow] : []),
    take: async (world, choice) => {
      const end = endOf(world);
      countTurn(world, 'evaluate');
      const tier = choice === 'judge red' ? 'red' : 'green';
      const [config, since] = answeredAt(world, end);
      const { key, verdict } = liveVerdict({ end, tier, since });
      await writeLiveVerdict(world, { key, verdict });
      if (tier === 'red') {
        world.wasRed = true;
        world.blamed = [...world.blamed.filter((one) => one !== config), config];
      }
      const { table } = connect(world, 'endpoint');
      const row = await table.get('models', model);
      const live: ModelState['live'] = { tier, found: key, key, since: world.now };
      await table.put('models', model, { ...(row?.value as ModelState), live }, row?.revision ?? 0);
    },
  };
}

const quietMilliseconds = 10 * minute;

/** What people are told follows the live tier: one incident until it was quiet for ten minutes, then another. */
export const notifier: Actor = {
  choices: (world) => {
    const isHeard = readEpisode(world)?.red?.inAlarm === (readLive(world)?.tier === 'red');
    return turnsOf(world, 'notify') === 0 && !isHeard ? ['notify'] : [];
  },
  mayWrite: (world) => (turnsOf(world, 'notify') === 0 ? [episodeRow] : []),
  take: async (world) => {
    countTurn(world, 'notify');
    const before = readEpisode(world);
    const inAlarm = readLive(world)?.tier === 'red';
    const isOver = before?.red && !before.red.inAlarm && world.now - before.red.changed >= quietMilliseconds;
    if (!before?.red) throw new Error('expected an incident');
    const id = isOver ? `${before.id}+` : before.id;
    const state = { ...before, id, red: { ...before.red, inAlarm, changed: world.now } };
    await keepIncident(connect(world, 'endpoint').table, 'health', state);
  },
};

/**
 * Another incident of the model becomes red while the first goes on, for something that no rollback answers to, and people
 * are told of it. Which incident a cause belongs to is kept first.
 */
export const secondIncident: Actor = {
  choices: (world) => (turnsOf(world, 'second') < 2 ? ['second incident'] : []),
  mayWrite: (world) => (turnsOf(world, 'second') < 2 ? [causesRow, secondRow] : []),
  take: async (world) => {
    const { table } = connect(world, 'endpoint');
    if (turnsOf(world, 'second') === 0) {
      await keepCauses(table, [redCause('objective:availability', 'health'), redCause(secondName, secondName)]);
    } else {
      await keepIncident(table, secondName, incidentOf('episode-2', world.now));
    }
    countTurn(world, 'second');
  },
};

function readLive(world: WorldState): ModelState['live'] | undefined {
  const row = world.rows.find(([name]) => name === `models|${model}`);
  const state: ModelState | undefined = row && JSON.parse(row[1]);
  return state?.live;
}

function readEpisode(world: WorldState): EpisodeState | undefined {
  const row = world.rows.find(([name]) => name === `episodes|${model}#health`);
  const value: { readonly state: EpisodeState } | undefined = row && JSON.parse(row[1]);
  return value?.state;
}

/** An hour that U answered is judged, green or red, and what was green is red once late records restate it. */
export const closing: Actor = {
  choices: (world) => {
    const before = turnsOf(world, 'close');
    if (before === 0) return ['close green', 'close red'];
    return before === 1 && world.turns.closedRed === undefined ? ['close red'] : [];
  },
  // What is closed is read right behind this row.
  mayWrite: () => [`deployments ${model}`],
  take: async (world, choice) => {
    const revision = turnsOf(world, 'close');
    countTurn(world, 'close');
    if (choice === 'close red') countTurn(world, 'closedRed');
    const { verdict: live } = liveVerdict({ tier: choice === 'close red' ? 'red' : 'green', end: hourOfU.end });
    const verdict: Verdict = { ...live, mode: 'closed', revision };
    const key = verdictKey(live, hourOfU.start, revision);
    const { state, audit, table } = connect(world, 'endpoint');
    await state.putOnce(key, encodeJson(verdict));
    await putEvidenceEntry(audit, model, hourOfU.end, 'verdict', key, verdict);
    const { variant, version } = live;
    const series = beginSeries({ model, variant, version, layout: 'l', windowSeconds: 3600 }, hourOfU);
    await table.put(seriesPartition(model), `${variant}/${version}/l-3600`, series, 0);
  },
};
