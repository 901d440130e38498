import { GetItemCommand, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { objectId, verdictKey } from '../../core/contract/keys.ts';
import { parseVerdict } from '../../core/pipeline/judge-window.ts';
import { type Aws, invokeFunction, readDepth } from './aws.ts';
import { type CaptureObject, captureLines, captureObject } from './captures.ts';
import type { Door } from './door.ts';
import type { Emulator } from './emulator.ts';
import { captureBucket, type Fleet, listObjects, models, queues } from './fleet.ts';
import { Killer, refuseWrites, repeatUntilThrough } from './killing.ts';
import { captureEvent } from './poison.ts';
import { type Report, waitFor } from './report.ts';
import { countTicks, runTick } from './schedule.ts';
import { throttleMetrics } from './throttling.ts';

/** Writes after which functions are killed that do not work for the one model alone: of sweep its list, and its joins of labels. */
const mentionsOf = new Map<string, readonly string[]>([
  ['notify', ['']],
  ['sweep', [models.killed, models.labelled, 'log']],
]);

/**
 * A model that gets what another one gets, by functions that are killed after each of their writes in turn and called
 * again. In the end nothing may tell the two apart.
 */
export class Twin {
  readonly #aws: Aws;
  readonly #fleet: Fleet;
  readonly #report: Report;
  readonly #doors: ReadonlyMap<string, Door>;
  readonly #killers = new Map<string, Killer>();

  constructor(aws: Aws, fleet: Fleet, report: Report, doors: ReadonlyMap<string, Door>) {
    this.#aws = aws;
    this.#fleet = fleet;
    this.#report = report;
    this.#doors = doors;
  }

  /** The first attempt comes from the queue, which shows the message again later; those in between are made here. */
  async ingest(at: number): Promise<void> {
    // Until it is killed over this model, evaluate must do nothing for it: the schedule's ticks are for the others.
    this.#door('evaluate').fault = refuseWrites(models.killed);
    const killer = this.#killer('ingest');
    const { key, body } = twinCapture(models.killed, at);
    const before = killer.arm();
    await this.#aws.s3.send(new PutObjectCommand({ Bucket: captureBucket, Key: key, Body: body }));
    await waitFor('ingest to be killed', 90, async () => (killer.writes.length > before ? true : undefined), 0.05);
    await killer.disarm();
    const Records = [{ messageId: 'again', body: captureEvent(this.#aws, key, 'delivered-again') }];
    await this.#repeat('ingest', async () => {
      const answer = await this.#invoke('ingest', { Records });
      if (JSON.stringify(answer) !== '{"batchItemFailures":[]}') throw new Error(`ingest: ${JSON.stringify(answer)}`);
    });
  }

  /** By ticks that are run by hand. */
  async judge(): Promise<void> {
    await this.#repeat('evaluate', () => runTick(this.#aws, this.#fleet));
    await waitFor('the ingest queue to show its message again', 120, async () =>
      (await readDepth(this.#aws, queues.ingest)).all === 0 ? true : undefined,
    ).catch((error: unknown) => this.#report.check(String(error), false));
  }

  /** A tick whose first metrics are refused for calling too often. */
  async judgeThrottled(): Promise<void> {
    const door = this.#door('evaluate');
    const before = await countTicks(this.#aws);
    let refused = 0;
    door.fault = throttleMetrics(2, () => {
      refused++;
    });
    await runTick(this.#aws, this.#fleet).finally(() => {
      door.fault = undefined;
    });
    const after = await countTicks(this.#aws);
    this.#report.check(
      'PutMetricData throttled twice: the client waits and publishes',
      refused === 2 && after > before,
      { refused, before, after },
    );
  }

  /**
   * The emulator calls a function that failed on a message of SNS no second time: this run does.
   * @param messages of alarms, as SNS gives them to notify
   */
  async notify(messages: readonly string[]): Promise<void> {
    const Records = messages.map((Message, index) => ({
      EventSource: 'aws:sns',
      Sns: { MessageId: `again-and-again-${index}`, Message },
    }));
    await this.#repeat('notify', () => this.#invoke('notify', { Records }));
  }

  /**
   * Of an object a note is left that says that it was not ingested to its end an hour ago: the sweep announces it, and
   * ingest takes it in once more.
   */
  async sweep(at: number): Promise<void> {
    const { key } = twinCapture(models.killed, at);
    const row = { pk: { S: `ingesting#${models.killed}` }, sk: { S: objectId(captureBucket, key) } };
    const note = { bucket: captureBucket, key, account: null, bytes: 1, since: Date.now() - 3_600_000 };
    const Item = { ...row, value: { S: JSON.stringify(note) }, revision: { N: '1' } };
    const { dynamo } = this.#aws;
    await dynamo.send(new PutItemCommand({ TableName: this.#fleet.table, Item }));
    await this.#repeat('sweep', () => this.#invoke('sweep', { schedule: 'sweep' }));
    const isGone = async () => {
      const { Item: left } = await dynamo.send(new GetItemCommand({ TableName: this.#fleet.table, Key: row }));
      return left === undefined ? true : undefined;
    };
    const gone = await waitFor('the object to be finished', 120, isGone).catch((error: unknown) => String(error));
    this.#report.equal('the object that was left half way is finished by what the sweep announced', gone, true);
    await waitFor('the ingest queue to be empty', 120, async () =>
      (await readDepth(this.#aws, queues.ingest)).all === 0 ? true : undefined,
    ).catch((error: unknown) => this.#report.check(String(error), false));
  }

  /** The same objects, the same rows, the same verdict. */
  async compare(windowStart: number, at: number): Promise<void> {
    const undisturbed = await this.#describe(models.drifted, windowStart, at);
    const killed = await this.#describe(models.killed, windowStart, at);
    for (const what of ['objects', 'rows'] as const) {
      const count = undisturbed[what].length;
      this.#report.equal(`the same ${count} ${what} as undisturbed`, killed[what], undisturbed[what]);
    }
    this.#report.equal('the same verdict', killed.verdict, undisturbed.verdict);
  }

  async #describe(model: string, windowStart: number, at: number) {
    const id = objectId(captureBucket, twinCapture(model, at).key);
    const plain = (text: string) =>
      text
        .replaceAll(model, 'MODEL')
        .replaceAll(id, 'OBJECT')
        .replace(/[0-9a-f]{16,}/g, 'HASH');
    const [state, audit, table] = await Promise.all([
      listObjects(this.#aws, this.#fleet.stateBucket),
      listObjects(this.#aws, this.#fleet.auditBucket),
      this.#aws.dynamo.send(new ScanCommand({ TableName: this.#fleet.table })),
    ]);
    const key = verdictKey({ model, variant: 'AllTraffic', version: 'v1' }, windowStart, 0);
    const bytes = await this.#fleet.state.get(key);
    const verdict = bytes && parseVerdict(key, bytes);
    return {
      objects: [...state.keys(), ...audit.keys()]
        .filter((one) => one.includes(`/${model}/`))
        .map(plain)
        .sort(),
      rows: (table.Items ?? [])
        .map(({ pk, sk }) => `${pk?.S} ${sk?.S}`)
        .filter((row) => row.includes(model))
        .map(plain)
        .sort(),
      verdict: verdict && {
        tier: verdict.tier,
        records: verdict.records,
        features: verdict.features,
        findings: verdict.findings,
      },
    };
  }

  async #repeat(handler: string, attempt: () => Promise<unknown>): Promise<void> {
    const killer = this.#killer(handler);
    await repeatUntilThrough(killer, attempt);
    this.#report.check(
      `${handler} was killed ${killer.writes.length} times, and then got through: ${killer.writes.join(', ')}`,
      killer.writes.length > 1,
    );
  }

  #invoke(handler: string, event: unknown): Promise<unknown> {
    return invokeFunction(this.#aws.emulator, this.#functionName(handler), event);
  }

  #functionName(handler: string): string {
    const name = this.#fleet.functions.get(handler)?.FunctionName;
    if (name === undefined) throw new Error(`expected the function ${handler} to be deployed, saw none`);
    return name;
  }

  #door(handler: string): Door {
    const door = this.#doors.get(handler);
    if (!door) throw new Error(`expected a door of ${handler}, saw none`);
    return door;
  }

  #killer(handler: string): Killer {
    const emulator: Emulator = this.#aws.emulator;
    const mentions = mentionsOf.get(handler) ?? [models.killed];
    const killer =
      this.#killers.get(handler) ?? new Killer(emulator, this.#door(handler), this.#functionName(handler), mentions);
    this.#killers.set(handler, killer);
    return killer;
  }
}

function twinCapture(model: string, at: number): CaptureObject {
  return captureObject(`datacapture/${model}/AllTraffic/`, at, captureLines(model, 'drifted', at));
}
