import { Stack } from 'aws-cdk-lib';
import { describe, expect, test } from 'vitest';
import { type ConfigInput, sagemakerCapture } from '../../core/contract/config.ts';
import { maximumBucketsPerShard } from '../../core/contract/config-shards.ts';
import { maximumPolicies } from '../../lib/capture-access.ts';
import { loadFleet } from '../../lib/fleet-configuration.ts';
import { ModelShard } from '../../lib/model-shard.ts';
import { longestPlace, resolveTemplate } from './resolve-template.ts';
import { createApp, resourcesOf, synthesise } from './synthesise.ts';

/** As many models, buckets and keys as a shard may have, with names as long as they may be. */
function largestShard(prefixLength: number): ConfigInput {
  const name = 'a'.repeat(20);
  return {
    fleet: { name },
    models: Array.from({ length: 20 }, (_, model) => ({
      name: `model-${model}`,
      shard: 'b'.repeat(20),
      source: Array.from({ length: maximumBucketsPerShard / 20 }, (_, at) => {
        const number = String(model * 3 + at).padStart(2, '0');
        return sagemakerCapture({
          bucket: `${'c'.repeat(61)}${number}`,
          prefix: 'p'.repeat(prefixLength),
          endpoint: `${'e'.repeat(61)}${number}`,
          encryptionKey: `arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890${number}`,
        });
      }),
      versions: [{ match: '*' }],
    })),
  };
}

const templates = synthesise(largestShard(60));
const [, shard] = [...templates];
if (!shard) throw new Error('expected a shard');
const [stack, template] = shard;

/** Without white space, as services count them. */
function charactersOf(document: unknown): number {
  return JSON.stringify(resolveTemplate(document, template, longestPlace)).length;
}

const ofStack = (type: string) => resourcesOf(templates, type).filter((resource) => resource.stack === stack);

describe('a shard of sixty buckets', () => {
  test('is one of sixty rules, and of fewer than 500 resources', () => {
    expect(ofStack('AWS::Events::Rule')).toHaveLength(60);
    expect(Object.keys(template.Resources).length).toBeLessThan(400);
    const names = ofStack('AWS::Events::Rule').map(({ properties }) => String(properties.Name));
    expect(new Set(names).size).toBe(60);
    for (const name of names) expect(name).toMatch(/^[\w.-]{1,64}$/);
  });

  test('keeps within what SQS takes of a queue’s policy', () => {
    const policies = ofStack('AWS::SQS::QueuePolicy');
    expect(policies).toHaveLength(6);
    for (const { properties } of policies) {
      const { Statement } = properties.PolicyDocument as { Statement: readonly unknown[] };
      expect(Statement.length).toBeLessThanOrEqual(20);
      expect(charactersOf(properties.PolicyDocument)).toBeLessThanOrEqual(8_192);
    }
  });

  test('keeps within what IAM takes of a role’s policies', () => {
    const roles = ofStack('AWS::IAM::Role').map(({ id }) => id);
    expect(roles.length).toBeGreaterThan(4);
    const attachedTo = (type: string, role: string) =>
      ofStack(type).filter(({ properties }) => JSON.stringify(properties.Roles).includes(`{"Ref":"${role}"}`));
    let reading = 0;
    for (const role of roles) {
      const inline = attachedTo('AWS::IAM::Policy', role).map(({ properties }) =>
        charactersOf(properties.PolicyDocument),
      );
      expect(inline.reduce((sum, characters) => sum + characters, 0)).toBeLessThanOrEqual(10_240);
      const managed = attachedTo('AWS::IAM::ManagedPolicy', role);
      expect(managed.length).toBeLessThanOrEqual(maximumPolicies);
      for (const { properties } of managed) expect(charactersOf(properties.PolicyDocument)).toBeLessThanOrEqual(6_144);
      if (managed.length > 1) reading++;
    }
    // ingest, which reads every bucket with every key, and sweep, which lists them
    expect(reading).toBe(2);
    const granted = JSON.stringify(
      ofStack('AWS::IAM::ManagedPolicy').map(({ properties }) => properties.PolicyDocument),
    );
    expect(granted.match(/c{61}\d\d\/p{60}\/e{61}\d\d\/\*/g)).toHaveLength(60);
    expect(granted.match(/key\/1234abcd/g)).toHaveLength(60);
  });

  test('is refused where its prefixes are too long for all of them', () => {
    const configuration = loadFleet(largestShard(430), '.');
    const name = configuration.deployment.shards[0]?.name ?? '';
    expect(() => new ModelShard(new Stack(createApp()), 'Shard', { configuration, shard: name })).toThrow(
      /^shard b+: expected buckets and prefixes that fit into 10 IAM policies, saw \d+ needed/,
    );
  });
});

test('rights are cut to the models of a shard as long as IAM takes them', { timeout: 60_000 }, () => {
  const isNarrow = (count: number) => {
    const fleet = 'a'.repeat(20);
    const made = synthesise({
      fleet: { name: fleet },
      models: Array.from({ length: count }, (_, at) => ({
        name: `${'m'.repeat(30)}-${String(at).padStart(2, '0')}`,
        shard: 'b'.repeat(20),
        source: sagemakerCapture({ bucket: 'captures', endpoint: `e-${at}` }),
        versions: [{ match: '*' }],
      })),
    });
    return ['ingest', 'evaluate', 'sweep'].map((handler) => {
      const found = resourcesOf(made, 'AWS::IAM::Policy').find(({ id }) =>
        id.toLowerCase().includes(`${handler}roledefault`),
      );
      const owner = made.get(found?.stack ?? '');
      if (!found || !owner) throw new Error(`expected a policy of ${handler}`);
      const text = JSON.stringify(resolveTemplate(found.properties.PolicyDocument, owner, longestPlace));
      // The library cuts a policy in two at 10,000.
      expect([handler, count, text.length < 10_000]).toEqual([handler, count, true]);
      const [rows, objects] = [text.includes('series#*'), /\/(fragments|slis)\/\*/.test(text)];
      expect(text.includes('series#mmm')).toBe(!rows);
      return `${rows ? 'all' : 'own'} rows, ${objects ? 'all' : 'own'} objects`;
    });
  };
  const [own, all] = ['own rows, own objects', 'all rows, all objects'];
  expect(isNarrow(1)).toEqual([own, own, own]);
  expect(isNarrow(3)).toEqual([own, own, own]);
  for (const count of [4, 5, 6, 8, 9, 10, 13, 15]) isNarrow(count);
  expect(isNarrow(20)).toEqual([all, all, all]);
});

test('twenty buckets a model are refused before anything is made', () => {
  const models = Array.from({ length: 20 }, (_, model) => ({
    name: `model-${model}`,
    source: Array.from({ length: 20 }, (_, at) =>
      sagemakerCapture({ bucket: `captures-${model}-${at}`, endpoint: 'e' }),
    ),
    versions: [{ match: '*' }],
  }));
  expect(() => synthesise({ models })).toThrow(/expected at most 60 buckets in shard main/);
});

describe('names of stacks and of what is in them', () => {
  const own = ['AWS::SQS::Queue', 'AWS::SNS::Topic', 'AWS::Lambda::Function', 'AWS::Scheduler::Schedule'];
  const namesOf = (shardName: string) => {
    const [first] = largestShard(5).models;
    if (!first) throw new Error('expected a model');
    const made = synthesise({ models: [{ ...first, shard: shardName }] });
    const named = own.flatMap((type) =>
      resourcesOf(made, type).map(({ properties }) => {
        const { QueueName, TopicName, FunctionName, Name } = properties;
        return `${type} ${String(QueueName ?? TopicName ?? FunctionName ?? Name)}`;
      }),
    );
    return [...[...made.keys()].map((name) => `stack ${name}`), ...named];
  };

  test('are different for any shard that is not refused', () => {
    const parts = new Set(namesOf('main').flatMap((name) => name.split(' ')[1]?.split('-').slice(1) ?? []));
    let refused = 0;
    for (const part of parts) {
      try {
        const names = namesOf(part);
        expect([part, names.length]).toEqual([part, new Set(names).size]);
      } catch (error) {
        if (!String(error).includes('expected a shard name')) throw error;
        refused++;
      }
    }
    expect(refused).toBeGreaterThanOrEqual(4);
    expect(parts.size).toBeGreaterThan(12);
  });
});
