import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { buildSync } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sagemakerCapture } from '../../core/contract/config.ts';
import { envNames } from '../../core/contract/env-names.ts';
import { metricNames } from '../../core/contract/metric-names.ts';
import { loadFleet } from '../../lib/fleet-configuration.ts';
import { bundleHandler, configFiles, type Handler, handlers } from '../../lib/handler-code.ts';
import { dropErrors, markSchemas } from '../../lib/sdk-schemas.ts';
import { captureEvent, queueBatch } from '../lambdas/events.ts';
import { hour, linesOf, minute, payloadKey, payloadLine } from '../pipeline/capture-lines.ts';
import { usualCalls } from '../pipeline/embedded-world.ts';
import { AwsStandIn } from './aws-stand-in.ts';

const folder = mkdtempSync(join(tmpdir(), 'tidewatch-handlers-'));
const aws = new AwsStandIn();
let environment: NodeJS.ProcessEnv;

beforeAll(async () => {
  const source = sagemakerCapture({ bucket: 'captures', prefix: 'data', endpoint: 'credit' });
  const configuration = loadFleet({ models: [{ name: 'credit', source, versions: [{ match: 'v1' }] }] }, folder);
  for (const [path, text] of configFiles(configuration, configuration.models)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const address = await aws.open();
  environment = {
    AWS_ENDPOINT_URL: address,
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'none',
    AWS_SECRET_ACCESS_KEY: 'none',
    [envNames.stateBucket]: 'state',
    [envNames.auditBucket]: 'audit',
    [envNames.table]: 'table',
    [envNames.touchQueueUrl]: `${address}/1/touch`,
    [envNames.ingestQueueUrl]: `${address}/1/ingest`,
    [envNames.evidenceSecretArn]: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:evidence',
    [envNames.yellowTopicArn]: 'arn:aws:sns:eu-central-1:111122223333:yellow',
    [envNames.redTopicArn]: 'arn:aws:sns:eu-central-1:111122223333:red',
    [envNames.yellowAlarmTopicArn]: 'arn:aws:sns:eu-central-1:111122223333:alarms-yellow',
    [envNames.redAlarmTopicArn]: 'arn:aws:sns:eu-central-1:111122223333:alarms-red',
    [envNames.yellowDeliverTopicArn]: 'arn:aws:sns:eu-central-1:111122223333:deliver-yellow',
    [envNames.redDeliverTopicArn]: 'arn:aws:sns:eu-central-1:111122223333:deliver-red',
    [envNames.shard]: 'main',
    [envNames.shards]: 'main',
    [envNames.code]: 'test',
    [envNames.logLevel]: 'INFO',
  };
});

afterAll(() => {
  aws.close();
  rmSync(folder, { recursive: true });
});

/** An hour of captures that arrived half an hour ago, and of which the last line is damaged. @returns its key. */
function putCapture(name: string): string {
  const now = Date.now();
  const from = Math.floor(now / hour) * hour - 3 * hour;
  const key = payloadKey(from, name);
  const body = linesOf([...usualCalls(from, from + hour, 20, name.length).map(payloadLine), 'damaged']);
  aws.objects.set(`captures/${key}`, { body, modified: new Date(now - 30 * minute) });
  return key;
}

/** Calls the bundle in a process of its own. @returns what it answered, and the messages that it logged. */
async function call(handler: Handler, event: unknown): Promise<{ answer: unknown; messages: readonly string[] }> {
  writeFileSync(join(folder, 'index.mjs'), bundleHandler(handler));
  const script = `
    const { handler } = await import(${JSON.stringify(join(folder, 'index.mjs'))});
    const answer = await handler(${JSON.stringify(event)}, { awsRequestId: 'request' });
    process.stdout.write(JSON.stringify({ message: 'answer', answer }) + '\\n');
    process.exit();`;
  const options = { cwd: folder, env: environment };
  const run = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], options);
  // Warnings and errors are written to the other stream.
  const lines: { message: string; answer?: unknown }[] = `${run.stderr}${run.stdout}`
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  return { answer: lines.at(-1)?.answer, messages: lines.slice(0, -1).map(({ message }) => message) };
}

const countObjects = (prefix: string) => [...aws.objects.keys()].filter((name) => name.startsWith(prefix)).length;

test('the bundled handlers do their work, one after the other', async () => {
  expect((await call('endpoints', { schedule: 'endpoints' })).messages).toEqual([
    'endpoint serves another configuration',
  ]);
  const announced = queueBatch([captureEvent(putCapture('announced'))]);
  expect(await call('ingest', announced)).toEqual({
    answer: { batchItemFailures: [] },
    messages: ['capture ingested'],
  });
  expect(aws.touches).toHaveLength(1);

  expect((await call('evaluate', { schedule: 'tick' })).messages).toContain('tick completed');
  expect(aws.metrics).toEqual(expect.arrayContaining([metricNames.records, metricNames.heartbeat]));
  expect(countObjects('state/verdicts/')).toBeGreaterThan(0);

  putCapture('lost');
  expect((await call('sweep', { schedule: 'sweep' })).messages).toEqual(['evidence listed', 'model swept']);
  expect(await call('ingest', queueBatch(aws.announced))).toEqual({
    answer: { batchItemFailures: [] },
    messages: ['capture ingested'],
  });
  expect(aws.touches).toHaveLength(2);
  for (const prefix of ['state/fragments/', 'state/quarantine/']) expect(countObjects(prefix), prefix).toBe(2);
  expect(countObjects('state/log/')).toBeGreaterThan(0);

  expect(await call('evaluate', queueBatch(aws.touches))).toEqual({
    answer: { batchItemFailures: [] },
    messages: ['window judged again'],
  });
  expect((await call('notify', { schedule: 'overdue' })).messages).toEqual([]);
  // Probes of the alert path, one for each tier.
  expect(aws.published).toBe(2);
});

test.each(handlers)('the bundle of %s leaves out what no handler uses', (handler) => {
  const text = Buffer.from(bundleHandler(handler)).toString();
  expect(text).not.toMatch(/:message-type|devDependencies|mnemonist/);
});

test.each([
  ['ingest', 'nothing that judges', /^$/],
  ['sweep', 'what judges labels, and nothing else', /^core\/evaluate\/(performance\/|number-text\.ts$)/],
] as const)('%s carries %s', (handler, _, judging) => {
  const { metafile } = buildSync({
    absWorkingDir: join(import.meta.dirname, '../..'),
    entryPoints: [`lambdas/${handler}.ts`],
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
  });
  const modules = Object.keys(metafile.inputs);
  expect(modules).toContain(`core/pipeline/${handler}.ts`);
  expect(modules.filter((path) => /^core\/(evaluate|publish)\//.test(path) && !judging.test(path))).toEqual([]);
  // A sweep announces captures: it neither reads them nor writes their evidence.
  const kept = Object.values(metafile.outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : [])),
  );
  expect(kept.some((path) => /^core\/(decode\/decode-|audit\/bundle-)/.test(path))).toBe(handler === 'ingest');
  const packages = Object.values(metafile.inputs).flatMap(({ imports }) => imports.map(({ path }) => path));
  expect(packages.some((path) => path.startsWith('@stdlib/'))).toBe(handler === 'sweep');
});

describe('schemas of the SDK', () => {
  const used =
    'var kept = [3, n0, _A,\n    { [_e]: _c },\n    [_B], [() => other]\n];\nexport var other = [1, n0, _C, 8, 0];';

  test('mean the same when they are marked', () => {
    const marked = markSchemas(used);
    expect(marked.match(/@__PURE__/g)).toHaveLength(2);
    const evaluate = (source: string) =>
      new Function(`const n0 = 'n', _A = 'A', _B = 'B', _C = 'C', _e = 'e', _c = 'c';
        ${source.replaceAll('export ', '')} return JSON.stringify([kept, kept[5][0](), other]);`)();
    expect(evaluate(marked)).toBe(evaluate(used));
  });

  test('are left alone where they are anything else', () => {
    for (const source of ["const a = 'b';", 'registry.registerError(A$, A);', 'function f() {\n  var x = [1];\n}']) {
      expect(markSchemas(source)).toBe(source);
    }
  });

  test('keep every error that an operation on rows may answer with', () => {
    const path = new URL('../../node_modules/@aws-sdk/client-dynamodb/dist-es/schemas/schemas_0.js', import.meta.url);
    const errorsIn = (source: string) => [...source.matchAll(/registerError\((\w+)\$/g)].map(([, name]) => name);
    const source = readFileSync(path, 'utf8');
    const kept = errorsIn(dropErrors(source));
    expect(kept).toEqual(
      expect.arrayContaining([
        'DynamoDBServiceException',
        'ConditionalCheckFailedException',
        'InternalServerError',
        'ItemCollectionSizeLimitExceededException',
        'ProvisionedThroughputExceededException',
        'ReplicatedWriteConflictException',
        'RequestLimitExceeded',
        'ResourceNotFoundException',
        'ThrottlingException',
        'TransactionConflictException',
      ]),
    );
    expect(errorsIn(source).length - kept.length).toBeGreaterThan(10);
  });
});
