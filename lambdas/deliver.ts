import { createSqsClient } from '../adapters/aws/clients.ts';
import { SqsDeadLetters } from '../adapters/aws/sqs-dead-letters.ts';
import { parseAlarmMessage } from '../core/alarm/alarm-message.ts';
import { parseAlarmDescription } from '../core/contract/alarm-text.ts';
import { type AlertDocument, isAlertDocument } from '../core/model/alert-document.ts';
import type { Message } from '../core/model/delivery.ts';
import { DeliveryFailed, DeliveryRefused } from '../core/model/delivery-errors.ts';
import type { DeliveredContact, FleetPolicy, ModelPolicy } from '../core/model/policy.ts';
import { contactId, contactsOf, type DeliverPorts, deliverTo } from '../core/pipeline/deliver.ts';
import { runBounded } from '../core/pipeline/run-bounded.ts';
import { directDocument } from '../core/route/direct-alarm.ts';
import { readVariable } from './environment.ts';
import { describeFault, EventShapeError } from './fault.ts';
import { handlerFolder, loadPolicies } from './load-runtimes.ts';
import { bindLog, createLog, type Log } from './log.ts';
import { FailedMessages, type PartialFailures } from './partial-failure.ts';
import { connectDeliver, connectRetries } from './ports-on-aws.ts';
import { prepareOnce } from './prepare-once.ts';
import { type QueueMessage, readQueueBatch, readRequestId, readTopicMessage } from './read-event.ts';
import { bringBack, type RetryDelay } from './retry-delay.ts';

/** So many that a dozen servers which hang do not take as long as the function may run. */
const concurrentContacts = 16;

/** Where what can never be delivered is put. */
export interface DeadLetters {
  put(body: string, reason: string): Promise<void>;
}

export interface DeliverSetup {
  readonly fleet: FleetPolicy;
  /** All models of the fleet. */
  readonly policies: readonly ModelPolicy[];
  /** The tier of each delivery topic, by ARN. */
  readonly topics: ReadonlyMap<string, Message['tier']>;
  readonly ports: DeliverPorts;
  readonly retries: RetryDelay;
  readonly deadLetters: DeadLetters;
  readonly log: Log;
}

/**
 * Brings the messages of the delivery topics to pagers, chats and webhooks. A contact that fails does not hold up the
 * others; its message comes again, later each time. What no attempt can change goes to the dead letters at once, whose
 * alarm reaches people directly.
 */
export function createDeliverHandler(
  prepare: () => Promise<DeliverSetup>,
): (event: unknown, context: unknown) => Promise<PartialFailures> {
  const setUp = prepareOnce(prepare);
  return async (event, context) => {
    const setup = await setUp();
    const log = bindLog(setup.log, { requestId: readRequestId(context) });
    const messages = readQueueBatch(event);
    const failures = new FailedMessages();
    // One after another: a newer message of an incident in the same batch must not overtake an older one.
    for (const message of messages) {
      const bound = bindLog(log, { messageId: message.id });
      await failures.guard([message.id], bound, () => deliverMessage(setup, bound, message));
    }
    await bringBack(setup.retries, failures.of(messages), log);
    return failures.answer();
  };
}

async function deliverMessage(setup: DeliverSetup, log: Log, { body }: QueueMessage): Promise<void> {
  const { fleet, policies, ports, deadLetters } = setup;
  const alert = readAlert(setup, body);
  const failed: string[] = [];
  const refused: DeliveryRefused[] = [];
  const tell = async (contact: DeliveredContact) => {
    const bound = bindLog(log, { contact: contactId(contact), episode: alert.episode });
    try {
      await deliverTo(contact, alert, fleet.webhookHosts ?? [], ports);
      bound.info('message delivered', { event: alert.event });
    } catch (error) {
      bound.error('message not delivered', { fault: describeFault(error) });
      if (error instanceof DeliveryRefused) refused.push(error);
      else failed.push(contactId(contact));
    }
  };
  await runBounded(contactsOf(policies, alert), concurrentContacts, tell);
  if (failed.length > 0) throw new DeliveryFailed(`${failed.join(', ')} could not be reached`);
  // Last, so that it is put there once: sent back to the queue it is tried again, and those that got it are left out.
  const [first] = refused;
  if (first) await deadLetters.put(body, first.message);
}

/** @throws {EventShapeError} where the message is neither Tidewatch's nor CloudWatch's. */
function readAlert({ topics, fleet }: DeliverSetup, body: string): AlertDocument {
  const { topic, text } = readTopicMessage(body);
  const tier = topics.get(topic);
  if (!tier) throw new EventShapeError('message.TopicArn: expected one of our delivery topics, saw another');
  const document = parseDocument(text);
  if (document) return document;
  const report = parseAlarmMessage(text);
  const words = parseAlarmDescription(report.description ?? '');
  return directDocument(report, tier, {
    description: words?.description ?? report.alarm,
    runbook: words?.runbook ?? fleet.runbook,
  });
}

function parseDocument(text: string): AlertDocument | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isAlertDocument(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

async function prepareOnAws(): Promise<DeliverSetup> {
  const { fleet, policies } = await loadPolicies(handlerFolder);
  return {
    fleet,
    policies,
    topics: new Map([
      [readVariable('yellowTopicArn'), 'yellow'],
      [readVariable('redTopicArn'), 'red'],
    ]),
    ports: connectDeliver(),
    retries: connectRetries('deliverQueueUrl'),
    deadLetters: new SqsDeadLetters(createSqsClient(), readVariable('deliverDeadLetterQueueUrl')),
    log: createLog(),
  };
}

export const handler = createDeliverHandler(prepareOnAws);
