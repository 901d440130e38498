import { GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, expect, test } from 'vitest';
import { CaptureChangedError, S3CaptureStore } from '../../../adapters/aws/s3-capture-store.ts';
import { collect } from '../collect.ts';
import { bodyOf, preconditionFailed, refusal } from './answers.ts';

const s3 = mockClient(S3Client);
const captures = new S3CaptureStore(new S3Client({ region: 'eu-west-1' }));
const arrived = Date.UTC(2026, 2, 10, 5);
const object = { bucket: 'c', key: 'k', etag: 'abc', versionId: 'v1', bytes: 7, lastModified: arrived };

beforeEach(() => void s3.reset());

test('head tells version, ETag without quotes, length and arrival', async () => {
  s3.on(HeadObjectCommand, { Bucket: 'c', Key: 'k' }).resolves({
    ETag: '"abc"',
    VersionId: 'v1',
    ContentLength: 7,
    LastModified: new Date(arrived),
  });
  expect(await captures.head('c', 'k')).toEqual(object);
});

test('an object that is gone is undefined, a refusal is an error', async () => {
  s3.on(HeadObjectCommand).rejectsOnce(refusal('NotFound', 404)).rejects(refusal('403', 403));
  expect(await captures.head('c', 'k')).toBeUndefined();
  await expect(captures.head('c', 'k')).rejects.toThrow('403');
});

test('reads that very version and ETag, chunk by chunk', async () => {
  s3.on(GetObjectCommand).callsFake(() => ({ Body: bodyOf('capture') }));
  const chunks = await collect(captures.read(object));
  expect(Buffer.concat(chunks).toString()).toBe('capture');
  expect(chunks.length).toBeGreaterThan(1);
  expect(s3.commandCalls(GetObjectCommand)[0]?.args[0].input).toEqual({
    Bucket: 'c',
    Key: 'k',
    VersionId: 'v1',
    IfMatch: '"abc"',
  });
});

test.each([
  ['another ETag', () => s3.on(GetObjectCommand).rejects(preconditionFailed)],
  ['a version that is gone', () => s3.on(GetObjectCommand).rejects(refusal('NoSuchVersion', 404))],
  ['a body that ends early', () => s3.on(GetObjectCommand).callsFake(() => ({ Body: bodyOf('capt') }))],
])('%s is told apart from a fault of the network', async (_, arrange) => {
  arrange();
  await expect(collect(captures.read(object))).rejects.toThrow(CaptureChangedError);
});

test('lists keys with their length and arrival', async () => {
  s3.on(ListObjectsV2Command, { Bucket: 'c', Prefix: 'p/' }).resolves({
    Contents: [{ Key: 'p/a', Size: 3, LastModified: new Date(arrived) }],
  });
  expect(await collect(captures.list('c', 'p/'))).toEqual([{ key: 'p/a', bytes: 3, lastModified: arrived }]);
});

test('lists from behind a key', async () => {
  s3.on(ListObjectsV2Command, { Bucket: 'c', Prefix: 'p/', StartAfter: 'p/a' }).resolves({
    Contents: [{ Key: 'p/b', Size: 3, LastModified: new Date(arrived) }],
  });
  expect((await collect(captures.list('c', 'p/', 'p/a'))).map(({ key }) => key)).toEqual(['p/b']);
});
