import { Aws, Duration } from 'aws-cdk-lib';
import { Rule } from 'aws-cdk-lib/aws-events';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { capturePrefix } from '../core/contract/capture-prefix.ts';
import { envNames } from '../core/contract/env-names.ts';
import { backlogAlarms } from '../core/contract/infrastructure-alarms.ts';
import { shortHash } from '../core/model/content-hash.ts';
import { isVersionedByEndpoint } from '../core/model/endpoint.ts';
import { renderDirectAlarm } from './alarms.ts';
import { createDeadLetterQueue } from './dead-letter-queue.ts';
import { scopeFolders, scopePartitions } from './model-scope.ts';
import { MonitoringFunction } from './monitoring-function.ts';
import {
  bucketListing,
  dataKeyAccess,
  evidenceSecretAccess,
  noteRemoval,
  objectKeeping,
  rowAccess,
} from './permissions.ts';
import type { ShardContext } from './shard-context.ts';
import { WorkQueue } from './work-queue.ts';

export interface CapturePipelineProps extends ShardContext {
  /** Windows that are closing or closed are announced here. */
  readonly touchQueue: Queue;
}

const timeout = Duration.minutes(5);
/** EventBridge takes patterns of 2,048 characters. */
const maximumPatternCharacters = 1_900;

/** Capture events of the shard's sources, and announcements of its sweep → queue → ingest. */
export class CapturePipeline extends Construct {
  readonly queue: Queue;
  readonly deadLetters: Queue;
  readonly ingest: MonitoringFunction;

  constructor(scope: Construct, id: string, props: CapturePipelineProps) {
    super(scope, id);
    const { names, configuration, models, shard } = props;
    const queueName = `${names.fleet}-${shard}-ingest`;
    // An id that logical ids leave out: the queue stays what it is in stacks that were deployed before.
    const { queue, deadLetters } = new WorkQueue(this, 'Default', {
      ...props,
      kind: 'ingest',
      deadLetters: 'the event or announcement of a capture object that could not be ingested in five attempts',
      timeout,
      retention: Duration.days(14),
    });
    this.queue = queue;
    this.deadLetters = deadLetters;
    this.#createRules(props);
    for (const alarm of backlogAlarms(queueName, configuration.fleet)) {
      const kind = alarm.name.slice(alarm.name.lastIndexOf('/') + 1);
      renderDirectAlarm(this, `Alarm-${kind}`, alarm, names);
    }
    const { concurrency, reservedConcurrency } = configuration.deployment.ingest;
    const state = names.bucketArn(names.stateBucket);
    const audit = names.bucketArn(names.auditBucket);
    const joined = models.some(({ labels }) => labels) ? ['index/parts/', 'labels/parts/'] : [];
    const { intake, evidence } = scopeFolders(props, {
      intake: ['fragments/', 'quarantine/', 'empty/', 'runtimes/', ...joined],
      evidence: ['bundles/'],
    });
    const series = scopePartitions(props, 'series');
    const changed = ['models', ...series, ...scopePartitions(props, 'runtimes')];
    const unfinished = scopePartitions(props, 'ingesting');
    const named = models.some(({ sources }) => sources.some(isVersionedByEndpoint)) ? ['endpoints'] : [];
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
        [envNames.ingestQueueUrl]: this.queue.queueUrl,
        [envNames.touchQueueUrl]: props.touchQueue.queueUrl,
        [envNames.evidenceSecretArn]: names.evidenceSecretArn,
      },
      reservedConcurrency,
      permissions: [
        objectKeeping(state, intake),
        objectKeeping(audit, evidence),
        bucketListing([state, audit]),
        ...rowAccess(names, { gets: [...changed, ...named], lists: series, puts: [...changed, ...unfinished] }),
        noteRemoval(names, unfinished),
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
        maxConcurrency: concurrency,
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
    const ruleNames = `${names.fleet}-${shard}-s3-`;
    for (const queue of [this.queue, events]) allowRules(queue, ruleNames);
    const byBucket = Map.groupBy(
      models.flatMap((policy) => policy.sources),
      ({ bucket }) => bucket,
    );
    for (const [bucket, sources] of [...byBucket].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const prefixes = [...new Set(sources.map(capturePrefix))].sort();
      for (const [index, group] of groupPrefixes(prefixes).entries()) {
        const suffix = index === 0 ? '' : `-${index}`;
        const rule = new Rule(this, `Rule-${bucket}${suffix}`, {
          ruleName: `${ruleNames}${shortHash(bucket).slice(0, 12)}${suffix}`,
          description: `Tidewatch ${names.fleet}: captures of shard ${shard} in ${bucket}`,
          eventPattern: {
            source: ['aws.s3'],
            detailType: ['Object Created'],
            account: [...new Set(sources.map(({ account }) => account ?? Aws.ACCOUNT_ID))],
            detail: {
              bucket: { name: [bucket] },
              ...(group.includes('') ? {} : { object: { key: group.map((prefix) => ({ prefix })) } }),
            },
          },
        });
        // The target of the library would add a statement a rule to the queue's policy, which holds 20.
        rule.addTarget({
          bind: () => ({
            arn: this.queue.queueArn,
            deadLetterConfig: { arn: events.queueArn },
            retryPolicy: { maximumEventAgeInSeconds: Duration.hours(6).toSeconds(), maximumRetryAttempts: 8 },
          }),
        });
      }
    }
  }
}

/** Lets the rules of a shard send to a queue: one statement for however many there are. */
function allowRules(queue: Queue, ruleNames: string): void {
  queue.addToResourcePolicy(
    new PolicyStatement({
      sid: 'CaptureRules',
      principals: [new ServicePrincipal('events.amazonaws.com')],
      actions: ['sqs:SendMessage'],
      resources: [queue.queueArn],
      conditions: {
        StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID },
        ArnLike: {
          'aws:SourceArn': `arn:${Aws.PARTITION}:events:${Aws.REGION}:${Aws.ACCOUNT_ID}:rule/${ruleNames}*`,
        },
      },
    }),
  );
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
