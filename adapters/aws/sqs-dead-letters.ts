import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';

/** Puts what no further attempt would change where its alarm rings. */
export class SqsDeadLetters {
  readonly #client: SQSClient;
  readonly #url: string;

  constructor(client: SQSClient, url: string) {
    this.#client = client;
    this.#url = url;
  }

  /** @param reason names what is wrong, without a value out of a secret or a payload. */
  async put(body: string, reason: string): Promise<void> {
    await this.#client.send(
      new SendMessageCommand({
        QueueUrl: this.#url,
        MessageBody: body,
        MessageAttributes: { reason: { DataType: 'String', StringValue: reason.slice(0, 500) } },
      }),
    );
  }
}
