import { z } from 'zod';
import { contacts, isPublicHost } from './config-contacts.ts';
import { groundTruthSource as createGroundTruthSource, qualitySloSchema } from './config-labels.ts';
import { unavailableMessage } from './config-problems.ts';
import { endpointName, rollbackSchema } from './config-rollback.ts';
import { slices } from './config-slices.ts';
import {
  availabilitySloSchema,
  completenessSloSchema,
  freshnessSloSchema,
  latencySloSchema,
  metricSloSchema,
} from './config-slos.ts';
import {
  day,
  duration,
  flag,
  hour,
  isPrintable,
  minute,
  name,
  number,
  second,
  strict,
  text,
  unavailable,
} from './config-values.ts';

/**
 * The one schema of the configuration. A schema's error message says what is expected;
 * `config-problems.ts` adds where it stands and what was seen.
 */

const column = text(
  'a column name of 1 to 255 printable characters',
  (value) => value.length >= 1 && value.length <= 255 && isPrintable(value),
);

const featureName = text(
  'a feature under a name of 1 to 255 printable characters',
  (value) => value.length >= 1 && value.length <= 255 && isPrintable(value),
);

const bucket = text(
  'an S3 bucket name: 3 to 63 lower-case letters, digits, "-" or ".", no address',
  (value) =>
    /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(value) &&
    !value.includes('..') &&
    !/^\d+\.\d+\.\d+\.\d+$/.test(value) &&
    !value.startsWith('xn--') &&
    !value.endsWith('-s3alias'),
);

const prefix = text(
  'a key prefix of at most 500 printable characters, without a leading "/", "//", "." or ".." as a segment',
  (value) =>
    value.length <= 500 &&
    isPrintable(value) &&
    (value === '' ||
      value
        .replace(/\/$/, '')
        .split('/')
        .every((segment) => !['', '.', '..'].includes(segment))),
).transform((value) => (value === '' || value.endsWith('/') ? value : `${value}/`));

const account = text('an AWS account of 12 digits, as text', (value) => /^\d{12}$/.test(value));

const encryptionKey = text('the ARN of a KMS key', (value) =>
  /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[A-Za-z0-9-]+$/.test(value),
);

/** Of the deployment alone: they say nothing of how captures are read. */
const bucketOptions = { createBucket: flag().default(false), encryptionKey: encryptionKey.optional() };

const sagemakerSource = z.strictObject(
  {
    kind: z.literal('sagemaker-capture'),
    bucket,
    prefix: prefix.default(''),
    endpoint: endpointName,
    versionFrom: column.optional(),
    account: account.optional(),
    ...bucketOptions,
  },
  strict,
);

const httpSource = z.strictObject(
  {
    kind: z.literal('http-capture'),
    bucket,
    prefix: prefix.default(''),
    role: z.enum(['inferences', 'requests'], { error: '"inferences" or "requests"' }).default('inferences'),
    account: account.optional(),
    ...bucketOptions,
  },
  strict,
);

const groundTruthSource = createGroundTruthSource({
  bucket,
  prefix: prefix.default(''),
  account: account.optional(),
  ...bucketOptions,
});

const expectedSource = 'sagemakerCapture({…}), httpCapture({…}) or groundTruth({…})';
const source = z.discriminatedUnion('kind', [sagemakerSource, httpSource, groundTruthSource], {
  error: expectedSource,
});
const sources = z.array(source).min(1, { error: `at least one ${expectedSource}` });

const baselinePath = text('a path to a baseline.json', (value) => value !== '' && isPrintable(value)).refine(
  (value) => !/^[a-z][a-z0-9+.-]+:\/\//i.test(value),
  { error: unavailableMessage('baseline URIs', 'a baseline is a file beside the configuration; give its path') },
);

const version = z.strictObject(
  {
    match: text(
      'a version, or its beginning followed by "*", of 1 to 200 printable characters',
      (value) => value !== '' && value.length <= 200 && isPrintable(value) && !/\*./.test(value),
    ),
    schema: z
      .strictObject(
        {
          columns: z
            .array(column, { error: 'a list of column names in order' })
            .min(1, { error: 'at least one column name; leave it out where payloads carry names' })
            .optional(),
          prediction: z
            .union([column, z.array(column).min(1, { error: 'at least one name' })], {
              error: 'a name or a list of names',
            })
            .optional(),
          output: z
            .enum(['classes', 'probability', 'values'], { error: '"classes", "probability" or "values"' })
            .optional(),
          caller: column.optional(),
        },
        strict,
      )
      .default({}),
    baseline: z
      .union(
        [
          baselinePath,
          z.strictObject(
            {
              path: baselinePath,
              sha256: text('a SHA-256 of 64 lower-case hexadecimal digits', (value) =>
                /^[0-9a-f]{64}$/.test(value),
              ).optional(),
            },
            strict,
          ),
        ],
        { error: 'a path or { path, sha256 }' },
      )
      .optional(),
  },
  strict,
);

const feature = z.strictObject(
  {
    ignore: flag().default(false),
    required: flag().default(false),
    kind: z
      .enum(['numeric', 'categorical', 'embedding'], { error: '"numeric", "categorical" or "embedding"' })
      .optional(),
    minimumEffect: number('a PSI from 0 to 10', (value) => value >= 0 && value <= 10).optional(),
    published: flag().default(false),
  },
  strict,
);

export type FeatureInput = z.input<typeof feature>;

/** By way of a map, because a record would drop a feature called `__proto__`. Pairs, sorted by name. */
const features = z
  .custom<Readonly<Record<string, FeatureInput>>>(
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
    { error: 'an object of features by name' },
  )
  .transform((value) => new Map(Object.entries(value)))
  .pipe(z.map(featureName, feature))
  .transform((named) => [...named].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));

const slo = z.discriminatedUnion(
  'kind',
  [
    latencySloSchema,
    availabilitySloSchema,
    completenessSloSchema,
    freshnessSloSchema,
    metricSloSchema,
    qualitySloSchema,
  ],
  {
    error:
      'latencySlo({…}), availabilitySlo({…}), completenessSlo({…}), freshnessSlo({…}), metricSlo({…}) or qualitySlo({…})',
  },
);

function share(expected: string) {
  return number(expected, (value) => value >= 0 && value <= 1);
}

/**
 * In these ranges charts hold their budget for false alarms, also where all of them have memory (AR(1) up to .7) and heavy
 * tails (t₃). See docs/statistics/charts.md.
 */
const charts = z.discriminatedUnion(
  'method',
  [
    z.strictObject(
      {
        method: z.literal('ewma'),
        lambda: number('a weight from 0.02 to 0.12', (value) => value >= 0.02 && value <= 0.12).default(0.1),
      },
      strict,
    ),
    z.strictObject(
      {
        method: z.literal('cusum'),
        reference: number(
          'standard deviations from 0.25 to 0.6: half the shift to be found',
          (value) => value >= 0.25 && value <= 0.6,
        ).default(0.5),
      },
      strict,
    ),
  ],
  { error: '"ewma" or "cusum"' },
);

const drift = z.strictObject(
  {
    level: number('a probability in (0, 0.1]', (value) => value > 0 && value <= 0.1).optional(),
    minimumEffect: number('a PSI from 0 to 10', (value) => value >= 0 && value <= 10).default(0.02),
    effectLevel: number('a probability in (0, 0.5]', (value) => value > 0 && value <= 0.5).default(0.001),
    minimumMissingRise: share('a share from 0 to 1').default(0.01),
    minimumUnseenRise: share('a share from 0 to 1').default(0.01),
    minimumRecords: number(
      'a whole number from 1 to 1,000,000',
      (value) => Number.isInteger(value) && value >= 1 && value <= 1_000_000,
    ).default(30),
    maximumQuarantineShare: share('a share from 0 to 1').default(0.01),
    charts: charts.optional(),
    scales: unavailable('drift.scales', 'the stretches that are judged follow from the window'),
  },
  strict,
);

/** What the platform's own names go on with after the fleet's: a shard called so would take them. */
const reservedShards: readonly string[] = ['alarms', 'delivery', 'failures', 'notify', 'platform'];

export const modelSchema = z.strictObject(
  {
    name: name('a model name', 100),
    source: z.union([source, sources], { error: `${expectedSource}, or a list of them` }),
    versions: z
      .array(version, { error: 'a list of { match, schema, baseline }' })
      .min(1, { error: 'at least one { match, schema, baseline }' }),
    window: duration(
      'whole minutes that divide a day, up to "1d"',
      (value) => value >= minute && value % minute === 0 && day % value === 0,
    ).default(hour),
    grace: duration('whole seconds up to "1d"', (value) => value % second === 0 && value <= day).optional(),
    captureDelay: duration('whole minutes up to "1h"', (value) => value % minute === 0 && value <= hour).default(
      10 * minute,
    ),
    silenceAfter: duration(
      'whole minutes from "1m" to "30d"',
      (value) => value % minute === 0 && value >= minute && value <= 30 * day,
    ).optional(),
    features: features.default([]),
    slos: z.array(slo, { error: 'a list of SLOs' }).default([]),
    drift: drift.prefault({}),
    publishedFeatures: number(
      'a whole number from 0 to 50',
      (value) => Number.isInteger(value) && value >= 0 && value <= 50,
    ).default(5),
    alerts: z.strictObject({ yellow: contacts, red: contacts }, strict).prefault({}),
    slices: slices.default([]),
    privacy: unavailable('privacy', 'nothing is pseudonymised or dropped; remove personal data before capture'),
    dependsOn: z.array(name('a model name', 100), { error: 'a list of names of models' }).default([]),
    rollback: rollbackSchema.optional(),
    shard: text(
      `a shard name of 1 to 20 lower-case letters, digits or "-", beginning with a letter, other than ${reservedShards.join(', ')}`,
      (value) => value.length <= 20 && /^[a-z](-?[a-z0-9])*$/.test(value) && !reservedShards.includes(value),
    ).optional(),
  },
  strict,
);

const rate = (expected: string) => number(expected, (value) => value > 0 && value <= 1000);

/** The log retentions that CloudWatch Logs knows, in days. */
const logRetentionDays = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

/** What must be written to have the evidence locked beyond anybody's reach. */
export const productionAcknowledgement = 'nobody can delete evidence before its retention ends';

/** SQS starts no fewer than two at a time. */
const concurrency = number(
  'a whole number from 2 to 1000',
  (value) => Number.isInteger(value) && value >= 2 && value <= 1000,
);

function isTimeZone(value: string): boolean {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: value }).resolvedOptions().timeZone.length > 0;
  } catch {
    return false;
  }
}

function isDate(value: string): boolean {
  const time = /^\d{4}-\d{2}-\d{2}$/.test(value) ? Date.parse(value) : Number.NaN;
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(value);
}

/** Local dates, each at most once. */
const dates = z.array(text('a date as yyyy-mm-dd', isDate), { error: 'a list of dates as yyyy-mm-dd' });

export const fleetSchema = z.strictObject(
  {
    name: text(
      'a fleet name of 1 to 20 lower-case letters, digits or "-", beginning with a letter',
      (value) => value.length <= 20 && /^[a-z](-?[a-z0-9])*$/.test(value),
    ).default('tidewatch'),
    production: z
      .literal(productionAcknowledgement, { error: `the text ${JSON.stringify(productionAcknowledgement)}` })
      .optional(),
    retention: duration(
      'whole days from "1d" to "36500d"',
      (value) => value % day === 0 && value >= day && value <= 36_500 * day,
    ).default(365 * day),
    logRetention: duration(`a retention that CloudWatch Logs knows: ${logRetentionDays.join(', ')} days`, (value) =>
      logRetentionDays.includes(value / day),
    ).default(30 * day),
    ingest: z
      .strictObject({ concurrency: concurrency.default(5), reservedConcurrency: concurrency.optional() }, strict)
      .prefault({}),
    falseAlarms: z
      .strictObject(
        {
          yellowPerWeek: rate('a number of false yellows a week in (0, 1000]').default(1),
          redPerWeek: unavailable('fleet.falseAlarms.redPerWeek', 'red comes from objectives, not from tests'),
        },
        strict,
      )
      .prefault({}),
    runbook: text(
      'a path or URL of at most 400 printable characters without spaces',
      (value) => value !== '' && value.length <= 400 && isPrintable(value) && !/\s/.test(value),
    ).default('docs/runbook.md'),
    webhookHosts: z
      .array(text('a public host name in lower case, such as "hooks.example.com"', isPublicHost), {
        error: 'a list of host names',
      })
      .default([]),
    calendar: z
      .strictObject(
        {
          timeZone: text('an IANA time zone such as "Europe/Berlin"', isTimeZone).default('UTC'),
          holidays: dates.default([]),
          workdays: dates.default([]),
        },
        strict,
      )
      .prefault({}),
  },
  strict,
);

export const configSchema = z.strictObject(
  {
    fleet: fleetSchema.prefault({}),
    models: z.array(modelSchema, { error: 'a list of models' }).min(1, { error: 'at least one model' }),
  },
  strict,
);

export type ConfigInput = z.input<typeof configSchema>;
export type ParsedConfigInput = z.output<typeof configSchema>;
export type ParsedFleet = z.output<typeof fleetSchema>;
export type ParsedModel = z.output<typeof modelSchema>;
export type SagemakerCaptureInput = z.input<typeof sagemakerSource>;
export type HttpCaptureInput = z.input<typeof httpSource>;
export type GroundTruthInput = z.input<typeof groundTruthSource>;
