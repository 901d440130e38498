import { describeFault } from './fault.ts';
import type { Log } from './log.ts';

/** What an SQS-driven function answers: messages named here are delivered again, the rest are done. */
export interface PartialFailures {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}

/** Collects the messages that failed. */
export class FailedMessages {
  readonly #ids = new Set<string>();

  /** Runs a step; where it fails, these messages are to be delivered again. */
  async guard(ids: readonly string[], log: Log, step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      for (const id of ids) this.#ids.add(id);
      log.error('message failed, it will be delivered again', { fault: describeFault(error) });
    }
  }

  /** These messages had no turn and are to be delivered again, which is no error. */
  putOff(ids: readonly string[]): void {
    for (const id of ids) this.#ids.add(id);
  }

  /** Those of these messages that failed. */
  of<T extends { readonly id: string }>(messages: readonly T[]): readonly T[] {
    return messages.filter(({ id }) => this.#ids.has(id));
  }

  answer(): PartialFailures {
    return { batchItemFailures: [...this.#ids].map((itemIdentifier) => ({ itemIdentifier })) };
  }
}
