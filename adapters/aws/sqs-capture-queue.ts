import { SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { announcementSchema } from '../../core/contract/env-names.ts';
import type { AnnouncedCapture, CaptureQueue } from '../../core/pipeline/ports.ts';

/** SQS takes as many messages in a request. */
const batchMessages = 10;
const batchesAtOnce = 5;

/** Sends announcements of capture objects to the queue that also takes S3's events, ten in a request. */
export class SqsCaptureQueue implements CaptureQueue {
  readonly #client: SQSClient;
  readonly #url: string;

  constructor(client: SQSClient, url: string) {
    this.#client = client;
    this.#url = url;
  }

  async announce(captures: readonly AnnouncedCapture[]): Promise<void> {
    const batches: (readonly AnnouncedCapture[])[] = [];
    for (let at = 0; at < captures.length; at += batchMessages) batches.push(captures.slice(at, at + batchMessages));
    for (let at = 0; at < batches.length; at += batchesAtOnce) {
      await Promise.all(batches.slice(at, at + batchesAtOnce).map((batch) => this.#send(batch)));
    }
  }

  async #send(captures: readonly AnnouncedCapture[]): Promise<void> {
    const { Failed = [] } = await this.#client.send(
      new SendMessageBatchCommand({
        QueueUrl: this.#url,
        Entries: captures.map(({ model, bucket, key, account, bytes }, index) => ({
          Id: String(index),
          MessageBody: JSON.stringify({ schema: announcementSchema, model, bucket, key, account, bytes }),
        })),
      }),
    );
    if (Failed.length === 0) return;
    const codes = [...new Set(Failed.map(({ Code }) => Code))].join(', ');
    throw new Error(`ingest queue: expected to take ${captures.length} messages, refused ${Failed.length}: ${codes}`);
  }
}
