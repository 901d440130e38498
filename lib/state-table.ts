import { CfnResource } from 'aws-cdk-lib';
import { AttributeType, BillingMode, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { tableAttributes } from '../core/contract/env-names.ts';
import { HeartbeatAlarms } from './heartbeat-alarms.ts';
import type { FleetNames } from './names.ts';
import { keptOnceMade } from './removal.ts';
import { RepeatedRun } from './schedule.ts';
import { SilenceAlarms } from './silence-alarms.ts';

export interface StateTableProps {
  readonly names: FleetNames;
  readonly dataKey: IKey;
  /** Refuses to delete the table, also when the stack is removed. */
  readonly deletionProtection: boolean;
}

/** Rows changed by compare-and-swap: newest verdicts, episodes, the head of the evidence list. */
export class StateTable extends Construct {
  readonly table: Table;

  constructor(scope: Construct, id: string, { names, dataKey, deletionProtection }: StateTableProps) {
    super(scope, id);
    this.table = new Table(this, 'Table', {
      tableName: names.table,
      partitionKey: { name: tableAttributes.partitionKey, type: AttributeType.STRING },
      sortKey: { name: tableAttributes.sortKey, type: AttributeType.STRING },
      timeToLiveAttribute: tableAttributes.expires,
      billingMode: BillingMode.PAY_PER_REQUEST,
      encryption: TableEncryption.CUSTOMER_MANAGED,
      encryptionKey: dataKey,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection,
      removalPolicy: keptOnceMade,
    });
  }

  /**
   * Has the table made after everything in a scope but the schedules, which need it. A table that refuses deletion can't
   * be taken back: were it made earlier, a first deployment that fails would leave it behind, and the next one would
   * find its name taken.
   */
  createAfter(scope: Construct): void {
    const table = this.table.node.defaultChild;
    if (!CfnResource.isCfnResource(table)) throw new TypeError(`${this.node.path}: expected a table of this stack`);
    for (const resource of scope.node.findAll()) {
      if (!CfnResource.isCfnResource(resource) || resource === table) continue;
      const isLater = resource.node.scopes.some(
        (one) => one instanceof RepeatedRun || one instanceof HeartbeatAlarms || one instanceof SilenceAlarms,
      );
      if (isLater) resource.addResourceDependency(table);
      else table.addResourceDependency(resource);
    }
  }
}
