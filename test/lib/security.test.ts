import type { App } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, test } from 'vitest';
import { tableAttributes } from '../../core/contract/env-names.ts';
import { loadFleet } from '../../lib/fleet-configuration.ts';
import { createStacks } from '../../lib/stacks.ts';
import { grantsOf, isAllowed } from './role-grants.ts';
import { createApp, resourcesOf, sampleConfig, statementsOf, synthesise } from './synthesise.ts';

const templates = synthesise();
const statements = statementsOf(templates);
const allowed = statements.filter(({ effect }) => effect === 'Allow');

describe('grants', () => {
  test('name their actions', () => {
    const wild = allowed.filter(
      ({ owner, actions }) => owner.type !== 'AWS::KMS::Key' && actions.some((action) => action.includes('*')),
    );
    expect(wild.map(({ owner, actions }) => [owner.id, actions])).toEqual([]);
    // The account administers its keys; services make data keys with and without plaintext, and encrypt anew.
    const keys = allowed.filter(({ owner }) => owner.type === 'AWS::KMS::Key');
    const actions = new Set(keys.flatMap((statement) => statement.actions).filter((action) => action.includes('*')));
    expect([...actions].sort()).toEqual(['kms:*', 'kms:GenerateDataKey*', 'kms:ReEncrypt*']);
  });

  test('never reach an endpoint, beside one that describes', () => {
    const reaching = allowed.filter(({ actions }) => actions.some((action) => /^sagemaker/i.test(action)));
    expect(reaching.map(({ owner, actions }) => [/Endpoints/.test(owner.id), actions])).toEqual([
      [true, ['sagemaker:DescribeEndpoint']],
      [true, ['sagemaker:DescribeEndpointConfig']],
    ]);
  });

  test('name their resources, except where there are none', () => {
    const everything = allowed.filter(
      ({ owner, resources }) => /^AWS::IAM::(Managed)?Policy$/.test(owner.type) && resources.includes('"*"'),
    );
    const actions = new Set(everything.flatMap((statement) => statement.actions));
    expect([...actions].sort()).toEqual([
      'cloudwatch:GetMetricData',
      'cloudwatch:PutMetricData',
      'xray:PutTelemetryRecords',
      'xray:PutTraceSegments',
    ]);
    for (const { condition } of everything.filter(({ actions: [first] }) => first === 'cloudwatch:PutMetricData'))
      expect(condition).toEqual({ StringEquals: { 'cloudwatch:namespace': 'Tidewatch' } });
  });

  test('list captures under their prefixes; a whole bucket only where S3 must say that an object is gone', () => {
    const isListed = (name: string, prefix?: string, bucket = 'credit-captures') =>
      isAllowed(grantsOf(templates, name), {
        action: 's3:ListBucket',
        resource: `arn:aws:s3:::${bucket}`,
        context: prefix === undefined ? {} : { 's3:prefix': [prefix] },
      });
    for (const [name, isWhole] of [
      ['tidewatch-main-ingest', true],
      ['tidewatch-main-sweep', false],
      ['tidewatch-main-evaluate', false],
      ['tidewatch-notify', false],
    ] as const) {
      expect([name, isListed(name)]).toEqual([name, isWhole]);
      for (const prefix of ['', 'datacapture', 'datacapture/other/', 'prices/'])
        expect([name, prefix, isListed(name, prefix)]).toEqual([name, prefix, false]);
    }
    for (const prefix of ['datacapture/credit/', 'requests/2001/']) {
      expect(isListed('tidewatch-main-sweep', prefix)).toBe(true);
    }
    expect(isListed('tidewatch-main-sweep', 'prices/', 'price-captures')).toBe(true);
    const lists = statements.filter(
      ({ owner, actions }) => owner.type === 'AWS::IAM::ManagedPolicy' && actions.includes('s3:ListBucket'),
    );
    expect(lists.map(({ owner, condition }) => [owner.properties.Description, condition])).toEqual(
      [
        ['misses', 'StringLikeIfExists'],
        ['lists', 'StringLike'],
      ].flatMap(([verb, operator = '']) =>
        [['datacapture/credit/*', 'requests/*'], ['prices/*']].map((prefixes) => [
          `Tidewatch tidewatch: ${verb} captures of shard main`,
          { [operator]: { 's3:prefix': prefixes } },
        ]),
      ),
    );
  });

  test('read captures under their prefixes alone, and write nothing there', () => {
    const captures = allowed.filter(({ resources }) =>
      resources.some((resource) => /credit-captures|price-captures/.test(resource)),
    );
    const actions = new Set(captures.flatMap((statement) => statement.actions));
    expect([...actions].sort()).toEqual(['s3:GetObject', 's3:GetObjectVersion', 's3:ListBucket']);
    const objects = captures
      .filter(({ actions: list }) => list.includes('s3:GetObject'))
      .flatMap(({ resources }) => resources);
    const tails = new Set(objects.map((resource) => /:s3:::([^"]+)/.exec(resource)?.[1]));
    expect([...tails].sort()).toEqual([
      'credit-captures/datacapture/credit/*',
      'credit-captures/requests/*',
      'price-captures/prices/*',
    ]);
  });

  test('let ingest write fragments, quarantine and evidence, of its models', () => {
    const written = allowed
      .filter(({ owner, actions }) => owner.id.includes('Ingest') && actions.includes('s3:PutObject'))
      .flatMap(({ resources }) => resources.map((resource) => /"-?\/?([a-z]+\/.*\*)"/.exec(resource)?.[1]));
    const folders = ['bundles', 'empty', 'fragments', 'quarantine', 'runtimes'];
    expect(written.sort()).toEqual(folders.flatMap((folder) => [`${folder}/credit-scoring/*`, `${folder}/prices/*`]));
  });

  test('let the sweep write the hash list, and list captures without reading them', () => {
    const ofSweep = grantsOf(templates, 'tidewatch-main-sweep').filter(({ effect }) => effect === 'Allow');
    const resourcesFor = (action: string) =>
      ofSweep.filter(({ actions }) => actions.includes(action)).flatMap(({ resources }) => resources);
    expect(resourcesFor('s3:PutObject').map((resource) => resource.split('/').slice(1).join('/'))).toEqual(['log/*']);
    const captures = /credit-captures|price-captures/;
    expect(resourcesFor('s3:ListBucket').some((resource) => captures.test(resource))).toBe(true);
    expect(resourcesFor('s3:GetObject').filter((resource) => captures.test(resource))).toEqual([]);
    expect(resourcesFor('secretsmanager:GetSecretValue')).toEqual([]);
  });

  test('of the data key are bound to its alias and to services', () => {
    const bound = allowed.filter(({ resources }) => resources.some((resource) => resource.includes(':key/*')));
    expect(bound).toHaveLength(5);
    for (const { condition } of bound) {
      expect(condition).toMatchObject({
        'ForAnyValue:StringEquals': { 'kms:ResourceAliases': 'alias/tidewatch-data' },
        StringEquals: { 'kms:ViaService': expect.any(Array) },
      });
    }
  });
});

describe('services', () => {
  const services = allowed.filter(
    ({ principal, owner }) =>
      JSON.stringify(principal ?? '').includes('"Service"') && !['AWS::IAM::Role'].includes(owner.type),
  );

  test('are let in for this account or one source', () => {
    expect(services.length).toBeGreaterThan(10);
    for (const { owner, condition } of services) {
      expect([owner.id, JSON.stringify(condition ?? '')]).toEqual([
        owner.id,
        expect.stringMatching(/aws:SourceAccount|aws:SourceArn/),
      ]);
    }
  });

  test('CloudWatch may use the key of the topics it rings', () => {
    const [grant, ...others] = services.filter(({ owner }) => owner.type === 'AWS::KMS::Key');
    expect(others.map(({ principal }) => principal)).toEqual(others.map(() => ({ Service: 'sns.amazonaws.com' })));
    expect(grant).toMatchObject({
      principal: { Service: 'cloudwatch.amazonaws.com' },
      actions: ['kms:Decrypt', 'kms:GenerateDataKey*'],
      condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
    });
    const topics = resourcesOf(templates, 'AWS::SNS::Topic');
    expect(topics).toHaveLength(8);
    for (const { properties } of topics) {
      expect(JSON.stringify(properties.KmsMasterKeyId)).toContain(grant?.owner.id);
    }
  });

  test('start functions only for this account', () => {
    const permissions = resourcesOf(templates, 'AWS::Lambda::Permission');
    expect(permissions.length).toBeGreaterThan(2);
    for (const { properties } of permissions) {
      expect(JSON.stringify(properties.SourceArn)).toMatch(/Ref|Fn::GetAtt|arn:/);
      // SNS is not known to send it: where it doesn't, nobody would be let in.
      expect(properties.SourceAccount).toBeUndefined();
    }
  });
});

describe('at rest and on the way', () => {
  test('buckets are private, encrypted and TLS only', () => {
    const buckets = resourcesOf(templates, 'AWS::S3::Bucket');
    expect(buckets).toHaveLength(4);
    for (const { id, properties } of buckets) {
      expect(properties.PublicAccessBlockConfiguration).toEqual({
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      });
      const rule = JSON.stringify(properties.BucketEncryption);
      const isData = /StateBucket|AuditBucket/.test(id);
      expect(rule).toContain(isData ? '"SSEAlgorithm":"aws:kms"' : '"SSEAlgorithm":"AES256"');
      if (isData) expect(rule).toContain('"BucketKeyEnabled":true');
      expect(insecureDenied(id)).toBe(true);
    }
  });

  test('queues and topics are encrypted and TLS only', () => {
    const queues = resourcesOf(templates, 'AWS::SQS::Queue');
    expect(queues.length).toBeGreaterThanOrEqual(9);
    for (const { id, properties } of queues) {
      expect(properties.SqsManagedSseEnabled).toBe(true);
      expect(insecureDenied(id)).toBe(true);
    }
    for (const { id } of resourcesOf(templates, 'AWS::SNS::Topic')) expect(insecureDenied(id)).toBe(true);
  });

  test('the table and the secret are encrypted with the data key', () => {
    const [table] = resourcesOf(templates, 'AWS::DynamoDB::Table');
    expect(table?.properties).toMatchObject({
      SSESpecification: { SSEEnabled: true, SSEType: 'KMS' },
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      // Its rows expire by the attribute that the adapter writes.
      TimeToLiveSpecification: { AttributeName: tableAttributes.expires, Enabled: true },
      DeletionProtectionEnabled: true,
      BillingMode: 'PAY_PER_REQUEST',
    });
    const [secret] = resourcesOf(templates, 'AWS::SecretsManager::Secret');
    expect(JSON.stringify(secret?.properties.KmsKeyId)).toContain('DataKey');
  });

  /** Whether a policy of the resource denies requests without TLS. */
  function insecureDenied(id: string): boolean {
    return statements.some(
      ({ owner, effect, condition }) =>
        effect === 'Deny' &&
        JSON.stringify(owner.properties).includes(`"${id}"`) &&
        JSON.stringify(condition ?? '').includes('"aws:SecureTransport":"false"'),
    );
  }
});

test('AwsSolutions finds nothing, and every acknowledgement has a reason', () => {
  const app: App = createApp();
  const { platform, shards } = createStacks(app, loadFleet(sampleConfig, '.'));
  const checks = new AwsSolutionsChecks(app);
  for (const stack of [platform, ...shards]) {
    const { violations } = checks.validateScope(stack);
    expect(violations.map(({ ruleName, violatingResources }) => [ruleName, violatingResources])).toEqual([]);
    for (const { metadata } of stack.node.findAll().map(({ node }) => node)) {
      for (const { type, data } of metadata) {
        if (type !== 'aws:cdk:acknowledged-rules') continue;
        expect(JSON.stringify(data)).toMatch(/"reason":"[^"]{30,}"|:"[^"]{30,}"/);
      }
    }
  }
});
