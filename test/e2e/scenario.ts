import { PutObjectCommand } from '@aws-sdk/client-s3';
import { CreateSecretCommand } from '@aws-sdk/client-secrets-manager';
import { CreateQueueCommand } from '@aws-sdk/client-sqs';
import { type Handler, handlers } from '../../lib/handler-code.ts';
import { AlertPath } from './alert-path.ts';
import { type Aws, connect } from './aws.ts';
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
import { ChangedBaseline } from './changed-baseline.ts';
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
import { type Assembly, Deployment } from './deployment.ts';
import { Door } from './door.ts';
import type { Emulator } from './emulator.ts';
import { fixUp } from './fix-up.ts';
import {
  captureBucket,
  describeFleet,
  type Fleet,
  goneInbox,
  inboxes,
  models,
  pagerKey,
  pagerSecret,
  queues,
} from './fleet.ts';
import { reportGaps, runGapSuite } from './gaps/gap-suite.ts';
import { Inbox } from './inbox.ts';
import { checkFailedChange, deployAfterInterruptions, deployChange } from './interruptions.ts';
import { checkLabels } from './labels.ts';
import { checkMessages } from './messages.ts';
import { type Outside, openOutside } from './outside.ts';
import { checkPoison, checkRedrive, setVisibility, visibilitySeconds } from './poison.ts';
import { type Report, waitFor } from './report.ts';
import { Rollbacks } from './rollbacks.ts';
import { checkSchedule, waitForScores } from './schedule.ts';
import { Twin } from './twin.ts';

const minute = 60_000;
const day = 86_400_000;
const duplicateLines = 5;

/** The whole run, in the order a person would do it, with all that can go wrong in between. */
export async function runScenario(processes: ChildProcesses, emulator: Emulator, report: Report): Promise<void> {
  const doors = new Map<string, Door>();
  for (const handler of handlers) doors.set(handler, await Door.open(emulator.port));
  const outside = await openOutside(emulator.folder, handlers);
  try {
    await runThrough(processes, emulator, report, doors, outside);
  } finally {
    for (const door of doors.values()) door.close();
    await outside.close();
  }
}

async function runThrough(
  processes: ChildProcesses,
  emulator: Emulator,
  report: Report,
  doors: ReadonlyMap<string, Door>,
  outside: Outside,
): Promise<void> {
  await leaveMidnight(report);
  const aws = connect(emulator);
  const surroundings = new Map([...doors].map(([name, { url }]) => [name, outside.surround(name, url)]));
  const deployment = new Deployment(processes, emulator, surroundings);
  const gaps = runGapSuite(aws);
  // Whoever awaits it later hears of its failure; until then it must not end the run.
  gaps.catch(() => undefined);

  report.title('cdk bootstrap, synth, deploy: interrupted twice, then repeated');
  for (const QueueName of [...Object.values(inboxes), goneInbox])
    await aws.sqs.send(new CreateQueueCommand({ QueueName }));
  await aws.secrets.send(new CreateSecretCommand({ Name: pagerSecret, SecretString: pagerKey }));
  const rollbacks = new Rollbacks(aws, outside, report);
  const [first] = await Promise.all([deployment.synthesise('first'), deployment.bootstrap()]);
  report.say(`synthesised: ${first.stacks.map(({ name }) => name).join(', ')}`);
  for (const change of first.changes) report.say(change);
  const deployedAt = Date.now();
  await deployAfterInterruptions(aws, deployment, first, report);
  const stacks = await deployment.describe(first);
  for (const line of await fixUp(aws.s3, stacks)) report.say(`set through the API: ${line}`);
  for (const name of [queues.ingest, queues.touch]) {
    await setVisibility(aws, name, visibilitySeconds);
    report.say(
      `set through the API: ${name} shows a failed message again after ${visibilitySeconds} s, not half an hour`,
    );
  }
  const fleet = await describeFleet(aws, stacks);
  report.equal('functions', [...fleet.functions.keys()].sort(), [...handlers].sort());
  report.say(`deployed in ${((Date.now() - deployedAt) / 1000).toFixed(1)} s`);

  report.title('captures');
  const windowStart = Math.floor(Date.now() / day) * day - day;
  const windowEnd = windowStart + day;
  const at = windowStart + 9 * 3_600_000;
  const putAt = Date.now();
  const captures = [...(await putCaptures(aws, windowStart, putAt)), ...(await rollbacks.begin())];
  report.say(
    `${captures.length} capture objects put, of yesterday, or of the hours before this one: their window is closed`,
  );
  const changedBaseline = new ChangedBaseline(aws, fleet, report, windowStart);
  await changedBaseline.begin();
  // While the schedule's first minute passes.
  const assemblies = synthesiseAgain(deployment);
  assemblies.catch(() => undefined);
  for (const capture of captures) await waitForFragment(aws, fleet, capture);
  report.say(`all ingested ${((Date.now() - putAt) / 1000).toFixed(1)} s after the put`);

  report.title('ingest, killed after each of its writes');
  const twin = new Twin(aws, fleet, report, doors);
  await twin.ingest(at);
  report.title('poison in the ingest queue');
  const poison = await checkPoison(aws, fleet, report, doorOf(doors, 'ingest'), at);

  report.title('scores, by the schedule of every minute');
  const { killed: _killed, ...scheduled } = models;
  const judged = Object.values(scheduled);
  let byHand = await waitForScores(aws, fleet, report, windowEnd, judged);
  report.say(`time from put to metric: ${((Date.now() - putAt) / 1000).toFixed(1)} s`);
  report.title('evaluate, killed after each of its writes');
  await twin.judge();
  await twin.judgeThrottled();
  byHand += 2;
  report.title('scores');
  report.say(`numbers by scipy ${numbers.scipy}`);
  await checkMetrics(aws, report, models.quiet, windowEnd, numbers.quiet, malformedLines.length);
  await checkMetrics(aws, report, models.drifted, windowEnd, numbers.drifted, 0);
  await checkMetrics(aws, report, models.killed, windowEnd, numbers.drifted, 0);
  await checkFirstVerdicts(fleet, report, windowStart, captures);

  report.title('evidence');
  await checkEvidence(aws, fleet, report, captures);

  await checkMessages(aws, fleet, report, stacks, deployedAt, twin);
  report.title('killed again and again, against undisturbed');
  await twin.compare(windowStart, at);
  report.title('the dead-letter queue, redriven');
  await checkRedrive(aws, fleet, report, poison);

  const { again, changed } = await assemblies;
  report.title('a deployment without a change');
  await checkUnchanged(deployment, again, report);
  report.title('a change that fails half way');
  await checkFailedChange(aws, deployment, fleet, changed, report);
  await checkRestatement(aws, fleet, report, windowStart, 'late', 1);
  await checkMetrics(aws, report, models.quiet, windowEnd, numbers.quiet, malformedLines.length);
  report.title('sweep, killed after each of its writes');
  await twin.sweep(at);
  await checkSweep(aws, fleet, report);
  await checkChangedConfiguration(aws, deployment, fleet, { first, changed }, report, windowStart);
  report.title('a baseline that was replaced by this change, in the middle of a window');
  await changedBaseline.check(await deployment.describe(changed));
  byHand++;
  report.title('a sweep after all of this');
  await checkSweep(aws, fleet, report);
  await checkSchedule(aws, report, byHand);

  const red = new Inbox(aws, inboxes.red);
  const deployed = await deployment.describe(changed);
  const redSince = Date.now();
  const standIn = await rollbacks.check(fleet, deployed, doorOf(doors, 'deliver'), red);
  report.title('labels');
  await checkLabels(aws, fleet, report, at);
  const path = new AlertPath({ aws, fleet, report, outside }, deployed, doorOf(doors, 'notify'), red);
  await path.check(standIn, redSince);

  report.title('gaps of the emulator');
  reportGaps(await gaps, report);
}

function doorOf(doors: ReadonlyMap<string, Door>, handler: Handler): Door {
  const door = doors.get(handler);
  if (!door) throw new Error(`expected a door of ${handler}, saw none`);
  return door;
}

async function synthesiseAgain(deployment: Deployment): Promise<{ again: Assembly; changed: Assembly }> {
  const again = await deployment.synthesise('again');
  return { again, changed: await deployment.synthesise('changed', { TIDEWATCH_E2E_CHANGED: 'yes' }) };
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
    part(models.labelled, 'quiet'),
    {
      object: captureObject(`requests/${models.failing}/`, now, requestLines(200, now - 22 * minute, 20 * minute)),
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
async function checkUnchanged(deployment: Deployment, again: Assembly, report: Report): Promise<void> {
  const said = await deployment.deploy(again);
  const same = again.stacks.filter(({ name }) => new RegExp(`${name}\\b.*\\(no changes\\)`).test(said));
  report.equal('a second cdk deploy finds no changes in either stack', same.length, again.stacks.length);
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
  const verdict = await waitFor(`revision ${revision}`, 240, () =>
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
  assemblies: { readonly first: Assembly; readonly changed: Assembly },
  report: Report,
  windowStart: number,
): Promise<void> {
  report.title('a changed configuration, interrupted and repeated');
  const before = await readKeptState(aws, fleet);
  await deployChange(aws, deployment, fleet, assemblies, report);
  const stacks = await deployment.describe(assemblies.changed);
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
