import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnPermission } from 'aws-cdk-lib/aws-lambda';
import { CfnSubscription, type ITopic } from 'aws-cdk-lib/aws-sns';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { shortHash } from '../core/model/content-hash.ts';
import { type FleetPolicy, isDelivered, type ModelPolicy, type SubscribedContact } from '../core/model/policy.ts';
import { EventBusPipe } from './event-bus-pipe.ts';
import { type FleetNames, fleetModel } from './names.ts';
import type { Topics } from './topics.ts';

/** SNS takes this many values in a filter. Whoever watches more models than that gets all messages. */
const maximumFilterValues = 150;

/** A contact and what it is told. */
export interface PlannedSubscription {
  readonly contact: SubscribedContact;
  /** Undefined: everything. */
  readonly models?: readonly string[] | undefined;
}

/**
 * Who subscribes to a tier. A contact of every model needs no filter; another hears of its models and of the fleet.
 * @returns one entry a contact, in the order of the configuration.
 */
export function planSubscriptions(
  models: readonly Pick<ModelPolicy, 'name' | 'alerts'>[],
  tier: 'yellow' | 'red',
): readonly PlannedSubscription[] {
  const contacts = new Map<string, { contact: SubscribedContact; models: string[] }>();
  for (const { name, alerts } of models) {
    for (const contact of alerts[tier]) {
      if (isDelivered(contact)) continue;
      const key = `${contact.kind}:${identify(contact)}`;
      const known = contacts.get(key);
      if (known) known.models.push(name);
      else contacts.set(key, { contact, models: [name] });
    }
  }
  return [...contacts.values()].map(({ contact, models: named }) => ({
    contact,
    models: named.length === models.length || named.length >= maximumFilterValues ? undefined : named,
  }));
}

/** What tells a contact from another of its kind. Mail systems take addresses in any case; paths and ARNs are as written. */
function identify({ kind, address }: SubscribedContact): string {
  return kind === 'email' ? address.toLowerCase() : address;
}

export interface SubscriptionsProps {
  readonly names: FleetNames;
  readonly fleet: FleetPolicy;
  readonly topics: Topics;
  readonly models: readonly ModelPolicy[];
  /** Messages that an endpoint kept refusing. */
  readonly deadLetters: Queue;
}

/** The contacts of the configuration that take messages by themselves, subscribed to the delivery topics. */
export class Subscriptions extends Construct {
  readonly #deadLetters: Queue;
  /** By the bus's ARN. */
  readonly #pipes = new Map<string, EventBusPipe>();

  constructor(scope: Construct, id: string, props: SubscriptionsProps) {
    super(scope, id);
    const { topics, models, deadLetters } = props;
    this.#deadLetters = deadLetters;
    this.#createPipes(props);
    const used: ITopic[] = [];
    for (const tier of ['yellow', 'red'] as const) {
      const delivery = topics.delivery.get(tier);
      const failures = topics.failures.get(tier);
      if (!delivery || !failures) continue;
      for (const planned of planSubscriptions(models, tier)) {
        this.#subscribe(`${tier}-delivery`, delivery, planned);
        used.push(delivery);
        // An alarm's own message carries no attributes, so that no filter by model ever lets it pass.
        if (planned.models === undefined) continue;
        this.#subscribe(`${tier}-failures`, failures, { contact: planned.contact });
        used.push(failures);
      }
    }
    if (used.length === 0) return;
    deadLetters.addToResourcePolicy(
      new PolicyStatement({
        sid: 'RefusedMessages',
        principals: [new ServicePrincipal('sns.amazonaws.com')],
        actions: ['sqs:SendMessage'],
        resources: [deadLetters.queueArn],
        conditions: { ArnEquals: { 'aws:SourceArn': [...new Set(used)].map(({ topicArn }) => topicArn) } },
      }),
    );
  }

  /** One for each bus, however many models and tiers name it. */
  #createPipes({ names, fleet, topics, models }: SubscriptionsProps): void {
    const contacts = models.flatMap(({ alerts }) => [...alerts.yellow, ...alerts.red]);
    const buses = new Set(contacts.flatMap(({ kind, address }) => (kind === 'eventBus' ? [address] : [])));
    const sources = [...topics.delivery.values(), ...topics.failures.values()];
    for (const bus of buses) {
      this.#pipes.set(bus, new EventBusPipe(this, `bus-${shortHash(bus)}`, { names, fleet, bus, topics: sources }));
    }
  }

  #subscribe(group: string, topic: ITopic, { contact, models }: PlannedSubscription): void {
    // Named by whom it reaches, so that a changed list of contacts leaves the others as they are, confirmed.
    const id = `${group}-${contact.kind}-${shortHash(identify(contact))}`;
    const pipe = this.#pipes.get(contact.address);
    const protocol = contact.kind === 'eventBus' ? 'sqs' : contact.kind;
    const subscription = new CfnSubscription(this, id, {
      topicArn: topic.topicArn,
      protocol,
      endpoint: pipe ? pipe.queue.queueArn : contact.address,
      // A queue gets the message itself, and its attributes as attributes, without SNS's envelope.
      ...(protocol === 'sqs' && { rawMessageDelivery: true }),
      ...(models && { filterPolicy: { model: [...models, fleetModel] } }),
      redrivePolicy: { deadLetterTargetArn: this.#deadLetters.queueArn },
    });
    subscription.node.addDependency(this.#deadLetters, ...(pipe ? [pipe.queue] : []));
    if (contact.kind !== 'lambda') return;
    new CfnPermission(this, `${id}-permission`, {
      action: 'lambda:InvokeFunction',
      functionName: contact.address,
      principal: 'sns.amazonaws.com',
      // Its ARN holds the account. A source account is not given: SNS is not known to send one.
      sourceArn: topic.topicArn,
    });
  }
}
