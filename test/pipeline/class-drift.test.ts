import { expect, test } from 'vitest';
import { parseConfig, sagemakerCapture } from '../../core/contract/config.ts';
import { decodeCapture } from '../../core/decode/decode-capture.ts';
import { analyzeRecords } from '../../core/pipeline/analyze.ts';
import { createBaseline } from '../../core/pipeline/create-baseline.ts';
import { chunked, planOf, sagemakerLine } from '../decode/capture-records.ts';
import { seededUniform } from '../stats/reference.ts';

const classes = ['cat', 'dog', 'fox'];

/** An image model's captures: pictures in, shares of classes out. `sureness` is what it is surer by of its class. */
function imageCaptures(count: number, sureness: number, seed: number): string {
  const uniform = seededUniform(seed);
  const lines = Array.from({ length: count }, (_, index) => {
    const favoured = Math.floor(uniform() * 3);
    const weights = classes.map((_, at) => Math.exp(2 * uniform() + (at === favoured ? sureness : 0)));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return sagemakerLine({
      input: { data: 'iVBORw0KGgo=', encoding: 'BASE64', contentType: 'image/png' },
      output: {
        data: JSON.stringify({ predictions: [weights.map((weight) => weight / total)] }),
        encoding: 'JSON',
        contentType: 'application/json',
      },
      metadata: { eventId: `e${seed}-${index}` },
    });
  });
  return lines.map((line) => `${line}\n`).join('');
}

test('an image model that grows unsure drifts in its confidence', async () => {
  const { models } = parseConfig({
    models: [
      {
        name: 'pictures',
        source: sagemakerCapture({ bucket: 'captures', endpoint: 'pictures' }),
        versions: [{ match: 'v1', schema: { prediction: classes } }],
      },
    ],
  });
  const [policy] = models;
  if (policy === undefined) throw new Error('expected a policy');
  const read = (text: string) => decodeCapture(chunked(Buffer.from(text)), planOf({ versions: policy.versions }));
  const learnt = imageCaptures(3_000, 2, 1);
  const baseline = await createBaseline({ open: () => read(learnt) }, { windowSeconds: undefined });
  expect(baseline.layout.features.map(([name, { kind }]) => [name, kind])).toEqual([
    ['cat', 'numeric'],
    ['confidence', 'numeric'],
    ['dog', 'numeric'],
    ['fox', 'numeric'],
    ['payload', 'opaque'],
    ['predicted', 'categorical'],
  ]);

  const healthy = await analyzeRecords(policy, baseline, read(imageCaptures(600, 2, 2)), 'test');
  expect(healthy.findings.filter(({ tier }) => tier !== 'green')).toEqual([]);
  const unsure = await analyzeRecords(policy, baseline, read(imageCaptures(600, 1, 3)), 'test');
  expect(unsure.findings.map(({ id }) => id)).toContain('drift:confidence');
});
