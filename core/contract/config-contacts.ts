import { z } from 'zod';
import type { ContactPolicy } from '../model/policy.ts';
import { strict, text } from './config-values.ts';

/** Where alerts go: what people and machines subscribe to the delivery topics with. */

const emailSchema = z.strictObject(
  {
    kind: z.literal('email'),
    address: text(
      'an e-mail address',
      (value) =>
        value.length <= 254 && /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@([A-Za-z0-9-]+\.)+[A-Za-z]{2,63}$/.test(value),
    ),
  },
  strict,
);

/** A public DNS name in lower case. A name and not a number: an address in digits is how private networks are reached. */
export function isPublicHost(host: string): boolean {
  return (
    host.length <= 253 &&
    /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/.test(host) &&
    !/\.(local|localhost|internal|home\.arpa)$/.test(host)
  );
}

/** An https URL of a public host name, on the usual port, without credentials or fragment, written in its plain form. */
function isPublicUrl(value: string): boolean {
  const url = URL.parse(value);
  return (
    url !== null &&
    url.protocol === 'https:' &&
    url.username === '' &&
    url.password === '' &&
    url.hash === '' &&
    url.href === value &&
    isPublicHost(url.hostname)
  );
}

/**
 * A URL whose path CloudFormation replaces with a secret's text when it deploys. The host stands before it, so that a secret
 * can't choose another.
 */
const secretPath = /^https:\/\/([^/]+)\/\{\{resolve:secretsmanager:[A-Za-z0-9/_+=.@-]{1,512}\}\}$/;

function isSecretUrl(value: string): boolean {
  const host = secretPath.exec(value)?.[1];
  return host !== undefined && isPublicHost(host);
}

const httpsSchema = z.strictObject(
  {
    kind: z.literal('https'),
    address: text(
      'an https URL with a host name, without credentials, or { host, secret } with the name of a secret that holds the rest',
      (value) => value.length <= 2048 && (isSecretUrl(value) || isPublicUrl(value)),
    ),
  },
  strict,
);

const queueSchema = z.strictObject(
  {
    kind: z.literal('sqs'),
    address: text('the ARN of a standard SQS queue', (value) =>
      /^arn:aws[a-z-]*:sqs:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,80}$/.test(value),
    ),
  },
  strict,
);

const busSchema = z.strictObject(
  {
    kind: z.literal('eventBus'),
    address: text('the ARN of an event bus of EventBridge', (value) =>
      /^arn:aws[a-z-]*:events:[a-z0-9-]+:\d{12}:event-bus\/[A-Za-z0-9/._-]{1,256}$/.test(value),
    ),
  },
  strict,
);

const functionSchema = z.strictObject(
  {
    kind: z.literal('lambda'),
    address: text('the ARN of a Lambda function, without a version', (value) =>
      /^arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:[A-Za-z0-9_-]{1,64}$/.test(value),
    ),
  },
  strict,
);

const secretName = /^[A-Za-z0-9/_+=.@-]{1,512}$/;
const secretArn = /^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[A-Za-z0-9/_+=.@-]{1,512}-[A-Za-z0-9]{6}$/;

const secret = text(
  'the name of a secret in Secrets Manager, or its whole ARN',
  (value) => secretName.test(value) || secretArn.test(value),
);

const pagerDutySchema = z.strictObject(
  {
    kind: z.literal('pagerduty'),
    secret,
    region: z.enum(['us', 'eu'], { error: '"us" or "eu"' }).default('us'),
  },
  strict,
);

const webhookSchema = z.strictObject(
  {
    kind: z.literal('webhook'),
    url: text(
      'an https URL with a public host name, on port 443, without credentials',
      (value) => value.length <= 2048 && isPublicUrl(value) && URL.parse(value)?.port === '',
    ).optional(),
    secret: secret.optional(),
  },
  strict,
);

const chatSchema = z.strictObject(
  {
    kind: z.literal('chat'),
    topic: text('the ARN of a standard SNS topic', (value) =>
      /^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$/.test(value),
    ),
  },
  strict,
);

const expected =
  'email(…), pagerDuty({…}), chat({…}), webhook({…}), https(…), sqsQueue(…), eventBus({…}) or lambdaFunction(…)';

export const contacts = z
  .array(
    z.discriminatedUnion(
      'kind',
      [emailSchema, httpsSchema, queueSchema, busSchema, functionSchema, pagerDutySchema, webhookSchema, chatSchema],
      { error: expected },
    ),
    { error: `a list of ${expected}` },
  )
  .default([]);

export type EmailInput = z.input<typeof emailSchema>;
export type HttpsInput = z.input<typeof httpsSchema>;
export type QueueInput = z.input<typeof queueSchema>;
export type BusInput = z.input<typeof busSchema>;
export type FunctionInput = z.input<typeof functionSchema>;
export type PagerDutyInput = z.input<typeof pagerDutySchema>;
export type WebhookInput = z.input<typeof webhookSchema>;
export type ChatInput = z.input<typeof chatSchema>;
type ParsedContact = z.output<typeof contacts>[number];

/** A contact as the pipeline knows it. */
export function toContact(contact: ParsedContact): ContactPolicy {
  switch (contact.kind) {
    case 'pagerduty':
      return { kind: contact.kind, address: contact.secret, region: contact.region };
    case 'webhook':
      return { kind: contact.kind, address: contact.url ?? contact.secret ?? '', isSecret: contact.url === undefined };
    case 'chat':
      return { kind: contact.kind, address: contact.topic };
    default:
      return contact;
  }
}
