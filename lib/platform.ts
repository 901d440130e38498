import { Tags } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { createCaptureBucket } from './capture-bucket.ts';
import { createDashboard } from './dashboard.ts';
import { createDataKey, createTopicKey } from './encryption-keys.ts';
import { EndpointWatch, watchedEndpoints } from './endpoint-watch.ts';
import type { FleetConfiguration } from './fleet-configuration.ts';
import { fleetNames } from './names.ts';
import { Notification } from './notification.ts';
import { leversOf, Rollback } from './rollback.ts';
import { StateTable } from './state-table.ts';
import { Storage } from './storage.ts';
import { Topics } from './topics.ts';

export interface PlatformProps {
  readonly configuration: FleetConfiguration;
  /**
   * Refuses to delete the state table, also when the stack is removed.
   * @default true
   */
  readonly deletionProtection?: boolean;
}

/** What a fleet has once: storage, table, keys, topics, notify, the dashboard, new capture buckets. */
export class Platform extends Construct {
  readonly storage: Storage;
  readonly stateTable: StateTable;
  readonly topics: Topics;
  readonly notification: Notification;
  /** There where captures come from SageMaker endpoints. */
  readonly endpoints: EndpointWatch | undefined;
  /** There where a model configures a rollback. */
  readonly rollback: Rollback | undefined;

  constructor(scope: Construct, id: string, { configuration, deletionProtection = true }: PlatformProps) {
    super(scope, id);
    const { deployment } = configuration;
    const names = fleetNames(deployment.fleetName);
    Tags.of(this).add('tidewatch:fleet', deployment.fleetName);

    const dataKey = createDataKey(this, names);
    const topicKey = createTopicKey(this, names);
    const horizonDays = Math.max(0, ...configuration.models.map(({ labels }) => labels?.horizonDays ?? 0));
    this.storage = new Storage(this, 'Storage', { names, dataKey, deployment, horizonDays });
    this.stateTable = new StateTable(this, 'State', { names, dataKey, deletionProtection });
    this.topics = new Topics(this, 'Topics', { names, key: topicKey });
    this.notification = new Notification(this, 'Notification', {
      names,
      configuration,
      topics: this.topics,
      topicKey,
    });
    if (watchedEndpoints(configuration).length > 0) {
      this.endpoints = new EndpointWatch(this, 'Endpoints', { names, configuration });
    }
    if (leversOf(configuration).length > 0) {
      this.rollback = new Rollback(this, 'Rollback', { names, configuration, topics: this.topics, topicKey });
    }
    for (const bucket of deployment.captureBuckets) {
      if (!bucket.created) continue;
      createCaptureBucket(this, `Captures-${bucket.name}`, bucket.name, this.storage.accessLogBucket);
    }
    createDashboard(this, 'Dashboard', names, configuration);
    this.stateTable.createAfter(this);
  }
}
