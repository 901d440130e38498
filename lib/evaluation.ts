import { Duration } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { envNames, scheduleInputs } from '../core/contract/env-names.ts';
import { bundlePrefix } from '../core/contract/keys.ts';
import { endpointsOf } from '../core/model/endpoint.ts';
import { createDeadLetterQueue } from './dead-letter-queue.ts';
import { HeartbeatAlarms } from './heartbeat-alarms.ts';
import { scopeFolders, scopePartitions } from './model-scope.ts';
import { MonitoringFunction } from './monitoring-function.ts';
import { fleetModel } from './names.ts';
import {
  bucketListing,
  dataKeyAccess,
  metricAccess,
  noteRemoval,
  objectKeeping,
  objectReading,
  rowAccess,
} from './permissions.ts';
import { RepeatedRun } from './schedule.ts';
import type { ShardContext } from './shard-context.ts';
import { WorkQueue } from './work-queue.ts';

const evaluateTimeout = Duration.minutes(5);
const sweepTimeout = Duration.minutes(15);

/** What labels are joined from and into. */
const joinFolders = [
  ...['index', 'labels'].flatMap((side) => [`${side}/parts/`, `${side}/recent/`, `${side}/packs/`]),
  ...['manifests/', 'cohorts/', 'judgements/'].map((folder) => `quality/${folder}`),
];

/** The queue of closed windows that late captures or a sweep touched, and its dead-letter queue. */
export function createTouchQueue(scope: Construct, id: string, context: ShardContext): Queue {
  return new WorkQueue(scope, id, {
    ...context,
    kind: 'touch',
    deadLetters:
      'a closed window that could not be judged again in five attempts; the hourly sweep asks for it once more',
    timeout: evaluateTimeout,
    retention: Duration.days(7),
  }).queue;
}

export interface EvaluationProps extends ShardContext {
  readonly touchQueue: Queue;
  /** What the sweep finds missing is announced here. */
  readonly ingestQueue: Queue;
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
    const hasLabels = models.some(({ labels }) => labels);
    // Of how quality was judged last, and where the join stands.
    const qualityRows = hasLabels ? ['quality'] : [];
    const judging = scopeFolders(props, {
      fragments: ['fragments/'],
      quality: hasLabels ? ['quality/judgements/'] : [],
      results: ['profiles/', 'verdicts/', 'slis/', 'trails/', 'learned/'],
      evidence: ['bundles/'],
    });
    const series = scopePartitions(props, 'series');
    const served = models.some(({ sources }) => endpointsOf(sources).length > 0) ? ['endpoints'] : [];

    this.evaluate = new MonitoringFunction(this, 'Evaluate', {
      ...common,
      handler: 'evaluate',
      functionName: `${base}-evaluate`,
      timeout: evaluateTimeout,
      memoryMegabytes: 1024,
      environment: { [envNames.shard]: shard, [envNames.touchQueueUrl]: props.touchQueue.queueUrl },
      // The next tick is a minute away: ticks that could not run must not pile up.
      maximumEventAge: Duration.minutes(1),
      permissions: [
        objectReading(state, [...judging.fragments, ...judging.quality]),
        objectKeeping(state, judging.results),
        objectKeeping(audit, judging.evidence),
        bucketListing([state, audit]),
        ...rowAccess(names, {
          gets: ['models', ...series, ...served, ...qualityRows],
          lists: series,
          puts: ['models', ...series],
        }),
        dataKeyAccess(names),
        ...metricAccess(),
      ],
    });
    this.evaluate.function.addEventSource(
      new SqsEventSource(props.touchQueue, {
        // Late objects of one window come together: a batch judges the window once. No more than what there is time for
        // where each is of another window.
        batchSize: 100,
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

    const swept = scopeFolders(props, {
      sums: ['slis/'],
      evidence: ['bundles/'],
      joined: hasLabels ? joinFolders : [],
    });
    const announced = scopePartitions(props, 'announced');
    const unfinished = scopePartitions(props, 'ingesting');
    this.sweep = new MonitoringFunction(this, 'Sweep', {
      ...common,
      handler: 'sweep',
      functionName: `${base}-sweep`,
      timeout: sweepTimeout,
      memoryMegabytes: 1024,
      environment: {
        [envNames.touchQueueUrl]: props.touchQueue.queueUrl,
        [envNames.ingestQueueUrl]: props.ingestQueue.queueUrl,
      },
      permissions: [
        // The daily sums say which fragments a window was settled with.
        objectReading(state, swept.sums),
        objectKeeping(state, ['log/']),
        objectReading(audit, [...swept.evidence, bundlePrefix(fleetModel)]),
        ...(hasLabels ? [objectKeeping(state, swept.joined), objectKeeping(audit, swept.evidence)] : []),
        bucketListing([state, audit]),
        ...rowAccess(names, {
          gets: ['models', 'sweeps', 'log', ...qualityRows],
          lists: ['sweeps', ...series, ...announced, ...unfinished],
          puts: ['models', 'sweeps', 'log', ...announced, ...qualityRows],
        }),
        noteRemoval(names, [...announced, ...unfinished]),
        dataKeyAccess(names),
        new PolicyStatement({
          actions: ['sqs:SendMessage'],
          resources: [props.touchQueue.queueArn, props.ingestQueue.queueArn],
        }),
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
