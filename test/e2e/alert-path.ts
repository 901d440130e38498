import { CreateSecretCommand, DeleteSecretCommand } from '@aws-sdk/client-secrets-manager';
import { ListSubscriptionsByTopicCommand, SubscribeCommand, UnsubscribeCommand } from '@aws-sdk/client-sns';
import {
  DeleteMessageCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
} from '@aws-sdk/client-sqs';
import { parseAlarmMessage } from '../../core/alarm/alarm-message.ts';
import { envNames } from '../../core/contract/env-names.ts';
import type { MetricAlarmDefinition } from '../../core/model/alarm.ts';
import type { AlertDocument } from '../../core/model/alert-document.ts';
import type { AlertWay } from '../../core/model/alert-way.ts';
import { fleetModel } from '../../core/route/alarm-notice.ts';
import type { PathState } from '../../core/route/probe.ts';
import { type Aws, invokeFunction, readDepth, setQueueReading } from './aws.ts';
import { CloudWatchStandIn, type DeployedAlarm, readDeployedAlarms, readMetric } from './cloudwatch-stand-in.ts';
import type { DeployedStack } from './deployment.ts';
import type { Door } from './door.ts';
import { type Fleet, functionNameOf, models, pagerKey, pagerSecret, queues } from './fleet.ts';
import type { Inbox } from './inbox.ts';
import type { Outside } from './outside.ts';
import { type Report, waitFor } from './report.ts';
import { readTiers } from './rollbacks.ts';
import { runTick } from './schedule.ts';

const minute = 60_000;
/** Minutes that the stand-in plays for a hop: first all is well, then the hop is cut. */
const played = { well: 10, cut: 30 } as const;
const alarmNames = {
  silence: 'tidewatch/notify-silence',
  failure: 'tidewatch/notify-failure',
  heartbeat: 'tidewatch/heartbeat-main',
  waiting: `tidewatch/undelivered/${queues.deliver}/waiting`,
  failing: `tidewatch/undelivered/${queues.deliver}/failing`,
  refused: `tidewatch/dead-letters/${queues.deliverDead}`,
} as const;

const alertWays = ['yellow', 'red', 'deliver-yellow', 'deliver-red'] as const satisfies readonly AlertWay[];
/** Variables of notify that hold a way's topic. */
const topicVariables = {
  yellow: envNames.yellowAlarmTopicArn,
  red: envNames.redAlarmTopicArn,
  'deliver-yellow': envNames.yellowDeliverTopicArn,
  'deliver-red': envNames.redDeliverTopicArn,
} as const;

/** What metrics of Tidewatch's own parts show, by name, where they show something else than when all is well. */
type Symptoms = Readonly<Record<string, number | 'nothing'>>;

const health: Symptoms = {
  Invocations: 1,
  Errors: 0,
  Heartbeat: 1,
  ApproximateNumberOfMessagesVisible: 0,
  ApproximateNumberOfMessagesNotVisible: 0,
};

/**
 * Cuts the way from a verdict to a person hop by hop, and sees for each that people hear of it by another way. Two watch: Tidewatch
 * itself, by the clock of notify, which this run puts forward, and alarms on Tidewatch's parts, which this run plays.
 */
export class AlertPath {
  readonly #aws: Aws;
  readonly #fleet: Fleet;
  readonly #report: Report;
  readonly #outside: Outside;
  readonly #notifyDoor: Door;
  readonly #red: Inbox;
  readonly #own: readonly DeployedAlarm[];

  constructor(
    { aws, fleet, report, outside }: { aws: Aws; fleet: Fleet; report: Report; outside: Outside },
    stacks: readonly DeployedStack[],
    notifyDoor: Door,
    red: Inbox,
  ) {
    this.#aws = aws;
    this.#fleet = fleet;
    this.#report = report;
    this.#outside = outside;
    this.#notifyDoor = notifyDoor;
    this.#red = red;
    const { alarms } = readDeployedAlarms(stacks);
    const [parts, wanted] = [['tidewatch/notify-', 'tidewatch/shards/'], Object.values(alarmNames)];
    this.#own = alarms.filter(
      ({ definition: { name } }) =>
        wanted.some((one) => one === name) || parts.some((prefix) => name.startsWith(prefix)),
    );
  }

  /** @param standIn who plays the alarms of the model that was rolled back: its incident ends meanwhile */
  async check(standIn: CloudWatchStandIn, redSince: number): Promise<void> {
    const report = this.#report;
    report.equal('alarms on its own parts that ring while all is well', await this.#play({}), []);
    report.title('the alert path, cut: the tick does not run');
    await this.#expectRings({ Heartbeat: 'nothing' }, alarmNames.heartbeat);
    await this.#red.expect(
      'of the heartbeat',
      ({ model, detail }) => model === fleetModel && detail.alarm === alarmNames.heartbeat,
    );
    report.title('the alert path, cut: notify does not run');
    await this.#expectRings({ Invocations: 'nothing' }, alarmNames.silence);
    await this.#red.expectAlarm(alarmNames.silence);
    await this.#cutFromDeliver();
    await this.#cutPublishing();
    await this.#cutPager(standIn, redSince);
    for (const way of alertWays) await this.#cutWay(way);
  }

  /** Queue → deliver: the function does not take its messages. */
  async #cutFromDeliver(): Promise<void> {
    const report = this.#report;
    report.title('the alert path, cut: deliver does not take its messages');
    const deliver = functionNameOf(this.#fleet, 'deliver');
    await setQueueReading(this.#aws.emulator, deliver, false);
    await this.#notify({ acknowledge: models.restored });
    await this.#red.expect(
      'that somebody is at it',
      ({ model, event }) => model === models.restored && event === 'acknowledged',
    );
    const visible = await waitFor('the message in the queue', 30, async () => {
      const depth = await readDepth(this.#aws, queues.deliver);
      return depth.visible > 0 ? depth.visible : undefined;
    });
    await this.#expectRings({ ApproximateNumberOfMessagesVisible: visible }, alarmNames.waiting);
    await this.#red.expectAlarm(alarmNames.waiting);
    await setQueueReading(this.#aws.emulator, deliver, true);
    await this.#expectPaged('acknowledge');
  }

  /** Notify → its topics; and the pager's secret is gone, so that the alarm on that can't reach the pager. */
  async #cutPublishing(): Promise<void> {
    const report = this.#report;
    report.title('the alert path, cut: notify may not publish');
    this.#notifyDoor.fault = ({ operation }) => (operation === 'Publish' ? forbidden : 'pass');
    this.#outside.clocks.advance('notify', 6);
    const since = Date.now();
    const failure = await this.#runNotify().then(
      () => 'nothing',
      (error: unknown) => String(error),
    );
    this.#notifyDoor.fault = undefined;
    report.check('its run fails', failure.includes('not told'), failure);
    const dimensions = [['FunctionName', functionNameOf(this.#fleet, 'notify')]] as const;
    const errors = await readMetric(this.#aws, 'AWS/Lambda', 'Errors', dimensions, since - minute);
    const worst = Math.max(0, ...errors.map(({ value }) => value));
    report.check(`its errors in that minute: ${worst}`, worst > 0);

    await this.#aws.secrets.send(new DeleteSecretCommand({ SecretId: pagerSecret, ForceDeleteWithoutRecovery: true }));
    // Secrets are kept for five minutes.
    this.#outside.clocks.advance('deliver', 6);
    await this.#expectRings({ Errors: worst }, alarmNames.failure);
    await this.#red.expectAlarm(alarmNames.failure);
    report.title('the alert path, cut: the pager’s secret is gone');
    const dead = await waitFor('the refused message among the dead letters', 60, async () => {
      const { visible } = await readDepth(this.#aws, queues.deliverDead);
      return visible > 0 ? visible : undefined;
    });
    await this.#expectRings({ ApproximateNumberOfMessagesVisible: dead }, alarmNames.refused, queues.deliverDead);
    await this.#red.expectAlarm(alarmNames.refused);
    await this.#aws.secrets.send(new CreateSecretCommand({ Name: pagerSecret, SecretString: pagerKey }));
    await this.#redrive();
    await this.#expectPaged('trigger', { summary: 'notifying function' });
  }

  /** Deliver → pager, while the incident of the model that was rolled back ends; and a verdict that no alarm rings for. */
  async #cutPager(standIn: CloudWatchStandIn, redSince: number): Promise<void> {
    const report = this.#report;
    const { pager } = this.#outside;
    report.title('the alert path, cut: the pager refuses everything');
    // The tiers of a minute are read as their worst: the next one is the first that is not red.
    for (let ahead = 0; ahead < 2; ahead++) {
      this.#outside.clocks.advance('evaluate', 1);
      await runTick(this.#aws, this.#fleet);
    }
    const tiers = await readTiers(this.#aws, models.restored, redSince);
    report.equal('the tier that was published last', tiers.at(-1)?.value, 0);
    await standIn.evaluateThrough(Date.now() + 2 * minute);
    pager.answerAll(503);
    const before = pager.calls.length;
    // Ten minutes quiet, and none has come back meanwhile.
    for (let step = 0; step < 4; step++) await this.#step();
    const over = await this.#red.expect(
      'that it is over',
      ({ model, event }) => model === models.restored && event === 'recovered',
    );
    const held = await waitFor('the message that is tried again and again', 60, async () => {
      const { visible, all } = await readDepth(this.#aws, queues.deliver);
      return pager.calls.length > before && all > visible ? all - visible : undefined;
    });
    await this.#expectRings({ ApproximateNumberOfMessagesNotVisible: held }, alarmNames.failing);
    await this.#red.expectAlarm(alarmNames.failing);
    pager.answerAll(undefined);
    const key = `tidewatch/${over.episode}`;
    await this.#expectPaged('resolve', { key });
    const own = pager.calls.filter((call) => call.key === key);
    report.equal(
      'what the pager took of this incident',
      own.filter(({ status }) => status === 202).map(({ action }) => action),
      ['trigger', 'acknowledge', 'resolve'],
    );
    report.title('the alert path, cut: an alarm that nobody rings');
    const doorbell = await this.#red.expect('of the verdict by labels', ({ model }) => model === models.labelled);
    report.equal(
      'told of without its alarm: model, event',
      [doorbell.event, doorbell.detail.cause],
      ['raised', 'health'],
    );
    report.say(`red: ${doorbell.subject}`);
    const cut = await this.#red.list(isOfPath);
    report.equal(
      'messages of ways that are cut, so far',
      cut.map(({ subject }) => subject),
      [],
    );
  }

  /** Alarm topic → notify, or deliver topic → the queue of deliver. */
  async #cutWay(way: AlertWay): Promise<void> {
    const report = this.#report;
    const { sns } = this.#aws;
    const { TopicArn, Protocol, Endpoint } = this.#subscriptionOf(way);
    report.title(
      `the alert path, cut: ${Endpoint.split(':').at(-1)} is not subscribed to ${TopicArn.split(':').at(-1)}`,
    );
    const { Subscriptions = [] } = await sns.send(new ListSubscriptionsByTopicCommand({ TopicArn }));
    const own = Subscriptions.filter((one) => one.Endpoint === Endpoint);
    report.equal('subscriptions of it', own.length, 1);
    for (const { SubscriptionArn } of own) await sns.send(new UnsubscribeCommand({ SubscriptionArn }));
    const isNews = (event: string) => (document: AlertDocument) =>
      isOfPath(document) && document.detail.alarm.endsWith(`/${way}`) && document.event === event;
    const passed = await this.#stepUntil(isNews('raised'));
    const raised = await this.#red.expect('that it is cut', isNews('raised'));
    report.check(`people are told after ${passed} minutes`, passed >= 15 && passed <= 25, passed);
    report.say(`red: ${raised.subject}`);
    const cut: string[] = [];
    for (const one of alertWays) if ((await this.#readPath(one))?.isCut !== false) cut.push(one);
    report.equal('ways that are cut', cut, [way]);
    const { pager } = this.#outside;
    const paged = await waitFor('the pager to be told of it', 60, async () =>
      pager.calls.find(({ key, status }) => key === `tidewatch/${raised.episode}` && status === 202),
    ).catch(() => undefined);
    report.equal('the pager hears of it', paged?.action, 'trigger');

    await sns.send(new SubscribeCommand({ TopicArn, Protocol, Endpoint }));
    await this.#stepUntil(isNews('recovered'));
    const over = await this.#red.expect('that it is open again', isNews('recovered'));
    report.equal('subscribed again: the same incident is over', over.episode, raised.episode);
  }

  #subscriptionOf(way: AlertWay): { readonly TopicArn: string; readonly Protocol: string; readonly Endpoint: string } {
    const notify = this.#fleet.functions.get('notify');
    const TopicArn = notify?.Environment?.Variables?.[topicVariables[way]] ?? '';
    if (way === 'yellow' || way === 'red') return { TopicArn, Protocol: 'lambda', Endpoint: notify?.FunctionArn ?? '' };
    const { region, account } = this.#aws.emulator;
    return { TopicArn, Protocol: 'sqs', Endpoint: `arn:aws:sqs:${region}:${account}:${queues.deliver}` };
  }

  /** @returns the minutes of notify's that passed; an hour is enough for anything */
  async #stepUntil(isIt: (document: AlertDocument) => boolean): Promise<number> {
    let passed = 0;
    while (passed < 60 && (await this.#red.list(isIt)).length === 0) passed += await this.#step();
    return passed;
  }

  /** Five minutes of notify's, in which nothing else rings. @returns the minutes */
  async #step(): Promise<number> {
    this.#outside.clocks.advance('notify', 5);
    await this.#runNotify();
    // What it sent to itself is heard before the next step.
    await new Promise((resolve) => setTimeout(resolve, 500));
    return 5;
  }

  #runNotify(): Promise<unknown> {
    return this.#notify({ schedule: 'overdue' });
  }

  #notify(event: unknown): Promise<unknown> {
    return invokeFunction(this.#aws.emulator, functionNameOf(this.#fleet, 'notify'), event);
  }

  async #readPath(way: AlertWay): Promise<PathState | undefined> {
    return (await this.#fleet.rows.get('alert-path', way))?.value as PathState | undefined;
  }

  async #expectRings(symptoms: Symptoms, alarm: string, queue: string = queues.deliver): Promise<void> {
    this.#report.equal(`of the alarms on its own parts rings ${alarm} alone`, await this.#play(symptoms, queue), [
      alarm,
    ]);
  }

  /**
   * Plays the alarms on Tidewatch's parts through minutes in which all is well, and through others in which it is not.
   * @returns the alarms that people are told of
   */
  async #play(symptoms: Symptoms, queue: string = queues.deliver): Promise<readonly string[]> {
    const now = Math.floor(Date.now() / minute) * minute;
    const cut = now - played.cut * minute;
    const since = cut - played.well * minute;
    const readings = ({ metric, dimensions }: MetricAlarmDefinition) => {
      const concerned = metric.startsWith('Approximate') ? dimensions.some(([, value]) => value === queue) : true;
      const well = health[metric] ?? 'nothing';
      const then = concerned ? (symptoms[metric] ?? well) : well;
      const values: { time: number; value: number }[] = [];
      for (let time = since; time <= now; time += minute) {
        const value = time < cut ? well : then;
        if (value !== 'nothing') values.push({ time, value });
      }
      return values;
    };
    // That all is well at first is no news.
    const isWell = (_: string, message: string) => parseAlarmMessage(message).to === 'OK';
    const standIn = new CloudWatchStandIn(this.#aws, this.#own, since, isWell, readings);
    const told = await standIn.evaluateThrough(now);
    return told.filter(({ to }) => to === 'ALARM').map(({ alarm }) => alarm);
  }

  /** @param of part of its summary, or its key: a pager hears of other incidents too */
  async #expectPaged(action: string, of: { readonly summary?: string; readonly key?: string } = {}): Promise<void> {
    const { summary = '', key } = of;
    const { pager } = this.#outside;
    const found = await waitFor(`the pager to be told: ${action}`, 60, async () =>
      pager.calls.find(
        (call) =>
          call.action === action &&
          call.status === 202 &&
          call.summary.includes(summary) &&
          (key === undefined || call.key === key),
      ),
    ).catch(() => undefined);
    this.#report.check(`mended: the pager is told (${action})`, found !== undefined, pager.calls.slice(-3));
  }

  /** As the runbook says: what was refused is sent once more. */
  async #redrive(): Promise<void> {
    const { sqs } = this.#aws;
    const url = async (QueueName: string) => (await sqs.send(new GetQueueUrlCommand({ QueueName }))).QueueUrl;
    const [deliver, dead] = [await url(queues.deliver), await url(queues.deliverDead)];
    for (;;) {
      const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: dead }));
      const [message] = Messages;
      if (!message) return;
      await sqs.send(new SendMessageCommand({ QueueUrl: deliver, MessageBody: message.Body }));
      await sqs.send(new DeleteMessageCommand({ QueueUrl: dead, ReceiptHandle: message.ReceiptHandle }));
    }
  }
}

function isOfPath({ model, detail }: AlertDocument): boolean {
  return model === fleetModel && detail.alarm.startsWith('tidewatch/alert-path/');
}

const forbidden = {
  status: 403,
  headers: { 'content-type': 'text/xml' },
  body: '<ErrorResponse><Error><Type>Sender</Type><Code>AuthorizationError</Code><Message>not authorized</Message></Error></ErrorResponse>',
} as const;
