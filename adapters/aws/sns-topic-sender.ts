import { PublishCommand, type SNSClient } from '@aws-sdk/client-sns';
import type { TopicSender } from '../../core/pipeline/ports.ts';

/** Publishes to topics as they are named. */
export class SnsTopicSender implements TopicSender {
  readonly #client: SNSClient;

  constructor(client: SNSClient) {
    this.#client = client;
  }

  async publish(topic: string, text: string): Promise<void> {
    await this.#client.send(new PublishCommand({ TopicArn: topic, Message: text }));
  }
}
