import { PublishCommand, type SNSClient } from '@aws-sdk/client-sns';
import type { ProbeSender } from '../../core/pipeline/ports.ts';

/** Publishes to the alarm topics, where CloudWatch publishes. */
export class SnsProbes implements ProbeSender {
  readonly #client: SNSClient;
  readonly #topics: Readonly<Record<'yellow' | 'red', string>>;

  /** @param topics ARN of each tier's alarm topic. */
  constructor(client: SNSClient, topics: Readonly<Record<'yellow' | 'red', string>>) {
    this.#client = client;
    this.#topics = topics;
  }

  async send(tier: 'yellow' | 'red', text: string): Promise<void> {
    await this.#client.send(new PublishCommand({ TopicArn: this.#topics[tier], Message: text }));
  }
}
