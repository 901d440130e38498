import { guardIntegrity } from '../core/pipeline/guard-integrity.ts';
import { type IngestPorts, ingestCapture } from '../core/pipeline/ingest.ts';
import { RefusedCapture, rootOf } from '../core/pipeline/locate.ts';
import type { ModelRuntime } from '../core/pipeline/model-runtime.ts';
import { readVariable } from './environment.ts';
import { handlerFolder, loadRuntimes } from './load-runtimes.ts';
import { bindLog, createLog, type Log } from './log.ts';
import { FailedMessages, type PartialFailures } from './partial-failure.ts';
import { connectIngest, connectRetries } from './ports-on-aws.ts';
import { prepareOnce } from './prepare-once.ts';
import { type CaptureNotice, readCaptureNotice, readQueueBatch, readRequestId } from './read-event.ts';
import { bringBack, type RetryDelay } from './retry-delay.ts';
import { runBounded } from './run-bounded.ts';

export interface IngestSetup {
  readonly runtimes: readonly ModelRuntime[];
  readonly ports: IngestPorts;
  readonly retries: RetryDelay;
  readonly log: Log;
}

const concurrentMessages = 4;
/** Larger objects are taken in one at a time, after all others: their memory adds up, and what they break comes last. */
const largeBytes = 8 * 1024 * 1024;

/** Takes in the capture objects that a batch of S3 events announces. */
export function createIngestHandler(
  prepare: () => Promise<IngestSetup>,
): (event: unknown, context: unknown) => Promise<PartialFailures> {
  const setUp = prepareOnce(prepare);
  return async (event, context) => {
    const setup = await setUp();
    const requestId = readRequestId(context);
    const failed = new FailedMessages();
    const large: (() => Promise<void>)[] = [];

    const messages = readQueueBatch(event);
    await runBounded(messages, concurrentMessages, (message) => {
      const log = bindLog(setup.log, { requestId, messageId: message.id });
      return failed.guard([message.id], log, async () => {
        const notice = readCaptureNotice(message.body);
        const ingest = () => ingestNotice(setup, bindLog(log, { eventId: notice.eventId }), notice);
        if ((notice.bytes ?? 0) <= largeBytes) await ingest();
        else large.push(() => failed.guard([message.id], log, ingest));
      });
    });
    for (const ingest of large) await ingest();
    await bringBack(setup.retries, failed.of(messages), bindLog(setup.log, { requestId }));
    return failed.answer();
  };
}

/** Several models may share an object; one that fails does not keep the others from it. */
async function ingestNotice({ runtimes, ports }: IngestSetup, log: Log, notice: CaptureNotice): Promise<void> {
  const { bucket, key } = notice;
  const concerned = runtimes.filter(({ policy }) =>
    policy.sources.some((source) => source.bucket === bucket && key.startsWith(rootOf(source))),
  );
  if (concerned.length === 0) log.warn('capture refused: it lies under no source', { bucket, key });
  const errors: unknown[] = [];
  for (const runtime of concerned) {
    try {
      await ingestFor(runtime, ports, bindLog(log, { model: runtime.policy.name, bucket, key }), notice);
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}

async function ingestFor(runtime: ModelRuntime, ports: IngestPorts, log: Log, notice: CaptureNotice): Promise<void> {
  try {
    const report = await guardIntegrity(runtime, ports, () => ingestCapture(runtime, ports, notice));
    if (!report) log.error('capture conflicts with what was ingested under its key; a finding tells of it', {});
    else if (report.outcome === 'gone') log.warn('capture is gone', {});
    else {
      const { counted, requests, quarantined, duplicate, expired, fragments } = report;
      log.info('capture ingested', { counted, requests, quarantined, duplicate, expired, windows: fragments.length });
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
    retries: connectRetries(),
  };
}

export const handler = createIngestHandler(prepareOnAws);
