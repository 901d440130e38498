import type { Json } from '../model/canonical-json.ts';
import type { Fault } from './fault.ts';
import type { JsonObject } from './json-text.ts';

/** One side of a captured call, not parsed yet. */
export interface CapturedPayload {
  readonly contentType: string | undefined;
  /** Undefined: to be told from the content type. */
  readonly encoding: 'CSV' | 'JSON' | 'BASE64' | undefined;
  /** Text as captured, or the JSON value itself where an HTTP capture embeds it. */
  readonly body: Json;
}

/** A capture line with its envelope read and its payloads still closed. */
export interface CapturedRecord {
  readonly eventId: string;
  /** The line named no event id and was given one by its number: it can't be recognised as a repetition. */
  readonly idIsSynthesised: boolean;
  readonly inferenceId?: string | undefined;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly variant: string;
  readonly version: string;
  readonly status?: number | undefined;
  readonly latencyMilliseconds?: number | undefined;
  readonly route?: string | undefined;
  readonly caller?: string | undefined;
  readonly input?: CapturedPayload | undefined;
  readonly output?: CapturedPayload | undefined;
}

/** Reads a line's envelope. One per capture format. */
export type RecordReader = (line: JsonObject, lineNumber: number) => CapturedRecord | Fault;
