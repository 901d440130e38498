import type { SynthesisedTemplate } from './synthesise.ts';

/** Where a template is thought to be deployed. */
export const place = { partition: 'aws', region: 'us-east-1', account: '123456789012' } as const;

/** The longest names that these can have: for what must fit everywhere. */
export const longestPlace = { partition: 'aws-us-gov', region: 'ap-southeast-1', account: '123456789012' } as const;

type Place = { readonly [name in keyof typeof place]: string };

/** Replaces the intrinsic functions of a template by what a deployment would make of them. */
export function resolveTemplate(value: unknown, template: SynthesisedTemplate, at: Place = place): unknown {
  const resolve = (inner: unknown): unknown => resolveTemplate(inner, template, at);
  if (Array.isArray(value)) return value.map(resolve);
  if (typeof value !== 'object' || value === null) return value;
  const [first, ...others] = Object.entries(value);
  if (first !== undefined && others.length === 0) {
    const [name, argument] = first;
    if (name === 'Ref') return pseudoParameter(String(argument), at) ?? reference(String(argument), template, at);
    if (name === 'Fn::GetAtt' && Array.isArray(argument)) {
      return attribute(String(argument[0]), String(argument[1]), template, at);
    }
    if (name === 'Fn::Join' && Array.isArray(argument)) {
      const [separator, parts]: unknown[] = argument;
      const texts = resolve(parts);
      if (Array.isArray(texts)) return texts.join(String(separator));
    }
    if (name.startsWith('Fn::')) throw new Error(`template: expected a function known to the tests, saw ${name}`);
  }
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, resolve(inner)]));
}

function pseudoParameter(name: string, { partition, region, account }: Place): string | undefined {
  const values = new Map([
    ['AWS::Partition', partition],
    ['AWS::Region', region],
    ['AWS::AccountId', account],
    ['AWS::URLSuffix', 'amazonaws.com'],
  ]);
  return values.get(name);
}

function physicalName(id: string, template: SynthesisedTemplate, at: Place): string {
  const properties = template.Resources[id]?.Properties ?? {};
  const named = ['QueueName', 'TopicName', 'BucketName', 'FunctionName', 'TableName', 'LogGroupName', 'Name'];
  const name = named.map((key) => properties[key]).find((value) => value !== undefined);
  return name === undefined ? id : String(resolveTemplate(name, template, at));
}

function reference(id: string, template: SynthesisedTemplate, at: Place): string {
  const name = physicalName(id, template, at);
  switch (template.Resources[id]?.Type) {
    case 'AWS::SQS::Queue':
      return `https://sqs.${at.region}.amazonaws.com/${at.account}/${name}`;
    case 'AWS::SNS::Topic':
      return attribute(id, 'Arn', template, at);
    default:
      return name;
  }
}

function attribute(id: string, what: string, template: SynthesisedTemplate, at: Place): string {
  const name = physicalName(id, template, at);
  const { partition, region, account } = at;
  if (what === 'QueueName' || what === 'TopicName') return name;
  if (what !== 'Arn') throw new Error(`template: expected an attribute known to the tests, saw ${what} of ${id}`);
  const arn = (service: string, resource: string) => `arn:${partition}:${service}:${region}:${account}:${resource}`;
  switch (template.Resources[id]?.Type) {
    case 'AWS::S3::Bucket':
      return `arn:${partition}:s3:::${name}`;
    case 'AWS::SQS::Queue':
      return arn('sqs', name);
    case 'AWS::SNS::Topic':
      return arn('sns', name);
    case 'AWS::KMS::Key':
      return arn('kms', `key/${name}`);
    case 'AWS::Lambda::Function':
      return arn('lambda', `function:${name}`);
    case 'AWS::DynamoDB::Table':
      return arn('dynamodb', `table/${name}`);
    case 'AWS::Logs::LogGroup':
      return arn('logs', `log-group:${name}:*`);
    case 'AWS::IAM::Role':
      return `arn:${partition}:iam::${account}:role/${name}`;
    default:
      throw new Error(`template: expected a resource with an ARN known to the tests, saw ${id}`);
  }
}
