import { z } from 'zod';
import type { SloPolicy } from '../model/policy.ts';
import { parseStatistic } from '../model/statistic.ts';
import { checkDuplicates } from './config-duplicates.ts';
import { qualitySloName } from './config-labels.ts';
import { type ConfigPath, type ConfigProblem, formatPath, problemAt, unavailableMessage } from './config-problems.ts';
import type { ParsedModel } from './config-schema.ts';
import { sourcesOf } from './config-sources.ts';
import { day, duration, hour, minute, name, number, strict, text } from './config-values.ts';

const objective = number(
  'a number in (0, 1): at 1 there is no error budget, at 0 nothing to keep',
  (value) => value > 0 && value < 1,
);

/** A day at 3 times the budgeted rate spends 43 % of a week's budget: of less than a week tickets would come too late. */
const period = duration(
  'whole hours from "7d" to "30d"',
  (value) => value >= 7 * day && value <= 30 * day && value % hour === 0,
).default(30 * day);
const sloName = name('an SLO name', 50);

/** Where requests are counted: absent: captures where they say, else the endpoint's own metrics. */
const from = z.enum(['captures', 'endpoint'], { error: '"captures" or "endpoint"' }).optional();

export const latencySloSchema = z.strictObject(
  {
    kind: z.literal('latency'),
    name: sloName.default('latency'),
    threshold: duration('a duration from "1ms" to "1h"', (value) => value >= 1 && value <= hour),
    objective,
    period,
    from,
    endpointMetric: z
      .enum(['ModelLatency', 'OverheadLatency'], { error: '"ModelLatency" or "OverheadLatency"' })
      .optional(),
  },
  strict,
);

export const availabilitySloSchema = z.strictObject(
  { kind: z.literal('availability'), name: sloName.default('availability'), objective, period, from },
  strict,
);

export const completenessSloSchema = z.strictObject(
  { kind: z.literal('completeness'), name: sloName.default('completeness'), objective, period },
  strict,
);

export const freshnessSloSchema = z.strictObject(
  {
    kind: z.literal('freshness'),
    name: sloName.default('freshness'),
    threshold: duration(
      'whole minutes from "1m" to "7d"',
      (value) => value >= minute && value <= 7 * day && value % minute === 0,
    ),
    objective,
    period,
  },
  strict,
);

/** What CloudWatch takes as a name: ASCII, not blank. */
function asciiName(what: string, maximumLength: number, startsWell: (value: string) => boolean = () => true) {
  return text(
    `${what} of 1 to ${maximumLength} printable ASCII characters`,
    (value) => value.length <= maximumLength && /^[\x20-\x7e]+$/.test(value) && /\S/.test(value) && startsWell(value),
  );
}

const dimensionName = asciiName('a dimension name', 255, (value) => !value.startsWith(':'));
const finite = number('a finite number', Number.isFinite);

export const metricSloSchema = z.strictObject(
  {
    kind: z.literal('metric'),
    name: sloName.optional(),
    namespace: asciiName('a CloudWatch namespace', 255, (value) => !value.startsWith(':')),
    metric: asciiName('a metric name', 255),
    /** By way of a map, as features are. */
    dimensions: z
      .custom<Readonly<Record<string, string>>>(
        (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
        { error: 'an object of dimension values by name' },
      )
      .transform((value) => new Map(Object.entries(value)))
      .pipe(
        z
          .map(dimensionName, asciiName('a dimension value', 1024))
          .refine(({ size }) => size <= 30, { error: 'at most 30 dimensions' }),
      )
      .transform((named) => [...named].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      .default([]),
    statistic: text(
      'a CloudWatch statistic such as "Average", "p99" or "TC(:100)", of a percentile above 0, of a range from low to high',
      (value) => parseStatistic(value) !== undefined,
    ).default('Average'),
    atLeast: finite.optional(),
    atMost: finite.optional(),
    objective,
    period,
  },
  strict,
);

export type LatencySloInput = z.input<typeof latencySloSchema>;
export type AvailabilitySloInput = z.input<typeof availabilitySloSchema>;
export type CompletenessSloInput = z.input<typeof completenessSloSchema>;
export type FreshnessSloInput = z.input<typeof freshnessSloSchema>;
export type MetricSloInput = z.input<typeof metricSloSchema>;

type ParsedSlo = ParsedModel['slos'][number];

function nameOf(slo: ParsedSlo): string {
  if (slo.kind === 'quality') return qualitySloName(slo);
  if (slo.kind !== 'metric') return slo.name;
  return (
    slo.name ??
    (slo.metric
      .replace(/[^A-Za-z0-9._-]+/g, '-')
      .replace(/^[^A-Za-z0-9]+/, '')
      .slice(0, 50) ||
      'metric')
  );
}

/** The endpoint that requests are counted by; undefined: captures. */
function endpointOf(
  model: ParsedModel,
  slo: { readonly from?: 'captures' | 'endpoint' | undefined },
): string | undefined {
  const sources = sourcesOf(model);
  const isOwn = slo.from === undefined && !sources.some(({ kind }) => kind === 'http-capture');
  return slo.from === 'endpoint' || isOwn
    ? sources.find((source) => source.kind === 'sagemaker-capture')?.endpoint
    : undefined;
}

export function toSlos(model: ParsedModel): readonly SloPolicy[] {
  return model.slos.flatMap((slo): readonly SloPolicy[] => {
    if (slo.kind === 'quality') return [];
    const { kind, objective } = slo;
    const name = nameOf(slo);
    const periodSeconds = slo.period / 1000;
    switch (slo.kind) {
      case 'latency': {
        const endpoint = endpointOf(model, slo);
        const { endpointMetric } = slo;
        return [
          {
            kind: slo.kind,
            name,
            objective,
            thresholdMilliseconds: slo.threshold,
            periodSeconds,
            ...(endpoint !== undefined && { endpoint, ...(endpointMetric !== undefined && { endpointMetric }) }),
          },
        ];
      }
      case 'availability': {
        const endpoint = endpointOf(model, slo);
        return [{ kind: slo.kind, name, objective, periodSeconds, ...(endpoint !== undefined && { endpoint }) }];
      }
      case 'completeness':
        return [{ kind: slo.kind, name, objective, periodSeconds }];
      case 'freshness':
        return [{ kind: slo.kind, name, objective, thresholdSeconds: slo.threshold / 1000, periodSeconds }];
      case 'metric': {
        const { namespace, metric, dimensions, statistic, atLeast, atMost } = slo;
        return [
          {
            kind: slo.kind,
            name,
            metric: { namespace, metric, dimensions, statistic },
            ...(atLeast !== undefined && { atLeast }),
            ...(atMost !== undefined && { atMost }),
            objective,
            periodSeconds,
          },
        ];
      }
      default:
        throw new TypeError(`service-level objective: expected a known kind, saw ${kind}`);
    }
  });
}

/** What one objective alone can't show: names used twice, and sources that can't be counted from. */
export function checkSlos(model: ParsedModel, base: ConfigPath): readonly ConfigProblem[] {
  const slos = model.slos.map((slo, index) => ({ slo, index }));
  const problems = [
    ...checkDuplicates(
      slos.map(({ slo }) => nameOf(slo)),
      'SLO name',
      (at) => [...base, 'slos', slos[at]?.index ?? at, 'name'],
    ),
    ...slos.flatMap(({ slo, index }) => [
      ...checkRequests(model, slo, [...base, 'slos', index]),
      ...checkBounds(slo, [...base, 'slos', index]),
    ]),
  ];
  const [first, second] = slos.filter(({ slo }) => slo.kind === 'completeness');
  if (second !== undefined) {
    problems.push(problemAt([...base, 'slos', second.index], second.slo, 'at most one completenessSlo'));
  }
  if (first !== undefined && !model.features.some(([, feature]) => feature.required)) {
    problems.push(
      problemAt([...base, 'features'], undefined, 'a feature with required: true for the completenessSlo to watch'),
    );
  }
  return problems;
}

function checkRequests(model: ParsedModel, slo: ParsedSlo, path: ConfigPath): readonly ConfigProblem[] {
  if (slo.kind !== 'latency' && slo.kind !== 'availability') return [];
  const problems: ConfigProblem[] = [];
  const endpoints = sourcesOf(model).filter(({ kind }) => kind === 'sagemaker-capture').length;
  const hasRequests = sourcesOf(model).some(({ kind }) => kind === 'http-capture');
  const isOfEndpoint = slo.from === 'endpoint' || (slo.from === undefined && !hasRequests);
  if (isOfEndpoint && endpoints !== 1) {
    problems.push(
      problemAt(
        [...path, 'from'],
        slo.from,
        `"captures" and an httpCapture source, or one sagemakerCapture source, whose endpoint is asked (there are ${endpoints})`,
      ),
    );
  }
  if (slo.from === 'captures' && !hasRequests) {
    const reason =
      "their captures hold no status and no latency; use from: 'endpoint', or add httpCapture({ …, role: 'requests' }) to source";
    problems.push({
      path: formatPath(path),
      message: unavailableMessage(`${slo.kind}Slo from SageMaker captures alone`, reason),
    });
  }
  if (slo.kind === 'latency' && slo.endpointMetric !== undefined && !isOfEndpoint) {
    problems.push(
      problemAt([...path, 'endpointMetric'], slo.endpointMetric, "none beside captures; add from: 'endpoint'"),
    );
  }
  return problems;
}

function checkBounds(slo: ParsedSlo, path: ConfigPath): readonly ConfigProblem[] {
  if (slo.kind !== 'metric') return [];
  if (slo.atLeast === undefined && slo.atMost === undefined) {
    return [problemAt([...path, 'atLeast'], undefined, 'a bound: atLeast, atMost or both')];
  }
  if (slo.atLeast !== undefined && slo.atMost !== undefined && slo.atLeast > slo.atMost) {
    return [problemAt([...path, 'atMost'], slo.atMost, `at least atLeast (${slo.atLeast})`)];
  }
  return [];
}
