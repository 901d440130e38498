import { existsSync } from 'node:fs';
import { FileObjectStore } from '../../adapters/local/file-object-store.ts';
import { MemoryMetrics } from '../../adapters/local/memory-metrics.ts';
import { SqliteState } from '../../adapters/local/sqlite-state.ts';
import { parseAlarmRule, ruleAlarms } from '../../core/alarm/alarm-rule.ts';
import { dimensionNames, metricNames, metricNamespace } from '../../core/contract/metric-names.ts';
import type { AlarmDefinition, AlarmMetric } from '../../core/model/alarm.ts';
import type { MetricSource } from '../../core/pipeline/ports.ts';
import { stateFolder } from '../backend.ts';
import { InputError } from '../command.ts';

/** A state folder that is only read. */
export class RecordedState {
  readonly root: string;
  readonly #sqlite: SqliteState;
  readonly store: FileObjectStore;
  /** First and last minute with a tick, milliseconds since the epoch. */
  readonly from: number;
  readonly to: number;

  /** @throws {InputError} where nothing was recorded, {StateFileError} where it is in use. */
  constructor(path: string) {
    const folder = stateFolder(path);
    if (!existsSync(folder.database))
      throw new InputError(
        `${path}: expected a state folder as \`tidewatch run\` leaves it, with tidewatch.sqlite in it, saw none`,
      );
    this.root = folder.root;
    this.#sqlite = new SqliteState(folder.database, true);
    this.store = new FileObjectStore(folder.state, { exclusive: true });
    const beats = this.#sqlite.metrics.read(metricNamespace, metricNames.heartbeat, [], 0, Number.MAX_SAFE_INTEGER);
    const [first, last] = [beats[0], beats.at(-1)];
    if (!first || !last) {
      this.close();
      throw new InputError(`${path}: expected recorded metrics, saw no ${metricNames.heartbeat} in tidewatch.sqlite`);
    }
    this.from = first.time;
    this.to = last.time;
  }

  get metrics() {
    return this.#sqlite.metrics;
  }

  get invocations() {
    return this.#sqlite.invocations;
  }

  /** What was recorded of the metrics that alarms watch. */
  metricsOf(definitions: readonly AlarmDefinition[]): MemoryMetrics {
    const metrics = new MemoryMetrics();
    for (const watched of watchedMetrics(definitions)) {
      const { namespace, metric, dimensions } = asRecorded(watched);
      if (metrics.has(namespace, metric, dimensions)) continue;
      const data = this.#sqlite.metrics.read(namespace, metric, dimensions, 0, Number.MAX_SAFE_INTEGER);
      for (const datum of data) metrics.add(namespace, metric, dimensions, datum);
    }
    return metrics;
  }

  close(): void {
    this.#sqlite.close();
  }
}

export function watchedMetrics(definitions: readonly AlarmDefinition[]): readonly AlarmMetric[] {
  return definitions.flatMap((definition) => {
    if (definition.type === 'metric') return [definition];
    if (definition.type === 'composite') return [];
    return definition.queries.flatMap((query) => ('metric' in query ? [query.metric] : []));
  });
}

/** The embedded backend is all shards in one, and its heartbeat the one of each. */
function asRecorded<T extends Pick<AlarmMetric, 'namespace' | 'metric' | 'dimensions'>>(watched: T): T {
  const isBeat = watched.namespace === metricNamespace && watched.metric === metricNames.heartbeat;
  return isBeat
    ? { ...watched, dimensions: watched.dimensions.filter(([name]) => name !== dimensionNames.shard) }
    : watched;
}

/** Metrics as deployed alarms ask for them, out of those that the embedded backend records. */
export function asDeployed(metrics: MetricSource): MetricSource {
  return {
    read: (namespace, metric, dimensions, from, to) => {
      const recorded = asRecorded({ namespace, metric, dimensions });
      return metrics.read(namespace, metric, recorded.dimensions, from, to);
    },
  };
}

/** Names of the alarms on metrics of which nothing is there: those of AWS's own services. */
export function alarmsWithoutData(definitions: readonly AlarmDefinition[], metrics: MemoryMetrics): readonly string[] {
  return definitions
    .filter((definition) => {
      const watched = watchedMetrics([definition]).map(asRecorded);
      return watched.length > 0 && !watched.some((one) => metrics.has(one.namespace, one.metric, one.dimensions));
    })
    .map(({ name }) => name);
}

/**
 * The alarms as they can be run over a recording. Those without data would page for its absence where missing data is
 * breaching: what the recording can't know of, it must not tell of. Of them only those stay that others go by.
 * @param withoutData names, see `alarmsWithoutData`
 */
export function runnableAlarms(
  definitions: readonly AlarmDefinition[],
  withoutData: readonly string[],
): readonly AlarmDefinition[] {
  const names = new Set(withoutData);
  const named = new Set(
    definitions.flatMap((definition) =>
      definition.type === 'composite'
        ? [
            ...ruleAlarms(parseAlarmRule(definition.rule)),
            ...(definition.suppressor ? [definition.suppressor.alarm] : []),
          ]
        : [],
    ),
  );
  return definitions.flatMap((definition) => {
    if (definition.type === 'composite' || !names.has(definition.name)) return definition;
    return named.has(definition.name) ? { ...definition, missingData: 'ignore' } : [];
  });
}
