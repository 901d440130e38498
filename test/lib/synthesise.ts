import { App } from 'aws-cdk-lib';
import {
  availabilitySlo,
  type ConfigInput,
  email,
  httpCapture,
  https,
  lambdaFunction,
  latencySlo,
  sagemakerCapture,
  sqsQueue,
} from '../../core/contract/config.ts';
import { loadFleet } from '../../lib/fleet-configuration.ts';
import { createStacks } from '../../lib/stacks.ts';

/** A resource of a template, with its stack and logical id. */
export interface Resource {
  readonly stack: string;
  readonly id: string;
  readonly type: string;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly deletionPolicy: unknown;
  readonly updateReplacePolicy: unknown;
  readonly dependsOn: readonly string[];
}

export interface SynthesisedTemplate {
  readonly Resources: Readonly<
    Record<
      string,
      {
        readonly Type: string;
        readonly Properties?: Readonly<Record<string, unknown>>;
        readonly DeletionPolicy?: unknown;
        readonly UpdateReplacePolicy?: unknown;
        readonly DependsOn?: readonly string[];
      }
    >
  >;
}

/** Two models of several sources, buckets and contacts: every branch of the constructs is taken. */
export const sampleConfig: ConfigInput = {
  fleet: { runbook: 'https://example.com/runbook.md', webhookHosts: ['events.example.com'] },
  models: [
    {
      name: 'credit-scoring',
      source: [
        sagemakerCapture({ bucket: 'credit-captures', prefix: 'datacapture', endpoint: 'credit', createBucket: true }),
        httpCapture({ bucket: 'credit-captures', prefix: 'requests', role: 'requests' }),
      ],
      versions: [{ match: 'credit-v*', schema: { prediction: 'score' } }],
      slos: [latencySlo({ threshold: '100ms', objective: 0.999 }), availabilitySlo({ objective: 0.9995 })],
      alerts: {
        yellow: [email('ml@example.com'), email('all@example.com')],
        red: [
          https({ host: 'events.example.com', secret: 'tidewatch/pager' }),
          sqsQueue('arn:aws:sqs:us-east-1:123456789012:alerts'),
        ],
      },
    },
    {
      name: 'prices',
      source: sagemakerCapture({
        bucket: 'price-captures',
        endpoint: 'prices',
        encryptionKey: 'arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab',
      }),
      versions: [{ match: 'v1' }],
      alerts: {
        yellow: [email('all@example.com')],
        red: [lambdaFunction('arn:aws:lambda:us-east-1:123456789012:function:page')],
      },
    },
  ],
};

/** An application whose functions are not bundled: what is checked here does not depend on their code. */
export function createApp(): App {
  return new App({ context: { 'aws:cdk:bundling-stacks': [] } });
}

export function synthesise(config: ConfigInput = sampleConfig): ReadonlyMap<string, SynthesisedTemplate> {
  const app = createApp();
  createStacks(app, loadFleet(config, '.'));
  return new Map(app.synth().stacks.map(({ stackName, template }) => [stackName, template as SynthesisedTemplate]));
}

export function resourcesOf(templates: ReadonlyMap<string, SynthesisedTemplate>, type?: string): readonly Resource[] {
  return [...templates].flatMap(([stack, { Resources }]) =>
    Object.entries(Resources)
      .filter(([, { Type }]) => type === undefined || Type === type)
      .map(([id, { Type, Properties, DeletionPolicy, UpdateReplacePolicy, DependsOn }]) => ({
        stack,
        id,
        type: Type,
        properties: Properties ?? {},
        deletionPolicy: DeletionPolicy,
        updateReplacePolicy: UpdateReplacePolicy,
        dependsOn: DependsOn ?? [],
      })),
  );
}

/** A statement of any policy in a template. */
export interface Statement {
  readonly owner: Resource;
  readonly effect: string;
  readonly actions: readonly string[];
  /** As JSON, because they are put together from texts and references. */
  readonly resources: readonly string[];
  /** Of `NotResource`: what everything else is meant besides. */
  readonly excepted: readonly string[];
  readonly principal: unknown;
  readonly condition: unknown;
}

interface PolicyDocument {
  readonly Statement: readonly {
    readonly Effect: string;
    readonly Action: string | readonly string[];
    readonly Resource?: unknown;
    readonly NotResource?: unknown;
    readonly Principal?: unknown;
    readonly Condition?: unknown;
  }[];
}

/** Every statement of every policy: of roles, buckets, queues, topics and keys. */
export function statementsOf(templates: ReadonlyMap<string, SynthesisedTemplate>): readonly Statement[] {
  return resourcesOf(templates).flatMap((owner) => {
    const { PolicyDocument, KeyPolicy, AssumeRolePolicyDocument, Policies } = owner.properties;
    const inline = Array.isArray(Policies)
      ? Policies.map((policy: { readonly PolicyDocument: unknown }) => policy.PolicyDocument)
      : [];
    const documents = [PolicyDocument, KeyPolicy, AssumeRolePolicyDocument, ...inline].filter(isPolicyDocument);
    return documents.flatMap(({ Statement }) =>
      Statement.map(({ Effect, Action, Resource, NotResource, Principal, Condition }) => ({
        owner,
        effect: Effect,
        actions: typeof Action === 'string' ? [Action] : Action,
        resources: NotResource === undefined ? asTexts(Resource) : ['"*"'],
        excepted: NotResource === undefined ? [] : asTexts(NotResource),
        principal: Principal,
        condition: Condition,
      })),
    );
  });
}

function asTexts(resource: unknown): readonly string[] {
  return (Array.isArray(resource) ? resource : [resource]).map((one) => JSON.stringify(one) ?? '');
}

function isPolicyDocument(value: unknown): value is PolicyDocument {
  return typeof value === 'object' && value !== null && 'Statement' in value && Array.isArray(value.Statement);
}
