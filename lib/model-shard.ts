import { Tags } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { ModelAlarms } from './alarms.ts';
import { CaptureAccess } from './capture-access.ts';
import { CapturePipeline } from './capture-pipeline.ts';
import { createTouchQueue, Evaluation } from './evaluation.ts';
import { type FleetConfiguration, modelsOfShard } from './fleet-configuration.ts';
import { fleetNames } from './names.ts';

export interface ModelShardProps {
  readonly configuration: FleetConfiguration;
  /** Name of the shard, as in `models[].shard`. */
  readonly shard: string;
}

/** Everything that watches the models of one shard. Needs a platform of the same fleet in the same account and region. */
export class ModelShard extends Construct {
  readonly captures: CapturePipeline;
  readonly evaluation: Evaluation;

  constructor(scope: Construct, id: string, { configuration, shard }: ModelShardProps) {
    super(scope, id);
    const names = fleetNames(configuration.deployment.fleetName);
    const models = modelsOfShard(configuration, shard);
    if (models.length === 0) {
      const known = configuration.deployment.shards.map(({ name }) => name).join(', ');
      throw new RangeError(`shard ${shard}: expected one of the configuration's (${known})`);
    }
    Tags.of(this).add('tidewatch:fleet', names.fleet);
    Tags.of(this).add('tidewatch:shard', shard);

    const context = { shard, names, configuration, models };
    const touchQueue = createTouchQueue(this, 'Touch', context);
    this.captures = new CapturePipeline(this, 'Captures', { ...context, touchQueue });
    const ingestQueue = this.captures.queue;
    this.evaluation = new Evaluation(this, 'Evaluation', { ...context, touchQueue, ingestQueue });
    const { ingest } = this.captures;
    new CaptureAccess(this, 'CaptureAccess', context, { readers: [ingest], listers: [this.evaluation.sweep] });
    for (const policy of models) {
      new ModelAlarms(this, `Model-${policy.name}`, { policy, fleet: configuration.fleet, names });
    }
  }
}
