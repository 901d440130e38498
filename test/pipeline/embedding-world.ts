import { httpCapture, parseConfig } from '../../core/contract/config.ts';
import { decodeCapture } from '../../core/decode/decode-capture.ts';
import { defaultBatchRows, defaultLimits } from '../../core/decode/decode-plan.ts';
import type { Baseline } from '../../core/model/baseline.ts';
import { createBaseline } from '../../core/pipeline/create-baseline.ts';
import { createModelRuntime, type ModelRuntime } from '../../core/pipeline/model-runtime.ts';
import { VectorMaker } from '../stats/embedding/made-vectors.ts';
import { captureBucket, hour, linesOf } from './capture-lines.ts';
import { start, World } from './embedded-world.ts';

/** A call of a model of texts: their vector and the channel they came by. */
export interface TextCall {
  readonly time: number;
  readonly vector: unknown;
}

function textLine({ time, vector }: TextCall, id: string): string {
  return JSON.stringify({
    schema: 'tidewatch.http/1',
    time: new Date(time).toISOString(),
    id,
    route: 'POST /',
    status: 200,
    latencyMilliseconds: 20,
    request: { body: JSON.stringify({ text: vector, channel: 'web' }), contentType: 'application/json' },
    response: { body: JSON.stringify({ score: 0.5 + (time % 7) / 100 }), contentType: 'application/json' },
  });
}

export function textLines(calls: readonly TextCall[], name: string): Uint8Array {
  return linesOf(calls.map((call, index) => textLine(call, `${name}-${index}`)));
}

/** Calls of usual vectors, evenly over [from, to). */
export function usualTexts(
  from: number,
  to: number,
  count: number,
  maker: VectorMaker,
  change: (vector: number[], index: number) => unknown = (vector) => vector,
): readonly TextCall[] {
  return Array.from({ length: count }, (_, index) => ({
    time: Math.floor(from + ((to - from) * index) / count),
    vector: change(maker.next(), index),
  }));
}

const version = { match: 'v1', predictions: ['score'], embeddings: ['text'] };

export function textBaseline(days: number, perHour: number): Promise<Baseline> {
  const from = start - days * 24 * hour;
  const bytes = textLines(usualTexts(from, start, days * 24 * perHour, new VectorMaker(51)), 'baseline');
  return createBaseline(
    {
      open: () =>
        decodeCapture(once(bytes), {
          format: 'http-capture',
          gzip: 'auto',
          variant: 'AllTraffic',
          defaultVersion: 'v1',
          versions: [version],
          role: 'inferences',
          limits: defaultLimits,
          batchRows: defaultBatchRows,
        }),
    },
    { windowSeconds: 3600, choose: (column) => ({ kind: column === 'text' ? 'embedding' : undefined, ignore: false }) },
  );
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** What the configuration of that model says. */
export function textPolicy(features: object = { text: { kind: 'embedding' } }) {
  const { fleet, models } = parseConfig({
    models: [
      {
        name: 'texts',
        source: httpCapture({ bucket: captureBucket, prefix: 'texts' }),
        versions: [{ match: 'v1', schema: { prediction: 'score' }, baseline: 'v1.json' }],
        window: '1h',
        captureDelay: '5m',
        features,
      },
    ],
  });
  const [policy] = models;
  if (!policy) throw new Error('expected a model');
  return { policy, fleet };
}

export function textRuntime(baseline: Baseline, features?: object): ModelRuntime {
  const { policy, fleet } = textPolicy(features);
  return createModelRuntime(policy, fleet, new Map([['v1.json', baseline]]), 'test');
}

/** A world of that model, and a way to let an hour pass in it. */
export class TextWorld extends World {
  readonly maker = new VectorMaker(61);

  /** Captures of one hour, in two objects, and the verdict on it. */
  async pass(at: number, calls: readonly TextCall[]) {
    const middle = Math.floor(calls.length / 2);
    for (const [half, part] of [calls.slice(0, middle), calls.slice(middle)].entries()) {
      await this.deliver({
        key: `texts/${new Date(at).toISOString().slice(0, 10)}/${at}-${half}.jsonl`,
        body: textLines(part, `${at}-${half}`),
        arrived: at + hour + half,
      });
    }
    const judged = await this.tick(at + hour + 11 * 60_000);
    const own = this.verdicts().find(({ window }) => window.start === new Date(at).toISOString());
    if (!own) throw new Error(`expected a verdict, saw ${judged.length} windows judged`);
    return own;
  }
}
