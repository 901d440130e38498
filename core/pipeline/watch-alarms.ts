import { type AlarmPlace, alarmMessage } from '../alarm/alarm-message.ts';
import {
  type AlarmPlan,
  type AlarmState,
  type AlarmStates,
  evaluateAlarms,
  planAlarms,
} from '../alarm/evaluate-alarms.ts';
import type { AlarmDefinition, AlarmTransition } from '../model/alarm.ts';
import type { Clock, MetricSource, StateTable } from './ports.ts';

export interface AlarmPorts {
  readonly table: StateTable;
  readonly recorded: MetricSource;
  readonly clock: Clock;
}

/** A state change of an alarm. */
export interface WatchedChange {
  readonly transition: AlarmTransition;
  /** The message CloudWatch would put on the alarm's topic, where its actions run and it has people. */
  readonly message?: string | undefined;
}

const partition = 'alarms';
const watchPartition = 'alarm-watch';

/**
 * Stands in for CloudWatch's alarms where there is no CloudWatch: the same definitions, on recorded metrics. One watch
 * evaluates a set of alarms; it keeps their states in the table and remembers them.
 */
export class AlarmWatch {
  readonly #definitions: readonly AlarmDefinition[];
  readonly #plan: AlarmPlan;
  readonly #ports: AlarmPorts;
  readonly #place: AlarmPlace;
  #states: AlarmStates | undefined;
  #since: number | undefined;

  constructor(definitions: readonly AlarmDefinition[], ports: AlarmPorts, place: AlarmPlace) {
    this.#definitions = definitions;
    this.#plan = planAlarms(definitions);
    this.#ports = ports;
    this.#place = place;
  }

  /**
   * Evaluates every alarm once and keeps the states.
   * @returns the changes, in order of evaluation.
   */
  async step(): Promise<readonly WatchedChange[]> {
    const now = this.#ports.clock.now();
    const previous = this.#states ?? (await this.#load());
    const { recorded } = this.#ports;
    const { states, transitions } = evaluateAlarms(
      this.#plan,
      ({ namespace, metric, dimensions }, from, to) => recorded.read(namespace, metric, dimensions, from, to),
      previous,
      now,
      { recordedSince: await this.#recordedSince(now) },
    );
    if (states !== previous)
      for (const [alarm, state] of states) if (previous.get(alarm) !== state) await this.#keep(alarm, state);
    this.#states = states;
    return transitions.map((transition) => {
      const definition = this.#definitions.find(({ name }) => name === transition.alarm);
      const tells = definition && definition.audience !== 'none' && transition.actionsEnabled;
      return { transition, message: tells ? alarmMessage(definition, transition, this.#place, states) : undefined };
    });
  }

  async #load(): Promise<AlarmStates> {
    const rows = await this.#ports.table.list(partition);
    return new Map(rows.map(({ key, row }) => [key, row.value as AlarmState]));
  }

  async #keep(alarm: string, state: AlarmState): Promise<void> {
    const revision = (await this.#ports.table.get(partition, alarm))?.revision ?? 0;
    if (await this.#ports.table.put(partition, alarm, state, revision)) return;
    throw new Error(
      `alarm ${alarm}: its state was changed by someone else, expected to be the only one to evaluate it`,
    );
  }

  /** Metrics before the first step can't be missing: there was nobody to record them. */
  async #recordedSince(now: number): Promise<number> {
    if (this.#since !== undefined) return this.#since;
    const row = await this.#ports.table.get(watchPartition, 'since');
    this.#since = typeof row?.value === 'number' ? row.value : now;
    if (!row) await this.#ports.table.put(watchPartition, 'since', now, 0);
    return this.#since;
  }
}
