import { allocateBudget, type Budget } from '../model/budget.ts';
import type { Calendar, DayKind } from '../model/calendar.ts';
import { canonicalJson } from '../model/canonical-json.ts';
import { sha256 } from '../model/content-hash.ts';
import type { FleetPolicy, ModelPolicy, SloPolicy, SourcePolicy, VersionPolicy } from '../model/policy.ts';
import { chooseScales } from '../model/scales.ts';
import { checkFleet, checkModel, checkModels, predictionsOf } from './config-checks.ts';
import type { EmailInput, FunctionInput, HttpsInput, QueueInput } from './config-contacts.ts';
import { ConfigError, type ConfigPath, type ConfigProblem, describeIssues } from './config-problems.ts';
import {
  type AvailabilitySloInput,
  type CompletenessSloInput,
  type ConfigInput,
  configSchema,
  fleetSchema,
  type HttpCaptureInput,
  type LatencySloInput,
  modelSchema,
  type ParsedFleet,
  type ParsedModel,
  type SagemakerCaptureInput,
} from './config-schema.ts';
import { listSlices } from './config-slices.ts';
import { sourcesOf } from './config-sources.ts';
import type { UnavailableOption } from './config-values.ts';
import { type DeploymentPolicy, describeDeployment } from './deployment.ts';

export { ConfigError, type ConfigProblem } from './config-problems.ts';
export type { ConfigInput } from './config-schema.ts';
export type { UnavailableOption } from './config-values.ts';

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

export function email(address: string): EmailInput {
  return { kind: 'email', address };
}

/**
 * A pager or chat service that takes SNS messages by HTTPS: its URL, or the name of the secret in Secrets Manager whose
 * text is the URL. A URL given here stands in the template; one with a key in it belongs into a secret.
 */
export function https(target: string | { readonly secret: string }): HttpsInput {
  const address = typeof target === 'string' ? target : `{{resolve:secretsmanager:${target.secret}}}`;
  return { kind: 'https', address };
}

/** A queue, by its ARN. Its own policy must allow the delivery topic to send. */
export function sqsQueue(arn: string): QueueInput {
  return { kind: 'sqs', address: arn };
}

/** A function of the same account and region, by its ARN. The deployment allows the delivery topic to invoke it. */
export function lambdaFunction(arn: string): FunctionInput {
  return { kind: 'lambda', address: arn };
}

/** Refused in this version. */
export function qualitySlo(_options: unknown): UnavailableOption {
  return { kind: 'unavailable', option: 'qualitySlo', reason: 'labels are not read' };
}

/** Refused in this version. */
export function pagerDuty(_options: unknown): UnavailableOption {
  return { kind: 'unavailable', option: 'pagerDuty', reason: "give its SNS integration's URL: https({ secret })" };
}

/** Refused in this version. */
export function sagemakerEndpoint(_options: unknown): UnavailableOption {
  return { kind: 'unavailable', option: 'sagemakerEndpoint', reason: 'no endpoint is changed' };
}

function toSource(source: ReturnType<typeof sourcesOf>[number]): SourcePolicy {
  const { kind, bucket, prefix, account } = source;
  if (kind === 'http-capture') return { kind, bucket, prefix, account, role: source.role };
  const { endpoint, versionFrom } = source;
  return { kind, bucket, prefix, account, role: 'inferences', endpoint, versionFrom };
}

function toVersion(version: ParsedModel['versions'][number]): VersionPolicy {
  const { match, schema, baseline } = version;
  return {
    match,
    columns: schema.columns,
    predictions: predictionsOf(version),
    ...(schema.output !== undefined && { output: schema.output }),
    baseline: typeof baseline === 'string' ? { path: baseline } : baseline,
  };
}

function toSlos(slo: ParsedModel['slos'][number]): readonly SloPolicy[] {
  switch (slo.kind) {
    case 'latency': {
      const { kind, name, objective, threshold, period } = slo;
      return [{ kind, name, objective, thresholdMilliseconds: threshold, periodSeconds: period / 1000 }];
    }
    case 'availability': {
      const { kind, name, objective, period } = slo;
      return [{ kind, name, objective, periodSeconds: period / 1000 }];
    }
    case 'completeness':
      return [slo];
    case 'unavailable':
      return [];
  }
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
  const { level, minimumEffect, effectLevel, minimumMissingRise, minimumUnseenRise } = model.drift;
  const slices = listSlices(model.slices);
  const budget = deriveBudget(fleet.falseAlarms.yellowPerWeek, models, windowSeconds, slices.length > 0);
  const contacts = (tier: 'yellow' | 'red') =>
    model.alerts[tier].flatMap((contact) => (contact.kind === 'unavailable' ? [] : [contact]));
  return {
    schema: 'tidewatch.config/1',
    name: model.name,
    sources: sourcesOf(model).map(toSource),
    versions: model.versions.map(toVersion),
    windowSeconds,
    calendar,
    graceSeconds: (model.grace ?? Math.max(600_000, model.captureDelay)) / 1000,
    captureDelaySeconds: model.captureDelay / 1000,
    silenceAfterSeconds: model.silenceAfter === undefined ? undefined : model.silenceAfter / 1000,
    features: model.features,
    slos: model.slos.flatMap(toSlos),
    drift: {
      level: level ?? budget.driftLevel,
      retestLevel: budget.retestLevel,
      qualityLevel: budget.qualityLevel,
      chartAlarmsPerWeek: budget.risks.charts,
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
  problems.push(...checkModels(sound, models.length));
  const fleet = fleetSchema.safeParse('fleet' in value ? (value.fleet ?? {}) : {}).data;
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
  const { falseAlarms, runbook } = config.fleet;
  const { yellowPerWeek } = falseAlarms;
  const fleet: FleetPolicy = { schema: 'tidewatch.fleet/1', falseAlarms: { yellowPerWeek }, runbook };
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
