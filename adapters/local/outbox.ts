import { randomBytes } from 'node:crypto';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { shortHash } from '../../core/model/content-hash.ts';
import type { Message } from '../../core/model/delivery.ts';
import type { Notifier } from '../../core/pipeline/ports.ts';
import { expectText, expectTime, readText } from './sqlite-columns.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

const maximumNameLength = 60;

export interface OutboxOptions {
  /** Addresses of the people a message is for. */
  readonly recipients: (message: Message) => readonly string[];
  /**
   * Called with each message when its file is written, before it counts as delivered: after a crash in between it is
   * called again.
   * @default - nobody is told
   */
  readonly onMessage?: ((message: Message, file: string) => void) | undefined;
}

/** A delivered message and the name of its file in the outbox. */
export interface OutboxEntry {
  readonly message: Message;
  readonly file: string;
}

/** Delivers messages as text files in a folder, one per message, as a mail server would take them. */
export class Outbox implements Notifier {
  readonly #database: SqliteDatabase;
  readonly #folder: string;
  readonly #options: OutboxOptions;

  constructor(database: SqliteDatabase, folder: string, options: OutboxOptions) {
    this.#database = database;
    this.#folder = folder;
    this.#options = options;
    mkdirSync(folder, { recursive: true });
  }

  /** At least once: the file and the callback come before the note that it was delivered. A known id does nothing. */
  async deliver(message: Message): Promise<void> {
    expectTime(`message ${message.id}`, message.time);
    expectText('message', message.id);
    if (this.#database.first('SELECT id FROM outbox WHERE id = ?', message.id) !== undefined) return;
    const file = fileName(message);
    const path = join(this.#folder, file);
    const aside = join(this.#folder, `.${randomBytes(8).toString('hex')}`);
    writeFileSync(aside, mailText(message, this.#options.recipients(message)));
    renameSync(aside, path);
    this.#options.onMessage?.(message, file);
    this.#database.run(
      'INSERT OR IGNORE INTO outbox (id, time, message, file) VALUES (?, ?, ?, ?)',
      message.id,
      message.time,
      JSON.stringify(message),
      file,
    );
  }

  /** All delivered messages by time, then in the order of delivery. */
  delivered(): readonly OutboxEntry[] {
    return this.#database
      .all('SELECT message, file FROM outbox ORDER BY time, rowid')
      .map((row) => ({ message: JSON.parse(readText(row, 'message')), file: readText(row, 'file') }));
  }
}

function fileName({ id, time, tier, event, model }: Message): string {
  const stamp = new Date(time).toISOString().slice(0, -5).replaceAll(':', '-');
  return `${stamp}-${tier}-${event}-${nameFile(model)}-${nameFile(id)}.txt`;
}

/** A part of a file name. Where characters or length had to give way, a hash keeps different names apart. */
function nameFile(text: string): string {
  const safe = text.replaceAll(/[^A-Za-z0-9._-]/g, '_').slice(0, maximumNameLength);
  return safe === text ? text : `${safe}-${shortHash(text)}`;
}

function mailText(message: Message, recipients: readonly string[]): string {
  const headers: readonly (readonly [name: string, value: string])[] = [
    ['Subject', message.subject],
    ['To', recipients.join(', ')],
    ['Date', new Date(message.time).toUTCString().replace('GMT', '+0000')],
    ['X-Tidewatch-Message', message.id],
    ['X-Tidewatch-Episode', message.episode],
    ['Content-Type', 'text/plain; charset=utf-8'],
  ];
  const lines = headers.map(([name, value]) => `${name}: ${value.replaceAll(/\p{Cc}+/gu, ' ')}`);
  return `${lines.join('\n')}\n\n${message.text}\n`;
}
