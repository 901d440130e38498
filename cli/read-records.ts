import { createReadStream } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { decodeCsvTable } from '../core/decode/csv-table.ts';
import { decodeCapture } from '../core/decode/decode-capture.ts';
import { type Decoded, type DecodePlan, defaultBatchRows, defaultLimits } from '../core/decode/decode-plan.ts';
import { InputError } from './command.ts';

/** How to read files that don't say it themselves. */
export interface RecordOptions {
  /** CSV: the column of times; absent: rows have none. */
  readonly timeColumn?: string | undefined;
  /** Captures with headerless payloads: the columns' names, in order. */
  readonly columns?: readonly string[] | undefined;
  readonly predictions: readonly string[];
}

/** Inference records in files, to be read as often as wanted. */
export interface RecordFiles {
  readonly kind: 'csv' | 'captures';
  /** Names in the header of a CSV file. */
  readonly header?: readonly string[] | undefined;
  /** True where records carry times. */
  readonly timed: boolean;
  open(): AsyncGenerator<Decoded>;
}

/** The variant and version of records whose file names none. */
export const plainSeries = { variant: 'AllTraffic', version: 'default' } as const;

const chunkBytes = 256 * 1024;
const sniffBytes = 64 * 1024;

/**
 * Finds out what a path holds: a CSV file with a header, a capture object (SageMaker or HTTP capture, gzip or not), or a
 * folder of capture objects.
 * @throws {InputError} where it holds neither.
 */
export async function openRecords(path: string, options: RecordOptions): Promise<RecordFiles> {
  const facts = await stat(path).catch((cause: unknown) => {
    throw new InputError(`${path}: no such file or folder`, { cause });
  });
  const files = facts.isDirectory() ? await listFiles(path) : [path];
  const [first] = files;
  if (first === undefined) throw new InputError(`${path}: expected capture objects, saw an empty folder`);
  const head = await readHead(first);
  if (head.trim() === '') throw new InputError(`${first}: expected records, saw an empty file`);
  if (head.trimStart().startsWith('{')) return openCaptures(files, head, options);
  if (facts.isDirectory()) throw new InputError(`${path}: expected capture objects (JSON Lines), but ${first} is none`);
  return openTable(path, head, options);
}

function openTable(path: string, head: string, options: RecordOptions): RecordFiles {
  const { timeColumn, predictions } = options;
  return {
    kind: 'csv',
    header: (head.split(/\r?\n/, 1)[0] ?? '').replace(/^\ufeff/, '').split(','),
    timed: timeColumn !== undefined,
    open: () =>
      decodeCsvTable(readChunks(path), {
        ...plainSeries,
        timeColumn,
        predictions,
        limits: defaultLimits,
        batchRows: defaultBatchRows,
      }),
  };
}

function openCaptures(files: readonly string[], head: string, options: RecordOptions): RecordFiles {
  const plan: DecodePlan = {
    format: head.slice(0, 2_000).includes('"captureData"') ? 'sagemaker-capture' : 'http-capture',
    gzip: 'auto',
    variant: plainSeries.variant,
    defaultVersion: plainSeries.version,
    versions: [{ match: '*', columns: options.columns, predictions: options.predictions }],
    role: 'inferences',
    limits: defaultLimits,
    batchRows: defaultBatchRows,
  };
  return {
    kind: 'captures',
    timed: true,
    async *open() {
      for (const file of files) yield* decodeCapture(readChunks(file), plan);
    },
  };
}

function readChunks(path: string): AsyncIterable<Uint8Array> {
  return createReadStream(path, { highWaterMark: chunkBytes });
}

/** Every file below a folder, in the order of their paths; hidden ones are passed over. */
async function listFiles(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** The beginning of a file's text, gunzipped where needed. */
async function readHead(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(sniffBytes), 0, sniffBytes, 0);
    const bytes = buffer.subarray(0, bytesRead);
    if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes.toString('utf8');
  } finally {
    await file.close();
  }
  const text: Buffer[] = [];
  try {
    for await (const chunk of createReadStream(path).pipe(createGunzip())) {
      text.push(chunk);
      if (text.length > 0) break;
    }
  } catch (cause) {
    throw new InputError(`${path}: broken gzip, nothing in it can be read`, { cause });
  }
  return Buffer.concat(text).toString('utf8');
}
