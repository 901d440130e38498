import type { Emulator } from './emulator.ts';

export interface TemplateResource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
  readonly DependsOn?: string | readonly string[];
}

export interface Template {
  readonly Resources: Readonly<Record<string, TemplateResource>>;
  readonly Outputs?: Readonly<Record<string, unknown>>;
}

/** Resolves a template's intrinsic functions to what was deployed. */
export class TemplateValues {
  readonly #template: Template;
  readonly #physicalIds: ReadonlyMap<string, string>;
  readonly #emulator: Emulator;
  readonly #stack: string;

  /** @param physicalIds by logical id; resources that were left out may be missing. */
  constructor(template: Template, physicalIds: ReadonlyMap<string, string>, emulator: Emulator, stack: string) {
    this.#template = template;
    this.#physicalIds = physicalIds;
    this.#emulator = emulator;
    this.#stack = stack;
  }

  /** @throws {Error} for a function or a reference that is not known here, with its text. */
  resolve(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((item) => this.resolve(item)).filter((item) => item !== undefined);
    if (typeof value !== 'object' || value === null) return value;
    const [first, ...rest] = Object.entries(value);
    if (first && rest.length === 0) {
      const [name, argument] = first;
      if (name === 'Ref') return this.#ref(String(argument));
      if (name.startsWith('Fn::')) return this.#call(name, argument);
    }
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.resolve(item)]));
  }

  /** @throws {Error} where the value is no text. */
  text(value: unknown): string {
    const resolved = this.resolve(value);
    if (typeof resolved === 'string') return resolved;
    throw new Error(`template: expected text, saw ${JSON.stringify(value)}`);
  }

  texts(value: unknown): readonly string[] {
    if (value === undefined) return [];
    return Array.isArray(value) ? value.map((item) => this.text(item)) : [this.text(value)];
  }

  physicalId(logicalId: string): string {
    const known = this.#physicalIds.get(logicalId);
    if (known !== undefined) return known;
    const resource = this.#template.Resources[logicalId];
    // An alarm that was left out still has the name that others call it by.
    const name = resource?.Properties?.AlarmName;
    if (name !== undefined) return this.text(name);
    throw new Error(`template: expected ${logicalId} to be deployed, saw none`);
  }

  #ref(name: string): string | undefined {
    const { account, region } = this.#emulator;
    switch (name) {
      case 'AWS::AccountId':
        return account;
      case 'AWS::Region':
        return region;
      case 'AWS::Partition':
        return 'aws';
      case 'AWS::URLSuffix':
        return 'amazonaws.com';
      case 'AWS::StackName':
        return this.#stack;
      case 'AWS::NoValue':
        return undefined;
      default:
        return this.physicalId(name);
    }
  }

  #call(name: string, argument: unknown): string {
    if (name === 'Fn::Join' && Array.isArray(argument)) {
      const [separator, parts]: unknown[] = argument;
      return this.texts(parts).join(String(separator));
    }
    if (name === 'Fn::Sub') return this.#substitute(argument);
    if (name === 'Fn::GetAtt') {
      const [logicalId, attribute] = Array.isArray(argument) ? argument : String(argument).split('.');
      return this.#attribute(String(logicalId), String(attribute));
    }
    throw new Error(`template: expected a function known to this run, saw ${name}`);
  }

  #substitute(argument: unknown): string {
    const [text, own]: unknown[] = Array.isArray(argument) ? argument : [argument, {}];
    const names = new Map(Object.entries(typeof own === 'object' && own !== null ? own : {}));
    return String(text).replace(/\$\{([^!}][^}]*)\}/g, (_, name: string) => {
      if (names.has(name)) return this.text(names.get(name));
      return name.includes('.') && !name.startsWith('AWS::') ? this.#call('Fn::GetAtt', name) : (this.#ref(name) ?? '');
    });
  }

  #attribute(logicalId: string, attribute: string): string {
    const { region, account } = this.#emulator;
    const type = this.#template.Resources[logicalId]?.Type;
    const id = this.physicalId(logicalId);
    const arns: Readonly<Record<string, string>> = {
      'AWS::S3::Bucket': `arn:aws:s3:::${id}`,
      'AWS::SQS::Queue': `arn:aws:sqs:${region}:${account}:${id.split('/').at(-1)}`,
      'AWS::KMS::Key': `arn:aws:kms:${region}:${account}:key/${id}`,
      'AWS::Lambda::Function': `arn:aws:lambda:${region}:${account}:function:${id}`,
      'AWS::DynamoDB::Table': `arn:aws:dynamodb:${region}:${account}:table/${id}`,
      'AWS::CloudWatch::Alarm': `arn:aws:cloudwatch:${region}:${account}:alarm:${id}`,
      'AWS::CloudWatch::CompositeAlarm': `arn:aws:cloudwatch:${region}:${account}:alarm:${id}`,
      'AWS::SNS::Topic': id,
    };
    if (attribute === 'Arn' || attribute === 'TopicArn') {
      const arn = type === undefined ? undefined : arns[type];
      if (arn !== undefined) return arn;
    }
    if (attribute === 'QueueName' || attribute === 'TopicName') return id.split(/[/:]/).at(-1) ?? id;
    throw new Error(`template: expected an attribute known to this run, saw ${attribute} of ${type}`);
  }
}
