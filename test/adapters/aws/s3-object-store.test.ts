import { createHash } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, test } from 'vitest';
import { createS3Client } from '../../../adapters/aws/clients.ts';
import { S3ObjectStore } from '../../../adapters/aws/s3-object-store.ts';
import { collect } from '../collect.ts';
import { bodyOf, conflict, preconditionFailed, refusal } from './answers.ts';

const s3 = mockClient(S3Client);
const waits: number[] = [];
const store = new S3ObjectStore(new S3Client({ region: 'eu-west-1' }), 'state', {
  partBytes: 10,
  wait: async (milliseconds) => waits.push(milliseconds),
});
const body = Buffer.from('evidence');

beforeEach(() => {
  s3.reset();
  waits.length = 0;
});

describe('putOnce', () => {
  test('asks for the key to be free and sends a checksum', async () => {
    s3.on(PutObjectCommand).resolves({});
    expect(await store.putOnce('a/b', body)).toBe('written');
    expect(s3.commandCalls(PutObjectCommand)[0]?.args[0].input).toMatchObject({
      Bucket: 'state',
      Key: 'a/b',
      IfNoneMatch: '*',
      ChecksumSHA256: createHash('sha256').update(body).digest('base64'),
    });
  });

  test.each([
    ['same', 'evidence'],
    ['different', 'evidencE'],
    ['different', 'evidence and more'],
    ['different', 'evid'],
    ['different', ''],
  ])('a key that is taken is compared byte by byte: %s for %j', async (expected, held) => {
    s3.on(PutObjectCommand).rejects(preconditionFailed);
    s3.on(GetObjectCommand).callsFake(() => ({ Body: bodyOf(held) }));
    expect(await store.putOnce('a', body)).toBe(expected);
    expect(waits).toEqual([]);
  });

  test('a conflict is tried again after a growing, random wait', async () => {
    s3.on(PutObjectCommand).rejectsOnce(conflict).rejectsOnce(conflict).resolves({});
    expect(await store.putOnce('a', body)).toBe('written');
    expect(waits).toHaveLength(2);
    expect(waits[0]).toBeLessThan(100);
    expect(waits[1]).toBeLessThan(200);
  });

  test('a conflict that another writer won ends in a comparison', async () => {
    s3.on(PutObjectCommand).rejectsOnce(conflict).rejects(preconditionFailed);
    s3.on(GetObjectCommand).callsFake(() => ({ Body: bodyOf(body) }));
    expect(await store.putOnce('a', body)).toBe('same');
  });

  test('a conflict that lasts is an error, not an endless wait', async () => {
    s3.on(PutObjectCommand).rejects(conflict);
    await expect(store.putOnce('a', body)).rejects.toBe(conflict);
    expect(s3.commandCalls(PutObjectCommand)).toHaveLength(8);
  });

  test('an object that vanished between the refusal and the comparison is written', async () => {
    s3.on(PutObjectCommand).rejectsOnce(preconditionFailed).resolves({});
    s3.on(GetObjectCommand).rejects(refusal('NoSuchKey', 404));
    expect(await store.putOnce('a', body)).toBe('written');
  });

  test('any other refusal is an error at once', async () => {
    const denied = refusal('AccessDenied', 403);
    s3.on(PutObjectCommand).rejects(denied);
    await expect(store.putOnce('a', body)).rejects.toBe(denied);
    expect(waits).toEqual([]);
  });
});

describe('putOnce of a large object', () => {
  const large = Buffer.from('0123456789abcdefghijKLM');

  function acceptParts() {
    s3.on(CreateMultipartUploadCommand).resolves({ UploadId: 'u' });
    s3.on(UploadPartCommand).callsFake(({ PartNumber }) => ({
      ETag: `"${PartNumber}"`,
      ChecksumCRC32: `c${PartNumber}`,
    }));
    s3.on(AbortMultipartUploadCommand).resolves({});
  }

  test('goes in parts, and its completion asks for the key to be free', async () => {
    acceptParts();
    s3.on(CompleteMultipartUploadCommand).resolves({});
    expect(await store.putOnce('a', large)).toBe('written');
    const parts = s3.commandCalls(UploadPartCommand).map(({ args }) => Buffer.from(String(args[0].input.Body)));
    expect(Buffer.concat(parts)).toEqual(large);
    expect(parts).toHaveLength(3);
    expect(s3.commandCalls(CompleteMultipartUploadCommand)[0]?.args[0].input).toMatchObject({
      UploadId: 'u',
      IfNoneMatch: '*',
      MultipartUpload: { Parts: [1, 2, 3].map((n) => ({ PartNumber: n, ETag: `"${n}"`, ChecksumCRC32: `c${n}` })) },
    });
    expect(s3.commandCalls(AbortMultipartUploadCommand)).toHaveLength(0);
    expect(s3.commandCalls(PutObjectCommand)).toHaveLength(0);
  });

  test('a part that fails leaves no upload behind', async () => {
    acceptParts();
    const broken = refusal('InternalError', 500);
    s3.on(UploadPartCommand, { PartNumber: 2 }).rejects(broken);
    await expect(store.putOnce('a', large)).rejects.toBe(broken);
    expect(s3.commandCalls(AbortMultipartUploadCommand)[0]?.args[0].input).toMatchObject({ Key: 'a', UploadId: 'u' });
    expect(s3.commandCalls(CompleteMultipartUploadCommand)).toHaveLength(0);
  });

  test('the first error is told where removing the upload fails as well', async () => {
    acceptParts();
    const broken = refusal('InternalError', 500);
    s3.on(UploadPartCommand).rejects(broken);
    s3.on(AbortMultipartUploadCommand).rejects(refusal('SlowDown', 503));
    await expect(store.putOnce('a', large)).rejects.toBe(broken);
  });

  test('a key that was taken meanwhile is compared', async () => {
    acceptParts();
    s3.on(CompleteMultipartUploadCommand).rejects(preconditionFailed);
    s3.on(GetObjectCommand).callsFake(() => ({ Body: bodyOf(large) }));
    expect(await store.putOnce('a', large)).toBe('same');
    expect(s3.commandCalls(AbortMultipartUploadCommand)).toHaveLength(1);
  });
});

describe('get', () => {
  test('gives the bytes of every chunk', async () => {
    s3.on(GetObjectCommand, { Bucket: 'state', Key: 'a' }).callsFake(() => ({ Body: bodyOf('0123456789') }));
    expect(Buffer.from((await store.get('a')) ?? []).toString()).toBe('0123456789');
  });

  test('an empty object is no missing one', async () => {
    s3.on(GetObjectCommand).callsFake(() => ({ Body: bodyOf('') }));
    expect(await store.get('a')).toHaveLength(0);
  });

  test('a missing object is undefined, a refusal is an error', async () => {
    s3.on(GetObjectCommand).rejectsOnce(refusal('NoSuchKey', 404)).rejects(refusal('AccessDenied', 403));
    expect(await store.get('a')).toBeUndefined();
    await expect(store.get('a')).rejects.toThrow('AccessDenied');
  });
});

describe('list', () => {
  test('follows every page and decodes keys as S3 encodes them', async () => {
    s3.on(ListObjectsV2Command)
      .resolvesOnce({
        Contents: [{ Key: 'p/a+b' }, { Key: 'p/%2541' }],
        EncodingType: 'url',
        IsTruncated: true,
        NextContinuationToken: 't',
      })
      .resolvesOnce({ Contents: [{ Key: 'p/%01' }], EncodingType: 'url' });
    expect(await collect(store.list('p/'))).toEqual(['p/a b', 'p/%41', 'p/\u0001']);
    expect(s3.commandCalls(ListObjectsV2Command).map(({ args }) => args[0].input.ContinuationToken)).toEqual([
      undefined,
      't',
    ]);
  });

  test('begins behind a key on the first page; later pages follow their token', async () => {
    s3.on(ListObjectsV2Command)
      .resolvesOnce({ Contents: [{ Key: 'p/b' }], IsTruncated: true, NextContinuationToken: 't' })
      .resolvesOnce({ Contents: [{ Key: 'p/c' }] });
    expect(await collect(store.list('p/', 'p/a'))).toEqual(['p/b', 'p/c']);
    const inputs = s3.commandCalls(ListObjectsV2Command).map(({ args }) => args[0].input);
    expect(inputs.map(({ StartAfter, ContinuationToken }) => [StartAfter, ContinuationToken])).toEqual([
      ['p/a', undefined],
      [undefined, 't'],
    ]);
  });

  test('leaves keys alone that came as they are', async () => {
    s3.on(ListObjectsV2Command).resolves({ Contents: [{ Key: 'p/%41+' }] });
    expect(await collect(store.list('p/'))).toEqual(['p/%41+']);
  });

  test('asks for no further page than is read', async () => {
    s3.on(ListObjectsV2Command).resolves({
      Contents: [{ Key: 'a' }, { Key: 'b' }],
      IsTruncated: true,
      NextContinuationToken: 't',
    });
    for await (const key of store.list('')) if (key === 'a') break;
    expect(s3.commandCalls(ListObjectsV2Command)).toHaveLength(1);
  });
});

test('buckets stand in the path where the endpoint is not AWS’s own', () => {
  expect(createS3Client({ AWS_ENDPOINT_URL: 'http://127.0.0.1:4566' }).config.forcePathStyle).toBe(true);
  expect(createS3Client({ AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:4566' }).config.forcePathStyle).toBe(true);
  expect(createS3Client({}).config.forcePathStyle).toBe(false);
});
