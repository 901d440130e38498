import { describe, expect, test } from 'vitest';
import { productionAcknowledgement } from '../../core/contract/config-schema.ts';
import { resourcesOf, sampleConfig, statementsOf, synthesise } from './synthesise.ts';

const templates = synthesise();
const statements = statementsOf(templates);
const buckets = resourcesOf(templates, 'AWS::S3::Bucket');
const bucketNamed = (kind: string) => {
  const found = buckets.find(({ properties }) => JSON.stringify(properties.BucketName).includes(`tidewatch-${kind}-`));
  if (!found) throw new Error(`no ${kind} bucket`);
  return found;
};

describe('the audit bucket', () => {
  const audit = bucketNamed('audit');

  test('locks every object by default, in GOVERNANCE mode', () => {
    expect(audit.properties).toMatchObject({
      ObjectLockEnabled: true,
      ObjectLockConfiguration: {
        ObjectLockEnabled: 'Enabled',
        Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Days: 365 } },
      },
      VersioningConfiguration: { Status: 'Enabled' },
    });
  });

  test('is locked beyond anybody in production alone', () => {
    const fleet = { ...sampleConfig.fleet, production: productionAcknowledgement, retention: '400d' } as const;
    const production = resourcesOf(synthesise({ ...sampleConfig, fleet }), 'AWS::S3::Bucket');
    expect(JSON.stringify(production).match(/"Mode":/g)).toHaveLength(1);
    expect(JSON.stringify(production)).toContain('{"DefaultRetention":{"Days":400,"Mode":"COMPLIANCE"}}');
  });

  test('denies everybody what removes evidence', () => {
    const denied = statements.filter(
      ({ owner, effect, principal }) =>
        owner.type === 'AWS::S3::BucketPolicy' &&
        effect === 'Deny' &&
        JSON.stringify(owner.properties.Bucket).includes(audit.id) &&
        JSON.stringify(principal) === '{"AWS":"*"}',
    );
    const unconditional = denied.filter(({ condition }) => condition === undefined).flatMap(({ actions }) => actions);
    expect(unconditional.sort()).toEqual([
      's3:BypassGovernanceRetention',
      's3:DeleteObject',
      's3:DeleteObjectVersion',
      's3:PutObjectLegalHold',
      's3:PutObjectRetention',
    ]);
  });

  test('has no lifecycle that expires evidence', () => {
    const { LifecycleConfiguration } = audit.properties;
    expect(JSON.stringify(LifecycleConfiguration)).not.toMatch(/Expiration|Transition/);
  });
});

const tampering = /^s3:(\*|Delete|Bypass|PutObjectRetention|PutObjectLegalHold|PutBucket|PutLifecycle|Put\*)/;

test('nobody is granted what removes evidence, or reaches the lock', () => {
  const granted = statements.filter(({ effect }) => effect === 'Allow').flatMap(({ actions }) => actions);
  expect(granted.length).toBeGreaterThan(60);
  expect(granted.filter((action) => tampering.test(action))).toEqual([]);
});

test('every function is denied it explicitly as well', () => {
  const functions = resourcesOf(templates, 'AWS::Lambda::Function');
  const policies = resourcesOf(templates, 'AWS::IAM::Policy');
  expect(functions).toHaveLength(5);
  for (const { properties } of functions) {
    const role = JSON.stringify(properties.Role).match(/"Fn::GetAtt":\["(\w+)"/)?.[1];
    const policy = policies.find(({ properties: { Roles } }) => JSON.stringify(Roles) === `[{"Ref":"${role}"}]`);
    const denied = statements
      .filter(({ owner, effect }) => owner.id === policy?.id && effect === 'Deny')
      .flatMap(({ actions }) => actions);
    expect(denied).toEqual(
      expect.arrayContaining(['s3:DeleteObjectVersion', 's3:PutBucketObjectLockConfiguration', 'sagemaker:*']),
    );
  }
});

test('what holds data is kept when a stack is removed', () => {
  const kept = resourcesOf(templates).filter(({ type }) =>
    ['AWS::S3::Bucket', 'AWS::DynamoDB::Table', 'AWS::SecretsManager::Secret'].includes(type),
  );
  expect(kept).toHaveLength(6);
  for (const { deletionPolicy } of kept) expect(deletionPolicy).toBe('RetainExceptOnCreate');
  const keys = resourcesOf(templates, 'AWS::KMS::Key');
  expect(keys.map(({ id, deletionPolicy }) => [/DataKey|TopicKey/.exec(id)?.[0], deletionPolicy]).sort()).toEqual([
    ['DataKey', 'RetainExceptOnCreate'],
    ['TopicKey', 'Delete'],
  ]);
});
