import { Aws, Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Rule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { capturePrefix } from '../core/contract/capture-prefix.ts';
import { envNames } from '../core/contract/env-names.ts';
import { createDeadLetterQueue } from './dead-letter-queue.ts';
import { MonitoringFunction } from './monitoring-function.ts';
import {
  captureAccess,
  dataKeyAccess,
  evidenceSecretAccess,
  objectReading,
  objectWriting,
  tableAccess,
} from './permissions.ts';
import type { ShardContext } from './shard-context.ts';

export interface CapturePipelineProps extends ShardContext {
  /** Windows that are closing or closed are announced here. */
  readonly touchQueue: Queue;
  /**
   * How many capture objects may be read at the same time, 2 to 1000. Bounds cost, and the load on the table.
   * @default 10
   */
  readonly maximumConcurrency?: number | undefined;
}

const timeout = Duration.minutes(5);
/** EventBridge takes patterns of 2,048 characters. */
const maximumPatternCharacters = 1_900;

/** Capture events of the shard's sources → queue → ingest. */
export class CapturePipeline extends Construct {
  readonly queue: Queue;
  readonly deadLetters: Queue;
  readonly ingest: MonitoringFunction;

  constructor(scope: Construct, id: string, props: CapturePipelineProps) {
    super(scope, id);
    const { names, configuration, models, shard } = props;
    const queueName = `${names.fleet}-${shard}-ingest`;
    this.deadLetters = createDeadLetterQueue(this, 'DeadLetters', {
      queueName: `${queueName}-dead`,
      holds: 'the event of a capture object that could not be ingested in five attempts',
      audience: 'yellow',
      names,
      fleet: configuration.fleet,
    });
    this.queue = new Queue(this, 'Queue', {
      queueName,
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      // Six times the function's timeout, as Lambda asks for, so that no message is shown twice while it is worked on.
      visibilityTimeout: Duration.seconds(6 * timeout.toSeconds()),
      retentionPeriod: Duration.days(14),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: 5 },
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.#createRules(props);
    const state = names.bucketArn(names.stateBucket);
    const audit = names.bucketArn(names.auditBucket);
    const intake = ['fragments/', 'quarantine/'];
    this.ingest = new MonitoringFunction(this, 'Ingest', {
      handler: 'ingest',
      functionName: queueName,
      names,
      configuration,
      models,
      timeout,
      // A whole virtual CPU: decoding and encryption are what it does.
      memoryMegabytes: 1769,
      environment: {
        [envNames.touchQueueUrl]: props.touchQueue.queueUrl,
        [envNames.evidenceSecretArn]: names.evidenceSecretArn,
      },
      permissions: [
        ...captureAccess(names, models, configuration.deployment.captureBuckets),
        ...objectReading(state, intake),
        objectWriting(state, intake),
        ...objectReading(audit, ['bundles/']),
        objectWriting(audit, ['bundles/']),
        tableAccess(names),
        evidenceSecretAccess(names),
        dataKeyAccess(names),
        new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [props.touchQueue.queueArn] }),
      ],
    });
    this.ingest.function.addEventSource(
      new SqsEventSource(this.queue, {
        batchSize: 10,
        maxBatchingWindow: Duration.seconds(10),
        reportBatchItemFailures: true,
        maxConcurrency: props.maximumConcurrency ?? 10,
      }),
    );
  }

  /** One rule a bucket; more only where its prefixes don't fit into one pattern. */
  #createRules({ names, models, configuration, shard }: CapturePipelineProps): void {
    const events = createDeadLetterQueue(this, 'UndeliveredEvents', {
      queueName: `${names.fleet}-${shard}-events-dead`,
      holds:
        'the event of a capture object that EventBridge could not put on the ingest queue; the hourly sweep finds the object',
      audience: 'yellow',
      names,
      fleet: configuration.fleet,
      retention: Duration.days(1),
    });
    const byBucket = Map.groupBy(
      models.flatMap((policy) => policy.sources),
      ({ bucket }) => bucket,
    );
    for (const [bucket, sources] of [...byBucket].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const prefixes = [...new Set(sources.map(capturePrefix))].sort();
      for (const [index, group] of groupPrefixes(prefixes).entries()) {
        const rule = new Rule(this, `Rule-${bucket}${index === 0 ? '' : `-${index}`}`, {
          description: `Tidewatch ${names.fleet}: captures of shard ${shard} in ${bucket}`,
          eventPattern: {
            source: ['aws.s3'],
            detailType: ['Object Created'],
            account: [Aws.ACCOUNT_ID],
            detail: {
              bucket: { name: [bucket] },
              ...(group.includes('') ? {} : { object: { key: group.map((prefix) => ({ prefix })) } }),
            },
          },
        });
        rule.addTarget(
          new SqsQueue(this.queue, { deadLetterQueue: events, retryAttempts: 8, maxEventAge: Duration.hours(6) }),
        );
      }
    }
  }
}

/** Cuts a list of prefixes so that each part fits into a pattern. */
export function groupPrefixes(prefixes: readonly string[]): readonly (readonly string[])[] {
  const groups: string[][] = [];
  let characters = Number.POSITIVE_INFINITY;
  for (const prefix of prefixes) {
    const length = JSON.stringify({ prefix }).length + 1;
    if (characters + length > maximumPatternCharacters) {
      groups.push([]);
      characters = 300;
    }
    groups.at(-1)?.push(prefix);
    characters += length;
  }
  return groups;
}
