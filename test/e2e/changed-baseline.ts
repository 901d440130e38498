import { PutObjectCommand } from '@aws-sdk/client-s3';
import { parseFragmentKey } from '../../core/contract/keys.ts';
import { metricNames, metricNamespace } from '../../core/contract/metric-names.ts';
import type { Aws } from './aws.ts';
import { captureLines, captureObject, type RowSet, rows } from './captures.ts';
import { readVerdict, waitForFragment } from './checks.ts';
import { CloudWatchStandIn, readDeployedAlarms, readMetric } from './cloudwatch-stand-in.ts';
import type { DeployedStack } from './deployment.ts';
import { captureBucket, emptyInbox, type Fleet, inboxes, listObjects, models } from './fleet.ts';
import { type Report, waitFor } from './report.ts';
import { runTick } from './schedule.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const model = models.renewed;

/** What the model gets: of yesterday, whose window is closed, and of today, whose window stays open. */
interface Portion {
  readonly closed: RowSet;
  readonly open: RowSet;
}

const before: Portion = { closed: 'steady', open: 'late' };
const after: Portion = { closed: 'compressed', open: 'later' };

/**
 * A model whose baseline is replaced by one of other records, with another layout, while its windows are half full: what
 * was counted by the old one and what is by the new one are judged apart, each by its own.
 */
export class ChangedBaseline {
  readonly #aws: Aws;
  readonly #fleet: Fleet;
  readonly #report: Report;
  readonly #windowStart: number;
  readonly #since = Date.now();

  /** @param windowStart of yesterday's window */
  constructor(aws: Aws, fleet: Fleet, report: Report, windowStart: number) {
    this.#aws = aws;
    this.#fleet = fleet;
    this.#report = report;
    this.#windowStart = windowStart;
  }

  /** Before the change. */
  async begin(): Promise<void> {
    await this.#put(before);
  }

  /** After it; runs one tick by hand. @param stacks with the change */
  async check(stacks: readonly DeployedStack[]): Promise<void> {
    const report = this.#report;
    const old = await waitFor('the verdict by the old baseline', 240, () => this.#verdict(0));
    await this.#put(after);
    const renewed = await waitFor('the verdict by the new baseline', 240, () => this.#verdict(1));
    report.equal(
      'counted by the old layout and by the new one: every record',
      [old.records.counted, renewed.records.counted],
      [rows[before.closed].length, rows[after.closed].length],
    );
    report.check(
      'each is judged by its own baseline',
      old.evidence.baseline !== null &&
        renewed.evidence.baseline !== null &&
        old.evidence.baseline !== renewed.evidence.baseline,
      [old.evidence.baseline, renewed.evidence.baseline],
    );
    const judged = Object.values(renewed.features).filter(({ scores }) => scores.populationStabilityIndex !== null);
    report.equal('features compared with the new one', judged.length, 4);
    report.equal('tiers', [old.tier, renewed.tier], ['green', 'green']);
    for (const [name, start] of [
      ['closed', this.#windowStart],
      ['open', this.#windowStart + day],
    ] as const) {
      report.equal(`layouts in the ${name} window`, await this.#countLayouts(start), 2);
    }
    await this.#checkSilence(stacks);
  }

  async #put(portion: Portion): Promise<void> {
    const today = this.#windowStart + day;
    const now = Date.now();
    const start = Math.max(today, now - hour);
    const at = this.#windowStart + 12 * hour;
    const objects = [
      captureObject(`datacapture/${model}/AllTraffic/`, at, captureLines(model, portion.closed, at)),
      captureObject(
        `datacapture/${model}/AllTraffic/`,
        now,
        captureLines(model, portion.open, start, Math.max(1, now - start - 1)),
      ),
    ];
    for (const { key, body } of objects) {
      await this.#aws.s3.send(new PutObjectCommand({ Bucket: captureBucket, Key: key, Body: body }));
    }
    for (const { key } of objects) await waitForFragment(this.#aws, this.#fleet, { model, key });
  }

  #verdict(revision: number) {
    return readVerdict(this.#fleet, model, this.#windowStart, revision);
  }

  async #countLayouts(start: number): Promise<number> {
    const listed = await listObjects(this.#aws, this.#fleet.stateBucket, `fragments/${model}/`);
    const layouts = [...listed.keys()].flatMap((key) => {
      const parsed = parseFragmentKey(key);
      return parsed?.windowStart === start ? [parsed.series.layout] : [];
    });
    return new Set(layouts).size;
  }

  /** After one more tick has seen all of it: no alarm of the model, no message about it. */
  async #checkSilence(stacks: readonly DeployedStack[]): Promise<void> {
    const report = this.#report;
    await runTick(this.#aws, this.#fleet);
    const dimensions = [['Model', model]] as const;
    const tiers = await readMetric(this.#aws, metricNamespace, metricNames.tier, dimensions, this.#since - minute);
    report.equal('tiers of the model, minute by minute', [...new Set(tiers.map(({ value }) => value))], [0]);
    const { alarms } = readDeployedAlarms(stacks);
    const own = alarms.filter(({ definition }) => definition.name.startsWith(`tidewatch/${model}/`));
    const told = await new CloudWatchStandIn(this.#aws, own, this.#since, () => true).evaluateThrough(Date.now());
    report.check(
      `none of its ${own.length} alarms rings`,
      own.length > 0 && !told.some(({ to }) => to === 'ALARM'),
      told,
    );
    const messages = (await Promise.all(Object.values(inboxes).map((inbox) => emptyInbox(this.#aws, inbox)))).flat();
    report.equal('messages about it', messages.filter(({ attributes }) => attributes.get('model') === model).length, 0);
  }
}
