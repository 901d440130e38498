import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { GetObjectRetentionCommand } from '@aws-sdk/client-s3';
import { SecretKeySource } from '../../adapters/aws/secret-key-source.ts';
import { openBundle } from '../../core/audit/bundle-reader.ts';
import { verifyLog } from '../../core/audit/verify-log.ts';
import {
  bundlePrefix,
  logSegmentKey,
  logSegmentPrefix,
  objectId,
  parseBundleKey,
  parseFragmentKey,
  quarantinePrefix,
  verdictKey,
} from '../../core/contract/keys.ts';
import { metricNamespace } from '../../core/contract/metric-names.ts';
import type { Verdict } from '../../core/model/verdict.ts';
import { parseVerdict } from '../../core/pipeline/judge-window.ts';
import { type Aws, invokeFunction, readLog } from './aws.ts';
import { malformedLines, type WindowNumbers } from './captures.ts';
import { readMetric } from './cloudwatch-stand-in.ts';
import { captureBucket, type Fleet, listObjects, models } from './fleet.ts';
import { type Report, waitFor } from './report.ts';

/** A capture object as it was put, and what it held. */
export interface PutCapture {
  readonly model: string;
  readonly key: string;
  readonly records: number;
  readonly quarantined: number;
  readonly duplicates: number;
}

/** A window's scores as they stand in CloudWatch against the numbers that scipy made. */
export async function checkMetrics(
  aws: Aws,
  report: Report,
  model: string,
  windowEnd: number,
  expected: WindowNumbers,
  quarantined: number,
): Promise<void> {
  const read = async (metric: string, feature?: string) => {
    const dimensions = [...(feature === undefined ? [] : [['Feature', feature] as const]), ['Model', model] as const];
    const values = await readMetric(aws, metricNamespace, metric, dimensions, windowEnd - 3_600_000);
    return values.filter(({ time }) => time === windowEnd).map(({ value }) => value);
  };
  const check = async (metric: string, wanted: number, feature?: string) => {
    const values = await read(metric, feature);
    const named = `${model} ${metric}${feature === undefined ? '' : ` of ${feature}`}`;
    report.close(named, values.length === 1 ? values[0] : undefined, wanted);
  };
  const scores = Object.entries(expected.populationStabilityIndex);
  await check('Records', expected.records);
  await check('QuarantinedRecords', quarantined);
  await check('DriftedFeatures', expected.drifted.length);
  await check('DriftShare', expected.drifted.length / scores.length);
  await check('MaxPopulationStabilityIndex', Math.max(...scores.map(([, score]) => score)));
  for (const [feature, score] of scores) await check('PopulationStabilityIndex', score, feature);
  await check('MissingRate', expected.overallMissingRate);
}

const series = (model: string) => ({ model, variant: 'AllTraffic', version: 'v1' });

export async function readVerdict(
  fleet: Fleet,
  model: string,
  windowStart: number,
  revision: number,
): Promise<Verdict | undefined> {
  const key = verdictKey(series(model), windowStart, revision);
  const bytes = await fleet.state.get(key);
  return bytes && parseVerdict(key, bytes);
}

/** A verdict's own numbers against scipy's. */
export function checkVerdict(report: Report, verdict: Verdict, expected: WindowNumbers, what: string): void {
  report.equal(`${what}: counted`, verdict.records.counted, expected.records);
  for (const [feature, score] of Object.entries(expected.populationStabilityIndex)) {
    report.close(`${what}: PSI of ${feature}`, verdict.features[feature]?.scores.populationStabilityIndex, score);
  }
  const drifted = Object.entries(verdict.features).flatMap(([name, one]) => (one.drifted ? [name] : []));
  report.equal(`${what}: drifted features`, drifted.sort(), expected.drifted);
}

/** Malformed lines are in quarantine, by their place, and no other line is lost. */
export async function checkQuarantine(
  fleet: Fleet,
  report: Report,
  verdict: Verdict,
  captures: readonly PutCapture[],
): Promise<void> {
  const own = captures.filter(({ model }) => model === models.quiet);
  const sum = (pick: (capture: PutCapture) => number) => own.reduce((total, capture) => total + pick(capture), 0);
  const [records, quarantined, duplicate] = [
    sum((capture) => capture.records),
    sum((capture) => capture.quarantined),
    sum((capture) => capture.duplicates),
  ];
  report.equal(
    'captured = counted + quarantined + duplicate + pending + expired',
    [verdict.records.captured, verdict.records.pending, verdict.records.expired, verdict.records.duplicate],
    [records + quarantined + duplicate, 0, 0, duplicate],
  );
  const reports: string[] = [];
  for await (const key of fleet.state.list(quarantinePrefix(models.quiet))) reports.push(key);
  report.equal('quarantine reports', reports.length, 1);
  const bytes = await fleet.state.get(reports[0] ?? '');
  const { entries = [], quarantined: count = 0 } = JSON.parse(Buffer.from(bytes ?? '{}').toString('utf8'));
  report.equal('lines in quarantine', count, malformedLines.length);
  const text = JSON.stringify(entries);
  report.check('quarantine holds no content', !malformedLines.some((line) => text.includes(line.slice(0, 8))), text);
}

/** Each capture object has one evidence bundle, locked, that opens with the deployed secret and names the object. */
export async function checkEvidence(
  aws: Aws,
  fleet: Fleet,
  report: Report,
  captures: readonly PutCapture[],
): Promise<void> {
  const keys = new SecretKeySource(aws.secrets, fleet.evidenceSecret);
  for (const { model, key, records, quarantined, duplicates } of captures) {
    const id = objectId(captureBucket, key);
    const listed = await listObjects(aws, fleet.auditBucket, bundlePrefix(model));
    const found = [...listed.keys()].filter((one) => parseBundleKey(one)?.objectId === id);
    const bundle = found[0];
    if (bundle === undefined || found.length !== 1) {
      report.check(`one evidence bundle for ${key}`, false, found);
      continue;
    }
    const bytes = await fleet.audit.get(bundle);
    const day = parseBundleKey(bundle)?.day ?? '';
    const { source, trailer } = openBundle(bytes ?? new Uint8Array(), await keys.modelDayKey(model, day));
    const kept = records > 0 ? trailer.records : trailer.requests;
    report.equal(
      `evidence of ${key.split('/').at(-1)}: object, lines kept, quarantined, duplicates`,
      [source.key, kept, trailer.quarantined, trailer.duplicates],
      [key, records > 0 ? records : kept, quarantined, duplicates],
    );
    const { Retention } = await aws.s3.send(new GetObjectRetentionCommand({ Bucket: fleet.auditBucket, Key: bundle }));
    report.check('it is locked', Retention?.Mode === 'GOVERNANCE', Retention);
  }
}

/** What the newest sweeps said of the models, one line each. */
async function readSweeps(aws: Aws, functionName: string): Promise<readonly SweptModel[]> {
  const lines = await readLog(aws.emulator, functionName);
  return lines.flatMap((line) => {
    if (!line.includes('"model swept"')) return [];
    const swept: SweptModel = JSON.parse(line.slice(line.indexOf('{')));
    return [swept];
  });
}

interface SweptModel {
  readonly model: string;
  readonly announced: number;
  readonly touched: readonly string[];
}

/** Runs the hourly sweep now: nothing is found undone, and the hash list covers all evidence. */
export async function checkSweep(aws: Aws, fleet: Fleet, report: Report): Promise<void> {
  const sweep = fleet.functions.get('sweep');
  if (!report.check('the sweep function is deployed', sweep !== undefined) || sweep === undefined) return;
  const before = (await readSweeps(aws, sweep.FunctionName)).length;
  await invokeFunction(aws.emulator, sweep.FunctionName, { schedule: 'sweep' });
  const swept = await waitFor('the log of the sweep', 30, async () => {
    const all = (await readSweeps(aws, sweep.FunctionName)).slice(before);
    return all.length >= Object.keys(models).length ? all : undefined;
  });
  const undone = swept.filter(({ announced, touched }) => announced > 0 || touched.length > 0);
  report.equal(`the sweep found nothing undone in ${swept.length} models`, undone, []);
  const log = await verifyLog({
    segments: (async function* () {
      for await (const key of fleet.state.list(logSegmentPrefix)) {
        const bytes = await fleet.state.get(key);
        if (bytes) yield [key, bytes] as const;
      }
    })(),
    readObject: (key) => fleet.audit.get(key),
    listObjects: () => fleet.audit.list('bundles/'),
    segmentKey: logSegmentKey,
  });
  report.check(
    `the hash list verifies: ${log.entries} evidence objects, ${log.pending.count} waiting`,
    log.ok && log.entries > 0,
    log.problems,
  );
}

/** Waits until a capture object's fragment is there. */
export async function waitForFragment(
  aws: Aws,
  fleet: Fleet,
  { model, key }: Pick<PutCapture, 'model' | 'key'>,
): Promise<void> {
  const id = objectId(captureBucket, key);
  await waitFor(`the fragment of ${key}`, 240, async () => {
    const fragments = await listObjects(aws, fleet.stateBucket, `fragments/${model}/`);
    return [...fragments.keys()].some((one) => parseFragmentKey(one)?.objectId === id) ? true : undefined;
  });
}

/** What must survive a deployment: every object of the state and audit buckets, and every row of the table. */
export interface KeptState {
  readonly objects: ReadonlyMap<string, string>;
  readonly rows: ReadonlySet<string>;
}

export async function readKeptState(aws: Aws, fleet: Fleet): Promise<KeptState> {
  const objects = new Map([
    ...(await listObjects(aws, fleet.stateBucket)),
    ...(await listObjects(aws, fleet.auditBucket)),
  ]);
  const { Items = [] } = await aws.dynamo.send(new ScanCommand({ TableName: fleet.table }));
  return { objects, rows: new Set(Items.map(({ pk, sk }) => `${pk?.S} ${sk?.S}`)) };
}

export function checkKept(report: Report, before: KeptState, after: KeptState): void {
  const lost = [...before.objects].filter(([key, etag]) => after.objects.get(key) !== etag).map(([key]) => key);
  report.equal(`objects lost or changed, of ${before.objects.size}`, lost, []);
  const rows = [...before.rows].filter((row) => !after.rows.has(row));
  report.equal(`rows lost, of ${before.rows.size}`, rows, []);
}
