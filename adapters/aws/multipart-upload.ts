import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';

/**
 * Writes an object once in parts: its completion fails where the key exists meanwhile. Parts of a failed upload are
 * removed; where that fails as well, the bucket's lifecycle must do it.
 */
export async function uploadInParts(
  client: S3Client,
  bucket: string,
  key: string,
  body: Uint8Array,
  partBytes: number,
): Promise<void> {
  const target = { Bucket: bucket, Key: key };
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ ...target, ChecksumAlgorithm: 'CRC32' }));
  if (UploadId === undefined) throw new TypeError(`${key}: expected the id of a multipart upload, saw none`);
  const upload = { ...target, UploadId };
  try {
    const parts: CompletedPart[] = [];
    for (let start = 0; start < body.length; start += partBytes) {
      const PartNumber = parts.length + 1;
      const { ETag, ChecksumCRC32 } = await client.send(
        new UploadPartCommand({
          ...upload,
          PartNumber,
          Body: body.subarray(start, start + partBytes),
          ChecksumAlgorithm: 'CRC32',
        }),
      );
      parts.push({ PartNumber, ETag, ChecksumCRC32 });
    }
    await client.send(
      new CompleteMultipartUploadCommand({ ...upload, IfNoneMatch: '*', MultipartUpload: { Parts: parts } }),
    );
  } catch (cause) {
    await client.send(new AbortMultipartUploadCommand(upload)).catch(() => undefined);
    throw cause;
  }
}
