import { ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import type { CaptureListing } from '../../core/pipeline/ports.ts';

/**
 * Objects under a prefix, page by page, in S3's order: ascending by the UTF-8 bytes of their keys.
 * @param after begins behind this key, which need not exist.
 */
export async function* listObjects(
  client: S3Client,
  bucket: string,
  prefix: string,
  after?: string,
): AsyncGenerator<CaptureListing> {
  let token: string | undefined;
  do {
    const page = await client.send(
      new ListObjectsV2Command({
        Bucket: bucket,
        Prefix: prefix,
        // Later pages go on by their token.
        StartAfter: token === undefined ? after : undefined,
        // A key may hold characters that XML can't.
        EncodingType: 'url',
        ContinuationToken: token,
      }),
    );
    for (const { Key, Size, LastModified } of page.Contents ?? []) {
      if (Key === undefined) continue;
      const key = page.EncodingType === 'url' ? decodeURIComponent(Key.replaceAll('+', ' ')) : Key;
      yield { key, bytes: Size ?? 0, lastModified: LastModified?.getTime() ?? 0 };
    }
    token = page.IsTruncated ? page.NextContinuationToken : undefined;
  } while (token !== undefined);
}
