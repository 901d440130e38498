import { createHmac } from 'node:crypto';
import type { ServedVersions } from '../model/endpoint.ts';
import type { SourceObject } from '../model/profile.ts';
import type { Cell, Invocation, Side } from '../model/record-batch.ts';
import type { BundleKeys } from './bundle-keys.ts';

export const bundleSchema = 'tidewatch.bundle/1';

/** What the bundle of a capture object says of it before its records. */
export interface BundleFacts {
  /** `inferences`: records of a model. `requests`: invocations that only report status and latency. */
  readonly type: 'inferences' | 'requests';
  readonly model: string;
  /** SHA-256 of the canonical config. */
  readonly config: string;
  /** SHA-256 of the baselines in force. */
  readonly baselines: readonly string[];
  /** Width of the windows that the object is counted into, however often it is delivered. */
  readonly windowSeconds: number;
  /** Version or hash of the code. */
  readonly code: string;
  /** Where versions are what the endpoint served: each since when, by which records are read however often it is delivered. */
  readonly served?: ServedVersions | undefined;
  /** Goes into the encrypted part only: in clear it would join the evidence with the capture bucket. */
  readonly source: SourceObject;
}

/** The clear part of line 1. */
export interface BundleHeader extends Omit<BundleFacts, 'source'> {
  readonly schema: typeof bundleSchema;
  /** UTC day (yyyy-mm-dd) of the source's arrival: names the model-day key. */
  readonly day: string;
}

/** The clear part of a frame of records: all of one hour, variant and version. */
export interface RecordFrameHeader {
  readonly frame: number;
  /** UTC, `2026-03-10T05`. */
  readonly hour: string;
  readonly variant: string;
  readonly version: string;
  /** One per record: HMAC of event id and row, base64url. */
  readonly tags: readonly string[];
}

/** A quarantined line or row as evidence keeps it: reason and place, no content. */
export interface QuarantinedEvidence {
  readonly reason: string;
  readonly line: number;
  readonly offset: number;
  readonly length: number;
  readonly row?: number | undefined;
}

/** A frame of quarantined lines. Nothing in it is encrypted. */
export interface QuarantineFrameHeader {
  readonly frame: number;
  readonly quarantined: readonly QuarantinedEvidence[];
}

/** The last line. */
export interface BundleTrailer {
  readonly frames: number;
  /** Inference records. */
  readonly records: number;
  /** Invocations without an inference record. */
  readonly requests: number;
  readonly quarantined: number;
  readonly duplicates: number;
  /** First and last hour among the frames; null where there is no record. */
  readonly firstHour: string | null;
  readonly lastHour: string | null;
  /** Root of the RFC 6962 tree over the tags, in the order of the frames. */
  readonly root: string;
}

/** An inference record, or an invocation without one (`row` absent), as the bundle kept it. */
export interface EvidenceRecord {
  readonly tag: string;
  readonly invocation: Invocation;
  readonly row?: number | undefined;
  /** Absent columns are left out. */
  readonly cells: readonly (readonly [side: Side, name: string, cell: Cell])[];
}

/** UTC day (yyyy-mm-dd) whose key seals the evidence of an object: the day it arrived, so a retry finds the same. */
export function evidenceDay(source: SourceObject): string {
  return new Date(source.lastModified).toISOString().slice(0, -14);
}

/** UTC hour of a time, `2026-03-10T05`. */
export function hourOf(time: number): string {
  return new Date(time).toISOString().slice(0, -11);
}

/** The record's name in the clear part: tells nothing without the key, and is the same in every retry. */
export function recordTag(keys: BundleKeys, eventId: string, row: number | undefined): string {
  return createHmac('sha256', keys.tag)
    .update(JSON.stringify([eventId, row ?? null]))
    .digest('base64url');
}

/** Authenticates a clear line by all that it is bound to. */
export function authenticateLine(keys: BundleKeys, context: Uint8Array, clear: string): string {
  return createHmac('sha256', keys.authentication).update(context).update(clear).digest('base64url');
}

// Each clear part has one text: members in this order, no white space. A reader writes a line again from what it
// understood and compares, so there is no byte that could change unnoticed.

export function headerText(header: BundleHeader): string {
  const { schema, type, model, day, config, baselines, windowSeconds, code, served } = header;
  return JSON.stringify({ schema, type, model, day, config, baselines, windowSeconds, code, served });
}

export function recordFrameText(header: RecordFrameHeader): string {
  const { frame, hour, variant, version, tags } = header;
  return JSON.stringify({ frame, hour, variant, version, tags });
}

export function quarantineFrameText(header: QuarantineFrameHeader): string {
  const quarantined = header.quarantined.map(({ reason, line, offset, length, row }) => ({
    reason,
    line,
    offset,
    length,
    ...(row === undefined ? {} : { row }),
  }));
  return JSON.stringify({ frame: header.frame, quarantined });
}

export function trailerText(trailer: BundleTrailer): string {
  const { frames, records, requests, quarantined, duplicates, firstHour, lastHour, root } = trailer;
  return JSON.stringify({ frames, records, requests, quarantined, duplicates, firstHour, lastHour, root });
}

/** A line: the members of a clear text followed by those that seal it. */
export function joinLine(clear: string, seal: Readonly<Record<string, string>>): string {
  return `${clear.slice(0, -1)},${JSON.stringify(seal).slice(1)}\n`;
}
