import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { ObjectStore, PutOnceResult } from '../../core/pipeline/ports.ts';
import { listObjects } from './list-objects.ts';
import { uploadInParts } from './multipart-upload.ts';
import { collectBody, isSameBody } from './object-body.ts';
import { isServiceError, statusOf } from './service-error.ts';

/** S3 takes up to 5 GB in one PUT; beyond this a failed transfer is too much to repeat. */
const singlePutBytes = 16 * 1024 * 1024;
const attempts = 8;
const firstWaitMilliseconds = 50;

export interface S3ObjectStoreOptions {
  /**
   * Bodies larger than this are written in parts of this size; at least 5 MiB on S3.
   * @default 16 MiB
   */
  readonly partBytes?: number | undefined;
  /** @default - a timer */
  readonly wait?: ((milliseconds: number) => Promise<unknown>) | undefined;
}

/** A bucket whose objects are written once and never change. */
export class S3ObjectStore implements ObjectStore {
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #partBytes: number;
  readonly #wait: (milliseconds: number) => Promise<unknown>;

  constructor(client: S3Client, bucket: string, options: S3ObjectStoreOptions = {}) {
    this.#client = client;
    this.#bucket = bucket;
    this.#partBytes = options.partBytes ?? singlePutBytes;
    this.#wait = options.wait ?? ((milliseconds) => sleep(milliseconds));
  }

  /**
   * `same` also where an earlier attempt of this very call had succeeded and its answer was lost.
   * @throws the service's error where S3 keeps answering with a conflict.
   */
  async putOnce(key: string, body: Uint8Array): Promise<PutOnceResult> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#put(key, body);
        return 'written';
      } catch (error) {
        const status = statusOf(error);
        if (status === 412) {
          const isSame = await this.#compare(key, body);
          if (isSame !== undefined) return isSame ? 'same' : 'different';
        } else if (status !== 409) throw error;
        // 409: another writer of the key is under way. 412 without an object: it was removed in between.
        if (attempt === attempts) throw error;
        await this.#wait(Math.random() * firstWaitMilliseconds * 2 ** attempt);
      }
    }
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    const body = await this.#open(key);
    return body && collectBody(key, body);
  }

  async *list(prefix: string, after?: string): AsyncGenerator<string> {
    for await (const { key } of listObjects(this.#client, this.#bucket, prefix, after)) yield key;
  }

  async #put(key: string, body: Uint8Array): Promise<void> {
    if (body.length > this.#partBytes) {
      await uploadInParts(this.#client, this.#bucket, key, body, this.#partBytes);
      return;
    }
    await this.#client.send(
      new PutObjectCommand({
        Bucket: this.#bucket,
        Key: key,
        Body: body,
        IfNoneMatch: '*',
        // S3 refuses bytes that were changed on their way; Object Lock asks for a checksum.
        ChecksumSHA256: createHash('sha256').update(body).digest('base64'),
      }),
    );
  }

  /** Undefined where there is no object. */
  async #compare(key: string, body: Uint8Array): Promise<boolean | undefined> {
    const held = await this.#open(key);
    return held && isSameBody(key, held, body);
  }

  async #open(key: string) {
    try {
      return (await this.#client.send(new GetObjectCommand({ Bucket: this.#bucket, Key: key }))).Body;
    } catch (error) {
      if (isServiceError(error, 'NoSuchKey')) return undefined;
      throw error;
    }
  }
}
