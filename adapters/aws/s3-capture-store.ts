import { GetObjectCommand, HeadObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { SourceObject } from '../../core/model/profile.ts';
import type { CaptureListing, CaptureStore } from '../../core/pipeline/ports.ts';
import { listObjects } from './list-objects.ts';
import { readBody } from './object-body.ts';
import { isServiceError, statusOf } from './service-error.ts';

/** A capture object that is no longer the one that was asked for. Another delivery of its event looks anew. */
export class CaptureChangedError extends Error {
  override readonly name = 'CaptureChangedError';
}

/** Capture buckets. They are only read. */
export class S3CaptureStore implements CaptureStore {
  readonly #client: S3Client;

  constructor(client: S3Client) {
    this.#client = client;
  }

  list(bucket: string, prefix: string, after?: string): AsyncGenerator<CaptureListing> {
    return listObjects(this.#client, bucket, prefix, after);
  }

  async head(bucket: string, key: string): Promise<SourceObject | undefined> {
    try {
      const facts = await this.#client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
      const { ETag, VersionId, ContentLength, LastModified } = facts;
      if (ETag === undefined || ContentLength === undefined || LastModified === undefined) {
        throw new TypeError(`s3://${bucket}/${key}: expected an ETag, a length and a time of modification`);
      }
      return {
        bucket,
        key,
        etag: ETag.replace(/^"(.*)"$/, '$1'),
        versionId: VersionId,
        bytes: ContentLength,
        lastModified: LastModified.getTime(),
      };
    } catch (error) {
      if (isServiceError(error, 'NotFound', 'NoSuchKey')) return undefined;
      throw error;
    }
  }

  /** @throws {CaptureChangedError} where that version is gone, its ETag is another, or it ends early. */
  async *read(object: SourceObject): AsyncGenerator<Uint8Array> {
    const where = `s3://${object.bucket}/${object.key}`;
    let bytes = 0;
    for await (const chunk of readBody(where, await this.#open(object, where))) {
      bytes += chunk.length;
      yield chunk;
    }
    if (bytes !== object.bytes) {
      throw new CaptureChangedError(`${where}: expected ${object.bytes} bytes, saw ${bytes}`);
    }
  }

  async #open(object: SourceObject, where: string) {
    try {
      const answer = await this.#client.send(
        new GetObjectCommand({
          Bucket: object.bucket,
          Key: object.key,
          VersionId: object.versionId,
          IfMatch: `"${object.etag}"`,
        }),
      );
      return answer.Body;
    } catch (cause) {
      if (statusOf(cause) === 412) throw new CaptureChangedError(`${where}: expected ETag ${object.etag}`, { cause });
      if (isServiceError(cause, 'NoSuchKey', 'NoSuchVersion')) {
        throw new CaptureChangedError(`${where}: expected the object, saw none`, { cause });
      }
      throw cause;
    }
  }
}
