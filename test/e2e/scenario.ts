import { PutObjectCommand } from '@aws-sdk/client-s3';
import { CreateQueueCommand } from '@aws-sdk/client-sqs';
import { parseAlarmMessage } from '../../core/alarm/alarm-message.ts';
import { type Aws, connect, invokeFunction } from './aws.ts';
import {
  type CaptureObject,
  captureLines,
  captureObject,
  malformedLines,
  numbers,
  type RowSet,
  requestLines,
  rows,
} from './captures.ts';
import {
  checkEvidence,
  checkKept,
  checkMetrics,
  checkQuarantine,
  checkSweep,
  checkVerdict,
  type PutCapture,
  readKeptState,
  readVerdict,
  waitForFragment,
} from './checks.ts';
import type { ChildProcesses } from './child-processes.ts';
import { CloudWatchStandIn, readDeployedAlarms, readMetric } from './cloudwatch-stand-in.ts';
import { type Assembly, type DeployedStack, Deployment } from './deployment.ts';
import type { Emulator } from './emulator.ts';
import { fixUp } from './fix-up.ts';
import { captureBucket, type Delivery, describeFleet, emptyInbox, type Fleet, inboxes, models } from './fleet.ts';
import { reportGaps, runGapSuite } from './gaps/gap-suite.ts';
import { type Report, waitFor } from './report.ts';

const minute = 60_000;
const day = 86_400_000;
const duplicateLines = 5;

/** The whole run, in the order a person would do it. */
export async function runScenario(processes: ChildProcesses, emulator: Emulator, report: Report): Promise<void> {
  await leaveMidnight(report);
  const aws = connect(emulator);
  const deployment = new Deployment(processes, emulator);
  const gaps = runGapSuite(aws);
  // Whoever awaits it later hears of its failure; until then it must not end the run.
  gaps.catch(() => undefined);

  report.title('cdk bootstrap, synth, deploy');
  for (const QueueName of Object.values(inboxes)) await aws.sqs.send(new CreateQueueCommand({ QueueName }));
  const [first] = await Promise.all([deployment.synthesise('first'), deployment.bootstrap()]);
  report.say(`synthesised: ${first.stacks.map(({ name }) => name).join(', ')}`);
  for (const change of first.changes) report.say(change);
  const deployedAt = Date.now();
  await deployment.deploy(first);
  const stacks = await deployment.describe(first);
  for (const line of await fixUp(aws.s3, stacks)) report.say(`set through the API: ${line}`);
  const fleet = await describeFleet(aws, stacks);
  report.equal('functions', [...fleet.functions.keys()].sort(), ['evaluate', 'ingest', 'notify', 'sweep']);
  report.say(`deployed in ${((Date.now() - deployedAt) / 1000).toFixed(1)} s`);

  report.title('captures');
  const windowStart = Math.floor(Date.now() / day) * day - day;
  const putAt = Date.now();
  const captures = await putCaptures(aws, windowStart, putAt);
  report.say(`${captures.length} capture objects put, of yesterday: their window is closed`);
  const unchanged = checkUnchanged(deployment, report);
  unchanged.catch(() => undefined);
  for (const capture of captures) await waitForFragment(aws, fleet, capture);
  report.say(`all ingested ${((Date.now() - putAt) / 1000).toFixed(1)} s after the put`);

  report.title('scores, by the schedule of every minute');
  const windowEnd = windowStart + day;
  for (const model of Object.values(models)) {
    await waitFor(`the records of ${model}`, 150, async () => {
      const recorded = await readMetric(aws, 'Tidewatch', 'Records', [['Model', model]], windowEnd - minute);
      return recorded.length > 0 ? true : undefined;
    }).catch((error: unknown) => explainTick(aws, fleet, error));
  }
  report.say(`time from put to metric: ${((Date.now() - putAt) / 1000).toFixed(1)} s`);
  report.say(`numbers by scipy ${numbers.scipy}`);
  await checkMetrics(aws, report, models.quiet, windowEnd, numbers.quiet, malformedLines.length);
  await checkMetrics(aws, report, models.drifted, windowEnd, numbers.drifted, 0);
  await checkFirstVerdicts(fleet, report, windowStart, captures);

  report.title('evidence');
  await checkEvidence(aws, fleet, report, captures);

  await checkMessages(aws, report, stacks, deployedAt);
  await checkRestatement(aws, fleet, report, windowStart, 'late', 1);
  await checkMetrics(aws, report, models.quiet, windowEnd, numbers.quiet, malformedLines.length);
  report.title('sweep');
  await checkSweep(aws, fleet, report);
  await unchanged;
  await checkChangedConfiguration(aws, deployment, fleet, report, windowStart);

  report.title('gaps of the emulator');
  reportGaps(await gaps, report);
}

/** Scheduled runs leave nothing in the emulator's log: runs the tick by hand, for its error. @throws {Error} always. */
async function explainTick({ emulator }: Aws, fleet: Fleet, cause: unknown): Promise<never> {
  const name = fleet.functions.get('evaluate')?.FunctionName ?? 'evaluate';
  const said = await invokeFunction(emulator, name, { schedule: 'tick' }).then(
    () => 'it succeeds when run by hand',
    (error: unknown) => String(error),
  );
  throw new Error(`${String(cause)}; the tick: ${said}; see ${emulator.log}`, { cause });
}

/** The captures are yesterday's: a run must not see the day change. */
async function leaveMidnight(report: Report): Promise<void> {
  const left = day - (Date.now() % day);
  if (left > 6 * minute) return;
  report.say(`waits ${Math.ceil(left / 1000)} s for the day to change`);
  await new Promise((resolve) => setTimeout(resolve, left));
}

async function put({ s3 }: Aws, { key, body }: CaptureObject): Promise<string> {
  await s3.send(new PutObjectCommand({ Bucket: captureBucket, Key: key, Body: body }));
  return key;
}

function sourcePrefix(model: string): string {
  return `datacapture/${model}/AllTraffic/`;
}

/** Quiet, compressed, duplicate, malformed and drifted captures of yesterday, and failing requests of now. */
async function putCaptures(aws: Aws, windowStart: number, now: number): Promise<readonly PutCapture[]> {
  const at = windowStart + 9 * 3_600_000;
  const part = (model: string, name: RowSet, compressed = false) => ({
    object: captureObject(sourcePrefix(model), at, captureLines(model, name, at), compressed),
    capture: { model, records: rows[name].length, quarantined: 0, duplicates: 0 },
  });
  const faulty = captureLines(models.quiet, 'faulty', at);
  const middle = faulty.length / 2;
  const faultyLines = [
    ...faulty.slice(0, middle),
    ...malformedLines,
    ...faulty.slice(middle),
    ...faulty.slice(0, duplicateLines),
  ];
  const quiet = part(models.quiet, 'quiet');
  const parts = [
    quiet,
    part(models.quiet, 'compressed', true),
    {
      object: captureObject(sourcePrefix(models.quiet), at, faultyLines),
      capture: {
        model: models.quiet,
        records: faulty.length,
        quarantined: malformedLines.length,
        duplicates: duplicateLines,
      },
    },
    part(models.drifted, 'drifted'),
    part(models.failing, 'steady'),
    {
      object: captureObject(`requests/${models.failing}/`, now, requestLines(200, now - 3 * minute)),
      capture: { model: models.failing, records: 0, quarantined: 0, duplicates: 0 },
    },
  ];
  const captures = await Promise.all(
    parts.map(async ({ object, capture }) => ({ ...capture, key: await put(aws, object) })),
  );
  // The same object once more: another event, another version, nothing new.
  await put(aws, quiet.object);
  return captures;
}

async function checkFirstVerdicts(
  fleet: Fleet,
  report: Report,
  windowStart: number,
  captures: readonly PutCapture[],
): Promise<void> {
  const quiet = await readVerdict(fleet, models.quiet, windowStart, 0);
  const drifted = await readVerdict(fleet, models.drifted, windowStart, 0);
  report.equal('tiers of the closed windows', [quiet?.tier, drifted?.tier], ['green', 'yellow']);
  if (quiet) await checkQuarantine(fleet, report, quiet, captures);
}

/** A second deployment of the same configuration changes nothing. */
async function checkUnchanged(deployment: Deployment, report: Report): Promise<void> {
  const again = await deployment.synthesise('again');
  const said = await deployment.deploy(again);
  const same = again.stacks.filter(({ name }) => new RegExp(`${name}\\b.*\\(no changes\\)`).test(said));
  report.equal('a second cdk deploy finds no changes in either stack', same.length, again.stacks.length);
}

/** Longer than yellow waits for red before it speaks. */
const suppressionMinutes = 3;

/** The driver plays CloudWatch: the emulator has no composite alarms and its metric alarms ignore dimensions. */
async function checkMessages(
  aws: Aws,
  report: Report,
  stacks: readonly DeployedStack[],
  deployedAt: number,
): Promise<void> {
  report.title('alarms and messages: this run plays CloudWatch');
  const { alarms, leftOut } = readDeployedAlarms(stacks);
  report.say(
    `${alarms.length} alarms read out of the full templates, evaluated by core/alarm on the metrics read back`,
  );
  for (const name of leftOut) report.say(`not evaluated, metric math: ${name}`);
  const tiers = await waitFor('the tiers of all models', 100, async () => {
    const [yellow, red] = await Promise.all([
      readMetric(aws, 'Tidewatch', 'Tier', [['Model', models.drifted]], deployedAt - minute),
      readMetric(aws, 'Tidewatch', 'Tier', [['Model', models.failing]], deployedAt - minute),
    ]);
    const reached = yellow.some(({ value }) => value === 1) && red.some(({ value }) => value === 2);
    return reached ? [...yellow, ...red] : undefined;
  });
  const through = Math.max(...tiers.map(({ time }) => time)) + suppressionMinutes * minute;
  report.say('its minutes run ahead of the clock, so that nobody waits for those in which yellow waits for red');
  const standIn = new CloudWatchStandIn(aws, alarms, deployedAt);
  const told = await standIn.evaluateThrough(through);
  const raised = told.filter(({ to }) => to === 'ALARM').map(({ alarm }) => alarm);
  const expected = [`tidewatch/${models.drifted}/yellow`, `tidewatch/${models.failing}/red`];
  report.equal('alarms raised', [...raised].sort(), expected);

  const yellow: Delivery[] = [];
  const red: Delivery[] = [];
  const isOfModel = ({ attributes }: Delivery) => attributes.has('model');
  await waitFor('a yellow and a red message', 30, async () => {
    yellow.push(...(await emptyInbox(aws, inboxes.yellow)));
    red.push(...(await emptyInbox(aws, inboxes.red)));
    return yellow.some(isOfModel) && red.some(isOfModel) ? true : undefined;
  }).catch((error: unknown) => report.check(String(error), false));
  checkDelivery(report, 'yellow', models.drifted, yellow.filter(isOfModel));
  checkDelivery(report, 'red', models.failing, red.filter(isOfModel));
  const direct = [...yellow, ...red]
    .filter((delivery) => !isOfModel(delivery))
    .map(({ text }) => parseAlarmMessage(text));
  const ringing = direct.filter(({ to }) => to === 'ALARM').map(({ alarm }) => alarm);
  report.equal('alarms of Tidewatch itself that rang', ringing, []);
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

/** Late captures restate their window: a new revision, while the first one's metrics stand. */
async function checkRestatement(
  aws: Aws,
  fleet: Fleet,
  report: Report,
  windowStart: number,
  part: 'late' | 'later',
  revision: number,
) {
  report.title(`a restated window: revision ${revision}`);
  const at = windowStart + (10 + revision) * 3_600_000;
  const started = Date.now();
  await put(aws, captureObject(sourcePrefix(models.quiet), at, captureLines(models.quiet, part, at)));
  const verdict = await waitFor(`revision ${revision}`, 90, () =>
    readVerdict(fleet, models.quiet, windowStart, revision),
  );
  report.say(`restated ${((Date.now() - started) / 1000).toFixed(1)} s after the put`);
  const expected = revision === 1 ? numbers.restated : numbers.restatedAgain;
  checkVerdict(report, verdict, expected, `revision ${revision}`);
  report.equal(`revision ${revision}: late records`, verdict.records.late, revision * rows[part].length);
  return verdict;
}

async function checkChangedConfiguration(
  aws: Aws,
  deployment: Deployment,
  fleet: Fleet,
  report: Report,
  windowStart: number,
): Promise<void> {
  report.title('a changed configuration');
  const before = await readKeptState(aws, fleet);
  const changed: Assembly = await deployment.synthesise('changed', { TIDEWATCH_E2E_CHANGED: 'yes' });
  const said = await deployment.deploy(changed);
  report.check('it is deployed', !said.includes('failed'), said.slice(-500));
  const stacks = await deployment.describe(changed);
  await fixUp(aws.s3, stacks);
  checkKept(report, before, await readKeptState(aws, fleet));
  const first = await readVerdict(fleet, models.quiet, windowStart, 0);
  const verdict = await checkRestatement(aws, fleet, report, windowStart, 'later', 2);
  report.check(
    'it is judged by the new configuration, after the old one’s revisions',
    first !== undefined && first.evidence.config !== verdict.evidence.config,
    verdict.evidence,
  );
}
