import { PublishCommand, type SNSClient } from '@aws-sdk/client-sns';
import type { AlertWay } from '../../core/model/alert-way.ts';
import type { ProbeSender } from '../../core/pipeline/ports.ts';

/** Publishes to the topics that ways begin with: the alarm topics, where CloudWatch publishes, and the deliver topics. */
export class SnsProbes implements ProbeSender {
  readonly #client: SNSClient;
  readonly #topics: Readonly<Record<AlertWay, string>>;

  /** @param topics ARN of each way's topic. */
  constructor(client: SNSClient, topics: Readonly<Record<AlertWay, string>>) {
    this.#client = client;
    this.#topics = topics;
  }

  async send(way: AlertWay, text: string): Promise<void> {
    await this.#client.send(new PublishCommand({ TopicArn: this.#topics[way], Message: text }));
  }
}
