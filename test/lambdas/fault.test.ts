import { S3ServiceException } from '@aws-sdk/client-s3';
import { afterEach, expect, test, vi } from 'vitest';
import { envNames } from '../../core/contract/env-names.ts';
import { IntegrityError } from '../../core/pipeline/write-once.ts';
import { readVariable } from '../../lambdas/environment.ts';
import { describeFault, EventShapeError } from '../../lambdas/fault.ts';
import { bindLog, createLog } from '../../lambdas/log.ts';
import { RecordedLog } from './events.ts';

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

test.each([
  ['a parser', () => JSON.parse('{"ssn":"078-05-1120"')],
  ['a message that looks like a frame', () => Promise.reject(new Error('x\n    at 078-05-1120 (file.ts:1:1)'))],
  ['a cause', () => Promise.reject(new EventShapeError('bad', { cause: new RangeError('078-05-1120') }))],
  ['something that is no error', () => Promise.reject('078-05-1120')],
])('the text of %s is not repeated', async (_, run) => {
  const error = await (async () => run())().catch((caught: unknown) => caught);
  const fault = describeFault(error);
  expect(JSON.stringify(fault)).not.toContain('078');
  expect(fault.name.length).toBeGreaterThan(0);
});

test('our own messages, places and the ids of refused requests are told', () => {
  const fault = describeFault(new IntegrityError('state/key', 'holds other bytes'));
  expect(fault.message).toBe('state/key: holds other bytes');
  expect(fault.at[0]).toContain('fault.test.ts');
  const refused = new S3ServiceException({
    name: 'SlowDown',
    $fault: 'server',
    message: 'Please reduce your request rate.',
    $metadata: { httpStatusCode: 503, requestId: 'r1' },
  });
  expect(describeFault(refused)).toMatchObject({ name: 'SlowDown', status: 503, requestId: 'r1' });
});

test('causes that go round in a circle end', () => {
  const error = new EventShapeError('a');
  error.cause = error;
  expect(JSON.stringify(describeFault(error)).length).toBeLessThan(20_000);
});

test('a variable that the stack did not set is named', () => {
  vi.stubEnv(envNames.table, 'state');
  vi.stubEnv(envNames.stateBucket, '');
  expect(readVariable('table')).toBe('state');
  expect(() => readVariable('stateBucket')).toThrow('expected TIDEWATCH_STATE_BUCKET to be set');
});

test('a log line is JSON with its service and the ids it is bound to', () => {
  vi.stubEnv('POWERTOOLS_SERVICE_NAME', 'tidewatch-ingest');
  const lines: string[] = [];
  vi.stubEnv('POWERTOOLS_DEV', 'true');
  vi.spyOn(globalThis.console, 'info').mockImplementation((line: string) => void lines.push(line));
  bindLog(createLog(), { messageId: 'm1' }).info('capture ingested', { counted: 3 });
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    level: 'INFO',
    message: 'capture ingested',
    service: 'tidewatch-ingest',
    messageId: 'm1',
    counted: 3,
  });
});

test('the innermost binding counts', () => {
  const log = new RecordedLog();
  bindLog(bindLog(log, { model: 'a', requestId: 'r' }), { model: 'b' }).warn('x', {});
  expect(log.lines).toEqual([{ level: 'warn', message: 'x', fields: { model: 'b', requestId: 'r' } }]);
});
