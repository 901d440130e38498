import { EventShapeError } from './fault.ts';

/** Own members of a JSON object; a Map, because a member may be called `__proto__`. */
type Members = ReadonlyMap<string, unknown>;

/** A text that was sent to the function. */
export interface SentText {
  readonly id: string;
  readonly body: string;
}

/** A message of an SQS batch. */
export interface QueueMessage extends SentText {
  /** Names this delivery of it; undefined where the event doesn't say. */
  readonly receiptHandle: string | undefined;
  /** How often it was delivered, this time counted. */
  readonly receives: number;
}

/** An object that S3 says it holds now. */
export interface CaptureNotice {
  readonly eventId: string;
  readonly bucket: string;
  readonly key: string;
  readonly account: string;
  /** Undefined where the event doesn't say. */
  readonly bytes: number | undefined;
}

/** Names of the schedules; see `scheduleInputs`. */
export type ScheduleName = 'tick' | 'sweep' | 'overdue';

function membersOf(value: unknown, where: string): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new EventShapeError(`${where}: expected an object, saw ${kindOf(value)}`);
  }
  return new Map(Object.entries(value));
}

function textOf(members: Members, name: string, where: string): string {
  const value = members.get(name);
  if (typeof value !== 'string' || value === '') {
    throw new EventShapeError(`${where}.${name}: expected text, saw ${value === '' ? 'none' : kindOf(value)}`);
  }
  return value;
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  return value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`;
}

function parse(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new EventShapeError(`${where}: expected JSON, saw ${text.length} characters that are none`);
  }
}

/** Whether the event is a batch of records rather than a schedule's. */
export function hasRecords(event: unknown): boolean {
  return typeof event === 'object' && event !== null && Object.hasOwn(event, 'Records');
}

function recordsOf(event: unknown, what: string): readonly unknown[] {
  const records = membersOf(event, 'event').get('Records');
  if (!Array.isArray(records)) throw new EventShapeError(`event.Records: expected ${what}, saw ${kindOf(records)}`);
  return records;
}

/** @throws {EventShapeError} where a message could not even be reported as failed. */
export function readQueueBatch(event: unknown): readonly QueueMessage[] {
  return recordsOf(event, 'SQS messages').map((record, index) => {
    const where = `event.Records[${index}]`;
    const members = membersOf(record, where);
    const body = members.get('body');
    const receiptHandle = members.get('receiptHandle');
    return {
      id: textOf(members, 'messageId', where),
      // What is wrong with a body concerns that message alone.
      body: typeof body === 'string' ? body : '',
      receiptHandle: typeof receiptHandle === 'string' ? receiptHandle : undefined,
      receives: readReceives(members.get('attributes')),
    };
  });
}

function readReceives(attributes: unknown): number {
  const isObject = typeof attributes === 'object' && attributes !== null;
  const count = isObject && 'ApproximateReceiveCount' in attributes ? Number(attributes.ApproximateReceiveCount) : 1;
  return Number.isSafeInteger(count) && count >= 1 ? count : 1;
}

/** @throws {EventShapeError} for anything but EventBridge's `Object Created` event of S3. */
export function readCaptureNotice(body: string): CaptureNotice {
  const members = membersOf(parse(body, 'message'), 'message');
  const type = textOf(members, 'detail-type', 'message');
  if (textOf(members, 'source', 'message') !== 'aws.s3' || type !== 'Object Created') {
    throw new EventShapeError('message: expected the event "Object Created" of aws.s3, saw another');
  }
  const detail = membersOf(members.get('detail'), 'message.detail');
  const object = membersOf(detail.get('object'), 'message.detail.object');
  const bytes = object.get('size');
  return {
    eventId: textOf(members, 'id', 'message'),
    bucket: textOf(membersOf(detail.get('bucket'), 'message.detail.bucket'), 'name', 'message.detail.bucket'),
    key: textOf(object, 'key', 'message.detail.object'),
    account: textOf(members, 'account', 'message'),
    bytes: typeof bytes === 'number' ? bytes : undefined,
  };
}

/** @throws {EventShapeError} for anything but `{"windowPrefix": …}`. */
export function readTouch(body: string): string {
  return textOf(membersOf(parse(body, 'message'), 'message'), 'windowPrefix', 'message');
}

/** Texts of the SNS notifications of an event, each with its id. */
export function readNotifications(event: unknown): readonly SentText[] {
  return recordsOf(event, 'SNS notifications').map((record, index) => {
    const where = `event.Records[${index}].Sns`;
    const notification = membersOf(membersOf(record, `event.Records[${index}]`).get('Sns'), where);
    return { id: textOf(notification, 'MessageId', where), body: textOf(notification, 'Message', where) };
  });
}

/**
 * Checks that an event is that of a schedule: our own input `{"schedule": name}`, or EventBridge's plain one.
 * @returns its members, for what a person may add by hand.
 * @throws {EventShapeError} for any other event.
 */
export function readSchedule(event: unknown, name: ScheduleName): Members {
  const members = membersOf(event, 'event');
  const isOurs = members.get('schedule') === name;
  const isPlain = !members.has('schedule') && members.get('detail-type') === 'Scheduled Event';
  if (isOurs || isPlain) return members;
  throw new EventShapeError(`event: expected {"schedule":"${name}"} or a "Scheduled Event", saw neither`);
}

/** The id of this invocation, for the log. */
export function readRequestId(context: unknown): string {
  const id = typeof context === 'object' && context !== null && 'awsRequestId' in context ? context.awsRequestId : '';
  return typeof id === 'string' ? id : '';
}
