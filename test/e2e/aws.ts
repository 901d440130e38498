import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SNSClient } from '@aws-sdk/client-sns';
import { GetQueueAttributesCommand, GetQueueUrlCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Emulator } from './emulator.ts';
import { waitFor } from './report.ts';

export type Aws = ReturnType<typeof connect>;

/** Clients of the emulator: the SDK where the project has it, plain requests for CloudFormation and Lambda. */
export function connect(emulator: Emulator) {
  const { endpoint, region } = emulator;
  const options = { endpoint, region, credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };
  return {
    emulator,
    s3: new S3Client({ ...options, forcePathStyle: true }),
    sqs: new SQSClient(options),
    sns: new SNSClient(options),
    cloudWatch: new CloudWatchClient(options),
    dynamo: new DynamoDBClient(options),
    secrets: new SecretsManagerClient(options),
  };
}

function authorization(service: string, region: string): string {
  return `AWS4-HMAC-SHA256 Credential=test/20260101/${region}/${service}/aws4_request, SignedHeaders=host, Signature=0`;
}

/** Calls an action of CloudFormation's query protocol. @throws {Error} with the service's own words. */
export async function callCloudFormation(
  { endpoint, region }: Emulator,
  action: string,
  parameters: Readonly<Record<string, string>>,
): Promise<string> {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: {
      authorization: authorization('cloudformation', region),
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: new URLSearchParams({ Action: action, Version: '2010-05-15', ...parameters }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${action}: ${elementOf(text, 'Message') ?? text.slice(0, 500)}`);
  return text;
}

/** Creates a stack and waits for it. @throws {Error} where it is refused or rolled back. */
export async function createStack(emulator: Emulator, name: string, template: unknown): Promise<void> {
  await callCloudFormation(emulator, 'CreateStack', {
    StackName: name,
    TemplateBody: JSON.stringify(template),
    'Capabilities.member.1': 'CAPABILITY_NAMED_IAM',
  });
  await waitFor(`stack ${name}`, 30, async () => {
    const status = elementOf(await callCloudFormation(emulator, 'DescribeStacks', { StackName: name }), 'StackStatus');
    if (status === 'CREATE_COMPLETE') return true;
    if (status?.endsWith('_IN_PROGRESS')) return undefined;
    const events = await callCloudFormation(emulator, 'DescribeStackEvents', { StackName: name });
    throw new Error(`stack ${name}: ${status}: ${elementsOf(events, 'ResourceStatusReason').join('; ')}`);
  });
}

/** Undefined where there is no such stack. */
export async function stackStatus(emulator: Emulator, name: string): Promise<string | undefined> {
  const said = await callCloudFormation(emulator, 'DescribeStacks', { StackName: name }).catch(() => undefined);
  return said === undefined ? undefined : elementOf(said, 'StackStatus');
}

export interface StackResource {
  readonly logicalId: string;
  readonly physicalId: string;
  readonly type: string;
}

export async function listStackResources(emulator: Emulator, stack: string): Promise<readonly StackResource[]> {
  const text = await callCloudFormation(emulator, 'DescribeStackResources', { StackName: stack });
  return elementsOf(text, 'member').map((member) => ({
    logicalId: elementOf(member, 'LogicalResourceId') ?? '',
    physicalId: elementOf(member, 'PhysicalResourceId') ?? '',
    type: elementOf(member, 'ResourceType') ?? '',
  }));
}

export interface LambdaFunction {
  readonly FunctionName: string;
  readonly FunctionArn: string;
  readonly Runtime?: string;
  readonly Handler?: string;
  readonly CodeSha256?: string;
  readonly Environment?: { readonly Variables?: Readonly<Record<string, string>> };
}

export async function describeFunction({ endpoint, region }: Emulator, name: string): Promise<LambdaFunction> {
  const response = await fetch(`${endpoint}/2015-03-31/functions/${encodeURIComponent(name)}/configuration`, {
    headers: { authorization: authorization('lambda', region) },
  });
  if (!response.ok) throw new Error(`function ${name}: ${response.status} ${await response.text()}`);
  const configuration: LambdaFunction = JSON.parse(await response.text());
  return configuration;
}

/** Calls a function and waits for its answer. @throws {Error} with the function's own error. */
export async function invokeFunction({ endpoint, region }: Emulator, name: string, event: unknown): Promise<unknown> {
  const response = await fetch(`${endpoint}/2015-03-31/functions/${encodeURIComponent(name)}/invocations`, {
    method: 'POST',
    headers: { authorization: authorization('lambda', region), 'content-type': 'application/json' },
    body: JSON.stringify(event),
  });
  const text = await response.text();
  const failed = response.headers.get('x-amz-function-error');
  if (!response.ok || failed !== null) throw new Error(`function ${name}: ${failed ?? response.status}: ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}

/** Lets a function take the messages of its queue, or not. */
export async function setQueueReading({ endpoint, region }: Emulator, name: string, Enabled: boolean): Promise<void> {
  const headers = { authorization: authorization('lambda', region), 'content-type': 'application/json' };
  const mappings = `${endpoint}/2015-03-31/event-source-mappings/`;
  const listed = await fetch(`${mappings}?FunctionName=${encodeURIComponent(name)}`, { headers });
  const { EventSourceMappings = [] }: { EventSourceMappings?: { UUID: string }[] } = JSON.parse(await listed.text());
  const [mapping] = EventSourceMappings;
  if (!mapping) throw new Error(`expected ${name} to read a queue, saw none`);
  const body = JSON.stringify({ Enabled });
  const response = await fetch(`${mappings}${mapping.UUID}`, { method: 'PUT', headers, body });
  if (!response.ok) throw new Error(`event source of ${name}: ${response.status} ${await response.text()}`);
}

/** All lines of a function's log. */
export async function readLog({ endpoint, region }: Emulator, functionName: string): Promise<readonly string[]> {
  const lines: string[] = [];
  let nextToken: string | undefined;
  do {
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: {
        authorization: authorization('logs', region),
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': 'Logs_20140328.FilterLogEvents',
      },
      body: JSON.stringify({ logGroupName: `/aws/lambda/${functionName}`, ...(nextToken && { nextToken }) }),
    });
    if (!response.ok) throw new Error(`log of ${functionName}: ${response.status} ${await response.text()}`);
    const page: { events?: { message: string }[]; nextToken?: string } = JSON.parse(await response.text());
    lines.push(...(page.events ?? []).map(({ message }) => message));
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
  return lines;
}

/** Messages of a queue: those that wait, and those that somebody works on. */
export async function readDepth(
  { sqs }: Aws,
  name: string,
): Promise<{ readonly visible: number; readonly all: number }> {
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: name }));
  const { Attributes = {} } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }));
  const visible = Number(Attributes.ApproximateNumberOfMessages);
  return { visible, all: visible + Number(Attributes.ApproximateNumberOfMessagesNotVisible) };
}

/** Text of the first element of this name. */
export function elementOf(xml: string, name: string): string | undefined {
  return elementsOf(xml, name)[0];
}

/** Enough XML for the answers read here, whose elements of one name do not nest. */
function elementsOf(xml: string, name: string): readonly string[] {
  return [...xml.matchAll(new RegExp(`<${name}>([\\s\\S]*?)</${name}>`, 'g'))].map(([, text = '']) =>
    unescapeXml(text),
  );
}

function unescapeXml(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
    .replaceAll('&amp;', '&');
}
