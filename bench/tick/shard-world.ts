import { createHash } from 'node:crypto';
import { SqliteState } from '../../adapters/local/sqlite-state.ts';
import { availabilitySlo, httpCapture, latencySlo, parseConfig, sagemakerCapture } from '../../core/contract/config.ts';
import { decodeCapture } from '../../core/decode/decode-capture.ts';
import { defaultBatchRows, defaultLimits } from '../../core/decode/decode-plan.ts';
import type { Baseline } from '../../core/model/baseline.ts';
import { createBaseline } from '../../core/pipeline/create-baseline.ts';
import { createModelRuntime, type ModelRuntime } from '../../core/pipeline/model-runtime.ts';
import { createRandomSource, type RandomSource } from '../detection/random-source.ts';

export const bucket = 'captures';
export const minute = 60_000;
export const hour = 60 * minute;
/** The first hour that is served. */
export const start = Date.UTC(2026, 2, 2);

const numeric = Array.from({ length: 24 }, (_, index) => `number_${index}`);
const categorical = Array.from({ length: 6 }, (_, index) => `kind_${index}`);
const columns = [...numeric, ...categorical];
const baselineDays = 7;
const baselineRowsPerHour = 60;

/** The models of a shard: 30 features, two objectives, two capture sources each, as the cost page has them. */
export async function createShard(models: number): Promise<readonly ModelRuntime[]> {
  const names = Array.from({ length: models }, (_, index) => `model-${String(index).padStart(2, '0')}`);
  const { fleet, models: policies } = parseConfig({
    models: names.map((name) => ({
      name,
      source: [
        sagemakerCapture({ bucket, prefix: `${name}/payloads`, endpoint: name }),
        httpCapture({ bucket, prefix: `${name}/requests`, role: 'requests' as const }),
      ],
      versions: [{ match: 'default', schema: { columns, prediction: 'score' }, baseline: 'baseline.json' }],
      slos: [latencySlo({ threshold: '100ms', objective: 0.99 }), availabilitySlo({ objective: 0.999 })],
    })),
  });
  const baseline = await drawBaseline();
  return policies.map((policy) => createModelRuntime(policy, fleet, new Map([['baseline.json', baseline]]), 'bench'));
}

function drawBaseline(): Promise<Baseline> {
  const random = createRandomSource('baseline');
  const from = start - baselineDays * 24 * hour;
  const rows = baselineDays * 24 * baselineRowsPerHour;
  const text = Array.from({ length: rows }, (_, index) =>
    payloadLine(random, from + index * (hour / baselineRowsPerHour), `b${index}`),
  ).join('\n');
  const open = () =>
    decodeCapture(once(new TextEncoder().encode(text)), {
      format: 'sagemaker-capture',
      gzip: 'auto',
      variant: 'AllTraffic',
      defaultVersion: 'default',
      versions: [{ match: 'default', columns, predictions: ['score'] }],
      role: 'inferences',
      limits: defaultLimits,
      batchRows: defaultBatchRows,
    });
  return createBaseline({ open }, { windowSeconds: 3600 });
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** The two objects that a minute of a model leaves: payloads and requests. */
export function minuteObjects(
  random: RandomSource,
  model: string,
  from: number,
  records: number,
): readonly { readonly key: string; readonly body: Uint8Array; readonly arrived: number }[] {
  const times = Array.from({ length: records }, (_, index) => Math.floor(from + (index * minute) / records));
  const date = new Date(from).toISOString();
  const folder = `${date.slice(0, 4)}/${date.slice(5, 7)}/${date.slice(8, 10)}/${date.slice(11, 13)}`;
  const id = createHash('sha256').update(`${model}/${from}`).digest('hex').slice(0, 16);
  const object = (source: string, lines: readonly string[]) => ({
    key: `${model}/${source}/${model}/AllTraffic/${folder}/${date.slice(14, 16)}-00-000-${id}.jsonl`,
    body: new TextEncoder().encode(lines.join('\n')),
    arrived: from + minute,
  });
  return [
    object(
      'payloads',
      times.map((time, index) => payloadLine(random, time, `${id}-${index}`)),
    ),
    object(
      'requests',
      times.map((time, index) => requestLine(random, time, `${id}-${index}`)),
    ),
  ];
}

function payloadLine(random: RandomSource, time: number, id: string): string {
  const row = [
    ...numeric.map(() => (-10 * Math.log(random.uniform())).toFixed(3)),
    ...categorical.map((_, index) => `c${Math.floor(random.uniform() ** 2 * (4 + index))}`),
  ];
  const side = (mode: string, data: string) => ({ observedContentType: 'text/csv', mode, data, encoding: 'CSV' });
  return JSON.stringify({
    captureData: {
      endpointInput: side('INPUT', row.join(',')),
      endpointOutput: side('OUTPUT', random.uniform().toFixed(4)),
    },
    eventMetadata: { eventId: id, inferenceTime: new Date(time).toISOString() },
    eventVersion: '0',
  });
}

function requestLine(random: RandomSource, time: number, id: string): string {
  const latencyMilliseconds = Math.round(20 + 10 * random.uniform());
  const event = { schema: 'tidewatch.http/1', time: new Date(time).toISOString(), id, route: 'POST /', status: 200 };
  return JSON.stringify({ ...event, latencyMilliseconds });
}

/** What a shard's state is kept in beside its buckets. */
export function openTable(): SqliteState {
  return new SqliteState(':memory:');
}
