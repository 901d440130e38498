import { guardIntegrity } from '../core/pipeline/guard-integrity.ts';
import { type IngestPorts, ingestCapture } from '../core/pipeline/ingest.ts';
import { RefusedCapture, rootOf } from '../core/pipeline/locate.ts';
import type { ModelRuntime } from '../core/pipeline/model-runtime.ts';
import { CaptureTooEarly } from '../core/pipeline/record-versions.ts';
import { runBounded } from '../core/pipeline/run-bounded.ts';
import { readVariable } from './environment.ts';
import { handlerFolder, loadRuntimes } from './load-runtimes.ts';
import { bindLog, createLog, type Log } from './log.ts';
import { FailedMessages, type PartialFailures } from './partial-failure.ts';
import { connectIngest, connectRetries } from './ports-on-aws.ts';
import { prepareOnce } from './prepare-once.ts';
import {
  type CaptureNotice,
  readCaptureNotice,
  readQueueBatch,
  readRemainingTime,
  readRequestId,
} from './read-event.ts';
import { bringBack, type RetryDelay } from './retry-delay.ts';

export interface IngestSetup {
  readonly runtimes: readonly ModelRuntime[];
  readonly ports: IngestPorts;
  readonly retries: RetryDelay;
  readonly log: Log;
}

const concurrentMessages = 4;
/** Larger objects are taken in one at a time, after all others: their memory adds up, and what they break comes last. */
const largeBytes = 8 * 1024 * 1024;
/** Text that repeats itself, as JSON lines do, is compressed to about a thirtieth of its size. */
const largeCompressedBytes = largeBytes / 32;
/**
 * No object is begun with less time left: the longest that is taken in whole, 256 MiB of text, takes three quarters of a
 * minute alone, and the rest is for saying what was not done.
 */
const reserveMilliseconds = 90_000;

/**
 * Takes in the capture objects that a batch of messages names: events of S3, and announcements of the sweep. What there is
 * no time for comes again soon, and first: those that were put off before have their turn before the others.
 */
export function createIngestHandler(
  prepare: () => Promise<IngestSetup>,
): (event: unknown, context: unknown) => Promise<PartialFailures> {
  const setUp = prepareOnce(prepare);
  return async (event, context) => {
    const setup = await setUp();
    const requestId = readRequestId(context);
    const failed = new FailedMessages();
    const large: (() => Promise<void>)[] = [];
    let postponed = 0;

    const messages = readQueueBatch(event).toSorted((a, b) => b.receives - a.receives);
    await runBounded(messages, concurrentMessages, ({ id, body }) => {
      const log = bindLog(setup.log, { requestId, messageId: id });
      return failed.guard([id], log, async () => {
        const notice = readCaptureNotice(body);
        const ingest = async () => {
          if (readRemainingTime(context) >= reserveMilliseconds) {
            const isDone = await ingestNotice(setup, bindLog(log, { eventId: notice.eventId }), notice);
            if (!isDone) failed.putOff([id]);
            return;
          }
          failed.putOff([id]);
          postponed++;
        };
        if (isLarge(notice)) large.push(() => failed.guard([id], log, ingest));
        else await ingest();
      });
    });
    for (const ingest of large) await ingest();
    const log = bindLog(setup.log, { requestId });
    if (postponed > 0) log.warn('captures put off: the time is up', { captures: postponed });
    await bringBack(setup.retries, failed.of(messages), log);
    return failed.answer();
  };
}

/** Of compressed text only the compressed size is known before it is read. */
function isLarge({ key, bytes = 0 }: CaptureNotice): boolean {
  return bytes > (/\.gz(ip)?$/i.test(key) ? largeCompressedBytes : largeBytes);
}

/**
 * Several models may share an object; one that fails does not keep the others from it.
 * @returns false where it has to come again, which is no error
 */
async function ingestNotice({ runtimes, ports }: IngestSetup, log: Log, notice: CaptureNotice): Promise<boolean> {
  const { bucket, key, model } = notice;
  const concerned = runtimes.filter(
    ({ policy }) =>
      (model === undefined || policy.name === model) &&
      policy.sources.some((source) => source.bucket === bucket && key.startsWith(rootOf(source))),
  );
  if (concerned.length === 0) log.warn('capture refused: it lies under no source', { bucket, key });
  const errors: unknown[] = [];
  let isDone = true;
  for (const runtime of concerned) {
    const bound = bindLog(log, { model: runtime.policy.name, bucket, key });
    try {
      await ingestFor(runtime, ports, bound, notice);
    } catch (error) {
      if (error instanceof CaptureTooEarly) {
        bound.info('capture put off: its endpoint was not looked at yet', {});
        isDone = false;
      } else errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
  return isDone;
}

async function ingestFor(runtime: ModelRuntime, ports: IngestPorts, log: Log, notice: CaptureNotice): Promise<void> {
  try {
    const report = await guardIntegrity(runtime, ports, () => ingestCapture(runtime, ports, notice));
    if (!report) log.error('capture conflicts with what was ingested under its key; a finding tells of it', {});
    else if (report.outcome === 'gone') log.warn('capture is gone', {});
    else {
      const { counted, requests, quarantined, duplicate, expired, labels, fragments } = report;
      const windows = fragments.length;
      log.info('capture ingested', { counted, requests, quarantined, duplicate, expired, labels, windows });
    }
  } catch (error) {
    if (!(error instanceof RefusedCapture)) throw error;
    log.warn('capture refused', { reason: error.message });
  }
}

async function prepareOnAws(): Promise<IngestSetup> {
  return {
    runtimes: await loadRuntimes(handlerFolder, readVariable('code')),
    log: createLog(),
    ports: connectIngest(),
    retries: connectRetries('ingestQueueUrl'),
  };
}

export const handler = createIngestHandler(prepareOnAws);
