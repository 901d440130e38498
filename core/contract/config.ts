import { allocateBudget, type Budget } from '../model/budget.ts';
import type { Calendar, DayKind } from '../model/calendar.ts';
import { canonicalJson } from '../model/canonical-json.ts';
import { sha256 } from '../model/content-hash.ts';
import type { FleetPolicy, ModelPolicy, SourcePolicy, VersionPolicy } from '../model/policy.ts';
import { chooseScales } from '../model/scales.ts';
import { checkFleet, checkModel, checkModels, predictionsOf } from './config-checks.ts';
import {
  type BusInput,
  type ChatInput,
  type EmailInput,
  type FunctionInput,
  type HttpsInput,
  type PagerDutyInput,
  type QueueInput,
  toContact,
  type WebhookInput,
} from './config-contacts.ts';
import { type QualitySloInput, toLabelPolicy, toLabelSource, toQualitySlos } from './config-labels.ts';
import { ConfigError, type ConfigPath, type ConfigProblem, describeIssues } from './config-problems.ts';
import { type RollbackInput, toRollback } from './config-rollback.ts';
import {
  type ConfigInput,
  configSchema,
  fleetSchema,
  type GroundTruthInput,
  type HttpCaptureInput,
  modelSchema,
  type ParsedFleet,
  type ParsedModel,
  type SagemakerCaptureInput,
} from './config-schema.ts';
import { listSlices } from './config-slices.ts';
import {
  type AvailabilitySloInput,
  type CompletenessSloInput,
  type FreshnessSloInput,
  type LatencySloInput,
  type MetricSloInput,
  toSlos,
} from './config-slos.ts';
import { sourcesOf } from './config-sources.ts';
import { type DeploymentPolicy, describeDeployment } from './deployment.ts';

export { ConfigError, type ConfigProblem } from './config-problems.ts';
export type { ConfigInput } from './config-schema.ts';

/** Gives a configuration its type. `parseConfig` says what is wrong in it. */
export function defineConfig(config: ConfigInput): ConfigInput {
  return config;
}

/** SageMaker data capture: `{prefix}/{endpoint}/{variant}/yyyy/mm/dd/hh/….jsonl`. */
export function sagemakerCapture(options: Omit<SagemakerCaptureInput, 'kind'>): SagemakerCaptureInput {
  return { ...options, kind: 'sagemaker-capture' };
}

/** JSON Lines written by an HTTP service; with `role: 'requests'` they only report status and latency. */
export function httpCapture(options: Omit<HttpCaptureInput, 'kind'>): HttpCaptureInput {
  return { ...options, kind: 'http-capture' };
}

/** Labels: SageMaker's ground truth files or CSV with a header. They are joined with the captures of the model's other sources. */
export function groundTruth(options: Omit<GroundTruthInput, 'kind'>): GroundTruthInput {
  return { ...options, kind: 'ground-truth' };
}

/** A share of requests must be answered within the threshold. Default name `latency`. */
export function latencySlo(options: Omit<LatencySloInput, 'kind'>): LatencySloInput {
  return { ...options, kind: 'latency' };
}

/** A share of requests must not fail on the server's side. Default name `availability`. */
export function availabilitySlo(options: Omit<AvailabilitySloInput, 'kind'>): AvailabilitySloInput {
  return { ...options, kind: 'availability' };
}

/** A share of rows must carry a value, for each feature with `required: true`. Default name `completeness`. */
export function completenessSlo(options: Omit<CompletenessSloInput, 'kind'>): CompletenessSloInput {
  return { ...options, kind: 'completeness' };
}

/** At a share of minutes the newest record must not be older than the threshold. Default name `freshness`. */
export function freshnessSlo(options: Omit<FreshnessSloInput, 'kind'>): FreshnessSloInput {
  return { ...options, kind: 'freshness' };
}

/**
 * In a share of minutes a CloudWatch metric must be within bounds: a business figure, or the endpoint's own CPU, GPU, disk
 * or errors. Minutes without data don't count. Default name: the metric's.
 */
export function metricSlo(options: Omit<MetricSloInput, 'kind'>): MetricSloInput {
  return { ...options, kind: 'metric' };
}

export function email(address: string): EmailInput {
  return { kind: 'email', address };
}

/**
 * A pager or chat service that takes SNS messages by HTTPS, on a host of `fleet.webhookHosts`: its URL, or the host and the
 * name of the secret in Secrets Manager whose text is what follows `https://host/`. A URL given here stands in the template;
 * one with a key in it belongs into a secret.
 */
export function https(target: string | { readonly host: string; readonly secret: string }): HttpsInput {
  const address =
    typeof target === 'string' ? target : `https://${target.host}/{{resolve:secretsmanager:${target.secret}}}`;
  return { kind: 'https', address };
}

/** A queue, by its ARN. Its own policy must allow the delivery topic to send. */
export function sqsQueue(arn: string): QueueInput {
  return { kind: 'sqs', address: arn };
}

/** An event bus of EventBridge in the same account and region, by its ARN. A pipe puts each message on it, in full. */
export function eventBus({ arn }: { readonly arn: string }): BusInput {
  return { kind: 'eventBus', address: arn };
}

/** A function of the same account and region, by its ARN. The deployment allows the delivery topic to invoke it. */
export function lambdaFunction(arn: string): FunctionInput {
  return { kind: 'lambda', address: arn };
}

/**
 * A measure of quality must hold, by the labels of `groundTruth`. Only records whose labels had `labelsWithin` to come can be red.
 * Default name: the measure.
 */
export function qualitySlo(options: Omit<QualitySloInput, 'kind'>): QualitySloInput {
  return { ...options, kind: 'quality' };
}

/**
 * A PagerDuty service, by its Events API v2 integration: `secret` names the secret in Secrets Manager whose text is the
 * integration key. One incident an episode: it is triggered, and resolved by Tidewatch.
 */
export function pagerDuty(options: Omit<PagerDutyInput, 'kind'>): PagerDutyInput {
  return { ...options, kind: 'pagerduty' };
}

/** An SNS topic that a channel of Amazon Q Developer in chat applications listens to. */
export function chat(options: Omit<ChatInput, 'kind'>): ChatInput {
  return { ...options, kind: 'chat' };
}

/**
 * A URL that takes the full JSON of a message by POST, on a host of `fleet.webhookHosts`. One with a key in it belongs
 * into a secret: `webhook({ secret })`.
 */
export function webhook(options: Omit<WebhookInput, 'kind'>): WebhookInput {
  return { ...options, kind: 'webhook' };
}

type RollbackOptions<Kind extends RollbackInput['kind']> = Omit<Extract<RollbackInput, { kind: Kind }>, 'kind'>;

/** On red: back to the endpoint configuration that answered before and is known to be good. A dry run by default. */
export function sagemakerEndpoint(options: RollbackOptions<'sagemaker-endpoint'> = {}): RollbackInput {
  return { ...options, kind: 'sagemaker-endpoint' };
}

/** On red: back to the weights that the endpoint's variants had before. A dry run by default. */
export function sagemakerWeights(options: RollbackOptions<'sagemaker-weights'> = {}): RollbackInput {
  return { ...options, kind: 'sagemaker-weights' };
}

/** On red: back to the version that the alias of a function pointed to before. A dry run by default. */
export function lambdaAlias(options: RollbackOptions<'lambda-alias'>): RollbackInput {
  return { ...options, kind: 'lambda-alias' };
}

/** On red: starts a workflow of one's own, which is told what to go back to. A dry run by default. */
export function stepFunctions(options: RollbackOptions<'step-functions'>): RollbackInput {
  return { ...options, kind: 'step-functions' };
}

function toSource(source: ReturnType<typeof sourcesOf>[number]): SourcePolicy {
  if (source.kind === 'ground-truth') return toLabelSource(source);
  const { kind, bucket, prefix, account } = source;
  if (source.kind === 'http-capture') return { kind, bucket, prefix, account, role: source.role };
  const { endpoint, versionFrom } = source;
  const versions = versionFrom === 'endpoint' ? { versionBy: 'endpoint' as const } : { versionFrom };
  return { kind, bucket, prefix, account, role: 'inferences', endpoint, ...versions };
}

/** @param embeddings columns of the model that hold vectors */
function toVersion(version: ParsedModel['versions'][number], embeddings: readonly string[]): VersionPolicy {
  const { match, schema, baseline } = version;
  return {
    match,
    columns: schema.columns,
    predictions: predictionsOf(version),
    ...(schema.output !== undefined && { output: schema.output }),
    ...(embeddings.length > 0 && { embeddings }),
    ...(schema.caller !== undefined && { caller: schema.caller }),
    baseline: typeof baseline === 'string' ? { path: baseline } : baseline,
  };
}

/** What the model may spend on false alarms: see `allocateBudget`. */
function deriveBudget(yellowPerWeek: number, models: number, windowSeconds: number, usesSlices: boolean): Budget {
  const scales = chooseScales(windowSeconds).length;
  return allocateBudget({
    yellowPerWeek,
    models,
    windowSeconds,
    scales,
    uses: { slices: usesSlices, charts: true, quality: true, retests: true },
  });
}

/** Holidays count as days of a weekend, workdays as weekdays. */
function toCalendar({ timeZone, holidays, workdays }: ParsedFleet['calendar']): Calendar {
  const days = new Map<string, DayKind>();
  for (const date of holidays) days.set(date, 'weekend');
  for (const date of workdays) days.set(date, 'weekday');
  return { timeZone, days: [...days].sort(([a], [b]) => (a < b ? -1 : 1)) };
}

function toPolicy(model: ParsedModel, fleet: FleetPolicy, calendar: Calendar, models: number): ModelPolicy {
  const windowSeconds = model.window / 1000;
  const { level, minimumEffect, effectLevel, minimumMissingRise, minimumUnseenRise, charts } = model.drift;
  const slices = listSlices(model.slices);
  const embeddings = model.features.flatMap(([name, { kind }]) => (kind === 'embedding' ? [name] : []));
  const budget = deriveBudget(fleet.falseAlarms.yellowPerWeek, models, windowSeconds, slices.length > 0);
  const graceSeconds = (model.grace ?? Math.max(600_000, model.captureDelay)) / 1000;
  const labels = toLabelPolicy(model);
  const qualitySlos = toQualitySlos(model);
  const rollback = toRollback(model, graceSeconds);
  const contacts = (tier: 'yellow' | 'red') => model.alerts[tier].map(toContact);
  return {
    schema: 'tidewatch.config/1',
    name: model.name,
    sources: sourcesOf(model).map(toSource),
    versions: model.versions.map((version) => toVersion(version, embeddings)),
    windowSeconds,
    calendar,
    graceSeconds,
    captureDelaySeconds: model.captureDelay / 1000,
    silenceAfterSeconds: model.silenceAfter === undefined ? undefined : model.silenceAfter / 1000,
    features: model.features,
    slos: toSlos(model),
    ...(labels && { labels }),
    ...(qualitySlos.length > 0 && { qualitySlos }),
    drift: {
      level: level ?? budget.driftLevel,
      retestLevel: budget.retestLevel,
      qualityLevel: budget.qualityLevel,
      chartAlarmsPerWeek: budget.risks.charts,
      ...(charts && { charts }),
      minimumEffect,
      effectLevel,
      minimumMissingRise,
      minimumUnseenRise,
      minimumRecords: model.drift.minimumRecords,
      maximumQuarantineShare: model.drift.maximumQuarantineShare,
    },
    ...(slices.length > 0 && { slices, sliceLevel: budget.sliceLevel }),
    publishedFeatures: model.publishedFeatures,
    alerts: { yellow: contacts('yellow'), red: contacts('red') },
    ...(model.dependsOn.length > 0 && { dependsOn: model.dependsOn }),
    ...(rollback && { rollback }),
  };
}

/** Models whose own values are right are checked further even where others are wrong, so that one run shows all. */
function findProblems(value: unknown): readonly ConfigProblem[] {
  const parsed = configSchema.safeParse(value);
  const problems = [...describeIssues(parsed.error?.issues ?? [], value, [])];
  if (typeof value !== 'object' || value === null || !('models' in value)) return problems;
  const { models } = value;
  if (!Array.isArray(models)) return problems;
  const sound = models.flatMap((input: unknown, index): { model: ParsedModel; path: ConfigPath }[] => {
    const { data } = modelSchema.safeParse(input);
    return data === undefined ? [] : [{ model: data, path: ['models', index] }];
  });
  for (const { model, path } of sound) problems.push(...checkModel(model, path));
  const fleet = fleetSchema.safeParse('fleet' in value ? (value.fleet ?? {}) : {}).data;
  problems.push(...checkModels(sound, models.length, fleet?.webhookHosts ?? []));
  if (fleet !== undefined) problems.push(...checkFleet(fleet));
  return problems;
}

/** What a configuration stands for. */
export interface ParsedConfig {
  readonly fleet: FleetPolicy;
  readonly models: readonly ModelPolicy[];
  /** How it is deployed; no part of what is hashed into verdicts. */
  readonly deployment: DeploymentPolicy;
}

/**
 * The policies a configuration stands for. Paths of baselines are kept as written: relative to the configuration.
 * @throws {ConfigError} with everything that is wrong, each with its path, what was seen and what was expected.
 */
export function parseConfig(value: unknown): ParsedConfig {
  const problems = findProblems(value);
  if (problems.length > 0) throw new ConfigError(problems);
  const config = configSchema.parse(value);
  const { falseAlarms, runbook, webhookHosts } = config.fleet;
  const { yellowPerWeek } = falseAlarms;
  const fleet: FleetPolicy = {
    schema: 'tidewatch.fleet/1',
    falseAlarms: { yellowPerWeek },
    runbook,
    ...(webhookHosts.length > 0 && { webhookHosts }),
  };
  const calendar = toCalendar(config.fleet.calendar);
  return {
    fleet,
    models: config.models.map((model) => toPolicy(model, fleet, calendar, config.models.length)),
    deployment: describeDeployment(config),
  };
}

/** The one text of a model's configuration: what is shipped with the code and hashed. */
export function configJson(policy: ModelPolicy): string {
  return canonicalJson(policy);
}

/** SHA-256 of the canonical JSON: goes with every verdict. */
export function configHash(policy: ModelPolicy): string {
  return sha256(configJson(policy));
}
