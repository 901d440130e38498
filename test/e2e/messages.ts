import { parseAlarmMessage } from '../../core/alarm/alarm-message.ts';
import { envNames } from '../../core/contract/env-names.ts';
import { type Aws, readDepth } from './aws.ts';
import { breakSubscribers } from './bouncing.ts';
import { CloudWatchStandIn, readDeployedAlarms, readMetric } from './cloudwatch-stand-in.ts';
import type { DeployedStack } from './deployment.ts';
import { type Delivery, emptyInbox, type Fleet, inboxes, models, queues } from './fleet.ts';
import { type Report, waitFor } from './report.ts';
import type { Twin } from './twin.ts';

const minute = 60_000;
/** Longer than yellow waits for red before it speaks. */
const suppressionMinutes = 3;

/**
 * The driver plays CloudWatch: the emulator has no composite alarms and its metric alarms ignore dimensions. Two
 * subscribers of yellow are broken. The twin's alarms come last, and notify is killed again and again over them.
 */
export async function checkMessages(
  aws: Aws,
  fleet: Fleet,
  report: Report,
  stacks: readonly DeployedStack[],
  deployedAt: number,
  twin: Twin,
): Promise<void> {
  report.title('alarms and messages: this run plays CloudWatch');
  const { alarms, leftOut } = readDeployedAlarms(stacks);
  report.say(
    `${alarms.length} alarms read out of the full templates, evaluated by core/alarm on the metrics read back`,
  );
  for (const name of leftOut) report.say(`not evaluated, metric math: ${name}`);
  const tiers = await waitFor('the tiers of all models', 300, async () => {
    const [yellow, red] = await Promise.all([
      readMetric(aws, 'Tidewatch', 'Tier', [['Model', models.drifted]], deployedAt - minute),
      readMetric(aws, 'Tidewatch', 'Tier', [['Model', models.failing]], deployedAt - minute),
    ]);
    const reached = yellow.some(({ value }) => value === 1) && red.some(({ value }) => value === 2);
    return reached ? [...yellow, ...red] : undefined;
  });
  const through = Math.max(...tiers.map(({ time }) => time)) + suppressionMinutes * minute;
  report.say('its minutes run ahead of the clock, so that nobody waits for those in which yellow waits for red');
  const yellowTopic = fleet.functions.get('notify')?.Environment?.Variables?.[envNames.yellowTopicArn] ?? '';
  const endpoint = await breakSubscribers(aws, yellowTopic);
  try {
    const withheld: string[] = [];
    const standIn = new CloudWatchStandIn(aws, alarms, deployedAt, (alarm, message) => {
      const isOfTwin = alarm.startsWith(`tidewatch/${models.killed}/`);
      if (isOfTwin) withheld.push(message);
      return isOfTwin;
    });
    await tellOf(aws, report, standIn, through, () => twin.notify(withheld));
    const { all } = await readDepth(aws, queues.deliveryDead);
    report.say(
      `subscribers of yellow that are broken: a deleted queue, an endpoint that refused ${endpoint.refused()} messages with 500`,
    );
    report.check('the endpoint was tried', endpoint.refused() > 0, endpoint.refused());
    report.say(`messages kept for them in ${queues.deliveryDead}: ${all}`);
  } finally {
    endpoint.close();
  }
}

async function tellOf(
  aws: Aws,
  report: Report,
  standIn: CloudWatchStandIn,
  through: number,
  tellOfTwin: () => Promise<void>,
): Promise<void> {
  const told = await standIn.evaluateThrough(through);
  const raised = told.filter(({ to }) => to === 'ALARM').map(({ alarm }) => alarm);
  const deadLetters = `tidewatch/dead-letters/${queues.ingestDead}`;
  const ofModels = [
    `tidewatch/${models.drifted}/yellow`,
    `tidewatch/${models.failing}/red`,
    `tidewatch/${models.killed}/yellow`,
  ];
  const expected = [deadLetters, ...ofModels].sort();
  report.equal('alarms raised', [...raised].sort(), expected);

  const yellow: Delivery[] = [];
  const red: Delivery[] = [];
  const isOf =
    (...names: string[]) =>
    ({ attributes }: Delivery) =>
      names.includes(attributes.get('model') ?? '');
  const isDirect = ({ attributes }: Delivery) => !attributes.has('model');
  const waitForMessages = (what: string, areThere: () => boolean) =>
    waitFor(what, 120, async () => {
      yellow.push(...(await emptyInbox(aws, inboxes.yellow)));
      red.push(...(await emptyInbox(aws, inboxes.red)));
      return areThere() ? true : undefined;
    }).catch((error: unknown) => report.check(String(error), false));
  await waitForMessages('the yellow messages and the red one', () =>
    [yellow.some(isOf(models.drifted)), yellow.some(isDirect), red.some(isOf(models.failing))].every(Boolean),
  );
  await tellOfTwin();
  await waitForMessages('the message of the twin', () => yellow.some(isOf(models.killed)));
  checkDelivery(report, 'yellow', models.drifted, yellow.filter(isOf(models.drifted)));
  checkDelivery(report, 'red', models.failing, red.filter(isOf(models.failing)));
  const repeated = yellow.filter(isOf(models.killed));
  const ids = new Set(repeated.map(({ attributes }) => attributes.get('messageId')));
  report.equal('messages of the twin, by their id', ids.size, 1);
  report.say(`delivered ${repeated.length} times: a message whose delivery was not noted comes again under its id`);
  checkDelivery(report, 'yellow', models.killed, repeated.slice(0, 1));
  const others = [...yellow, ...red].filter(
    (delivery) => !isDirect(delivery) && !isOf(...Object.values(models))(delivery),
  );
  report.equal('messages of anybody else', others, []);
  const direct = [...yellow, ...red].filter(isDirect).map(({ text }) => parseAlarmMessage(text));
  const ringing = direct.filter(({ to }) => to === 'ALARM').map(({ alarm }) => alarm);
  report.equal('alarms of Tidewatch itself that rang', ringing, [deadLetters]);
  report.say(`${direct.length} of its alarms said OK at their first evaluation`);
}

function checkDelivery(report: Report, tier: 'yellow' | 'red', model: string, deliveries: readonly Delivery[]): void {
  report.equal(`${tier} messages`, deliveries.length, 1);
  const [delivery] = deliveries;
  if (!delivery) return;
  report.say(`${tier}: ${delivery.subject}`);
  const attributes = ['model', 'tier', 'event'].map((name) => delivery.attributes.get(name));
  report.equal(`${tier} message: model, tier, event`, attributes, [model, tier, 'raised']);
  report.check(`${tier} message names its model`, delivery.text.includes(model), delivery.text);
}
