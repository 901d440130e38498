import { PublishCommand, type SNSClient } from '@aws-sdk/client-sns';
import { alertDocument } from '../../core/model/alert-document.ts';
import type { Message } from '../../core/model/delivery.ts';
import type { Notifier, StateTable } from '../../core/pipeline/ports.ts';

const partition = 'deliveries';
/** SNS takes 256 KiB of all texts and attributes together, and JSON doubles quotation marks and line breaks. */
const maximumTextBytes = 20_000;
const maximumDocumentBytes = 40_000;
const cutNote = '\n\n(cut here: a notification holds no more; the verdict holds all of it)';

/**
 * Publishes to the delivery topic of the message's tier: people and chats get its text, queues and functions the full JSON. A message's id is noted after it was published: a crash in
 * between publishes it again, so a message may come twice and is never lost. People's addresses are the topics'.
 */
export class SnsNotifier implements Notifier {
  readonly #client: SNSClient;
  readonly #topics: Readonly<Record<Message['tier'], string>>;
  readonly #table: StateTable;

  /** @param topics ARN of each tier's delivery topic. */
  constructor(client: SNSClient, topics: Readonly<Record<Message['tier'], string>>, table: StateTable) {
    this.#client = client;
    this.#topics = topics;
    this.#table = table;
  }

  async deliver(message: Message): Promise<void> {
    if (await this.#table.get(partition, message.id)) return;
    await this.#client.send(
      new PublishCommand({
        TopicArn: this.#topics[message.tier],
        Subject: message.subject,
        MessageStructure: 'json',
        Message: textsOf(message),
        MessageAttributes: {
          model: text(message.model),
          tier: text(message.tier),
          event: text(message.event),
          episode: text(message.episode),
          messageId: text(message.id),
        },
      }),
    );
    // False: another delivery of the same message was noted meanwhile, which is as good.
    await this.#table.put(partition, message.id, { time: message.time, tier: message.tier }, 0);
  }
}

/** By protocol of the subscription. A detail that would not fit is left to the verdicts it names. */
function textsOf(message: Message): string {
  const fitted = { ...message, text: fitText(message.text) };
  const full = JSON.stringify(alertDocument(fitted));
  const { detail } = fitted;
  const machine =
    Buffer.byteLength(full) <= maximumDocumentBytes
      ? full
      : JSON.stringify(alertDocument({ ...fitted, detail: { ...detail, findings: [], verdicts: [], mayFollow: [] } }));
  return JSON.stringify({ default: fitted.text, sqs: machine, lambda: machine });
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
