import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { mockClient } from 'aws-sdk-client-mock';
import { onTestFinished } from 'vitest';
import { AwsSecretTexts } from '../../adapters/aws/secret-texts.ts';
import { SqliteState } from '../../adapters/local/sqlite-state.ts';
import { chat, email, pagerDuty, parseConfig, sagemakerCapture, webhook } from '../../core/contract/config.ts';
import { alertDocument } from '../../core/model/alert-document.ts';
import type { Message, MessageEvent } from '../../core/model/delivery.ts';
import { createDeliverHandler } from '../../lambdas/deliver.ts';
import { alertDetail } from '../route/alert-detail.ts';
import { queueBatch, RecordedLog } from './events.ts';

export const key = 'A1'.repeat(16);
export const topics = {
  yellow: 'arn:aws:sns:eu-west-1:111122223333:yellow',
  red: 'arn:aws:sns:eu-west-1:111122223333:red',
};
const chatTopic = 'arn:aws:sns:eu-west-1:111122223333:chat';
export const config = parseConfig({
  fleet: { webhookHosts: ['hooks.example.com'], runbook: 'https://example.com/runbook.md' },
  models: [
    {
      name: 'credit',
      source: sagemakerCapture({ bucket: 'captures', endpoint: 'credit' }),
      versions: [{ match: '*' }],
      alerts: {
        yellow: [chat({ topic: chatTopic }), email('ml@example.com')],
        red: [
          pagerDuty({ secret: 'pager' }),
          webhook({ secret: 'hook' }),
          chat({ topic: chatTopic }),
          email('oncall@example.com'),
        ],
      },
    },
    {
      name: 'prices',
      source: sagemakerCapture({ bucket: 'captures', endpoint: 'prices' }),
      versions: [{ match: '*' }],
      alerts: { red: [pagerDuty({ secret: 'pager', region: 'eu' }), email('oncall@example.com')] },
    },
  ],
});

interface Post {
  readonly url: string;
  readonly body: Record<string, unknown>;
}

/** A process of the function beside stub servers: `answers` are given first, then 202. */
export function createWorld(answers: readonly (number | Error)[] = [], secrets: Record<string, string> = {}) {
  const manager = mockClient(SecretsManagerClient);
  onTestFinished(() => manager.restore());
  const texts = new Map(Object.entries({ pager: `${key}\n`, hook: 'https://hooks.example.com/in/s3cret', ...secrets }));
  const { table } = new SqliteState(':memory:');
  const posts: Post[] = [];
  const chats: Record<string, unknown>[] = [];
  const dead: { body: string; reason: string }[] = [];
  const delays: number[] = [];
  const log = new RecordedLog();
  const queue = [...answers];
  manager.on(GetSecretValueCommand).callsFake(({ SecretId }) => {
    const SecretString = texts.get(SecretId);
    if (SecretString === undefined)
      throw Object.assign(new Error("can't find the specified secret"), { name: 'ResourceNotFoundException' });
    return { SecretString };
  });
  const handle = createDeliverHandler(async () => ({
    fleet: config.fleet,
    policies: config.models,
    topics: new Map([
      [topics.yellow, 'yellow'],
      [topics.red, 'red'],
    ]),
    ports: {
      table,
      secrets: new AwsSecretTexts(new SecretsManagerClient({ region: 'eu-west-1' }), Date.now),
      https: {
        post: async (url, body) => {
          posts.push({ url: url.href, body: JSON.parse(body) });
          const answer = url.hostname.includes('pagerduty') ? (queue.shift() ?? 202) : 200;
          if (answer instanceof Error) throw answer;
          return { status: answer };
        },
      },
      topics: { publish: async (_, text) => void chats.push(JSON.parse(text)) },
    },
    retries: { delay: async (_, seconds) => void delays.push(seconds) },
    deadLetters: { put: async (body, reason) => void dead.push({ body, reason }) },
    log,
  }));
  const pager = () => posts.filter(({ url }) => url.includes('pagerduty')).map(({ body }) => body);
  const actions = () => pager().map((body) => body.event_action);
  const hooks = () => posts.filter(({ url }) => url.includes('hooks')).map(({ body }) => body);
  return { handle, table, hooks, posts, chats, dead, delays, log, texts, pager, actions };
}

export function message(event: MessageEvent, sequence: number, changes: Partial<Message> = {}): Message {
  return {
    id: `${event}${sequence}`,
    tier: 'red',
    event,
    model: 'credit',
    episode: 'e1',
    subject: `RED credit: ${event}`,
    text: 'what\n',
    time: Date.UTC(2026, 2, 10),
    detail: { ...alertDetail, sequence, since: Date.UTC(2026, 2, 10) },
    ...changes,
  };
}

/** As SNS puts it into a queue. */
export function event(text: string, topic: string = topics.red, receives = 1) {
  const { Records } = queueBatch([JSON.stringify({ Type: 'Notification', TopicArn: topic, Message: text })]);
  const attributes = { ApproximateReceiveCount: String(receives) };
  return { Records: Records.map((record) => ({ ...record, receiptHandle: 'handle', attributes })) };
}

/** A message as it lies in the queue. */
export const of = (one: Message) => event(JSON.stringify(alertDocument(one)), topics[one.tier]);
