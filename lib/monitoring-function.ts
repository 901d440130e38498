import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Effect, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Function as LambdaFunction, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { envNames } from '../core/contract/env-names.ts';
import type { ModelPolicy } from '../core/model/policy.ts';
import { evidenceProtection } from './evidence-protection.ts';
import type { FleetConfiguration } from './fleet-configuration.ts';
import { configFiles, describeBuild, type Handler, handlerCode } from './handler-code.ts';
import type { FleetNames } from './names.ts';
import { acknowledgeWildcards } from './wildcard-reasons.ts';

export interface MonitoringFunctionProps {
  readonly handler: Handler;
  readonly functionName: string;
  readonly names: FleetNames;
  readonly configuration: FleetConfiguration;
  /** Models whose configuration and baselines are shipped with it. */
  readonly models: readonly ModelPolicy[];
  /** What it may do beside writing its log and traces. */
  readonly permissions: readonly PolicyStatement[];
  /** Variables beside those that all functions have. */
  readonly environment?: Readonly<Record<string, string>>;
  /**
   * What of SageMaker it may describe or change, by ARN. It may never invoke an endpoint.
   * @default - nothing
   */
  readonly untouchedExcept?: readonly string[];
  /**
   * What of SageMaker it may describe and never change, by ARN.
   * @default - nothing
   */
  readonly described?: readonly string[];
  readonly timeout: Duration;
  readonly memoryMegabytes: number;
  /** Where asynchronous invocations end that failed for good. */
  readonly failures?: IQueue;
  /**
   * How often a failed asynchronous invocation is repeated.
   * @default 0 - the next run of its schedule does the work
   */
  readonly retryAttempts?: number;
  /**
   * How long an asynchronous invocation may wait for its turn.
   * @default 1 hour
   */
  readonly maximumEventAge?: Duration;
  /**
   * Of the account's concurrent executions: kept free for this function, and the most it gets.
   * @default - it shares what no function has reserved
   */
  readonly reservedConcurrency?: number | undefined;
}

/** A Lambda function with a role, a log and a dead-letter queue of its own. */
export class MonitoringFunction extends Construct {
  readonly function: LambdaFunction;
  readonly role: Role;

  constructor(scope: Construct, id: string, props: MonitoringFunctionProps) {
    super(scope, id);
    const { names, configuration, functionName } = props;
    const logGroup = new LogGroup(this, 'Log', {
      logGroupName: `/aws/lambda/${functionName}`,
      retention: configuration.deployment.logRetentionDays satisfies number as RetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: `Tidewatch ${names.fleet}: ${props.handler}`,
    });
    this.role.addToPolicy(
      new PolicyStatement({
        actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        resources: [logGroup.logGroupArn],
      }),
    );
    const tracing = new PolicyStatement({
      actions: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'],
      resources: ['*'],
    });
    for (const statement of props.permissions) this.role.addToPolicy(statement);
    this.role.addToPolicy(evidenceProtection(names));
    for (const statement of inferenceProtection(props)) this.role.addToPolicy(statement);
    this.function = new LambdaFunction(this, 'Function', {
      functionName,
      description: `Tidewatch ${names.fleet}: ${props.handler}`,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      handler: 'index.handler',
      code: handlerCode(this, props.handler, configFiles(configuration, props.models)),
      role: this.role,
      logGroup,
      timeout: props.timeout,
      memorySize: props.memoryMegabytes,
      tracing: Tracing.ACTIVE,
      environment: {
        [envNames.stateBucket]: names.stateBucket,
        [envNames.auditBucket]: names.auditBucket,
        [envNames.table]: names.table,
        [envNames.code]: describeBuild(this),
        [envNames.serviceName]: `tidewatch-${props.handler}`,
        [envNames.logLevel]: 'INFO',
        ...props.environment,
      },
      ...(props.failures && { onFailure: new SqsDestination(props.failures) }),
      retryAttempts: props.retryAttempts ?? 0,
      maxEventAge: props.maximumEventAge ?? Duration.hours(1),
      ...(props.reservedConcurrency !== undefined && { reservedConcurrentExecutions: props.reservedConcurrency }),
    });
    acknowledgeWildcards(this.role, [...props.permissions, tracing]);
  }
}

/** Denies a function everything of SageMaker's, whatever else it may be granted one day. */
function inferenceProtection({
  untouchedExcept = [],
  described = [],
}: MonitoringFunctionProps): readonly PolicyStatement[] {
  const sid = 'InferenceIsNeverTouched';
  const exceptions = [...untouchedExcept, ...described];
  if (exceptions.length === 0) {
    return [new PolicyStatement({ sid, effect: Effect.DENY, actions: ['sagemaker:*'], resources: ['*'] })];
  }
  const never = untouchedExcept.length === 0 ? changes : ['Invoke*', 'DeleteEndpoint'];
  return [
    new PolicyStatement({ sid, effect: Effect.DENY, actions: ['sagemaker:*'], notResources: exceptions }),
    new PolicyStatement({
      sid: 'InferenceIsNeverInvoked',
      effect: Effect.DENY,
      actions: never.map((action) => `sagemaker:${action}`),
      resources: ['*'],
    }),
  ];
}

/** All that is done to an endpoint or a configuration beside looking at it. */
const changes = ['Create*', 'Update*', 'Delete*', 'Start*', 'Stop*', 'Add*', 'Invoke*'];
