import { createSqsClient } from '../adapters/aws/clients.ts';
import { SqsDeadLetters } from '../adapters/aws/sqs-dead-letters.ts';
import { parseAlarmMessage } from '../core/alarm/alarm-message.ts';
import { parseAlarmDescription } from '../core/contract/alarm-text.ts';
import { toldTiers } from '../core/contract/infrastructure-alarms.ts';
import { type AlertDocument, isAlertDocument } from '../core/model/alert-document.ts';
import type { Message } from '../core/model/delivery.ts';
import { DeliveryFailed, DeliveryRefused } from '../core/model/delivery-errors.ts';
import type { DeliveredContact, FleetPolicy, ModelPolicy } from '../core/model/policy.ts';
import { contactId, contactsOf, type DeliverPorts, deliverTo } from '../core/pipeline/deliver.ts';
import { hearDirectAlarm } from '../core/pipeline/direct-alarms.ts';
import { noteProbe } from '../core/pipeline/probe-receipts.ts';
import { runBounded } from '../core/pipeline/run-bounded.ts';
import { readProbe } from '../core/route/probe.ts';
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
  /** The tier of each deliver topic, by ARN. */
  readonly topics: ReadonlyMap<string, Message['tier']>;
  readonly ports: DeliverPorts;
  readonly retries: RetryDelay;
  readonly deadLetters: DeadLetters;
  readonly log: Log;
}

/**
 * Brings the messages of the deliver topics to pagers, chats and webhooks. A contact that fails does not hold up the
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
  const failed: string[] = [];
  const refused: DeliveryRefused[] = [];
  for (const alert of await readAlerts(setup, body)) {
    const contacts = contactsOf(setup.policies, alert);
    await runBounded(contacts, concurrentContacts, (contact) => tell(setup, log, contact, alert, { failed, refused }));
  }
  if (failed.length > 0) throw new DeliveryFailed(`${failed.join(', ')} could not be reached`);
  // Last, so that it is put there once: sent back to the queue it is tried again, and those that got it are left out.
  const [first] = refused;
  if (first) await setup.deadLetters.put(body, first.message);
}

async function tell(
  { fleet, ports }: DeliverSetup,
  log: Log,
  contact: DeliveredContact,
  alert: AlertDocument,
  { failed, refused }: { readonly failed: string[]; readonly refused: DeliveryRefused[] },
): Promise<void> {
  const bound = bindLog(log, { contact: contactId(contact), episode: alert.episode });
  try {
    await deliverTo(contact, alert, fleet.webhookHosts ?? [], ports);
    bound.info('message delivered', { event: alert.event });
  } catch (error) {
    bound.error('message not delivered', { fault: describeFault(error) });
    if (error instanceof DeliveryRefused) refused.push(error);
    else failed.push(contactId(contact));
  }
}

/** @throws {EventShapeError} where the message is neither Tidewatch's nor CloudWatch's. */
async function readAlerts({ topics, fleet, ports }: DeliverSetup, body: string): Promise<readonly AlertDocument[]> {
  const { topic, text } = readTopicMessage(body);
  const tier = topics.get(topic);
  if (!tier) throw new EventShapeError('message.TopicArn: expected one of our deliver topics, saw another');
  const probe = readProbe(text);
  if (probe) {
    await noteProbe(probe, ports.table);
    return [];
  }
  const document = parseDocument(text);
  if (document) return [document];
  const report = parseAlarmMessage(text);
  const words = parseAlarmDescription(report.description ?? '');
  const description = words?.description ?? report.alarm;
  const runbook = words?.runbook ?? fleet.runbook;
  const documents: AlertDocument[] = [];
  for (const told of toldTiers(report.alarm, tier))
    documents.push(...(await hearDirectAlarm(report, told, { description, runbook }, ports.table)));
  return documents;
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
      [readVariable('yellowDeliverTopicArn'), 'yellow'],
      [readVariable('redDeliverTopicArn'), 'red'],
    ]),
    ports: connectDeliver(),
    retries: connectRetries('deliverQueueUrl'),
    deadLetters: new SqsDeadLetters(createSqsClient(), readVariable('deliverDeadLetterQueueUrl')),
    log: createLog(),
  };
}

export const handler = createDeliverHandler(prepareOnAws);
