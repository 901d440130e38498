import { PutObjectCommand } from '@aws-sdk/client-s3';
import {
  DeleteMessageCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
} from '@aws-sdk/client-sqs';
import { quarantinePrefix } from '../../core/contract/keys.ts';
import { type Aws, invokeFunction, readDepth } from './aws.ts';
import { type CaptureObject, captureLines, captureObject } from './captures.ts';
import { waitForFragment } from './checks.ts';
import type { Door } from './door.ts';
import { captureBucket, type Fleet, listObjects, models, queues } from './fleet.ts';
import { type Report, waitFor } from './report.ts';

/** An event as EventBridge puts it on the ingest queue. */
export function captureEvent({ emulator }: Aws, key: string, id: string, size = 1): string {
  return JSON.stringify({
    version: '0',
    id,
    'detail-type': 'Object Created',
    source: 'aws.s3',
    account: emulator.account,
    region: emulator.region,
    time: new Date().toISOString(),
    detail: { bucket: { name: captureBucket }, object: { key, size } },
  });
}

export async function setVisibility({ sqs }: Aws, name: string, seconds: number): Promise<void> {
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: name }));
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { VisibilityTimeout: String(seconds) } }));
}

/** A capture that could not be read, and how many messages are in the dead-letter queue with its own. */
export interface Poison {
  readonly refused: CaptureObject;
  readonly dead: number;
}

const prefix = `datacapture/${models.failing}/AllTraffic/`;

/**
 * Messages nobody can deal with, beside sound ones.
 * @param door of ingest
 * @param at when the captures claim to be from, milliseconds since the epoch
 */
export async function checkPoison(aws: Aws, fleet: Fleet, report: Report, door: Door, at: number): Promise<Poison> {
  const model = models.failing;
  const refused = captureObject(prefix, at, captureLines(model, 'late', at));
  const sound = captureObject(prefix, at + 1, captureLines(model, 'later', at));
  const whole = captureObject(prefix, at + 2, captureLines(model, 'quiet', at), true);
  const cutShort = { key: whole.key, body: whole.body.subarray(0, whole.body.length / 2) };
  const noise = captureObject(prefix, at + 3, [Buffer.from([0, 255, 254, 13, 128, 1, 2, 3]).toString('latin1')]);
  const unreadable = {
    'not JSON': 'not JSON {',
    'JSON of another shape': JSON.stringify({ 'detail-type': 'Object Created', source: 'aws.s3', detail: [] }),
  };
  const pointless = {
    'an object that does not exist': captureEvent(aws, `${prefix}never-put.jsonl`, 'never-put'),
    'an object of no model': captureEvent(aws, 'datacapture/nobody/AllTraffic/x.jsonl', 'of-nobody'),
  };

  const { QueueUrl } = await aws.sqs.send(new GetQueueUrlCommand({ QueueName: queues.ingest }));
  const send = (MessageBody: string) => aws.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));
  const put = ({ key, body }: CaptureObject) =>
    aws.s3.send(new PutObjectCommand({ Bucket: captureBucket, Key: key, Body: body }));
  await Promise.all([...Object.values(pointless).map(send), ...[cutShort, noise, sound].map(put)]);
  for (const { key } of [cutShort, sound]) await waitForFragment(aws, fleet, { model, key });
  const quarantined = await waitFor('the quarantine', 60, async () => {
    const reports = await listObjects(aws, fleet.stateBucket, quarantinePrefix(model));
    return reports.size >= 2 ? reports.size : undefined;
  }).catch((error: unknown) => String(error));
  report.equal('in quarantine: a capture of noise, one that was cut short; its neighbour is ingested', quarantined, 2);

  const batch = { ...unreadable, ...pointless, sound: captureEvent(aws, sound.key, 'sound') };
  const Records = Object.entries(batch).map(([messageId, body]) => ({ messageId, body }));
  const ingest = fleet.functions.get('ingest')?.FunctionName ?? '';
  report.equal(
    'of a batch, the messages fail alone that are no events',
    await invokeFunction(aws.emulator, ingest, { Records }),
    { batchItemFailures: Object.keys(unreadable).map((itemIdentifier) => ({ itemIdentifier })) },
  );
  report.say(`acknowledged, with a line in the log: ${Object.keys(pointless).join(', ')}`);

  // Nothing sound is under way now: on a slow machine it would come five times as well.
  await setVisibility(aws, queues.ingest, 1);
  door.fault = ({ operation, path }) => {
    // Ingest asks for longer and longer delays: nobody waits for them here.
    if (operation === 'ChangeMessageVisibility') return emptyAnswer;
    return decodeURIComponent(path).includes(refused.key) ? accessDenied : 'pass';
  };
  await Promise.all([...Object.values(unreadable).map(send), put(refused)]);
  const dead = Object.keys(unreadable).length + 1;
  await waitFor('the poison in the dead-letter queue', 120, async () =>
    (await readDepth(aws, queues.ingestDead)).visible >= dead ? true : undefined,
  ).catch((error: unknown) => report.check(String(error), false));
  door.fault = undefined;
  await setVisibility(aws, queues.ingest, visibilitySeconds);
  report.equal(
    `after five attempts in the dead-letter queue: ${[...Object.keys(unreadable), 'a capture that S3 would not hand over'].join(', ')}`,
    (await readDepth(aws, queues.ingestDead)).all,
    dead,
  );
  return { refused, dead };
}

const emptyAnswer = { status: 200, headers: { 'content-type': 'application/x-amz-json-1.0' }, body: '{}' } as const;

const accessDenied = {
  status: 403,
  headers: { 'content-type': 'application/xml' },
  body: '<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>',
} as const;

/**
 * Shorter than the template's half hour, so that this run sees messages come again; longer than any call of a function
 * takes unless the machine is overloaded.
 */
export const visibilitySeconds = 45;

/** What the runbook says: S3 hands the capture over again, its event is redriven, what is no event thrown away. */
export async function checkRedrive(aws: Aws, fleet: Fleet, report: Report, { refused, dead }: Poison): Promise<void> {
  const url = async (QueueName: string) => (await aws.sqs.send(new GetQueueUrlCommand({ QueueName }))).QueueUrl;
  const [ingest, deadLetters] = [await url(queues.ingest), await url(queues.ingestDead)];
  let redriven = 0;
  for (let taken = 0; taken < dead; taken++) {
    const { Messages = [] } = await aws.sqs.send(new ReceiveMessageCommand({ QueueUrl: deadLetters }));
    const [message] = Messages;
    if (!message) break;
    if (message.Body?.includes(refused.key)) {
      redriven++;
      await aws.sqs.send(new SendMessageCommand({ QueueUrl: ingest, MessageBody: message.Body }));
    }
    await aws.sqs.send(new DeleteMessageCommand({ QueueUrl: deadLetters, ReceiptHandle: message.ReceiptHandle }));
  }
  report.equal('events of captures found there and redriven', redriven, 1);
  await waitForFragment(aws, fleet, { model: models.failing, key: refused.key });
  report.check('the capture that S3 would not hand over is ingested', true);
  report.equal('the dead-letter queue stays empty', (await readDepth(aws, queues.ingestDead)).all, 0);
}
