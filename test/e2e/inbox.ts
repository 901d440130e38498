import { parseAlarmMessage } from '../../core/alarm/alarm-message.ts';
import { type AlertDocument, isAlertDocument } from '../../core/model/alert-document.ts';
import type { Aws } from './aws.ts';
import { emptyInbox } from './fleet.ts';
import { waitFor } from './report.ts';

/** All that came to a subscribed queue since it was first looked at. */
export class Inbox {
  readonly #aws: Aws;
  readonly #name: string;
  readonly #documents: AlertDocument[] = [];
  readonly #alarms: string[] = [];

  constructor(aws: Aws, name: string) {
    this.#aws = aws;
    this.#name = name;
  }

  /** Waits for a message of Tidewatch's. @throws {Error} where none comes. */
  async expect(what: string, isIt: (document: AlertDocument) => boolean): Promise<AlertDocument> {
    return waitFor(`the message ${what}`, 60, async () => {
      await this.#take();
      return this.#documents.find(isIt);
    });
  }

  /** Waits for an alarm that comes to people directly. @throws {Error} where it does not. */
  async expectAlarm(name: string): Promise<void> {
    await waitFor(`the alarm ${name}`, 60, async () => {
      await this.#take();
      return this.#alarms.includes(name) ? true : undefined;
    });
  }

  /** Of Tidewatch's messages so far. */
  async list(isIt: (document: AlertDocument) => boolean): Promise<readonly AlertDocument[]> {
    await this.#take();
    return this.#documents.filter(isIt);
  }

  async #take(): Promise<void> {
    for (const { text } of await emptyInbox(this.#aws, this.#name)) {
      const document = readDocument(text);
      if (document) this.#documents.push(document);
      else this.#alarms.push(parseAlarmMessage(text).alarm);
    }
  }
}

function readDocument(text: string): AlertDocument | undefined {
  const value: unknown = JSON.parse(text);
  return isAlertDocument(value) ? value : undefined;
}
