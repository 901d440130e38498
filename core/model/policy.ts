import type { Calendar } from './calendar.ts';
import type { LabelPolicy, QualitySloPolicy } from './labels.ts';
import type { MeasuredMetric } from './measured-metric.ts';
import type { RollbackPolicy } from './rollback.ts';
import type { SlicePolicy } from './slice.ts';

/** Where captures come from and how they are to be read. */
export interface CaptureSource {
  readonly kind: 'sagemaker-capture' | 'http-capture';
  readonly bucket: string;
  /** Key prefix, without a leading slash, ending with `/` unless empty. Keys outside it are refused. */
  readonly prefix: string;
  /** SageMaker: the endpoint's name, the first path segment after the prefix. */
  readonly endpoint?: string | undefined;
  /** The AWS account whose events are accepted; absent: any (embedded backend). */
  readonly account?: string | undefined;
  /** `inferences`: its lines are inference records. `requests`: its lines only report status and latency. */
  readonly role: 'inferences' | 'requests';
  /** Custom attribute or field that names the model version. */
  readonly versionFrom?: string | undefined;
  /** `endpoint`: the version is what the endpoint served at the record's time; then there is no `versionFrom`. */
  readonly versionBy?: 'endpoint' | undefined;
}

/** Where labels come from. */
export interface LabelSource {
  readonly kind: 'ground-truth';
  readonly bucket: string;
  readonly prefix: string;
  readonly account?: string | undefined;
  readonly role: 'labels';
  readonly format: 'sagemaker' | 'csv';
  readonly endpoint?: undefined;
}

export type SourcePolicy = CaptureSource | LabelSource;

/**
 * classes: scores of classes, in the order of the predictions. probability: the only prediction is the probability of a yes.
 * values: neither. Where it isn't said, several numbers that are shares of 1 are classes.
 */
export type OutputKind = 'classes' | 'probability' | 'values';

/** What a version's payloads look like and what they are compared with. */
export interface VersionPolicy {
  /** A literal version, or a prefix followed by `*`. */
  readonly match: string;
  /** Names of headerless columns, in order; absent: names come from the payload. */
  readonly columns?: readonly string[] | undefined;
  /** Names of the outputs, in order. */
  readonly predictions: readonly string[];
  /** What the outputs are; absent: told from the values, see `OutputKind`. */
  readonly output?: OutputKind | undefined;
  /** Columns, of either side, that hold vectors; absent: none. */
  readonly embeddings?: readonly string[] | undefined;
  /** Column, or field of the capture, that names the caller; absent: callers are not told apart. */
  readonly caller?: string | undefined;
  readonly baseline?: { readonly path: string; readonly sha256?: string | undefined } | undefined;
}

export interface FeaturePolicy {
  readonly ignore: boolean;
  /** Missing values of a required feature are watched every minute. */
  readonly required: boolean;
  readonly kind?: 'numeric' | 'categorical' | 'embedding' | undefined;
  /** Smallest PSI worth a yellow. */
  readonly minimumEffect?: number | undefined;
  /** Published as a `PopulationStabilityIndex` metric with a `Feature` dimension. */
  readonly published: boolean;
}

export interface LatencySloPolicy {
  readonly kind: 'latency';
  readonly name: string;
  readonly thresholdMilliseconds: number;
  /** Share of requests that must be good, in (0, 1). */
  readonly objective: number;
  readonly periodSeconds: number;
  /** The endpoint whose own metrics are counted in place of captures; absent: captures. */
  readonly endpoint?: string | undefined;
  /** Absent: ModelLatency. */
  readonly endpointMetric?: 'ModelLatency' | 'OverheadLatency' | undefined;
}

export interface AvailabilitySloPolicy {
  readonly kind: 'availability';
  readonly name: string;
  readonly objective: number;
  readonly periodSeconds: number;
  /** The endpoint whose own metrics are counted in place of captures; absent: captures. */
  readonly endpoint?: string | undefined;
}

/** Share of records that have a value in every required feature. Each of these is judged by itself as well. */
export interface CompletenessSloPolicy {
  readonly kind: 'completeness';
  readonly name: string;
  readonly objective: number;
  readonly periodSeconds: number;
}

/** Share of minutes at whose end the newest record is not older than the threshold. */
export interface FreshnessSloPolicy {
  readonly kind: 'freshness';
  readonly name: string;
  readonly thresholdSeconds: number;
  readonly objective: number;
  readonly periodSeconds: number;
}

/** Share of minutes in which a CloudWatch metric is within bounds. Minutes without data don't count. */
export interface MetricSloPolicy {
  readonly kind: 'metric';
  readonly name: string;
  readonly metric: MeasuredMetric;
  /** At least one of the two. */
  readonly atLeast?: number | undefined;
  readonly atMost?: number | undefined;
  readonly objective: number;
  readonly periodSeconds: number;
}

export type SloPolicy =
  | LatencySloPolicy
  | AvailabilitySloPolicy
  | CompletenessSloPolicy
  | FreshnessSloPolicy
  | MetricSloPolicy;

/** Where a tier's messages go. */
export interface SubscribedContact {
  readonly kind: 'email' | 'https' | 'sqs' | 'lambda' | 'eventBus';
  /** An e-mail address, a URL, whose path may be a reference to the secret that holds it, or an ARN. */
  readonly address: string;
}

/** A PagerDuty service, by Events API v2. */
export interface PagerDutyContact {
  readonly kind: 'pagerduty';
  /** Name or ARN of the secret whose text is the integration key. */
  readonly address: string;
  readonly region: 'us' | 'eu';
}

/** A URL that takes the full JSON by POST. */
export interface WebhookContact {
  readonly kind: 'webhook';
  /** The URL, or the name or ARN of the secret whose text it is. */
  readonly address: string;
  readonly isSecret: boolean;
}

/** A topic that Amazon Q Developer in chat applications listens to. */
export interface ChatContact {
  readonly kind: 'chat';
  /** The topic's ARN. */
  readonly address: string;
}

/** Contacts that Tidewatch delivers to itself; the others subscribe to the delivery topics. */
export type DeliveredContact = PagerDutyContact | WebhookContact | ChatContact;

export type ContactPolicy = SubscribedContact | DeliveredContact;

export function isDelivered(contact: ContactPolicy): contact is DeliveredContact {
  return contact.kind === 'pagerduty' || contact.kind === 'webhook' || contact.kind === 'chat';
}

/**
 * How control charts add up deviations. An EWMA gives the newest window the weight `lambda`; a CUSUM adds up what exceeds
 * `reference` standard deviations, half the shift it is best at. See docs/statistics/charts.md.
 */
export type ChartPolicy =
  | { readonly method: 'ewma'; readonly lambda: number }
  | { readonly method: 'cusum'; readonly reference: number };

/**
 * At the run lengths that a weekly budget asks for, an EWMA of .1 sees a shift of one standard deviation twice as fast as
 * one of .2.
 */
export const defaultChartPolicy: ChartPolicy = { method: 'ewma', lambda: 0.1 };

/** The rule that turns p-values and effects into drift. See docs/statistics/main-rule.md. */
export interface DriftPolicy {
  /**
   * Benjamini–Hochberg level per window and scale: the weekly budget over windows a week and scales. Series in service at
   * once share it: `levelsOf`.
   */
  readonly level: number;
  /** Level at which a late revision may raise its window's tier, once; absent: it may not. */
  readonly retestLevel?: number | undefined;
  /** Level of all checks of the quality of the data of one window together; absent: they are not run. */
  readonly qualityLevel?: number | undefined;
  /** False alarms a week that all control charts together may give; absent: nothing is charted. */
  readonly chartAlarmsPerWeek?: number | undefined;
  /** Absent: `defaultChartPolicy`. */
  readonly charts?: ChartPolicy | undefined;
  /** Lengths, in windows, of the trailing stretches judged. Absent: `scalesOf`. */
  readonly scales?: readonly number[] | undefined;
  /** Smallest PSI that matters. */
  readonly minimumEffect: number;
  /** Level of the effect-floor test. */
  readonly effectLevel: number;
  /** Smallest rise of the missing share that matters, in shares (0.01 = one percentage point). */
  readonly minimumMissingRise: number;
  /** Smallest rise of the unseen-category share that matters. */
  readonly minimumUnseenRise: number;
  /** Fewer counted records than this are insufficient data. */
  readonly minimumRecords: number;
  /** Share of quarantined records above which the window is yellow. */
  readonly maximumQuarantineShare: number;
}

/** All that the pipeline needs to know of one model: plain data, canonical JSON, hashed into every verdict. */
export interface ModelPolicy {
  readonly schema: 'tidewatch.config/1';
  readonly name: string;
  readonly sources: readonly SourcePolicy[];
  readonly versions: readonly VersionPolicy[];
  readonly windowSeconds: number;
  /** What the hours and days of its traffic follow; absent: UTC, no holidays. */
  readonly calendar?: Calendar | undefined;
  /** A window is judged this long after its end. */
  readonly graceSeconds: number;
  /** How long captures may take to arrive; live SLI windows may end this much in the past. */
  readonly captureDelaySeconds: number;
  /** No record for this long is silence; absent: twice the baseline's longest gap, at least 10 minutes. */
  readonly silenceAfterSeconds?: number | undefined;
  readonly features: readonly (readonly [name: string, policy: FeaturePolicy])[];
  readonly slos: readonly SloPolicy[];
  /** How labels are read; there where a source of labels is. */
  readonly labels?: LabelPolicy | undefined;
  /** Objectives that labels are judged by; absent: none. */
  readonly qualitySlos?: readonly QualitySloPolicy[] | undefined;
  readonly drift: DriftPolicy;
  /** Parts of the records that are judged beside the whole; absent: none. */
  readonly slices?: readonly SlicePolicy[] | undefined;
  /** Benjamini–Hochberg level of all slices and features of a window and scale together; there where slices are. */
  readonly sliceLevel?: number | undefined;
  /** Features with a metric of their own when none is marked `published`: the first of this many by name. */
  readonly publishedFeatures: number;
  readonly alerts: { readonly yellow: readonly ContactPolicy[]; readonly red: readonly ContactPolicy[] };
  /** Models whose outputs this one takes in: an incident of theirs explains its drift. Absent: it stands alone. */
  readonly dependsOn?: readonly string[] | undefined;
  /** Absent: no endpoint is ever changed. */
  readonly rollback?: RollbackPolicy | undefined;
}

export interface FleetPolicy {
  readonly schema: 'tidewatch.fleet/1';
  readonly falseAlarms: { readonly yellowPerWeek: number };
  /** Where the runbook is published; alarm names are appended as fragments. */
  readonly runbook: string;
  /** Hosts that webhooks may go to; absent: none. */
  readonly webhookHosts?: readonly string[] | undefined;
}

/** The default of every feature nobody configured. */
export const defaultFeaturePolicy: FeaturePolicy = { ignore: false, required: false, published: false };

/** The policy of a feature, the default where none is given. */
export function featurePolicy(policy: ModelPolicy, feature: string): FeaturePolicy {
  return policy.features.find(([name]) => name === feature)?.[1] ?? defaultFeaturePolicy;
}
