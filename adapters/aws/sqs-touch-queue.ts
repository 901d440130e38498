import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { TouchQueue } from '../../core/pipeline/ports.ts';

/** Sends touches to a standard queue. Its messages may come twice and in any order. */
export class SqsTouchQueue implements TouchQueue {
  readonly #client: SQSClient;
  readonly #url: string;

  constructor(client: SQSClient, url: string) {
    this.#client = client;
    this.#url = url;
  }

  async touch(windowPrefix: string): Promise<void> {
    await this.#client.send(
      new SendMessageCommand({ QueueUrl: this.#url, MessageBody: JSON.stringify({ windowPrefix }) }),
    );
  }
}
