import type { AlertWay } from '../model/alert-way.ts';
import type { Message } from '../model/delivery.ts';
import type { EndpointDescription, VariantModels } from '../model/endpoint.ts';
import type { MeasuredMetric, MinuteValues } from '../model/measured-metric.ts';
import type { MetricDatum } from '../model/metric.ts';
import type { SourceObject } from '../model/profile.ts';
import type { RollbackLever, ServingChange, ServingChangeResult, ServingState } from '../model/rollback.ts';

/** What the world looks like from the pipeline. Each port has an adapter under adapters/local and one under adapters/aws. */

/** The time. Event time under replay, the wall clock when deployed. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
}

/** How a write-once PUT ended. `same`: the key held these very bytes already. `different`: it holds others. */
export type PutOnceResult = 'written' | 'same' | 'different';

/** A bucket. Objects other than those put by `replace` are written once and never change. */
export interface ObjectStore {
  /** PUT with If-None-Match: *. On 412 compares checksums; on 409 retries. */
  putOnce(key: string, body: Uint8Array): Promise<PutOnceResult>;
  /** The object's bytes, or undefined where there is none. */
  get(key: string): Promise<Uint8Array | undefined>;
  /**
   * Keys under a prefix, ascending by UTF-8 bytes.
   * @param after begins behind this key, which need not exist; a store that can't may begin earlier.
   */
  list(prefix: string, after?: string): AsyncIterable<string>;
}

/** A capture object as a listing shows it. */
export interface CaptureListing {
  readonly key: string;
  readonly bytes: number;
  /** Milliseconds since the epoch. */
  readonly lastModified: number;
}

/** Where captures lie. Read-only. */
export interface CaptureStore {
  /**
   * Objects under a prefix, ascending by the UTF-8 bytes of their keys.
   * @param after begins behind this key, which need not exist; a store that can't may begin earlier.
   */
  list(bucket: string, prefix: string, after?: string): AsyncIterable<CaptureListing>;
  /** Facts of the object, or undefined where there is none. */
  head(bucket: string, key: string): Promise<SourceObject | undefined>;
  /** The object's bytes as stored, in chunks: that very version and ETag, or an error. */
  read(object: SourceObject): AsyncIterable<Uint8Array>;
}

/** A row of what DynamoDB holds: small, changed by compare-and-swap. */
export interface StateRow {
  readonly value: unknown;
  /** 1 at first write, one more at each change. */
  readonly revision: number;
}

export interface StateTable {
  get(partition: string, key: string): Promise<StateRow | undefined>;
  /** Writes if the row still has `expectedRevision` (0: it does not exist). False: someone else was first. */
  put(partition: string, key: string, value: unknown, expectedRevision: number): Promise<boolean>;
  /** Rows of a partition, ascending by key. */
  list(partition: string): Promise<readonly { readonly key: string; readonly row: StateRow }[]>;
  remove(partition: string, key: string): Promise<void>;
}

/** Takes metrics; may be called again with the same data. */
export interface MetricSink {
  /** At most 1,000 data and 1 MB a call: callers batch with `publish/batch-metrics.ts`. */
  put(namespace: string, data: readonly MetricDatum[]): Promise<void>;
}

/** Reads recorded metrics back for alarm evaluation: raw data in [from, to), ascending by time. */
export interface MetricSource {
  read(
    namespace: string,
    metric: string,
    dimensions: MetricDatum['dimensions'],
    from: number,
    to: number,
  ): readonly { readonly time: number; readonly value: number }[];
}

/** Brings a message to the people of a tier. Recognises a message id it has seen. */
export interface Notifier {
  deliver(message: Message): Promise<void>;
}

/** Asks for a closed window to be judged again. A lost request is found by the sweep. */
export interface TouchQueue {
  touch(windowPrefix: string): Promise<void>;
}

/** A capture object that is to be ingested, as the sweep announces it. */
export interface AnnouncedCapture {
  /** Whose it is. Another model that reads the same object announces it by itself. */
  readonly model: string;
  readonly bucket: string;
  readonly key: string;
  /** The account that its source is in, where that is known. */
  readonly account?: string | undefined;
  readonly bytes: number;
}

/** Asks for capture objects to be ingested. A lost request is made again by a later sweep. */
export interface CaptureQueue {
  /** @throws where one of them may not have been taken; the others may have been. */
  announce(captures: readonly AnnouncedCapture[]): Promise<void>;
}

/** How often the source says the model was called in [from, to); undefined: it can't tell. */
export interface InvocationCounter {
  count(model: string, from: number, to: number): Promise<number | undefined>;
}

/** Reads the statistics of metrics back, minute by minute. */
export interface MetricReader {
  /**
   * In the order asked for; undefined for one that can't be told now. A value may still change some minutes later.
   * @param from minutes since the epoch
   * @param to exclusive
   */
  readMinutes(
    metrics: readonly MeasuredMetric[],
    from: number,
    to: number,
  ): Promise<readonly (MinuteValues | undefined)[]>;
}

/** What SageMaker endpoints serve. Read-only. */
export interface EndpointReader {
  /**
   * Undefined where nothing answers: there is no such endpoint, or it is being made or removed.
   * @throws where the service can't tell.
   */
  describe(endpoint: string): Promise<EndpointDescription | undefined>;
  /** The models of an endpoint configuration; none of one that is gone. @throws where the service can't tell. */
  models(config: string): Promise<VariantModels>;
}

/** What answers a model's calls: the only thing that is not merely watched. For the fenced rollback alone. */
export interface ServingControl {
  /** @throws where the service can't tell. */
  describe(lever: RollbackLever): Promise<ServingState>;
  /**
   * Asks for a change, once: nothing is tried again by itself.
   * @throws where it is unknown whether the service took it.
   */
  change(lever: RollbackLever, change: ServingChange): Promise<ServingChangeResult>;
}

/** Keys of the evidence. */
export interface KeySource {
  /** 32 bytes, the same for the same model and UTC day (yyyy-mm-dd). */
  modelDayKey(model: string, day: string): Promise<Uint8Array>;
}

/** Reads secrets by name or ARN. */
export interface SecretTexts {
  /** @throws {DeliveryRefused} where there is none, or nobody may read it. */
  read(secret: string): Promise<string>;
}

/** What a server answered. */
export interface HttpsAnswer {
  readonly status: number;
}

/** Posts to public https addresses, without following redirects. */
export interface HttpsSender {
  /** @throws {DeliveryRefused} where the address must not be posted to; any other error: it may be tried again. */
  post(url: URL, body: string, headers: Readonly<Record<string, string>>): Promise<HttpsAnswer>;
}

/** Publishes to topics of one's own. */
export interface TopicSender {
  publish(topic: string, text: string): Promise<void>;
}

/** Puts a message on the topic that a way begins with: of a tier, the one where CloudWatch puts its alarms. */
export interface ProbeSender {
  send(way: AlertWay, text: string): Promise<void>;
}
