import { Duration, Stack } from 'aws-cdk-lib';
import { Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { endpointEvent, scheduleInputs } from '../core/contract/env-names.ts';
import { endpointsOf } from '../core/model/endpoint.ts';
import { createDeadLetterQueue } from './dead-letter-queue.ts';
import { endpointArns, localArn } from './endpoint-arns.ts';
import type { FleetConfiguration } from './fleet-configuration.ts';
import { MonitoringFunction } from './monitoring-function.ts';
import { type FleetNames, longestPartition } from './names.ts';
import { dataKeyAccess, rowAccess } from './permissions.ts';
import { RepeatedRun } from './schedule.ts';

export interface EndpointWatchProps {
  readonly names: FleetNames;
  readonly configuration: FleetConfiguration;
}

/** Characters that the names of endpoints may take of what IAM takes of a role's policies, 10,240. */
const maximumCharacters = 6_000;
const arnCharacters = '"arn::sagemaker:ap-southeast-1:123456789012:endpoint/",'.length + longestPartition.length;

/** The endpoints that captures of a fleet come from. */
export function watchedEndpoints({ models }: FleetConfiguration): readonly string[] {
  return endpointsOf(models.flatMap(({ sources }) => sources));
}

/** Notes which configuration of each endpoint answers when. It describes endpoints, and can do nothing else to them. */
export class EndpointWatch extends Construct {
  readonly watch: MonitoringFunction;

  constructor(scope: Construct, id: string, { names, configuration }: EndpointWatchProps) {
    super(scope, id);
    const functionName = `${names.fleet}-endpoints`;
    const deadLetters = createDeadLetterQueue(this, 'DeadLetters', {
      queueName: `${functionName}-dead`,
      holds: 'a look at endpoints that failed; the next run does its work',
      audience: 'yellow',
      names,
      fleet: configuration.fleet,
      // The alarm clears by itself once runs succeed again.
      retention: Duration.hours(1),
    });
    const configs = localArn('sagemaker', 'endpoint-config/*');
    const describing = (action: string, resources: readonly string[]) =>
      new PolicyStatement({ actions: [action], resources: [...resources] });
    this.watch = new MonitoringFunction(this, 'Watch', {
      handler: 'endpoints',
      functionName,
      names,
      configuration,
      models: configuration.models,
      timeout: Duration.minutes(1),
      memoryMegabytes: 256,
      failures: deadLetters,
      maximumEventAge: Duration.minutes(1),
      described: [localArn('sagemaker', 'endpoint/*'), configs],
      permissions: [
        describing('sagemaker:DescribeEndpoint', arnsOf(watchedEndpoints(configuration))),
        // They are made when somebody deploys: nobody knows their names before.
        describing('sagemaker:DescribeEndpointConfig', [configs]),
        ...rowAccess(names, { gets: ['endpoints'], lists: [], puts: ['endpoints'] }),
        dataKeyAccess(names, ['dynamodb']),
      ],
    });
    new RepeatedRun(this, 'EveryMinute', {
      name: functionName,
      description: `Tidewatch ${names.fleet}: notes what endpoints serve`,
      target: this.watch.function,
      input: scheduleInputs.endpoints,
      rate: 'rate(1 minute)',
      maximumAge: Duration.minutes(1),
      deadLetters,
    });
    new Rule(this, 'Changes', {
      description: `Tidewatch ${names.fleet}: an endpoint was changed`,
      // Of any endpoint: a pattern has room for few names. The function leaves alone those that it does not know.
      eventPattern: {
        source: [endpointEvent.source],
        detailType: [endpointEvent.detailType],
        account: [Stack.of(this).account],
      },
      targets: [new LambdaFunction(this.watch.function, { deadLetterQueue: deadLetters })],
    });
  }
}

/** All endpoints where there are so many that IAM would not take their names. */
function arnsOf(endpoints: readonly string[]): readonly string[] {
  const characters = endpoints.reduce(
    (sum, name) => sum + endpointArns(name).length * (arnCharacters + name.length),
    0,
  );
  return characters > maximumCharacters ? [localArn('sagemaker', 'endpoint/*')] : endpoints.flatMap(endpointArns);
}
