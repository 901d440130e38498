import { runBounded } from '../core/pipeline/run-bounded.ts';
import { describeFault } from './fault.ts';
import { bindLog, type Log } from './log.ts';
import type { QueueMessage } from './read-event.ts';

/** Says when a message that was received, and not dealt with, is shown again. */
export interface RetryDelay {
  delay(receiptHandle: string, seconds: number): Promise<void>;
}

const firstSeconds = 30;
const longestSeconds = 900;
const concurrentRequests = 8;

/** 30 seconds after the first attempt, twice as long after each further one: five attempts end within eight minutes. */
export function retrySeconds(receives: number): number {
  return Math.min(longestSeconds, firstSeconds * 2 ** (Math.max(1, receives) - 1));
}

/**
 * Brings messages that failed back soon. Without it they come when the queue's visibility timeout is over, which is made
 * for a function that was killed, and after the window of a capture was judged without it. Where this fails, they still do.
 */
export async function bringBack(retries: RetryDelay, failed: readonly QueueMessage[], log: Log): Promise<void> {
  await runBounded(failed, concurrentRequests, async ({ id, receiptHandle, receives }) => {
    if (receiptHandle === undefined) return;
    try {
      await retries.delay(receiptHandle, retrySeconds(receives));
    } catch (error) {
      bindLog(log, { messageId: id }).warn('message will come back late', { fault: describeFault(error) });
    }
  });
}
