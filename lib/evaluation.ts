import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { envNames, scheduleInputs } from '../core/contract/env-names.ts';
import { createDeadLetterQueue } from './dead-letter-queue.ts';
import { HeartbeatAlarms } from './heartbeat-alarms.ts';
import { MonitoringFunction } from './monitoring-function.ts';
import {
  dataKeyAccess,
  evidenceSecretAccess,
  ingestNoteRemoval,
  metricAccess,
  objectReading,
  objectWriting,
  tableAccess,
} from './permissions.ts';
import { RepeatedRun } from './schedule.ts';
import type { ShardContext } from './shard-context.ts';

const evaluateTimeout = Duration.minutes(5);
const sweepTimeout = Duration.minutes(15);

/** The queue of closed windows that late captures or a sweep touched, and its dead-letter queue. */
export class TouchQueue extends Construct {
  readonly queue: Queue;
  readonly deadLetters: Queue;

  constructor(scope: Construct, id: string, { names, shard, configuration }: ShardContext) {
    super(scope, id);
    const queueName = `${names.fleet}-${shard}-touch`;
    this.deadLetters = createDeadLetterQueue(this, 'DeadLetters', {
      queueName: `${queueName}-dead`,
      holds: 'a closed window that could not be judged again in five attempts; the hourly sweep asks for it once more',
      audience: 'yellow',
      names,
      fleet: configuration.fleet,
    });
    this.queue = new Queue(this, 'Queue', {
      queueName,
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      visibilityTimeout: Duration.seconds(6 * evaluateTimeout.toSeconds()),
      retentionPeriod: Duration.days(7),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: 5 },
      removalPolicy: RemovalPolicy.DESTROY,
    });
  }
}

export interface EvaluationProps extends ShardContext {
  readonly touchQueue: Queue;
}

/** The minute tick, late windows, and the hourly sweep. */
export class Evaluation extends Construct {
  readonly evaluate: MonitoringFunction;
  readonly sweep: MonitoringFunction;

  constructor(scope: Construct, id: string, props: EvaluationProps) {
    super(scope, id);
    const { names, configuration, models, shard } = props;
    const base = `${names.fleet}-${shard}`;
    const deadLetters = createDeadLetterQueue(this, 'DeadLetters', {
      queueName: `${base}-runs-dead`,
      holds: 'a tick or a sweep that failed or could not be started; the next run does its work',
      audience: 'yellow',
      names,
      fleet: configuration.fleet,
      // The alarm clears by itself once runs succeed again.
      retention: Duration.hours(1),
    });
    const state = names.bucketArn(names.stateBucket);
    const audit = names.bucketArn(names.auditBucket);
    const common = { names, configuration, models, failures: deadLetters };
    const judging = ['profiles/', 'verdicts/', 'slis/'];
    const remembered = ['trails/', 'learned/'];
    const sweeping = ['fragments/', 'quarantine/', 'log/'];

    this.evaluate = new MonitoringFunction(this, 'Evaluate', {
      ...common,
      handler: 'evaluate',
      functionName: `${base}-evaluate`,
      timeout: evaluateTimeout,
      memoryMegabytes: 1024,
      environment: { [envNames.shard]: shard },
      // The next tick is a minute away: ticks that could not run must not pile up.
      maximumEventAge: Duration.minutes(1),
      permissions: [
        ...objectReading(state, ['fragments/', ...judging, ...remembered]),
        objectWriting(state, [...judging, ...remembered]),
        ...objectReading(audit, ['bundles/']),
        objectWriting(audit, ['bundles/']),
        tableAccess(names),
        dataKeyAccess(names),
        ...metricAccess(),
      ],
    });
    this.evaluate.function.addEventSource(
      new SqsEventSource(props.touchQueue, {
        // Late objects of one window come together: a large batch judges the window once.
        batchSize: 1000,
        maxBatchingWindow: Duration.minutes(1),
        reportBatchItemFailures: true,
        maxConcurrency: 2,
      }),
    );
    const tick = new RepeatedRun(this, 'Tick', {
      name: `${base}-tick`,
      description: `Tidewatch ${names.fleet}: judges shard ${shard} every minute`,
      target: this.evaluate.function,
      input: scheduleInputs.tick,
      rate: 'rate(1 minute)',
      maximumAge: Duration.minutes(1),
      deadLetters,
    });

    new HeartbeatAlarms(this, 'Heartbeat', props, tick);

    this.sweep = new MonitoringFunction(this, 'Sweep', {
      ...common,
      handler: 'sweep',
      functionName: `${base}-sweep`,
      timeout: sweepTimeout,
      memoryMegabytes: 1769,
      environment: {
        [envNames.touchQueueUrl]: props.touchQueue.queueUrl,
        [envNames.evidenceSecretArn]: names.evidenceSecretArn,
      },
      permissions: [
        // The daily sums say which fragments a window was settled with.
        ...objectReading(state, ['slis/', ...sweeping]),
        objectWriting(state, sweeping),
        ...objectReading(audit, ['bundles/']),
        objectWriting(audit, ['bundles/']),
        tableAccess(names),
        ingestNoteRemoval(names),
        evidenceSecretAccess(names),
        dataKeyAccess(names),
        new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [props.touchQueue.queueArn] }),
      ],
    });
    new RepeatedRun(this, 'HourlySweep', {
      name: `${base}-sweep`,
      description: `Tidewatch ${names.fleet}: finds in shard ${shard} what queues have lost`,
      target: this.sweep.function,
      input: scheduleInputs.sweep,
      rate: 'rate(1 hour)',
      maximumAge: Duration.minutes(30),
      deadLetters,
    });
  }
}
