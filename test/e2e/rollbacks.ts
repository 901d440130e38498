import { PutObjectCommand } from '@aws-sdk/client-s3';
import { bundlePrefix, parseBundleKey } from '../../core/contract/keys.ts';
import { metricNames, metricNamespace } from '../../core/contract/metric-names.ts';
import type { DeploymentRecord, RollbackAct, RollbackHistory } from '../../core/model/rollback.ts';
import { rollbackEpisode } from '../../core/rollback/rollback-message.ts';
import { type Aws, invokeFunction } from './aws.ts';
import { type CaptureObject, captureLines, captureObject, type RowSet, requestLines, rows } from './captures.ts';
import { type PutCapture, readVerdict, waitForFragment } from './checks.ts';
import { CloudWatchStandIn, readDeployedAlarms, readMetric } from './cloudwatch-stand-in.ts';
import type { DeployedStack } from './deployment.ts';
import type { Door } from './door.ts';
import { captureBucket, type Fleet, functionNameOf, listObjects, models, pagerKey, queues } from './fleet.ts';
import type { Inbox } from './inbox.ts';
import type { Outside } from './outside.ts';
import { setVisibility } from './poison.ts';
import { type Report, waitFor } from './report.ts';
import { runTick } from './schedule.ts';

const minute = 60_000;
const hour = 60 * minute;
const configs = { good: 'config-41', bad: 'config-42' } as const;
/** The endpoint of a model has its name. */
const guarded = [models.restored, models.rehearsed] as const;
type Guarded = (typeof guarded)[number];
/** So many that the sixty that failed are within the budget of three days. */
const healthyRequests = 10_000;
/** Seconds after which the queue shows the pager's messages again, in place of six minutes. */
const shownAgainSeconds = 3;

/**
 * Two models get worse with a deployment. Both are red, one is brought back to the configuration that was known to be good, of the
 * other one it is only said. The hours before are those of the rollback's own clock: it lives through them in seconds, and everybody
 * else has the time of day.
 */
export class Rollbacks {
  readonly #aws: Aws;
  readonly #outside: Outside;
  readonly #report: Report;
  /** The first of the hours that the rollback lives through. */
  readonly #start: number;

  constructor(aws: Aws, outside: Outside, report: Report) {
    this.#aws = aws;
    this.#outside = outside;
    this.#report = report;
    this.#start = Math.floor(Date.now() / hour) * hour - 2 * hour;
    for (const model of guarded) outside.sagemaker.deploy(model, configs.good);
    outside.clocks.turn('rollback', this.#start - 5 * minute);
  }

  /** Before anything goes wrong: captures of the hours until now. */
  async begin(): Promise<readonly PutCapture[]> {
    const now = Date.now();
    const portions: readonly (readonly [part: RowSet, start: number, span: number])[] = [
      ['steady', this.#start, hour],
      ['quiet', this.#start + hour, hour],
      ['compressed', this.#start + 2 * hour, Math.max(1, now - this.#start - 2 * hour)],
    ];
    return Promise.all(
      guarded.flatMap((model) =>
        portions.map(async ([part, start, span]) => {
          const lines = captureLines(model, part, start, span);
          const key = await this.#put(captureObject(`datacapture/${model}/AllTraffic/`, start, lines));
          return { model, key, records: rows[part].length, quarantined: 0, duplicates: 0 };
        }),
      ),
    );
  }

  /** From the hours in which all was well to the recovery. @returns who plays CloudWatch for the two models */
  async check(fleet: Fleet, stacks: readonly DeployedStack[], deliver: Door, red: Inbox): Promise<CloudWatchStandIn> {
    this.#report.title('a deployment after hours in which all was well');
    await this.#liveThroughHours(fleet);
    this.#report.title('red, and an incident at a pager that fails twice');
    const since = Date.now();
    await this.#putRequests(fleet, guarded, since - 25 * minute, 20 * minute, 120, 2);
    const delays = await this.#shortenDelays(deliver);
    const standIn = await this.#ring(fleet, stacks, since);
    await this.#checkPager(delays, red);
    this.#report.title('rollback: in dry run, and for real');
    await this.#checkRehearsed(fleet, red);
    await this.#checkRestored(fleet, red);
    return standIn;
  }

  async #liveThroughHours(fleet: Fleet): Promise<void> {
    const report = this.#report;
    const { clocks, sagemaker } = this.#outside;
    const tiers = await waitFor('the verdicts of the hours before', 240, async () => {
      const verdicts = await Promise.all(guarded.map((model) => readVerdict(fleet, model, this.#start, 0)));
      return verdicts.every((verdict) => verdict !== undefined) ? verdicts.map(({ tier }) => tier) : undefined;
    });
    report.equal('tiers of the hour before', tiers, ['green', 'green']);
    const now = Date.now();
    let looks = 0;
    const look = async (time: number) => {
      clocks.turn('rollback', time);
      await this.#look(fleet);
      looks++;
    };
    const deployedAt = this.#start + hour + 20 * minute;
    for (let time = this.#start - 2 * minute; time < deployedAt; time += 12 * minute) await look(time);
    await look(deployedAt - minute);
    const before = await Promise.all(guarded.map((model) => this.#readRecord(fleet, model)));
    report.equal(
      'known to be good after a green hour: what answered in it',
      before.map(({ standings }) =>
        standings.filter(({ provenAt }) => provenAt !== undefined).map(({ config }) => config),
      ),
      [[configs.good], [configs.good]],
    );
    for (const model of guarded) sagemaker.deploy(model, configs.bad);
    for (let time = deployedAt; time < now; time += 12 * minute) await look(time);
    clocks.release('rollback');
    await this.#look(fleet);
    const after = await Promise.all(guarded.map((model) => this.#readRecord(fleet, model)));
    report.equal(
      `what answered, by ${looks + 1} looks at the endpoints`,
      after.map(({ spells }) => spells.map(({ config }) => config)),
      guarded.map(() => [configs.good, configs.bad]),
    );
    report.equal('updates asked for while nothing was wrong', this.#updates(), []);
  }

  /** Judges, plays the alarms of the two models, and waits for their tiers. */
  async #ring(fleet: Fleet, stacks: readonly DeployedStack[], since: number): Promise<CloudWatchStandIn> {
    await runTick(this.#aws, fleet);
    const through = await waitFor('the tiers of both', 120, async () => {
      const tiers = await Promise.all(guarded.map((model) => readTiers(this.#aws, model, since)));
      const reds = tiers.map((values) => values.filter(({ value }) => value === 2).map(({ time }) => time));
      return reds.every((times) => times.length > 0) ? Math.max(...reds.flat()) : undefined;
    });
    const { alarms } = readDeployedAlarms(stacks);
    const own = alarms.filter(({ definition: { name } }) =>
      guarded.some((model) => name.startsWith(`tidewatch/${model}/`)),
    );
    this.#outside.pager.answerNext(500, 429);
    const standIn = new CloudWatchStandIn(this.#aws, own, since - 5 * minute, () => false);
    const told = await standIn.evaluateThrough(through + minute);
    this.#report.equal(
      'alarms raised',
      told
        .filter(({ to }) => to === 'ALARM')
        .map(({ alarm }) => alarm)
        .sort(),
      guarded.map((model) => `tidewatch/${model}/red`).sort(),
    );
    return standIn;
  }

  /** What deliver asks for is noted, and not done: nobody waits for it here. @returns the seconds, as they come */
  async #shortenDelays(deliver: Door): Promise<readonly unknown[]> {
    const delays: unknown[] = [];
    await setVisibility(this.#aws, queues.deliver, shownAgainSeconds);
    deliver.fault = ({ operation, body }) => {
      if (operation !== 'ChangeMessageVisibility') return 'pass';
      delays.push(JSON.parse(body).VisibilityTimeout);
      return { status: 200, headers: { 'content-type': 'application/x-amz-json-1.0' }, body: '{}' };
    };
    return delays;
  }

  async #checkPager(delays: readonly unknown[], red: Inbox): Promise<void> {
    const report = this.#report;
    const { pager } = this.#outside;
    const raised = await red.expect(
      'of the incident',
      ({ model, event }) => model === models.restored && event === 'raised',
    );
    await waitFor('the pager to take it', 60, async () =>
      pager.calls.some(({ status }) => status === 202) ? true : undefined,
    ).catch((error: unknown) => report.check(String(error), false));
    report.equal(
      'the pager fails twice, and is asked again',
      pager.calls.map(({ action, status }) => `${action} ${status}`),
      ['trigger 500', 'trigger 429', 'trigger 202'],
    );
    report.equal('each time later, seconds', delays, [30, 60]);
    report.equal(
      'all three are of one incident',
      [...new Set(pager.calls.map(({ key }) => key))],
      [`tidewatch/${raised.episode}`],
    );
    report.equal(
      'with the key out of the secret',
      [...new Set(pager.calls.map(({ routingKey }) => routingKey))],
      [pagerKey],
    );
    report.say(`pager: ${pager.calls.at(-1)?.summary}`);
  }

  async #checkRehearsed(fleet: Fleet, red: Inbox): Promise<void> {
    const report = this.#report;
    const model = models.rehearsed;
    const act = await this.#follow(fleet, model, ({ phase }) => phase === 'closed');
    report.equal(
      'dry run: from, to, outcome',
      [act.from, act.to, act.dryRun, act.outcome],
      [configs.bad, configs.good, true, 'dry-run'],
    );
    report.equal('evidence of it', await this.#readEvidence(fleet, act), ['intent', 'outcome dry-run']);
    const news = await red.expect('of the dry run', (one) => one.model === model && one.subject.includes('dry run'));
    report.equal('it belongs to the incident that people were told of', news.episode, rollbackEpisode(act.episode));
    report.say(`red: ${news.subject}`);
  }

  async #checkRestored(fleet: Fleet, red: Inbox): Promise<void> {
    const report = this.#report;
    const model = models.restored;
    const { sagemaker } = this.#outside;
    const serving = await this.#follow(fleet, model, ({ phase }) => phase === 'serving');
    report.equal('for real: from, to', [serving.from, serving.to], [configs.bad, configs.good]);
    report.equal('the configuration is back', sagemaker.configOf(model), configs.good);
    await this.#putRequests(fleet, [model], (serving.servingAt ?? 0) + 1, 0, healthyRequests, 0);
    // Of each minute the first live verdict counts, and that of this one may be the red one.
    this.#outside.clocks.advance('evaluate', 1);
    await runTick(this.#aws, fleet);
    const act = await this.#follow(fleet, model, ({ phase }) => phase === 'closed');
    report.equal('the outcome, by what was judged since', act.outcome, 'recovered');
    report.equal('evidence of it', await this.#readEvidence(fleet, act), ['action', 'intent', 'outcome recovered']);
    for (let again = 0; again < 2; again++) await this.#look(fleet);
    report.equal('updates that SageMaker was asked for, of both endpoints', this.#updates(), [
      `${model} ${configs.good} 200`,
    ]);
    report.equal('the endpoint of the dry run answers as before', sagemaker.configOf(models.rehearsed), configs.bad);
    await red.expect('of the recovery', (one) => one.model === model && one.subject.includes('has recovered'));
    const told = await red.list((one) => one.model === model);
    for (const { event, subject } of told) report.say(`red: ${event}: ${subject}`);
    const episodes = new Set(told.map(({ episode }) => episode));
    report.equal('messages of one incident, and of its rollback', [...episodes].sort(), [
      act.episode,
      rollbackEpisode(act.episode),
    ]);
  }

  /** Has the rollback look until a model's is where it should be. */
  async #follow(fleet: Fleet, model: Guarded, isThere: (act: RollbackAct) => boolean): Promise<RollbackAct> {
    let seen = 'none';
    return waitFor(
      `the rollback of ${model}`,
      60,
      async () => {
        await this.#look(fleet);
        const row = await fleet.rows.get('rollbacks', model);
        const { current } = (row?.value ?? { past: [] }) as RollbackHistory;
        seen = JSON.stringify(current);
        return current && isThere(current) ? current : undefined;
      },
      0.5,
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}; at last ${seen}`);
    });
  }

  async #look(fleet: Fleet): Promise<void> {
    await invokeFunction(this.#aws.emulator, functionNameOf(fleet, 'rollback'), { schedule: 'rollback' });
  }

  #updates(): readonly string[] {
    return this.#outside.sagemaker.calls
      .filter(({ operation }) => operation.startsWith('Update'))
      .map(({ endpoint, config, status }) => `${endpoint} ${config} ${status}`);
  }

  async #readRecord(fleet: Fleet, model: Guarded): Promise<DeploymentRecord> {
    const row = await fleet.rows.get('deployments', model);
    return (row?.value ?? { spells: [], standings: [], creditedThrough: 0 }) as DeploymentRecord;
  }

  /** Steps of a rollback that the audit bucket holds. */
  async #readEvidence(fleet: Fleet, { id, model, time }: RollbackAct): Promise<readonly string[]> {
    const day = new Date(time).toISOString().slice(0, 10);
    const listed = await listObjects(this.#aws, fleet.auditBucket, bundlePrefix(model));
    const steps: string[] = [];
    for (const key of listed.keys()) {
      if (parseBundleKey(key)?.day !== day) continue;
      const entry = parseEntry(await fleet.audit.get(key));
      if (entry?.type !== 'rollback' || entry.body.id !== id) continue;
      steps.push([entry.body.step, entry.body.outcome].filter(Boolean).join(' '));
    }
    return steps.sort();
  }

  /** @param span milliseconds; 0: until now */
  async #putRequests(
    fleet: Fleet,
    of: readonly Guarded[],
    start: number,
    span: number,
    count: number,
    everyFailing: number,
  ): Promise<void> {
    const length = span > 0 ? span : Math.max(1, Date.now() - start);
    const lines = requestLines(count, start, length, everyFailing);
    for (const model of of) {
      const key = await this.#put(captureObject(`requests/${model}/`, start + length, lines));
      await waitForFragment(this.#aws, fleet, { model, key });
    }
  }

  async #put({ key, body }: CaptureObject): Promise<string> {
    await this.#aws.s3.send(new PutObjectCommand({ Bucket: captureBucket, Key: key, Body: body }));
    return key;
  }
}

/** A model's tiers as they were published, minute by minute. */
export function readTiers(aws: Aws, model: string, since: number) {
  return readMetric(aws, metricNamespace, metricNames.tier, [['Model', model]], since - minute);
}

interface Entry {
  readonly type: string;
  readonly body: { readonly id?: string; readonly step?: string; readonly outcome?: string };
}

/** Undefined of what is no entry: bundles are not JSON. */
function parseEntry(bytes: Uint8Array | undefined): Entry | undefined {
  const text = Buffer.from(bytes ?? []).toString('utf8');
  return text.startsWith('{"body"') ? JSON.parse(text) : undefined;
}
