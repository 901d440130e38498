import { ListBucketsCommand } from '@aws-sdk/client-s3';
import { type Aws, describeFunction, stackStatus } from './aws.ts';
import { checkKept, readKeptState } from './checks.ts';
import { type Assembly, type Deployment, withFailure } from './deployment.ts';
import { type Fleet, stackNames } from './fleet.ts';
import type { Report } from './report.ts';

/** A first deployment that fails within a stack, is killed between the stacks, fails within the other, and is repeated. */
export async function deployAfterInterruptions(
  aws: Aws,
  deployment: Deployment,
  assembly: Assembly,
  report: Report,
): Promise<void> {
  const statuses = () =>
    Promise.all(
      [stackNames.platform, stackNames.shard].map(async (name) => (await stackStatus(aws.emulator, name)) ?? 'none'),
    );
  const failed = await deployment.deployInVain(withFailure(assembly, stackNames.platform));
  report.equal('CloudFormation failed half way of the platform stack and took it back', await statuses(), [
    'ROLLBACK_COMPLETE',
    'none',
  ]);
  report.check('cdk names the resource that failed', failed.includes('Failing'), failed.slice(-500));
  const { Buckets = [] } = await aws.s3.send(new ListBucketsCommand({}));
  const left = Buckets.flatMap(({ Name = '' }) => (Name.startsWith('e2e-') ? [Name] : []));
  report.equal('buckets left behind, which would stand in the way of the next try', left, []);

  const killed = await deployment.deployUntil(
    assembly,
    async () => (await stackStatus(aws.emulator, stackNames.platform)) === 'CREATE_COMPLETE',
  );
  const [platform, shard = ''] = await statuses();
  report.check(
    'cdk deploy was killed when the platform stack stood and the shard stack did not',
    killed && platform === 'CREATE_COMPLETE' && shard !== 'CREATE_COMPLETE',
    [killed, platform, shard],
  );

  await deployment.deployInVain(withFailure(assembly, stackNames.shard));
  report.equal('CloudFormation failed half way of the shard stack and took back what it had made', await statuses(), [
    'CREATE_COMPLETE',
    'ROLLBACK_COMPLETE',
  ]);

  await deployment.deploy(assembly);
  report.equal('the same deployment, repeated, goes through', await statuses(), ['CREATE_COMPLETE', 'CREATE_COMPLETE']);
}

/** A change that fails half way of the shard stack: the platform has it, the shard goes on as before. */
export async function checkFailedChange(
  aws: Aws,
  deployment: Deployment,
  fleet: Fleet,
  changed: Assembly,
  report: Report,
): Promise<void> {
  const before = { state: await readKeptState(aws, fleet), builds: await readBuilds(aws, fleet) };
  await deployment.deployInVain(withFailure(changed, stackNames.shard));
  report.equal(
    'a change that failed half way of the shard stack was rolled back',
    await stackStatus(aws.emulator, stackNames.shard),
    'UPDATE_ROLLBACK_COMPLETE',
  );
  const after = await readBuilds(aws, fleet);
  const moved = [...before.builds]
    .filter(([handler, build]) => after.get(handler) !== build)
    .map(([handler]) => handler);
  report.equal('functions with the change, all of them the platform’s', moved, fleet.ofPlatform);
  checkKept(report, before.state, await readKeptState(aws, fleet));
}

/** The change taken back, made again and killed between the stacks, and repeated. */
export async function deployChange(
  aws: Aws,
  deployment: Deployment,
  fleet: Fleet,
  { first, changed }: { readonly first: Assembly; readonly changed: Assembly },
  report: Report,
): Promise<void> {
  await deployment.deploy(first);
  const before = await readBuilds(aws, fleet);
  const changes = async () => {
    const now = await readBuilds(aws, fleet);
    return [...before].filter(([handler, build]) => now.get(handler) !== build).map(([handler]) => handler);
  };
  const killed = await deployment.deployUntil(changed, async () => (await changes()).includes('notify'));
  report.equal(
    'cdk deploy was killed when the platform had a change and the shard did not',
    [killed, await changes()],
    [true, fleet.ofPlatform],
  );
  await deployment.deploy(changed);
  report.equal('repeated, it reaches every function', await changes(), [...before.keys()]);
}

/** Hashes of the functions' code, by handler. */
async function readBuilds({ emulator }: Aws, fleet: Fleet): Promise<ReadonlyMap<string, string>> {
  const handlers = [...fleet.functions].sort(([a], [b]) => (a < b ? -1 : 1));
  return new Map(
    await Promise.all(
      handlers.map(async ([handler, { FunctionName }]) => {
        const { CodeSha256 = '' } = await describeFunction(emulator, FunctionName);
        return [handler, CodeSha256] as const;
      }),
    ),
  );
}
