import { announcementSchema, endpointEvent } from '../core/contract/env-names.ts';
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

/** An object to be ingested: S3 says that it holds it now, or a sweep found it. */
export interface CaptureNotice {
  /** Of S3's event. */
  readonly eventId?: string | undefined;
  /** Whom the sweep announced it for; undefined: every model that reads it. */
  readonly model?: string | undefined;
  readonly bucket: string;
  readonly key: string;
  readonly account: string | undefined;
  /** Undefined where the event doesn't say. */
  readonly bytes: number | undefined;
  readonly isRepeated: boolean;
}

/** Names of the schedules; see `scheduleInputs`. */
export type ScheduleName = 'tick' | 'sweep' | 'overdue' | 'rollback' | 'endpoints';

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

/** @throws {EventShapeError} for anything but EventBridge's `Object Created` event of S3 and the sweep's announcement. */
export function readCaptureNotice(body: string): CaptureNotice {
  const members = membersOf(parse(body, 'message'), 'message');
  return members.has('schema') ? readAnnouncement(members) : readObjectCreated(members);
}

/** `{"schema":"tidewatch.announcement/1","model":…,"bucket":…,"key":…,"account":…,"bytes":…}`, the account where known. */
function readAnnouncement(members: Members): CaptureNotice {
  if (members.get('schema') !== announcementSchema) {
    throw new EventShapeError(`message.schema: expected ${announcementSchema}, saw another`);
  }
  const bytes = members.get('bytes');
  if (typeof bytes !== 'number' || !Number.isSafeInteger(bytes) || bytes < 0) {
    throw new EventShapeError(`message.bytes: expected a whole number from 0, saw ${kindOf(bytes)}`);
  }
  return {
    model: textOf(members, 'model', 'message'),
    bucket: textOf(members, 'bucket', 'message'),
    key: textOf(members, 'key', 'message'),
    account: members.has('account') ? textOf(members, 'account', 'message') : undefined,
    bytes,
    isRepeated: true,
  };
}

function readObjectCreated(members: Members): CaptureNotice {
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
    isRepeated: false,
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

/**
 * What made a function look that believes nothing of what it is told: an alarm, an endpoint, its schedule.
 * @throws {EventShapeError} for any other event.
 */
export function readDoorbell(event: unknown): 'alarm' | 'endpoint' | 'schedule' {
  if (hasRecords(event)) return readNotifications(event).length > 0 ? 'alarm' : 'schedule';
  if (membersOf(event, 'event').get('detail-type') === endpointEvent.detailType) return 'endpoint';
  readSchedule(event, 'rollback');
  return 'schedule';
}

/** The endpoint that an event says was changed; undefined: the schedule asks for all. */
export function readChangedEndpoint(event: unknown): string | undefined {
  const members = membersOf(event, 'event');
  if (members.get('detail-type') === endpointEvent.detailType) {
    return textOf(membersOf(members.get('detail'), 'detail'), 'EndpointName', 'detail');
  }
  readSchedule(event, 'endpoints');
  return undefined;
}

/**
 * An SNS notification as it lies in a queue: the ARN of its topic and its text.
 * @throws {EventShapeError} for anything else.
 */
export function readTopicMessage(body: string): { readonly topic: string; readonly text: string } {
  const members = membersOf(parse(body, 'message'), 'message');
  return { topic: textOf(members, 'TopicArn', 'message'), text: textOf(members, 'Message', 'message') };
}

/** The model whose incident a person takes on; undefined for another event. */
export function readAcknowledgement(event: unknown): string | undefined {
  const members = membersOf(event, 'event');
  return members.has('acknowledge') ? textOf(members, 'acknowledge', 'event') : undefined;
}

/** Milliseconds that the invocation may still take; infinite where the context doesn't say. */
export function readRemainingTime(context: unknown): number {
  const canTell = typeof context === 'object' && context !== null && 'getRemainingTimeInMillis' in context;
  if (!canTell || typeof context.getRemainingTimeInMillis !== 'function') return Number.POSITIVE_INFINITY;
  const milliseconds: unknown = context.getRemainingTimeInMillis();
  return typeof milliseconds === 'number' ? milliseconds : Number.POSITIVE_INFINITY;
}

/** The id of this invocation, for the log. */
export function readRequestId(context: unknown): string {
  const id = typeof context === 'object' && context !== null && 'awsRequestId' in context ? context.awsRequestId : '';
  return typeof id === 'string' ? id : '';
}
