import { createGunzip } from 'node:zlib';
import { Fault } from './fault.ts';

/** Compressed bytes given to zlib at a time. Fixed, so that the result can't depend on the chunking. */
const blockBytes = 16 * 1024;
/** Decompressed bytes taken from zlib at a time. */
const outputBytes = 64 * 1024;

/**
 * The object's bytes, gunzipped where they begin with 1f 8b, cut off after `decompressedBytes`. The last item is a Fault
 * where the object was too large or its gzip broken; everything readable comes before it. Several gzip members in a row
 * and zero padding after the last are read as gzip does.
 */
export async function* decompress(
  chunks: AsyncIterable<Uint8Array>,
  decompressedBytes: number,
): AsyncGenerator<Uint8Array | Fault> {
  let left = decompressedBytes;
  for await (const item of decompressUnbounded(inBlocks(chunks))) {
    if (item instanceof Fault || item.length <= left) {
      yield item;
      if (!(item instanceof Fault)) left -= item.length;
      continue;
    }
    yield item.subarray(0, left);
    yield new Fault('too-large', `more than ${decompressedBytes} bytes`, `at most ${decompressedBytes} bytes`);
    return;
  }
}

async function* decompressUnbounded(blocks: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array | Fault> {
  const { value: first, done } = await blocks.next();
  if (done) return;
  const rest = withFirst(first, blocks);
  if (first[0] === 0x1f && first[1] === 0x8b) yield* gunzip(first, rest);
  else yield* rest;
}

async function* withFirst(first: Uint8Array, rest: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield first;
    yield* rest;
  } finally {
    await rest.return(undefined);
  }
}

/** The same bytes in blocks of `blockBytes`, the last one shorter. */
async function* inBlocks(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let block = new Uint8Array(blockBytes);
  let used = 0;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; ) {
      const taken = Math.min(blockBytes - used, chunk.length - at);
      block.set(chunk.subarray(at, at + taken), used);
      used += taken;
      at += taken;
      if (used < blockBytes) continue;
      yield block;
      block = new Uint8Array(blockBytes);
      used = 0;
    }
  }
  if (used > 0) yield block.subarray(0, used);
}

/**
 * zlib drops what it had decoded of a block when it meets an error in it. Objects are mostly smaller than a block, so a
 * damaged first block is read again byte by byte, to keep every line before the damage; of a later one, up to a block's
 * content is lost.
 */
async function* gunzip(first: Uint8Array, blocks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array | Fault> {
  let emitted = 0;
  const state = { blocks: 0 };
  for await (const item of inflate(counted(blocks, state))) {
    if (!(item instanceof Fault)) {
      emitted += item.length;
      yield item;
    } else if (item.seen === damaged && state.blocks === 1) {
      yield* withoutFirstBytes(inflate(bytewise(first)), emitted);
    } else {
      yield item;
    }
  }
}

async function* counted(blocks: AsyncIterable<Uint8Array>, state: { blocks: number }): AsyncGenerator<Uint8Array> {
  for await (const block of blocks) {
    state.blocks += 1;
    yield block;
  }
}

async function* bytewise(block: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < block.length; at += 1) yield block.subarray(at, at + 1);
}

async function* withoutFirstBytes(
  items: AsyncIterable<Uint8Array | Fault>,
  count: number,
): AsyncGenerator<Uint8Array | Fault> {
  let skip = count;
  for await (const item of items) {
    if (item instanceof Fault) {
      yield item;
    } else {
      const kept = item.subarray(Math.min(skip, item.length));
      skip -= item.length - kept.length;
      if (kept.length > 0) yield kept;
    }
  }
}

const damaged = 'damaged gzip data';
const unfinished = 'gzip data that ends early';

/** Gunzips block by block, handing on each output before zlib is asked for the next: memory stays bounded. */
async function* inflate(blocks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array | Fault> {
  // A readable buffer of one byte holds zlib back until each output has been taken, so none is lost to a later error.
  const options = { chunkSize: outputBytes, readableHighWaterMark: 1 };
  const stream = createGunzip(options);
  let wake = (): void => {};
  let failed = false;
  let ended = false;
  let written = false;
  const noteFailure = (): void => {
    failed = true;
    wake();
  };
  stream.on('error', noteFailure);
  stream.on('readable', () => wake());
  stream.on('end', () => {
    ended = true;
    wake();
  });
  async function* outputUntil(finished: () => boolean): AsyncGenerator<Uint8Array> {
    for (;;) {
      const output: Uint8Array | null = stream.read();
      if (output !== null) yield output;
      else if (failed || finished()) return;
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  }
  try {
    for await (const block of blocks) {
      if (ended) {
        // zlib has met zero padding and considers the object finished.
        if (block.every((byte) => byte === 0)) continue;
        failed = true;
        break;
      }
      written = false;
      stream.write(block, (error) => {
        if (error) failed = true;
        written = true;
        wake();
      });
      yield* outputUntil(() => written || ended);
      if (failed) break;
    }
    if (failed) {
      yield new Fault('broken-gzip', damaged, 'complete gzip data');
      return;
    }
    if (!ended) stream.end();
    yield* outputUntil(() => ended);
    if (failed) yield new Fault('broken-gzip', unfinished, 'complete gzip data');
  } finally {
    stream.destroy();
  }
}
