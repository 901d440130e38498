import { z } from 'zod';
import { isError, type LabelPolicy, type QualitySloPolicy, qualityMeasures } from '../model/labels.ts';
import type { LabelSource } from '../model/policy.ts';
import { type ConfigPath, type ConfigProblem, formatPath, problemAt, unavailableMessage } from './config-problems.ts';
import type { ParsedModel } from './config-schema.ts';
import { sourcePath, sourcesOf } from './config-sources.ts';
import { day, duration, hour, isPrintable, name, number, strict, text } from './config-values.ts';
import { formatDuration } from './duration.ts';

const columnName = text(
  'a column name of 1 to 255 printable characters',
  (value) => value.length >= 1 && value.length <= 255 && isPrintable(value),
);

const horizon = duration(
  'whole days from "30d" to "731d"',
  (value) => value % day === 0 && value >= 30 * day && value <= 731 * day,
);

/** @param place bucket, prefix and what else says where objects lie, as of other sources */
export function groundTruthSource<Place extends z.ZodRawShape>(place: Place) {
  return z.strictObject(
    {
      kind: z.literal('ground-truth'),
      ...place,
      format: z.enum(['sagemaker', 'csv'], { error: '"sagemaker" or "csv"' }).default('sagemaker'),
      task: z
        .enum(['binary', 'classes', 'regression'], { error: '"binary", "classes" or "regression"' })
        .default('binary'),
      prediction: columnName.optional(),
      threshold: number('a finite number', Number.isFinite).default(0.5),
      positive: text(
        'the text of a yes, without white space around it',
        (value) => value !== '' && value.trim() === value,
      ).optional(),
      horizon: horizon.default(90 * day),
      sources: z
        .array(name('the name of a source of labels', 50), { error: 'a list of names of sources of labels' })
        .max(50, { error: 'at most 50 names of sources of labels' })
        .default([]),
      columns: z
        .strictObject(
          {
            id: columnName.default('event_id'),
            label: columnName.default('label'),
            time: columnName.default('time'),
            source: columnName.default('source'),
            row: columnName.default('row'),
          },
          strict,
        )
        .prefault({}),
    },
    strict,
  );
}

const sloName = name('an SLO name', 50);
const wait = duration(
  'whole hours from "1h" to "731d"',
  (value) => value % hour === 0 && value >= hour && value <= 731 * day,
);

export const qualitySloSchema = z.strictObject(
  {
    kind: z.literal('quality'),
    name: sloName.optional(),
    measure: z.enum(qualityMeasures, {
      error: `one of ${qualityMeasures.map((one) => JSON.stringify(one)).join(', ')}`,
    }),
    atLeast: number('a number in (0, 1)', (value) => value > 0 && value < 1).optional(),
    atMost: number('a number above 0', (value) => value > 0 && Number.isFinite(value)).optional(),
    period: duration(
      'whole days from "1d" to "84d"',
      (value) => value % day === 0 && value >= day && value <= 84 * day,
    ).default(7 * day),
    labelsWithin: wait,
    labelCoverage: number('a share in (0, 1]', (value) => value > 0 && value <= 1).default(1),
  },
  strict,
);

export type QualitySloInput = z.input<typeof qualitySloSchema>;
type ParsedQualitySlo = z.output<typeof qualitySloSchema>;
type ParsedGroundTruth = Extract<ReturnType<typeof sourcesOf>[number], { kind: 'ground-truth' }>;

/** An objective's name where none is given is its measure. */
export function qualitySloName({ name: given, measure }: Pick<ParsedQualitySlo, 'name' | 'measure'>): string {
  return given ?? measure;
}

export function toLabelSource({ kind, bucket, prefix, account, format }: ParsedGroundTruth): LabelSource {
  return { kind, bucket, prefix, account, role: 'labels', format };
}

/** How the labels of a model are read; undefined where it has no source of them. */
export function toLabelPolicy(model: ParsedModel): LabelPolicy | undefined {
  const source = sourcesOf(model).find((one) => one.kind === 'ground-truth');
  if (!source) return undefined;
  const { task, prediction, threshold, positive, horizon: milliseconds, sources, columns } = source;
  return {
    task,
    ...(prediction !== undefined && { prediction }),
    threshold,
    ...(positive !== undefined && { positive }),
    horizonDays: milliseconds / day,
    sources,
    columns,
  };
}

export function toQualitySlos(model: ParsedModel): readonly QualitySloPolicy[] {
  return model.slos.flatMap((slo) => {
    if (slo.kind !== 'quality') return [];
    const { measure, atLeast, atMost, period, labelsWithin, labelCoverage } = slo;
    const bound = (isError(measure) ? atMost : atLeast) ?? 0;
    const seconds = { periodSeconds: period / 1000, labelsWithinSeconds: labelsWithin / 1000 };
    return [{ name: qualitySloName(slo), measure, bound, ...seconds, labelCoverage }];
  });
}

/** Measures of a task. */
const measuresOf = {
  binary: ['precision', 'recall', 'f1', 'accuracy', 'auc', 'calibration'],
  classes: ['accuracy'],
  regression: ['rmse'],
} as const satisfies Readonly<Record<LabelPolicy['task'], readonly QualitySloPolicy['measure'][]>>;

export function checkLabels(model: ParsedModel, base: ConfigPath): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const found = sourcesOf(model).flatMap((source, index) =>
    source.kind === 'ground-truth' ? [{ source, index }] : [],
  );
  const [first, second] = found;
  if (second) problems.push(problemAt(sourcePath(model, base, second.index), second.source, 'at most one groundTruth'));
  if (first) {
    const { source, index } = first;
    const path = sourcePath(model, base, index);
    if (source.task !== 'binary' && source.positive !== undefined)
      problems.push(problemAt([...path, 'positive'], source.positive, 'none: only a binary task has a yes'));
    if (new Set(source.sources).size < source.sources.length)
      problems.push(problemAt([...path, 'sources'], source.sources, 'each name once'));
    if (new Set(Object.values(source.columns)).size < 5)
      problems.push(problemAt([...path, 'columns'], source.columns, 'another column for each'));
    for (const [at, { match, schema }] of model.versions.entries()) {
      const isUnclear = Array.isArray(schema.prediction) && schema.prediction.length > 1;
      if (source.prediction === undefined && source.task !== 'classes' && isUnclear) {
        const expected = `one name, because ${formatPath(path)}.prediction doesn't say which of them labels are compared with`;
        problems.push(problemAt([...base, 'versions', at, 'schema', 'prediction'], match, expected));
      }
    }
  }
  for (const [index, slo] of model.slos.entries()) {
    if (slo.kind !== 'quality') continue;
    const path = [...base, 'slos', index];
    if (!first) {
      problems.push({
        path: formatPath(path),
        message: unavailableMessage('qualitySlo without labels', 'add groundTruth({ … }) to source'),
      });
      continue;
    }
    const allowed: readonly string[] = measuresOf[first.source.task];
    if (!allowed.includes(slo.measure))
      problems.push(
        problemAt([...path, 'measure'], slo.measure, `${allowed.join(', ')} for a task of ${first.source.task}`),
      );
    const [wanted, other] = isError(slo.measure) ? (['atMost', 'atLeast'] as const) : (['atLeast', 'atMost'] as const);
    if (slo[wanted] === undefined)
      problems.push(problemAt([...path, wanted], undefined, `a number for ${slo.measure}`));
    if (slo[other] !== undefined)
      problems.push(problemAt([...path, other], slo[other], `none: ${slo.measure} takes ${wanted}`));
    if (slo.labelsWithin > first.source.horizon) {
      const expected = `at most the horizon of the labels (${formatDuration(first.source.horizon)})`;
      problems.push(problemAt([...path, 'labelsWithin'], formatDuration(slo.labelsWithin), expected));
    }
  }
  return problems;
}
