import { PutObjectCommand } from '@aws-sdk/client-s3';
import { joinPartPrefix, objectId, parseJoinPartKey, quarantineKey } from '../../core/contract/keys.ts';
import { readJudgementPointer } from '../../core/pipeline/join-manifest.ts';
import { parseVerdict } from '../../core/pipeline/judge-window.ts';
import { readModelState } from '../../core/pipeline/model-state.ts';
import type { StoredQuality } from '../../core/pipeline/stored-quality.ts';
import { type Aws, invokeFunction } from './aws.ts';
import { captureObject, rows } from './captures.ts';
import { captureBucket, type Fleet, functionNameOf, listObjects, models } from './fleet.ts';
import { type Report, waitFor } from './report.ts';
import { runTick } from './schedule.ts';

const model = models.labelled;
const hour = 3_600_000;
const unknownIds = 5;

/** What the model predicted, and what came of it. */
interface Outcome {
  readonly id: string;
  readonly predicted: boolean;
  readonly corrected: boolean;
}

/** The ids are those of the captures; every second label is corrected later. */
const outcomes: readonly Outcome[] = rows.quiet.map(([, , , score], index) => {
  const predicted = Number(score) >= 0.5;
  return { id: `${model}-quiet-${index}`, predicted, corrected: index % 2 === 0 ? predicted : !predicted };
});

function labelLine(id: string, isYes: boolean, time: number): string {
  return JSON.stringify({
    groundTruthData: { data: isYes ? '1' : '0', encoding: 'CSV' },
    eventMetadata: { eventId: id, labelTime: new Date(time).toISOString() },
    eventVersion: '0',
  });
}

/**
 * Ground truth in the bucket becomes a verdict: first labels that say that every prediction was right, then corrections of half of
 * them, labels of nobody and a line that can't be read.
 * @param at when the inferences were made
 */
export async function checkLabels(aws: Aws, fleet: Fleet, report: Report, at: number): Promise<void> {
  const early = outcomes.map(({ id, predicted }) => labelLine(id, predicted, at + 2 * hour));
  await putLabels(aws, fleet, at + 2 * hour, early);
  const praise = await judge(aws, fleet);
  checkFigures(report, 'as labelled first', praise, [1, 1], 0);
  report.equal('tier by them', praise.tier, 'green');

  const corrections = outcomes
    .filter(({ predicted, corrected }) => predicted !== corrected)
    .map(({ id, corrected }) => labelLine(id, corrected, at + 3 * hour));
  const strangers = Array.from({ length: unknownIds }, (_, index) => labelLine(`nobody-${index}`, true, at + 3 * hour));
  const id = await putLabels(aws, fleet, at + 3 * hour, [...corrections, ...strangers, 'no label']);
  const corrected = await judge(aws, fleet);
  const hits = outcomes.filter((one) => one.predicted && one.corrected).length;
  const wanted = [
    hits / outcomes.filter((one) => one.predicted).length,
    hits / outcomes.filter((one) => one.corrected).length,
  ];
  checkFigures(report, 'as corrected', corrected, wanted, unknownIds);
  report.equal(
    'broken: precision, and not recall',
    corrected.quality.map(({ broken }) => broken),
    [true, false],
  );
  report.equal('the same cohort, stated anew', cohortsOf(corrected), cohortsOf(praise));
  report.check(
    'its figures are another statement',
    corrected.cohorts.join() !== praise.cohorts.join(),
    corrected.cohorts,
  );
  report.check(
    'the line that is no label is in quarantine',
    (await fleet.state.get(quarantineKey(model, id))) !== undefined,
  );

  await runTick(aws, fleet);
  const { live } = await readModelState(fleet.rows, model, Date.now());
  const key = live.key ?? '';
  const verdict = parseVerdict(key, (await fleet.state.get(key)) ?? new Uint8Array());
  const [finding] = verdict.findings;
  report.equal(
    'the verdict in force',
    [verdict.tier, finding?.kind, finding?.id],
    ['red', 'quality', 'quality:precision'],
  );
  report.close('precision in it', verdict.quality[0]?.matured.value ?? undefined, wanted[0] ?? Number.NaN);
  report.say(`${finding?.message}`);
}

function checkFigures(
  report: Report,
  what: string,
  { quality, labels, coverage }: StoredQuality,
  wanted: readonly number[],
  unmatched: number,
): void {
  for (const [index, { name, matured }] of quality.entries()) {
    report.close(`${what}: ${name}`, matured.value ?? undefined, wanted[index] ?? Number.NaN);
    report.equal(`${what}: records, labelled`, [matured.records, matured.labelled], [outcomes.length, outcomes.length]);
  }
  report.equal(
    `${what}: ids with a label, of them without an inference, coverage`,
    [labels.ids, labels.unmatched, coverage],
    [outcomes.length + unmatched, unmatched, 1],
  );
}

/** Without the numbers and hashes of their statements. */
function cohortsOf({ cohorts }: StoredQuality): readonly string[] {
  return cohorts.map((key) => key.slice(0, key.lastIndexOf('/')));
}

/** @returns the id of the object, once ingest is through with it. */
async function putLabels(aws: Aws, fleet: Fleet, time: number, lines: readonly string[]): Promise<string> {
  const { key, body } = captureObject(`labels/${model}/`, time, lines);
  await aws.s3.send(new PutObjectCommand({ Bucket: captureBucket, Key: key, Body: body }));
  const id = objectId(captureBucket, key);
  await waitFor(`the labels of ${key}`, 120, async () => {
    const parts = await listObjects(aws, fleet.stateBucket, joinPartPrefix('labels', model));
    return [...parts.keys()].some((one) => parseJoinPartKey(one)?.objectId === id) ? true : undefined;
  });
  return id;
}

/** Has the sweep join and judge. @returns the judgement in force */
async function judge(aws: Aws, fleet: Fleet): Promise<StoredQuality> {
  await invokeFunction(aws.emulator, functionNameOf(fleet, 'sweep'), { schedule: 'sweep' });
  const pointer = await readJudgementPointer(fleet.rows, model);
  const bytes = await fleet.state.get(pointer?.key ?? '');
  if (!bytes) throw new Error(`expected a judgement of ${model} by its labels, saw none`);
  const stored: StoredQuality = JSON.parse(Buffer.from(bytes).toString('utf8'));
  return stored;
}
