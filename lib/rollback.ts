import { Duration, Stack } from 'aws-cdk-lib';
import { Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { LambdaSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import { endpointEvent, envNames, scheduleInputs } from '../core/contract/env-names.ts';
import type { RollbackLever } from '../core/model/rollback.ts';
import { createDeadLetterQueue } from './dead-letter-queue.ts';
import { deliverTopicVariables } from './delivery.ts';
import { endpointArns, localArn } from './endpoint-arns.ts';
import type { FleetConfiguration } from './fleet-configuration.ts';
import { MonitoringFunction } from './monitoring-function.ts';
import type { FleetNames } from './names.ts';
import { bucketListing, dataKeyAccess, objectKeeping, objectReading, rowAccess } from './permissions.ts';
import { RepeatedRun } from './schedule.ts';
import type { Topics } from './topics.ts';

export interface RollbackProps {
  readonly names: FleetNames;
  readonly configuration: FleetConfiguration;
  readonly topics: Topics;
  readonly topicKey: IKey;
}

/** Levers of the fleet; without one there is nothing to deploy. */
export function leversOf({ models }: FleetConfiguration): readonly RollbackLever[] {
  return models.flatMap(({ rollback }) => (rollback ? [rollback.lever] : []));
}

/** The only function that may change what answers: of the endpoints, aliases and workflows that the configuration names. */
export class Rollback extends Construct {
  readonly rollback: MonitoringFunction;

  constructor(scope: Construct, id: string, { names, configuration, topics, topicKey }: RollbackProps) {
    super(scope, id);
    const { fleet, models } = configuration;
    const functionName = `${names.fleet}-rollback`;
    const state = names.bucketArn(names.stateBucket);
    const audit = names.bucketArn(names.auditBucket);
    const levers = leversOf(configuration);
    const deadLetters = createDeadLetterQueue(this, 'DeadLetters', {
      queueName: `${functionName}-dead`,
      holds: 'a minute in which a rollback was not looked after; the next run does its work',
      audience: 'red',
      names,
      fleet,
      // The alarm clears by itself once runs succeed again.
      retention: Duration.hours(1),
    });
    const isDry = new Set(models.flatMap(({ rollback }) => (rollback?.dryRun ? [rollback.lever] : [])));
    const watched = levers.flatMap(endpointArnsOf);
    const { changing, statements } = leverAccess(
      levers,
      levers.filter((lever) => !isDry.has(lever)),
    );
    this.rollback = new MonitoringFunction(this, 'Rollback', {
      handler: 'rollback',
      functionName,
      names,
      configuration,
      models,
      // An endpoint's update takes minutes: it can't begin and end within one run, unseen.
      timeout: Duration.minutes(1),
      memoryMegabytes: 512,
      failures: deadLetters,
      maximumEventAge: Duration.minutes(1),
      untouchedExcept: [...watched, ...changing],
      environment: {
        [envNames.yellowTopicArn]: names.topicArn(names.deliveryTopic('yellow')),
        [envNames.redTopicArn]: names.topicArn(names.deliveryTopic('red')),
        ...deliverTopicVariables(names),
      },
      permissions: [
        objectReading(state, ['verdicts/']),
        objectKeeping(audit, ['bundles/']),
        bucketListing([state, audit]),
        ...rowAccess(names, {
          gets: ['models', 'episodes', 'rollbacks', 'deployments', 'deliveries', 'alert-path'],
          lists: ['series#*'],
          puts: ['rollbacks', 'deployments', 'deliveries'],
        }),
        dataKeyAccess(names),
        new PolicyStatement({
          actions: ['sns:Publish'],
          resources: [topics.delivery, topics.deliver].flatMap((byTier) =>
            [...byTier.values()].map(({ topicArn }) => topicArn),
          ),
        }),
        new PolicyStatement({ actions: ['kms:Decrypt', 'kms:GenerateDataKey'], resources: [topicKey.keyArn] }),
        ...statements,
      ],
    });
    topics.alarms
      .get('red')
      ?.addSubscription(new LambdaSubscription(this.rollback.function, { deadLetterQueue: deadLetters }));
    new RepeatedRun(this, 'EveryMinute', {
      name: functionName,
      description: `Tidewatch ${names.fleet}: notes what answers, and looks after rollbacks`,
      target: this.rollback.function,
      input: scheduleInputs.rollback,
      rate: 'rate(1 minute)',
      maximumAge: Duration.minutes(1),
      deadLetters,
    });
    if (watched.length === 0) return;
    new Rule(this, 'Deployments', {
      description: `Tidewatch ${names.fleet}: an endpoint was changed`,
      // Of any endpoint: a pattern has room for few names, and all it says is "look now".
      eventPattern: {
        source: [endpointEvent.source],
        detailType: [endpointEvent.detailType],
        account: [Stack.of(this).account],
      },
      targets: [new LambdaFunction(this.rollback.function, { deadLetterQueue: deadLetters })],
    });
  }
}

/** What is allowed of each service, and the resources of SageMaker's that a denial leaves out. */
function leverAccess(levers: readonly RollbackLever[], changed: readonly RollbackLever[]) {
  const endpointsWith = (kind: RollbackLever['kind']) =>
    changed.filter((lever) => lever.kind === kind).flatMap(endpointArnsOf);
  const configs = endpointsWith('sagemaker-endpoint').length > 0 ? [localArn('sagemaker', 'endpoint-config/*')] : [];
  const allow = (action: string, resources: readonly string[]) =>
    resources.length > 0
      ? [new PolicyStatement({ effect: Effect.ALLOW, actions: [action], resources: [...resources] })]
      : [];
  return {
    changing: configs,
    statements: [
      ...allow('sagemaker:DescribeEndpoint', levers.flatMap(endpointArnsOf)),
      // IAM asks for both: the endpoint that is changed, and the configuration that it is changed to.
      ...allow('sagemaker:UpdateEndpoint', [...endpointsWith('sagemaker-endpoint'), ...configs]),
      ...allow('sagemaker:UpdateEndpointWeightsAndCapacities', endpointsWith('sagemaker-weights')),
      ...allow('lambda:GetAlias', levers.flatMap(functionArnOf)),
      ...allow('lambda:UpdateAlias', changed.flatMap(functionArnOf)),
      ...allow(
        'states:StartExecution',
        changed.flatMap((lever) => (lever.kind === 'step-functions' ? [lever.stateMachine] : [])),
      ),
    ],
  };
}

function endpointArnsOf(lever: RollbackLever): readonly string[] {
  return lever.kind === 'lambda-alias' ? [] : endpointArns(lever.endpoint);
}

/** Rights on an alias are asked for by the function's ARN. */
function functionArnOf(lever: RollbackLever): readonly string[] {
  return lever.kind === 'lambda-alias' ? [localArn('lambda', `function:${lever.functionName}`)] : [];
}
