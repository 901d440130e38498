import { Aws, type Duration } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { scheduleInputs } from '../core/contract/env-names.ts';
import { canonicalJson } from '../core/model/canonical-json.ts';

export interface RepeatedRunProps {
  readonly name: string;
  readonly description: string;
  readonly target: IFunction;
  /** What the function is given, so that it knows what for it runs. */
  readonly input: (typeof scheduleInputs)[keyof typeof scheduleInputs];
  /** `rate(1 minute)`. */
  readonly rate: string;
  /** A run that could not be started for this long is given up: the next one does its work. */
  readonly maximumAge: Duration;
  /** Where runs end that could never be started. */
  readonly deadLetters: IQueue;
}

/** Runs a function at a rate. */
export class RepeatedRun extends Construct {
  constructor(scope: Construct, id: string, props: RepeatedRunProps) {
    super(scope, id);
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
      }),
      description: props.description,
    });
    role.addToPolicy(
      new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [props.target.functionArn] }),
    );
    role.addToPolicy(new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [props.deadLetters.queueArn] }));
    const schedule = new CfnSchedule(this, 'Schedule', {
      name: props.name,
      description: props.description,
      scheduleExpression: props.rate,
      flexibleTimeWindow: { mode: 'OFF' },
      state: 'ENABLED',
      target: {
        arn: props.target.functionArn,
        roleArn: role.roleArn,
        input: canonicalJson(props.input),
        deadLetterConfig: { arn: props.deadLetters.queueArn },
        retryPolicy: {
          maximumEventAgeInSeconds: props.maximumAge.toSeconds(),
          maximumRetryAttempts: 3,
        },
      },
    });
    schedule.node.addDependency(role);
  }
}
