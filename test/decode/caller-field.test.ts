import { expect, test } from 'vitest';
import { decodeCapture } from '../../core/decode/decode-capture.ts';
import { type DecodePlan, defaultBatchRows, defaultLimits } from '../../core/decode/decode-plan.ts';

const base = {
  gzip: 'auto',
  variant: 'AllTraffic',
  role: 'inferences',
  limits: defaultLimits,
  batchRows: defaultBatchRows,
} as const;

/** The callers that lines name, in order. */
async function callersOf(plan: DecodePlan, lines: readonly object[]): Promise<readonly (string | undefined)[]> {
  async function* chunks() {
    yield Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  }
  const callers: (string | undefined)[] = [];
  for await (const { batch } of decodeCapture(chunks(), plan)) {
    callers.push(...batch.invocations.map(({ caller }) => caller));
  }
  return callers;
}

const request = (more: object, at = 0) => ({
  time: 1_772_366_400_000 + at,
  id: `r${at}`,
  request: { body: { age: 1, client: 'in the payload' } },
  ...more,
});

test('an HTTP capture names its caller in the field that its version says', async () => {
  const versions = [
    { match: 'v1', predictions: [], caller: 'client' },
    { match: 'v2', predictions: [], caller: '__proto__' },
    { match: 'v3', predictions: [] },
  ];
  const lines = [
    request({ version: 'v1', client: 'batch' }, 1),
    request({ version: 'v1', client: 7 }, 2),
    request({ version: 'v1', client: { nested: true } }, 3),
    request({ version: 'v1', client: '' }, 4),
    request({ version: 'v1' }, 5),
    request({ version: 'v2', client: 'batch' }, 6),
    request({ version: 'v3', client: 'batch' }, 7),
    request({ version: 'v9', client: 'of another version' }, 8),
  ];
  expect(await callersOf({ ...base, format: 'http-capture', versions }, lines)).toEqual([
    'batch',
    '7',
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
    'of another version',
  ]);
});

test('a SageMaker record names its caller in a custom attribute', async () => {
  const record = (customAttributes: unknown, at: number) => ({
    captureData: { endpointInput: { observedContentType: 'text/csv', mode: 'INPUT', data: '1', encoding: 'CSV' } },
    eventMetadata: { eventId: `e${at}`, inferenceTime: '2026-03-01T12:00:00Z', customAttributes },
  });
  const versions = [{ match: 'v1', predictions: [], caller: 'client' }];
  const lines = [record(['version=v1', 'client= crawler '], 1), record('client=tester;x=1', 2), record(null, 3)];
  const plan = { ...base, format: 'sagemaker-capture', versions, defaultVersion: 'v1' } as const;
  expect(await callersOf(plan, lines)).toEqual(['crawler', 'tester', undefined]);
});

test('without a configured field no line has a caller', async () => {
  const versions = [{ match: 'v1', predictions: [] }];
  const plan = { ...base, format: 'http-capture', versions, defaultVersion: 'v1' } as const;
  expect(await callersOf(plan, [request({ client: 'batch', caller: 'batch' })])).toEqual([undefined]);
});
