import type { Calendar } from './calendar.ts';
import type { SlicePolicy } from './slice.ts';

/** Where captures come from and how they are to be read. */
export interface SourcePolicy {
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
}

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
  readonly baseline?: { readonly path: string; readonly sha256?: string | undefined } | undefined;
}

export interface FeaturePolicy {
  readonly ignore: boolean;
  /** Missing values of a required feature are watched every minute. */
  readonly required: boolean;
  readonly kind?: 'numeric' | 'categorical' | undefined;
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
}

export interface AvailabilitySloPolicy {
  readonly kind: 'availability';
  readonly name: string;
  readonly objective: number;
  readonly periodSeconds: number;
}

/** Share of rows that carry a value, judged per required feature. */
export interface CompletenessSloPolicy {
  readonly kind: 'completeness';
  readonly name: string;
  readonly objective: number;
}

export type SloPolicy = LatencySloPolicy | AvailabilitySloPolicy | CompletenessSloPolicy;

/** Where a tier's messages go. */
export interface ContactPolicy {
  readonly kind: 'email' | 'https' | 'sqs' | 'lambda';
  /** An e-mail address, a URL or a reference to the secret that holds it, or an ARN. */
  readonly address: string;
}

/** The rule that turns p-values and effects into drift (statistics A4). */
export interface DriftPolicy {
  /** Benjamini–Hochberg level per window and scale: the weekly budget over windows a week and scales. */
  readonly level: number;
  /** Level at which a late revision may raise its window's tier, once; absent: it may not. */
  readonly retestLevel?: number | undefined;
  /** Level of all checks of the quality of the data of one window together; absent: they are not run. */
  readonly qualityLevel?: number | undefined;
  /** False alarms a week that all control charts together may give; absent: nothing is charted. */
  readonly chartAlarmsPerWeek?: number | undefined;
  /** Lengths, in windows, of the trailing stretches judged. Absent: `chooseScales`. */
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
  readonly drift: DriftPolicy;
  /** Parts of the records that are judged beside the whole; absent: none. */
  readonly slices?: readonly SlicePolicy[] | undefined;
  /** Benjamini–Hochberg level of all slices and features of a window and scale together; there where slices are. */
  readonly sliceLevel?: number | undefined;
  /** Features with a metric of their own when none is marked `published`: the first of this many by name. */
  readonly publishedFeatures: number;
  readonly alerts: { readonly yellow: readonly ContactPolicy[]; readonly red: readonly ContactPolicy[] };
}

export interface FleetPolicy {
  readonly schema: 'tidewatch.fleet/1';
  readonly falseAlarms: { readonly yellowPerWeek: number };
  /** Where the runbook is published; alarm names are appended as fragments. */
  readonly runbook: string;
}

/** The default of every feature nobody configured. */
export const defaultFeaturePolicy: FeaturePolicy = { ignore: false, required: false, published: false };

/** The policy of a feature, the default where none is given. */
export function featurePolicy(policy: ModelPolicy, feature: string): FeaturePolicy {
  return policy.features.find(([name]) => name === feature)?.[1] ?? defaultFeaturePolicy;
}
