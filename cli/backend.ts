import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { AnnouncedCaptures } from '../adapters/local/announced-captures.ts';
import { FileCaptureStore } from '../adapters/local/file-capture-store.ts';
import { FileKeySource } from '../adapters/local/file-key-source.ts';
import { FileObjectStore } from '../adapters/local/file-object-store.ts';
import { Outbox } from '../adapters/local/outbox.ts';
import { SqliteState } from '../adapters/local/sqlite-state.ts';
import { fleetAlarms, modelAlarms } from '../core/contract/alarm-definitions.ts';
import type { AlarmDefinition } from '../core/model/alarm.ts';
import type { Message } from '../core/model/delivery.ts';
import { Calibrations } from '../core/pipeline/calibrations.ts';
import { Sequencer } from '../core/pipeline/evidence.ts';
import { CohortReader } from '../core/pipeline/join-manifest.ts';
import { Measurements } from '../core/pipeline/measurements.ts';
import { RecordedMetricReader } from '../core/pipeline/recorded-metric-reader.ts';
import { ReplayClock, type ReplayPorts } from '../core/pipeline/replay.ts';
import { RollUpReader } from '../core/pipeline/roll-up.ts';
import { TrailReader } from '../core/pipeline/trail-store.ts';
import { AlarmWatch } from '../core/pipeline/watch-alarms.ts';
import { WindowReader } from '../core/pipeline/window-reader.ts';
import { InputError } from './command.ts';
import type { LoadedConfig } from './load-config.ts';

/** Where the embedded backend keeps things, under one folder. */
export interface StateFolder {
  readonly root: string;
  readonly state: string;
  readonly audit: string;
  readonly outbox: string;
  readonly database: string;
  readonly key: string;
}

export function stateFolder(root: string): StateFolder {
  const absolute = resolve(root);
  return {
    root: absolute,
    state: join(absolute, 'state'),
    audit: join(absolute, 'audit'),
    outbox: join(absolute, 'outbox'),
    database: join(absolute, 'tidewatch.sqlite'),
    key: join(absolute, 'keys', 'evidence.key'),
  };
}

export interface Backend {
  readonly ports: ReplayPorts;
  readonly definitions: readonly AlarmDefinition[];
  readonly outbox: Outbox;
  readonly folder: StateFolder;
  close(): void;
}

export interface BackendOptions {
  readonly config: LoadedConfig;
  readonly state: string;
  /** Holds a folder per bucket, or is the bucket's root where the configuration names one bucket only. */
  readonly captures: string;
  readonly onMessage?: ((message: Message, file: string) => void) | undefined;
}

/** Account and region that alarm messages of the embedded backend carry. */
const place = { account: '000000000000', region: 'local' };

/** The whole pipeline's ports on the file system and SQLite. */
export function openBackend({ config, state, captures, onMessage }: BackendOptions): Backend {
  const folder = stateFolder(state);
  const clock = new ReplayClock();
  const sqlite = new SqliteState(folder.database, true);
  // The database's lock keeps other writers out of the folders as well.
  const stateStore = new FileObjectStore(folder.state, { exclusive: true });
  const auditStore = new FileObjectStore(folder.audit, { exclusive: true });
  const definitions = [
    ...config.runtimes.flatMap(({ policy, fleet }) => modelAlarms(policy, fleet)),
    ...fleetAlarms(config.fleet),
  ];
  const outbox = new Outbox(sqlite.database, folder.outbox, { recipients: recipientsOf(config), onMessage });
  const { table, metrics, invocations, touches } = sqlite;
  const announced = new AnnouncedCaptures();
  return {
    ports: {
      captures: new FileCaptureStore(bucketRoots(config, captures)),
      state: stateStore,
      audit: auditStore,
      table,
      metrics,
      invocations,
      touches,
      touched: touches,
      announcements: announced,
      announced,
      keys: new FileKeySource(folder.key),
      notifier: outbox,
      clock,
      measurements: new Measurements(new RecordedMetricReader(metrics)),
      windows: new WindowReader(stateStore),
      rollUps: new RollUpReader(stateStore),
      trails: new TrailReader(stateStore),
      cohorts: new CohortReader(stateStore),
      calibrations: new Calibrations(),
      sequencer: new Sequencer(stateStore, auditStore),
      alarms: new AlarmWatch(definitions, { table, recorded: metrics, clock }, place),
      transaction: (step) => sqlite.transaction(step),
    },
    definitions,
    outbox,
    folder,
    close: () => sqlite.close(),
  };
}

function recipientsOf(config: LoadedConfig): (message: Message) => readonly string[] {
  return ({ model, tier }) => {
    const policy = config.runtimes.find((runtime) => runtime.policy.name === model)?.policy;
    const alerts = policy ? [policy.alerts] : config.runtimes.map((runtime) => runtime.policy.alerts);
    return [...new Set(alerts.flatMap((tiers) => tiers[tier].map(({ address }) => address)))];
  };
}

/** @throws {InputError} where a bucket has no folder. */
export function bucketRoots(config: LoadedConfig, captures: string): ReadonlyMap<string, string> {
  const root = resolve(captures);
  if (!existsSync(root)) throw new InputError(`${captures}: expected a folder of captures, saw none`);
  const buckets = [...new Set(config.runtimes.flatMap(({ policy }) => policy.sources.map(({ bucket }) => bucket)))];
  const [only] = buckets;
  if (only !== undefined && buckets.length === 1 && !existsSync(join(root, only))) return new Map([[only, root]]);
  return new Map(
    buckets.map((bucket) => {
      const path = join(root, bucket);
      if (!existsSync(path)) throw new InputError(`${path}: expected a folder for bucket ${bucket}, saw none`);
      return [bucket, path] as const;
    }),
  );
}
