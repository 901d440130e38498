import type { VersionPolicy } from '../model/policy.ts';
import type { Quarantined } from '../model/quarantine.ts';
import type { RecordBatch } from '../model/record-batch.ts';

/** What a capture object may cost. Whatever goes beyond is quarantined, never read. */
export interface DecodeLimits {
  /** Bytes of one line, without its newline. */
  readonly lineBytes: number;
  /** Nested arrays and objects of a line, and of a JSON payload inside it. */
  readonly depth: number;
  /** Columns of one line, inputs and outputs together. */
  readonly columns: number;
  /** Inference records in one line. */
  readonly rowsPerLine: number;
  /** Rows × columns of one line: keeps sparse rows with ever new names from filling the memory. */
  readonly cellsPerLine: number;
  /** Bytes of the object once decompressed. */
  readonly decompressedBytes: number;
}

export const defaultLimits: DecodeLimits = {
  lineBytes: 4 * 1024 * 1024,
  depth: 32,
  columns: 20_000,
  rowsPerLine: 100_000,
  cellsPerLine: 4_000_000,
  decompressedBytes: 256 * 1024 * 1024,
};

/** Rows after which a batch is handed on. */
export const defaultBatchRows = 256;

/** All that a decoder has to know of an object before it reads the first byte. */
export interface DecodePlan {
  readonly format: 'sagemaker-capture' | 'http-capture';
  /** `auto`: the object is gunzipped when it begins with the bytes 1f 8b. */
  readonly gzip: 'auto';
  /** The production variant: from the key's path; an HTTP record's own `variant` field goes first. */
  readonly variant: string;
  /** SageMaker: the custom attribute that names the version. HTTP: a field read where there is no `version`. */
  readonly versionFrom?: string | undefined;
  /** The version of records of a time, in milliseconds since the epoch, where something else than the record tells; goes first. */
  readonly versionAt?: ((time: number) => string | undefined) | undefined;
  /** The version of records that name none; absent: they are quarantined as `unknown-version`. */
  readonly defaultVersion?: string | undefined;
  /** Names of columns and predictions by version. A version that matches none is read with the first entry. */
  readonly versions: readonly VersionPolicy[];
  /** `requests`: bodies are not read; a line gives an invocation without rows. */
  readonly role: 'inferences' | 'requests';
  /** Milliseconds since the epoch: later records are quarantined as `future-time`. */
  readonly latestTime?: number | undefined;
  readonly limits: DecodeLimits;
  /**
   * A batch is handed on once it holds this many rows or invocations. Lines are never split over batches, so the last
   * line may go beyond it.
   */
  readonly batchRows: number;
}

/** A line that repeats rows of an earlier line of the same object, by event id and row. */
export interface DuplicateInvocation {
  /** 1-based line that repeats. */
  readonly line: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly variant: string;
  readonly version: string;
  /** Repeated rows, left out of the batch; 0 where the line is a request without rows. */
  readonly rows: number;
}

/** What a run of lines decoded to. */
export interface Decoded {
  readonly batch: RecordBatch;
  readonly quarantined: readonly Quarantined[];
  readonly duplicates: readonly DuplicateInvocation[];
}
