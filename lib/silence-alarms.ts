import type { CfnAlarm, CfnCompositeAlarm } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { notifySilenceAlarms } from '../core/contract/infrastructure-alarms.ts';
import type { FleetPolicy } from '../core/model/policy.ts';
import { renderAlarm, renderDirectAlarm } from './alarms.ts';
import type { FleetNames } from './names.ts';
import type { RepeatedRun } from './schedule.ts';

export interface SilenceAlarmsProps {
  readonly names: FleetNames;
  readonly fleet: FleetPolicy;
  readonly functionName: string;
  /** What keeps it running. */
  readonly schedule: RepeatedRun;
  /** Suppresses the page while it rings itself. */
  readonly failureAlarm: CfnAlarm | CfnCompositeAlarm;
}

/** The page for a notifying function that does not run any more. Made after the schedule that keeps it running. */
export class SilenceAlarms extends Construct {
  constructor(scope: Construct, id: string, props: SilenceAlarmsProps) {
    super(scope, id);
    const { names, fleet, functionName, schedule, failureAlarm } = props;
    const [runs, silence] = notifySilenceAlarms(functionName, fleet);
    const child = renderAlarm(this, 'Runs', runs, []);
    const page = renderDirectAlarm(this, 'Page', silence, names);
    for (const alarm of [child, failureAlarm]) page.addResourceDependency(alarm);
    this.node.addDependency(schedule);
  }
}
