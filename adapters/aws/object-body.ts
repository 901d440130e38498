import { Readable } from 'node:stream';

/**
 * An object's body as chunks. Whoever stops before the end closes the connection.
 * @throws {TypeError} where the answer had none.
 */
export async function* readBody(where: string, body: unknown): AsyncGenerator<Uint8Array> {
  if (!(body instanceof Readable)) throw new TypeError(`${where}: expected an answer with a body, saw none`);
  for await (const chunk of body) {
    if (!(chunk instanceof Uint8Array)) throw new TypeError(`${where}: expected bytes, saw ${typeof chunk}`);
    yield chunk;
  }
}

export async function collectBody(where: string, body: unknown): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of readBody(where, body)) chunks.push(chunk);
  const [only] = chunks;
  return only && chunks.length === 1 ? only : Buffer.concat(chunks);
}

/** Whether a body is these very bytes. Reads no further than the first difference. */
export async function isSameBody(where: string, body: unknown, expected: Uint8Array): Promise<boolean> {
  let position = 0;
  for await (const chunk of readBody(where, body)) {
    const slice = expected.subarray(position, position + chunk.length);
    if (Buffer.compare(chunk, slice) !== 0) return false;
    position += chunk.length;
  }
  return position === expected.length;
}
