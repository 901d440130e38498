import { PublishCommand, type PublishCommandInput, type SNSClient } from '@aws-sdk/client-sns';
import { alertDocument } from '../../core/model/alert-document.ts';
import { type AlertWay, deliverTier } from '../../core/model/alert-way.ts';
import type { Message } from '../../core/model/delivery.ts';
import type { Notifier, StateTable } from '../../core/pipeline/ports.ts';

const partition = 'deliveries';
/** SNS takes 256 KiB of all texts and attributes together, and JSON doubles quotation marks and line breaks. */
const maximumTextBytes = 20_000;
const maximumDocumentBytes = 40_000;
const cutNote = '\n\n(cut here: a notification holds no more; the verdict holds all of it)';

/** ARN of each tier's topic. */
export type TierTopics = Readonly<Record<Message['tier'], string>>;

export interface NotifierWays {
  /** The delivery topics, which people, queues and functions subscribe to. */
  readonly people: TierTopics;
  /** The topics that only the function behind pagers, chats and webhooks listens to. */
  readonly deliver: TierTopics;
  /** Whether people were told that a way is cut. */
  isCut(way: AlertWay): Promise<boolean>;
}

/**
 * Publishes to the topics of the message's tier: people get its text, queues, functions and deliver the full JSON. That it
 * was published is noted after, for each topic: a crash in between publishes it again, so a message may come twice and is
 * never lost, and a topic that refuses holds up only itself. People's addresses are the topics'.
 */
export class SnsNotifier implements Notifier {
  readonly #client: SNSClient;
  readonly #ways: NotifierWays;
  readonly #table: StateTable;

  constructor(client: SNSClient, ways: NotifierWays, table: StateTable) {
    this.#client = client;
    this.#ways = ways;
    this.#table = table;
  }

  async deliver(message: Message): Promise<void> {
    const { machine, byProtocol } = textsOf(message);
    const tiers = await this.#deliverTiers(message);
    const published = await Promise.allSettled([
      ...tiers.map((tier) =>
        this.#publish(`${message.id}#deliver-${tier}`, message, {
          TopicArn: this.#ways.deliver[tier],
          Message: machine,
        }),
      ),
      this.#publish(message.id, message, {
        TopicArn: this.#ways.people[message.tier],
        Subject: message.subject,
        MessageStructure: 'json',
        Message: byProtocol,
        MessageAttributes: {
          model: text(message.model),
          tier: text(message.tier),
          event: text(message.event),
          episode: text(message.episode),
          messageId: text(message.id),
        },
      }),
    ]);
    for (const one of published) if (one.status === 'rejected') throw one.reason;
  }

  /** While a tier's own way to deliver is known to be cut, the other's as well: what arrives twice is left out there. */
  async #deliverTiers(message: Message): Promise<readonly Message['tier'][]> {
    const own = deliverTier(message);
    const other = own === 'red' ? 'yellow' : 'red';
    return (await this.#ways.isCut(`deliver-${own}`)) ? [own, other] : [own];
  }

  async #publish(key: string, { time, tier }: Message, input: PublishCommandInput): Promise<void> {
    if (await this.#table.get(partition, key)) return;
    await this.#client.send(new PublishCommand(input));
    // False: another delivery of the same message was noted meanwhile, which is as good.
    await this.#table.put(partition, key, { time, tier }, 0);
  }
}

/** By protocol of the subscription. A detail that would not fit is left to the verdicts it names. */
function textsOf(message: Message): { readonly machine: string; readonly byProtocol: string } {
  const fitted = { ...message, text: fitText(message.text) };
  const full = JSON.stringify(alertDocument(fitted));
  const { detail } = fitted;
  const machine =
    Buffer.byteLength(full) <= maximumDocumentBytes
      ? full
      : JSON.stringify(alertDocument({ ...fitted, detail: { ...detail, findings: [], verdicts: [], mayFollow: [] } }));
  return { machine, byProtocol: JSON.stringify({ default: fitted.text, sqs: machine, lambda: machine }) };
}

function text(value: string) {
  return { DataType: 'String', StringValue: value };
}

function fitText(value: string): string {
  const bytes = Buffer.from(value);
  if (bytes.length <= maximumTextBytes) return value;
  const kept = new TextDecoder().decode(bytes.subarray(0, maximumTextBytes), { stream: true });
  return `${kept}${cutNote}`;
}
