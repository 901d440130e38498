import type { MetricDatum } from '../model/metric.ts';
import { maximumDimensionValueLength } from './dimension-value.ts';

/** Limits of PutMetricData. */
export const putMetricDataLimits = {
  dataPerRequest: 1000,
  bytesPerRequest: 1_000_000,
  dimensions: 30,
  nameLength: 255,
  dimensionNameLength: 255,
  /** Largest absolute value; anything nearer to zero than its inverse counts as zero. */
  value: 2 ** 360,
  pastMilliseconds: 14 * 86_400_000,
  futureMilliseconds: 2 * 3_600_000,
} as const;

export type MetricRefusal = 'not-finite' | 'too-large' | 'too-old' | 'too-new' | 'bad-name' | 'bad-dimensions';

export interface MetricBatches {
  /** Each fits one request. Nothing is lost: every datum is in one batch or refused. */
  readonly batches: readonly (readonly MetricDatum[])[];
  /** What CloudWatch would reject together with the rest of its request. Any of these is worth a log line. */
  readonly refused: readonly { readonly datum: MetricDatum; readonly reason: MetricRefusal }[];
}

/** Room for what every request carries beside its data. */
const requestOverheadBytes = 1024;
/** Field names, numbers and indices of a datum in the wordiest wire format (the form-encoded query protocol). */
const datumOverheadBytes = 250;
const dimensionOverheadBytes = 130;
/** A character may be sent as `%XX`. */
const bytesPerCharacter = 3;

/**
 * Splits metric data into requests that PutMetricData accepts, in order, and sets aside what it would reject: one bad
 * datum fails its whole request.
 * @param now milliseconds since the epoch: data must be at most 14 days older and 2 hours newer
 */
export function batchMetrics(data: readonly MetricDatum[], now: number): MetricBatches {
  const batches: MetricDatum[][] = [];
  const refused: { datum: MetricDatum; reason: MetricRefusal }[] = [];
  let open: MetricDatum[] = [];
  let openBytes = requestOverheadBytes;
  for (const datum of data) {
    const reason = findRefusal(datum, now);
    if (reason) {
      refused.push({ datum, reason });
      continue;
    }
    const bytes = estimateBytes(datum);
    const isFull = open.length === putMetricDataLimits.dataPerRequest;
    if (open.length > 0 && (isFull || openBytes + bytes > putMetricDataLimits.bytesPerRequest)) {
      batches.push(open);
      open = [];
      openBytes = requestOverheadBytes;
    }
    open.push(roundTinyToZero(datum));
    openBytes += bytes;
  }
  if (open.length > 0) batches.push(open);
  return { batches, refused };
}

/** Upper bound of a datum's share of a request, in bytes. */
export function estimateBytes(datum: MetricDatum): number {
  const dimensions = datum.dimensions.reduce(
    (sum, [name, value]) => sum + dimensionOverheadBytes + bytesPerCharacter * (name.length + value.length),
    0,
  );
  return datumOverheadBytes + bytesPerCharacter * datum.name.length + dimensions;
}

function findRefusal(datum: MetricDatum, now: number): MetricRefusal | undefined {
  const limits = putMetricDataLimits;
  if (!Number.isFinite(datum.value)) return 'not-finite';
  if (Math.abs(datum.value) > limits.value) return 'too-large';
  if (!(datum.time >= now - limits.pastMilliseconds)) return 'too-old';
  if (!(datum.time <= now + limits.futureMilliseconds)) return 'too-new';
  if (!isText(datum.name, limits.nameLength)) return 'bad-name';
  const names = new Set(datum.dimensions.map(([name]) => name));
  const areGood = datum.dimensions.every(
    ([name, value]) => isText(name, limits.dimensionNameLength) && isText(value, maximumDimensionValueLength),
  );
  const fits = datum.dimensions.length <= limits.dimensions && names.size === datum.dimensions.length;
  return areGood && fits ? undefined : 'bad-dimensions';
}

/** Printable ASCII with at least one character that is no space, and no colon at the start. */
function isText(text: string, maximumLength: number): boolean {
  return text.length <= maximumLength && /^[\x20-\x7e]*$/.test(text) && text.trim() !== '' && !text.startsWith(':');
}

function roundTinyToZero(datum: MetricDatum): MetricDatum {
  const isTiny = datum.value !== 0 && Math.abs(datum.value) < 1 / putMetricDataLimits.value;
  return isTiny ? { ...datum, value: 0 } : datum;
}
