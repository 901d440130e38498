import { Stack } from 'aws-cdk-lib';
import { describe, expect, test } from 'vitest';
import { ModelMonitoring } from '../../lib/model-monitoring.ts';
import {
  createApp,
  type Resource,
  resourcesOf,
  type SynthesisedTemplate,
  sampleConfig,
  synthesise,
} from './synthesise.ts';

/** In two stacks, and all in one of somebody else's. */
function synthesiseBoth(): readonly (readonly [string, ReadonlyMap<string, SynthesisedTemplate>])[] {
  const app = createApp();
  new ModelMonitoring(new Stack(app, 'Mine'), 'Monitoring', sampleConfig);
  const own = app
    .synth()
    .stacks.map(({ stackName, template }) => [stackName, template as SynthesisedTemplate] as const);
  return [
    ['stacks of a fleet', synthesise()],
    ['one stack', new Map(own)],
  ];
}

/** Properties that give a resource a name that only one can have. */
const nameProperties = [
  'AlarmName',
  'AliasName',
  'BucketName',
  'DashboardName',
  'FunctionName',
  'LogGroupName',
  'Name',
  'QueueName',
  'TableName',
  'TopicName',
];

describe.each(synthesiseBoth())('a deployment that fails and is repeated: %s', (_, templates) => {
  const resources = resourcesOf(templates);
  const find = (type: string) => resources.filter((resource) => resource.type === type);

  test('finds none of its names taken: what is made is taken back until the stack is there', () => {
    const named = resources.filter(({ properties }) => nameProperties.some((name) => properties[name] !== undefined));
    expect(named.length).toBeGreaterThan(40);
    const left = resources.filter(({ deletionPolicy }) => deletionPolicy === 'Retain' || deletionPolicy === 'Snapshot');
    expect(left.map(({ id }) => id)).toEqual([]);
  });

  test('keeps what holds data once it is there, and with each bucket its policy', () => {
    const kept = resources.filter(({ deletionPolicy }) => deletionPolicy === 'RetainExceptOnCreate');
    const types = kept.map(({ type }) => type.replace('AWS::', ''));
    expect(types.sort()).toEqual([
      'DynamoDB::Table',
      'KMS::Key',
      ...Array(4).fill('S3::Bucket'),
      ...Array(4).fill('S3::BucketPolicy'),
      'SecretsManager::Secret',
    ]);
    for (const { updateReplacePolicy } of kept) expect(updateReplacePolicy).toBe('Retain');
  });

  test('makes last what can not be taken back: the table, which refuses deletion', () => {
    const refusing = resources.filter(({ properties }) => properties.DeletionProtectionEnabled === true);
    const [table] = refusing;
    if (!table) throw new Error('expected a table');
    expect(refusing).toHaveLength(1);
    const before = reachable(table, resources);
    const after = resources.filter(({ id, stack }) => stack === table.stack && id !== table.id && !before.has(id));
    // Only what starts the functions, with its right to, and the alarms on its being started.
    expect(new Set(after.map(({ type }) => type))).toEqual(
      new Set([
        'AWS::IAM::Policy',
        'AWS::IAM::Role',
        'AWS::Scheduler::Schedule',
        'AWS::CloudWatch::Alarm',
        'AWS::CloudWatch::CompositeAlarm',
      ]),
    );
    expect(
      find('AWS::S3::Bucket')
        .filter(({ stack }) => stack === table.stack)
        .every(({ id }) => before.has(id)),
    ).toBe(true);
    for (const one of after) expect([one.id, reachable(one, resources).has(table.id)]).toEqual([one.id, true]);
  });

  test('gives no function the right to make a log group, which would outlive its stack', () => {
    expect(JSON.stringify(resources.map(({ properties }) => properties))).not.toContain('logs:CreateLogGroup');
  });
});

/** Ids of all that is made before a resource. */
function reachable(from: Resource, resources: readonly Resource[]): ReadonlySet<string> {
  const own = new Map(resources.filter(({ stack }) => stack === from.stack).map((one) => [one.id, one]));
  const found = new Set<string>();
  const open = [from];
  for (let next = open.pop(); next; next = open.pop()) {
    const text = JSON.stringify(next.properties);
    const named = [...text.matchAll(/"(?:Ref":"|Fn::GetAtt":\[")(\w+)"/g)].map(([, id = '']) => id);
    for (const id of [...named, ...next.dependsOn]) {
      const other = own.get(id);
      if (!other || found.has(id)) continue;
      found.add(id);
      open.push(other);
    }
  }
  return found;
}
