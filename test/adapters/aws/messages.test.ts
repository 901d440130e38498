import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import {
  ChangeMessageVisibilityCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { type AwsClientStub, mockClient } from 'aws-sdk-client-mock';
import { describe, expect, onTestFinished, test } from 'vitest';
import { SecretKeySource } from '../../../adapters/aws/secret-key-source.ts';
import { AwsSecretTexts } from '../../../adapters/aws/secret-texts.ts';
import { SnsNotifier } from '../../../adapters/aws/sns-notifier.ts';
import { SnsProbes } from '../../../adapters/aws/sns-probes.ts';
import { SnsTopicSender } from '../../../adapters/aws/sns-topic-sender.ts';
import { SqsCaptureQueue } from '../../../adapters/aws/sqs-capture-queue.ts';
import { SqsRetryDelay } from '../../../adapters/aws/sqs-retry-delay.ts';
import { SqsTouchQueue } from '../../../adapters/aws/sqs-touch-queue.ts';
import { FileKeySource } from '../../../adapters/local/file-key-source.ts';
import { SqliteState } from '../../../adapters/local/sqlite-state.ts';
import type { AlertWay } from '../../../core/model/alert-way.ts';
import type { Message } from '../../../core/model/delivery.ts';
import { DeliveryRefused } from '../../../core/model/delivery-errors.ts';
import { readCaptureNotice } from '../../../lambdas/read-event.ts';
import { alertDetail } from '../../route/alert-detail.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

const region = 'eu-west-1';

test('a touch is sent as the handler reads it', async () => {
  const sqs = mockClient(SQSClient);
  onTestFinished(() => sqs.restore());
  sqs.on(SendMessageCommand).resolves({});
  await new SqsTouchQueue(new SQSClient({ region }), 'https://queue').touch('fragments/a/b/c/d/20260302T000000Z/');
  expect(sqs.commandCalls(SendMessageCommand)[0]?.args[0].input).toEqual({
    QueueUrl: 'https://queue',
    MessageBody: '{"windowPrefix":"fragments/a/b/c/d/20260302T000000Z/"}',
  });
  sqs.on(SendMessageCommand).rejects(new Error('down'));
  await expect(new SqsTouchQueue(new SQSClient({ region }), 'https://queue').touch('x')).rejects.toThrow('down');
});

describe('announcements', () => {
  const captures = Array.from({ length: 63 }, (_, at) => ({ model: 'credit', bucket: 'b', key: `k${at}`, bytes: at }));

  test('are sent ten at a time, as the handler reads them', async () => {
    const sqs = mockClient(SQSClient);
    onTestFinished(() => sqs.restore());
    sqs.on(SendMessageBatchCommand).resolves({});
    await new SqsCaptureQueue(new SQSClient({ region }), 'https://queue').announce(captures);
    const requests = sqs.commandCalls(SendMessageBatchCommand).map(({ args }) => args[0].input);
    expect(requests.map(({ Entries }) => Entries?.length)).toEqual([10, 10, 10, 10, 10, 10, 3]);
    for (const { QueueUrl, Entries = [] } of requests) {
      expect(QueueUrl).toBe('https://queue');
      expect(new Set(Entries.map(({ Id }) => Id)).size).toBe(Entries.length);
    }
    const bodies = requests.flatMap(({ Entries = [] }) => Entries.map(({ MessageBody = '' }) => MessageBody));
    expect(bodies.map(readCaptureNotice)).toEqual(
      captures.map((capture) => ({ ...capture, account: undefined, isRepeated: true })),
    );
  });

  test('fail where the queue refuses one of them', async () => {
    const sqs = mockClient(SQSClient);
    onTestFinished(() => sqs.restore());
    const Failed = [{ Id: '3', Code: 'InternalError', SenderFault: false }];
    sqs.on(SendMessageBatchCommand).resolvesOnce({}).resolves({ Failed });
    await expect(new SqsCaptureQueue(new SQSClient({ region }), 'https://queue').announce(captures)).rejects.toThrow(
      'ingest queue: expected to take 10 messages, refused 1: InternalError',
    );
  });
});

test('a message is brought back after the seconds that are asked for', async () => {
  const sqs = mockClient(SQSClient);
  onTestFinished(() => sqs.restore());
  sqs.on(ChangeMessageVisibilityCommand).resolves({});
  await new SqsRetryDelay(new SQSClient({ region }), 'https://queue').delay('handle', 60);
  expect(sqs.commandCalls(ChangeMessageVisibilityCommand)[0]?.args[0].input).toEqual({
    QueueUrl: 'https://queue',
    ReceiptHandle: 'handle',
    VisibilityTimeout: 60,
  });
});

describe('the notifier', () => {
  const waysOf = (cut: readonly AlertWay[] = []) => ({
    isCut: async (way: AlertWay) => cut.includes(way),
    people: { yellow: 'arn:yellow', red: 'arn:red' },
    deliver: { yellow: 'arn:deliver-yellow', red: 'arn:deliver-red' },
  });
  const publishedTo = (sns: AwsClientStub<SNSClient>, topic: string) =>
    sns.commandCalls(PublishCommand).flatMap(({ args: [{ input }] }) => (input.TopicArn === topic ? [input] : []));
  const message: Message = {
    id: 'm1',
    tier: 'red',
    event: 'raised',
    model: 'credit',
    episode: 'e1',
    subject: 'RED credit',
    text: 'an objective is broken',
    time: 1,
    detail: alertDetail,
  };

  function createNotifier(cut: readonly AlertWay[] = []) {
    const sns = mockClient(SNSClient);
    onTestFinished(() => sns.restore());
    sns.on(PublishCommand).resolves({});
    const { table } = new SqliteState(':memory:');
    return { sns, table, notifier: new SnsNotifier(new SNSClient({ region }), waysOf(cut), table) };
  }

  test('publishes to the topic of the tier, with what subscriptions filter by, and to deliver in full', async () => {
    const { sns, notifier } = createNotifier();
    await notifier.deliver(message);
    const string = (StringValue: string) => ({ DataType: 'String', StringValue });
    const [input] = publishedTo(sns, 'arn:red');
    const { Message, ...rest } = input ?? {};
    expect(rest).toEqual({
      TopicArn: 'arn:red',
      Subject: 'RED credit',
      MessageStructure: 'json',
      MessageAttributes: {
        model: string('credit'),
        tier: string('red'),
        event: string('raised'),
        episode: string('e1'),
        messageId: string('m1'),
      },
    });
    // People read text; queues and functions get all of it.
    const texts: Record<string, string> = JSON.parse(Message ?? '');
    expect(Object.keys(texts)).toEqual(['default', 'sqs', 'lambda']);
    expect(texts.default).toBe('an objective is broken');
    expect(texts.lambda).toBe(texts.sqs);
    expect(JSON.parse(texts.sqs ?? '')).toEqual({ schema: 'tidewatch.alert/1', ...message });
    expect(publishedTo(sns, 'arn:deliver-red')).toEqual([{ TopicArn: 'arn:deliver-red', Message: texts.sqs }]);
    expect(sns.commandCalls(PublishCommand)).toHaveLength(2);
  });

  test('takes the other way to deliver as well while its own is known to be cut', async () => {
    const { sns, notifier } = createNotifier(['deliver-red']);
    for (let delivery = 0; delivery < 2; delivery++) await notifier.deliver(message);
    const [own, other] = ['arn:deliver-red', 'arn:deliver-yellow'].map((topic) => publishedTo(sns, topic));
    expect(own).toHaveLength(1);
    expect(other?.map(({ Message }) => Message)).toEqual(own?.map(({ Message }) => Message));
    expect(publishedTo(sns, 'arn:yellow')).toEqual([]);
  });

  test('a message that was delivered is not sent again', async () => {
    const { sns, notifier } = createNotifier();
    await notifier.deliver(message);
    await notifier.deliver(message);
    expect(sns.commandCalls(PublishCommand)).toHaveLength(2);
  });

  test.each([['arn:red'], ['arn:deliver-red']])(
    'a topic that refuses is tried again, and the other is not told twice: %s',
    async (TopicArn) => {
      const { sns, notifier } = createNotifier();
      sns.on(PublishCommand, { TopicArn }).rejectsOnce(new Error('throttled')).resolves({});
      await expect(notifier.deliver(message)).rejects.toThrow('throttled');
      await notifier.deliver(message);
      const tried = ['arn:red', 'arn:deliver-red'].map((topic) => publishedTo(sns, topic).length);
      expect(tried).toEqual(TopicArn === 'arn:red' ? [2, 1] : [1, 2]);
    },
  );

  test('that a way to deliver is cut is told by the other one', async () => {
    const { sns, notifier } = createNotifier();
    for (const cause of ['alert-path-deliver-red', 'alert-path-deliver-yellow', 'alert-path-red'])
      await notifier.deliver({ ...message, id: cause, detail: { ...alertDetail, cause } });
    const causes = (topic: string) =>
      publishedTo(sns, topic).map(({ Message = '' }) => JSON.parse(Message).detail.cause);
    expect(causes('arn:deliver-yellow')).toEqual(['alert-path-deliver-red']);
    expect(causes('arn:deliver-red')).toEqual(['alert-path-deliver-yellow', 'alert-path-red']);
    expect(publishedTo(sns, 'arn:red')).toHaveLength(3);
  });

  test('a crash before the note sends it twice rather than never', async () => {
    const { sns, table } = createNotifier();
    const topics = waysOf();
    const crashing = {
      get: table.get.bind(table),
      list: table.list.bind(table),
      remove: table.remove.bind(table),
      put: () => Promise.reject(new Error('killed')),
    };
    await expect(new SnsNotifier(new SNSClient({ region }), topics, crashing).deliver(message)).rejects.toThrow();
    await new SnsNotifier(new SNSClient({ region }), topics, table).deliver(message);
    expect(sns.commandCalls(PublishCommand)).toHaveLength(4);
  });

  test('a text that is too long is cut between characters and says so', async () => {
    const { sns, notifier } = createNotifier();
    await notifier.deliver({ ...message, text: `a${'é"\\\n'.repeat(200_000)}` });
    const whole = publishedTo(sns, 'arn:red')[0]?.Message ?? '';
    expect(Buffer.byteLength(whole)).toBeLessThan(256 * 1024 - 1024);
    const text: string = JSON.parse(whole).default;
    expect(text).toContain('cut here');
    expect(text).not.toContain('\uFFFD');
  });
});

test.each([
  ['yellow', 'arn:alarms-yellow'],
  ['red', 'arn:alarms-red'],
  ['deliver-yellow', 'arn:deliver-yellow'],
  ['deliver-red', 'arn:deliver-red'],
] as const)('a probe of the way %s is put on the topic it begins with', async (way, topic) => {
  const sns = mockClient(SNSClient);
  onTestFinished(() => sns.restore());
  sns.on(PublishCommand).resolvesOnce({}).rejects(new Error('denied'));
  const topics = {
    yellow: 'arn:alarms-yellow',
    red: 'arn:alarms-red',
    'deliver-yellow': 'arn:deliver-yellow',
    'deliver-red': 'arn:deliver-red',
  };
  const probes = new SnsProbes(new SNSClient({ region }), topics);
  await probes.send(way, 'probe');
  expect(sns.commandCalls(PublishCommand)[0]?.args[0].input).toEqual({ TopicArn: topic, Message: 'probe' });
  await expect(probes.send(way, 'probe')).rejects.toThrow('denied');
});

test('a text is published to the topic that is named', async () => {
  const sns = mockClient(SNSClient);
  onTestFinished(() => sns.restore());
  sns.on(PublishCommand).resolvesOnce({}).rejects(new Error('denied'));
  const sender = new SnsTopicSender(new SNSClient({ region }));
  await sender.publish('arn:chat', '{"version":"1.0"}');
  // Nothing else: a subject or attributes would make it another schema.
  expect(sns.commandCalls(PublishCommand)[0]?.args[0].input).toEqual({
    TopicArn: 'arn:chat',
    Message: '{"version":"1.0"}',
  });
  await expect(sender.publish('arn:chat', 'x')).rejects.toThrow('denied');
});

describe('texts of secrets', () => {
  function createSecrets() {
    const client = mockClient(SecretsManagerClient);
    onTestFinished(() => client.restore());
    const clock = { now: 0 };
    const secrets = new AwsSecretTexts(new SecretsManagerClient({ region }), () => clock.now);
    return { client, clock, secrets };
  }

  test.each([
    ['ResourceNotFoundException', 'there is none of this name'],
    ['InvalidRequestException', 'there is none of this name'],
    ['AccessDeniedException', 'its key or its policy forbids that'],
    ['DecryptionFailure', 'its key or its policy forbids that'],
  ])('%s: no attempt can succeed, and its name is told', async (name, expected) => {
    const { client, secrets } = createSecrets();
    client.on(GetSecretValueCommand).rejects(serviceError(name));
    const reading = secrets.read('tidewatch/pager');
    await expect(reading).rejects.toThrow(DeliveryRefused);
    await expect(reading).rejects.toThrow(`secret tidewatch/pager: expected it`);
    await expect(reading).rejects.toThrow(expected);
  });

  test.each([['InternalServiceError'], ['ThrottlingException'], ['TimeoutError']])(
    '%s: a later attempt may succeed, and does',
    async (name) => {
      const { client, secrets } = createSecrets();
      client.on(GetSecretValueCommand).rejectsOnce(serviceError(name)).resolves({ SecretString: 'text' });
      const reading = secrets.read('s');
      await expect(reading).rejects.toThrow(name);
      await expect(reading).rejects.not.toThrow(DeliveryRefused);
      expect(await secrets.read('s')).toBe('text');
    },
  );

  test('of bytes are refused', async () => {
    const { client, secrets } = createSecrets();
    client.on(GetSecretValueCommand).resolves({ SecretBinary: new Uint8Array(3) });
    await expect(secrets.read('s')).rejects.toThrow('expected text, saw bytes');
  });

  test('are kept for five minutes, each by its name', async () => {
    const { client, clock, secrets } = createSecrets();
    client.on(GetSecretValueCommand).callsFake(({ SecretId }) => ({ SecretString: `${SecretId} at ${clock.now}` }));
    expect(await secrets.read('a')).toBe('a at 0');
    clock.now = 299_999;
    expect([await secrets.read('a'), await secrets.read('b')]).toEqual(['a at 0', 'b at 299999']);
    clock.now = 300_000;
    expect(await secrets.read('a')).toBe('a at 300000');
    expect(client.commandCalls(GetSecretValueCommand)).toHaveLength(3);
  });
});

/** As the SDK throws what a service refuses. */
function serviceError(name: string): Error {
  return Object.assign(new Error(name), { name, $fault: 'client', $metadata: { httpStatusCode: 400 } });
}

describe('the key source', () => {
  const master = 'ab'.repeat(32);

  function createKeys(...secrets: (string | undefined | Error)[]) {
    const client = mockClient(SecretsManagerClient);
    onTestFinished(() => client.restore());
    const handler = client.on(GetSecretValueCommand, { SecretId: 'arn:secret' });
    for (const secret of secrets) {
      if (secret instanceof Error) handler.rejectsOnce(secret);
      else handler.resolvesOnce({ SecretString: secret });
    }
    return { client, keys: new SecretKeySource(new SecretsManagerClient({ region }), 'arn:secret') };
  }

  test('derives the very keys that a key file gives', async () => {
    const path = join(temporaryDirectory(), 'key');
    writeFileSync(path, master, { mode: 0o600 });
    const { keys } = createKeys(master);
    const key = await keys.modelDayKey('credit', '2026-03-10');
    expect(key).toEqual(await new FileKeySource(path).modelDayKey('credit', '2026-03-10'));
    expect(key).not.toEqual(await keys.modelDayKey('credit', '2026-03-11'));
  });

  test('the secret is read once', async () => {
    const { keys, client } = createKeys(master);
    await Promise.all([keys.modelDayKey('a', '2026-03-10'), keys.modelDayKey('b', '2026-03-10')]);
    await keys.modelDayKey('a', '2026-03-11');
    expect(client.commandCalls(GetSecretValueCommand)).toHaveLength(1);
  });

  test('a read that failed is tried again', async () => {
    const { keys } = createKeys(new Error('throttled'), master);
    await expect(keys.modelDayKey('a', '2026-03-10')).rejects.toThrow('throttled');
    expect(await keys.modelDayKey('a', '2026-03-10')).toHaveLength(32);
  });

  test('another random text of that length will do, a shorter one will not', async () => {
    expect(await createKeys('Zz'.repeat(32)).keys.modelDayKey('a', '2026-03-10')).toHaveLength(32);
    await expect(createKeys('short').keys.modelDayKey('a', '2026-03-10')).rejects.toThrow('saw 5');
    await expect(createKeys(undefined).keys.modelDayKey('a', '2026-03-10')).rejects.toThrow('no text');
  });

  test('a day of another form is refused', async () => {
    await expect(createKeys(master).keys.modelDayKey('a', '10.3.2026')).rejects.toThrow('yyyy-mm-dd');
  });
});
