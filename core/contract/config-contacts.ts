import { z } from 'zod';
import { strict, text, unavailableOption } from './config-values.ts';

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

/** A name and not a number: an address in digits is how private networks are reached. */
function isPublicUrl(value: string): boolean {
  const url = URL.parse(value);
  return (
    url !== null &&
    url.protocol === 'https:' &&
    url.username === '' &&
    url.password === '' &&
    url.hash === '' &&
    url.href === value &&
    /^([a-z0-9-]+\.)+[a-z]{2,63}$/.test(url.hostname) &&
    !/\.(local|localhost|internal|home\.arpa)$/.test(url.hostname)
  );
}

/** What CloudFormation replaces with a secret's text when it deploys. */
const secretReference = /^\{\{resolve:secretsmanager:[A-Za-z0-9/_+=.@-]{1,512}\}\}$/;

const httpsSchema = z.strictObject(
  {
    kind: z.literal('https'),
    address: text(
      'an https URL with a host name, without credentials, or { secret } with the name of a secret that holds one',
      (value) => value.length <= 2048 && (secretReference.test(value) || isPublicUrl(value)),
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

const functionSchema = z.strictObject(
  {
    kind: z.literal('lambda'),
    address: text('the ARN of a Lambda function, without a version', (value) =>
      /^arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:[A-Za-z0-9_-]{1,64}$/.test(value),
    ),
  },
  strict,
);

const expected = 'email(…), https(…), sqsQueue(…) or lambdaFunction(…)';

export const contacts = z
  .array(
    z.discriminatedUnion('kind', [emailSchema, httpsSchema, queueSchema, functionSchema, unavailableOption], {
      error: expected,
    }),
    { error: `a list of ${expected}` },
  )
  .default([]);

export type EmailInput = z.input<typeof emailSchema>;
export type HttpsInput = z.input<typeof httpsSchema>;
export type QueueInput = z.input<typeof queueSchema>;
export type FunctionInput = z.input<typeof functionSchema>;
