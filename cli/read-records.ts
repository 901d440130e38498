import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { readCsvRecords } from '../core/decode/csv-records.ts';
import { CsvTableError, decodeCsvTable, nameColumns } from '../core/decode/csv-table.ts';
import { decodeCapture } from '../core/decode/decode-capture.ts';
import { type Decoded, type DecodePlan, defaultBatchRows, defaultLimits } from '../core/decode/decode-plan.ts';
import { Fault } from '../core/decode/fault.ts';
import { decompress } from '../core/decode/gunzip.ts';
import type { OutputKind } from '../core/model/policy.ts';
import { type CommandOptions, InputError, UsageError } from './command.ts';

/** How to read files that don't say it themselves. */
export interface RecordOptions {
  /** CSV: the column of times; absent: rows have none. */
  readonly timeColumn?: string | undefined;
  /** Captures with headerless payloads: the columns' names, in order. */
  readonly columns?: readonly string[] | undefined;
  readonly predictions: readonly string[];
  /** What the predictions are; absent: told from the values. */
  readonly output?: OutputKind | undefined;
  /** Captures: the field, or custom attribute, that names the caller, where no column does. */
  readonly caller?: string | undefined;
  /** Columns that hold vectors. */
  readonly embeddings?: readonly string[] | undefined;
}

/** Inference records in files, to be read as often as wanted. */
export interface RecordFiles {
  readonly kind: 'csv' | 'captures';
  /** Names in the header of a CSV file. */
  readonly header?: readonly string[] | undefined;
  /** True where records carry times. */
  readonly timed: boolean;
  /** Bytes as stored, of all files. */
  readonly bytes: number;
  /** @param onRead is told the bytes read of each chunk. */
  open(onRead?: (bytes: number) => void): AsyncGenerator<Decoded>;
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
  if (files.length === 0) throw new InputError(`${path}: expected capture objects, saw an empty folder`);
  const first = await readFirst(files);
  if (!first)
    throw new InputError(
      `${path}: expected records, saw ${facts.isDirectory() ? 'empty files only' : 'an empty file'}`,
    );
  const bytes = await totalBytes(files);
  if (first.head.trimStart().startsWith('{')) return openCaptures(files, bytes, first.head, options);
  if (facts.isDirectory()) {
    throw new InputError(`${path}: expected capture objects (JSON Lines), but ${first.file} is none`);
  }
  return openTable(path, bytes, options);
}

async function openTable(path: string, bytes: number, options: RecordOptions): Promise<RecordFiles> {
  const { timeColumn, predictions, output } = options;
  return {
    kind: 'csv',
    header: await readColumnNames(path),
    timed: timeColumn !== undefined,
    bytes,
    async *open(onRead) {
      const plan = {
        ...plainSeries,
        timeColumn,
        predictions,
        output,
        limits: defaultLimits,
        batchRows: defaultBatchRows,
      };
      try {
        yield* decodeCsvTable(readChunks(path, onRead), plan);
      } catch (error) {
        if (error instanceof CsvTableError) throw new InputError(`${path}: ${error.message}`, { cause: error });
        throw error;
      }
    },
  };
}

async function readColumnNames(path: string): Promise<readonly string[]> {
  for await (const { fields } of readCsvRecords(readChunks(path), defaultLimits)) {
    return fields instanceof Fault ? [] : nameColumns(fields);
  }
  return [];
}

function openCaptures(files: readonly string[], bytes: number, head: string, options: RecordOptions): RecordFiles {
  const plan: DecodePlan = {
    format: head.slice(0, 2_000).includes('"captureData"') ? 'sagemaker-capture' : 'http-capture',
    gzip: 'auto',
    variant: plainSeries.variant,
    defaultVersion: plainSeries.version,
    versions: [
      {
        match: '*',
        columns: options.columns,
        predictions: options.predictions,
        output: options.output,
        embeddings: options.embeddings,
        caller: options.caller,
      },
    ],
    role: 'inferences',
    limits: defaultLimits,
    batchRows: defaultBatchRows,
  };
  return {
    kind: 'captures',
    timed: true,
    bytes,
    async *open(onRead) {
      for (const file of files) yield* decodeCapture(readChunks(file, onRead), plan);
    },
  };
}

async function* readChunks(path: string, onRead?: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  const stream: AsyncIterable<Buffer> = createReadStream(path, { highWaterMark: chunkBytes });
  for await (const chunk of stream) {
    onRead?.(chunk.length);
    yield chunk;
  }
}

async function totalBytes(files: readonly string[]): Promise<number> {
  let bytes = 0;
  for (const file of files) bytes += (await stat(file)).size;
  return bytes;
}

/** Every file below a folder, in the order of their paths; hidden ones are passed over. */
async function listFiles(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter((path) => !path.split(sep).some((name) => name.startsWith('.')))
    .map((path) => join(folder, path))
    .sort();
}

/** The first file that is not empty, and the beginning of its text, gunzipped where needed. */
async function readFirst(files: readonly string[]): Promise<{ file: string; head: string } | undefined> {
  for (const file of files) {
    const head = await readHead(file);
    if (head.trim() !== '') return { file, head };
  }
  return undefined;
}

async function readHead(path: string): Promise<string> {
  for await (const item of decompress(readChunks(path), sniffBytes)) {
    if (!(item instanceof Fault)) return Buffer.from(item).toString('utf8');
    if (item.reason === 'too-large') return '';
    throw new InputError(`${path}: ${item.seen}, expected ${item.expected}; nothing in it can be read`);
  }
  return '';
}

const outputKinds = ['classes', 'probability', 'values'] as const;

/** What `--output` says of the predictions. @throws {UsageError} for anything else */
export function readOutputKind(options: CommandOptions): OutputKind | undefined {
  const text = options.text('output');
  const kind = outputKinds.find((each) => each === text);
  if (text === undefined || kind) return kind;
  throw new UsageError(`--output: expected ${outputKinds.join(', ')}, saw ${JSON.stringify(text)}`);
}
