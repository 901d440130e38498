import { announcementSchema } from '../../core/contract/env-names.ts';
import type { AnnouncedCapture } from '../../core/pipeline/ports.ts';
import type { Log, LogFields } from '../../lambdas/log.ts';
import { captureBucket } from '../pipeline/capture-lines.ts';

/** An S3 event as EventBridge puts it on a queue. */
export function captureEvent(key: string, changes: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    version: '0',
    id: `event-${key}`,
    'detail-type': 'Object Created',
    source: 'aws.s3',
    account: '111122223333',
    detail: { bucket: { name: captureBucket }, object: { key, size: 100 } },
    ...changes,
  });
}

/** An object that the sweep announces on the same queue. */
export function announcement(capture: AnnouncedCapture): string {
  return JSON.stringify({ schema: announcementSchema, ...capture });
}

/** A batch of SQS; the messages are named by their position. */
export function queueBatch(bodies: readonly unknown[]) {
  return { Records: bodies.map((body, index) => ({ messageId: `m${index}`, body, eventSource: 'aws:sqs' })) };
}

export function notifications(texts: readonly string[]) {
  return {
    Records: texts.map((Message, index) => ({ EventSource: 'aws:sns', Sns: { MessageId: `n${index}`, Message } })),
  };
}

export function failedIds(answer: unknown): readonly string[] {
  const { batchItemFailures } = answer as { batchItemFailures: readonly { itemIdentifier: string }[] };
  return batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
}

export const context = { awsRequestId: 'request-1' };

/** Keeps every line. */
export class RecordedLog implements Log {
  readonly lines: { readonly level: string; readonly message: string; readonly fields: LogFields }[] = [];

  info(message: string, fields: LogFields): void {
    this.lines.push({ level: 'info', message, fields });
  }

  warn(message: string, fields: LogFields): void {
    this.lines.push({ level: 'warn', message, fields });
  }

  error(message: string, fields: LogFields): void {
    this.lines.push({ level: 'error', message, fields });
  }

  messages(level: string): readonly string[] {
    return this.lines.filter((line) => line.level === level).map(({ message }) => message);
  }
}
