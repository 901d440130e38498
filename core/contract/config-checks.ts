import { checkAlerts, checkWebhooks } from './config-alerts.ts';
import { checkDependencies } from './config-dependencies.ts';
import { checkDuplicates } from './config-duplicates.ts';
import { checkLabels } from './config-labels.ts';
import type { ConfigPath, ConfigProblem } from './config-problems.ts';
import { formatPath, problemAt } from './config-problems.ts';
import { checkRollback, checkRollbacks } from './config-rollback.ts';
import type { ParsedFleet, ParsedModel } from './config-schema.ts';
import { checkBuckets, checkShards } from './config-shards.ts';
import { checkSlices } from './config-slices.ts';
import { checkSlos } from './config-slos.ts';
import { type ParsedSource, sourcePath, sourcesOf } from './config-sources.ts';
import { formatDuration } from './duration.ts';

/** What one value alone can't show: duplicates, contradictions, and options that need one another. */

export function predictionsOf(version: ParsedModel['versions'][number]): readonly string[] {
  const { prediction = [] } = version.schema;
  return typeof prediction === 'string' ? [prediction] : prediction;
}

function checkVersions(model: ParsedModel, base: ConfigPath): readonly ConfigProblem[] {
  const problems = [
    ...checkDuplicates(
      model.versions.map(({ match }) => match),
      'version',
      (at) => [...base, 'versions', at, 'match'],
    ),
  ];
  for (const [index, version] of model.versions.entries()) {
    const path = [...base, 'versions', index];
    const columns = version.schema.columns ?? [];
    const predictions = predictionsOf(version);
    problems.push(
      ...checkDuplicates(columns, 'column name', (at) => [...path, 'schema', 'columns', at]),
      ...checkDuplicates(predictions, 'prediction name', (at) => [...path, 'schema', 'prediction', at]),
    );
    const { caller, output } = version.schema;
    if (caller !== undefined && predictions.includes(caller)) {
      problems.push(problemAt([...path, 'schema', 'caller'], caller, 'a column or field that is no prediction'));
    }
    const outputPath = [...path, 'schema', 'output'];
    if (output === 'probability' && predictions.length > 1) {
      problems.push(problemAt(outputPath, output, '"classes" or "values": a probability is the only prediction'));
    } else if (output === 'classes' && predictions.length === 1) {
      problems.push(problemAt(outputPath, output, '"probability" or "values": classes have more than one prediction'));
    }
    for (const prediction of predictions) {
      if (columns.includes(prediction)) {
        problems.push(
          problemAt([...path, 'schema', 'prediction'], prediction, 'a name that is no column of the input'),
        );
      }
    }
  }
  if (model.versions.length > 1) {
    for (const [index, source] of sourcesOf(model).entries()) {
      if (source.kind === 'sagemaker-capture' && source.versionFrom === undefined) {
        problems.push(
          problemAt(
            [...sourcePath(model, base, index), 'versionFrom'],
            undefined,
            'the custom attribute that names the version, or "endpoint", because several versions are configured',
          ),
        );
      }
    }
  }
  return problems;
}

function checkFeatures(model: ParsedModel, base: ConfigPath): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  for (const [name, feature] of model.features) {
    const path = [...base, 'features', name];
    for (const option of ['required', 'published'] as const) {
      if (feature.ignore && feature[option]) {
        problems.push(problemAt([...path, option], true, 'false for an ignored feature'));
      }
    }
    // CloudWatch takes dimension values of ASCII alone, with something in them other than spaces, not beginning with ":".
    if (feature.published && !(/^[\x20-\x7e]{1,255}$/.test(name) && /\S/.test(name) && !name.startsWith(':'))) {
      problems.push(
        problemAt([...path, 'published'], true, 'false: the name of a published feature must be printable ASCII'),
      );
    }
  }
  return problems;
}

function checkSources(model: ParsedModel, base: ConfigPath): readonly ConfigProblem[] {
  const sources = sourcesOf(model);
  const problems = sources.flatMap((source, index) =>
    source.createBucket && source.encryptionKey !== undefined
      ? [
          problemAt(
            [...sourcePath(model, base, index), 'encryptionKey'],
            source.encryptionKey,
            'none beside createBucket: a bucket that is created is encrypted with SSE-S3',
          ),
        ]
      : [],
  );
  const inferences = sources.some(
    (source) => source.kind === 'sagemaker-capture' || (source.kind === 'http-capture' && source.role === 'inferences'),
  );
  if (inferences) return problems;
  return [
    ...problems,
    problemAt(
      [...base, 'source'],
      model.source,
      "a source of inferences beside those with role: 'requests' and groundTruth",
    ),
  ];
}

function checkTimes(model: ParsedModel, base: ConfigPath): readonly ConfigProblem[] {
  if (model.grace === undefined || model.grace >= model.captureDelay) return [];
  const delay = formatDuration(model.captureDelay);
  return [problemAt([...base, 'grace'], formatDuration(model.grace), `at least captureDelay (${delay})`)];
}

/** Everything wrong inside a model whose values are each right by themselves. */
export function checkModel(model: ParsedModel, base: ConfigPath): readonly ConfigProblem[] {
  return [
    ...checkSources(model, base),
    ...checkVersions(model, base),
    ...checkTimes(model, base),
    ...checkFeatures(model, base),
    ...checkSlices(model, base),
    ...checkSlos(model, base),
    ...checkLabels(model, base),
    ...checkAlerts(model, base),
    ...checkRollback(model, base),
  ];
}

/** The keys that belong to a source begin with this. */
function keyPrefix(source: ParsedSource): string {
  return source.kind === 'sagemaker-capture' ? `${source.prefix}${source.endpoint}/` : source.prefix;
}

/** Floor of the retention in production: half a year, as regulators ask of logs of high-risk systems. */
const minimumProductionRetentionDays = 184;

/** Everything wrong inside the fleet's options that are each right by themselves. */
export function checkFleet(fleet: ParsedFleet): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const { concurrency, reservedConcurrency } = fleet.ingest;
  if (reservedConcurrency !== undefined && reservedConcurrency < concurrency) {
    const expected = `at least fleet.ingest.concurrency (${concurrency}): the queue would be refused beyond it`;
    problems.push(problemAt(['fleet', 'ingest', 'reservedConcurrency'], reservedConcurrency, expected));
  }
  if (fleet.production !== undefined && fleet.retention < minimumProductionRetentionDays * 86_400_000) {
    const expected = `at least ${minimumProductionRetentionDays} days in production`;
    problems.push(problemAt(['fleet', 'retention'], formatDuration(fleet.retention), expected));
  }
  return problems;
}

/**
 * Everything wrong between models: names used twice, capture objects that would belong to two sources, shards missing
 * or too large, dependencies that go round, webhooks to hosts that are not listed.
 * @param count of all models, those included that have problems of their own
 */
export function checkModels(
  models: readonly { readonly model: ParsedModel; readonly path: ConfigPath }[],
  count: number,
  webhookHosts: readonly string[],
): readonly ConfigProblem[] {
  const problems = [
    ...checkDependencies(models, count),
    ...checkWebhooks(models, webhookHosts),
    ...checkShards(models, count),
    ...checkBuckets(models),
    ...checkRollbacks(models),
    ...models.flatMap(({ model, path }) =>
      // Messages about the fleet as a whole run under this name and reach everybody.
      model.name.toLowerCase() === 'fleet'
        ? [problemAt([...path, 'name'], model.name, 'another name: "fleet" stands for all models')]
        : [],
    ),
    // Lower case, because names become folders, and some file systems do not tell `A` from `a`.
    ...checkDuplicates(
      models.map(({ model }) => model.name.toLowerCase()),
      'model name',
      (at) => [...(models[at]?.path ?? []), 'name'],
    ),
  ];
  const sources = models.flatMap(({ model, path }) =>
    sourcesOf(model).map((source, index) => ({
      source,
      path: sourcePath(model, path, index),
      prefix: keyPrefix(source),
    })),
  );
  for (const [index, later] of sources.entries()) {
    const earlier = sources
      .slice(0, index)
      .find(
        ({ source, prefix }) =>
          source.bucket === later.source.bucket && (prefix.startsWith(later.prefix) || later.prefix.startsWith(prefix)),
      );
    if (earlier !== undefined) {
      problems.push(
        problemAt(
          [...later.path, 'prefix'],
          later.source.prefix,
          `keys that are not also those of ${formatPath(earlier.path)}: an object belongs to one source`,
        ),
      );
    }
  }
  return problems;
}
