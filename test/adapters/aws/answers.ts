import { Readable } from 'node:stream';
import { S3ServiceException } from '@aws-sdk/client-s3';

/** A body as the SDK gives it, in chunks of a few bytes. */
export function bodyOf(content: string | Uint8Array, chunkBytes = 3) {
  const bytes = Buffer.from(content);
  const chunks: Uint8Array[] = [];
  for (let start = 0; start < bytes.length; start += chunkBytes) chunks.push(bytes.subarray(start, start + chunkBytes));
  // The client's type asks for these; the adapters read the stream.
  return Object.assign(Readable.from(chunks), {
    transformToByteArray: async () => new Uint8Array(bytes),
    transformToString: async () => bytes.toString('utf8'),
    transformToWebStream: () => new ReadableStream(),
  });
}

/** A refusal of S3. */
export function refusal(name: string, httpStatusCode: number): S3ServiceException {
  return new S3ServiceException({ name, $fault: 'client', message: name, $metadata: { httpStatusCode } });
}

export const preconditionFailed = refusal('PreconditionFailed', 412);
export const conflict = refusal('ConditionalRequestConflict', 409);
