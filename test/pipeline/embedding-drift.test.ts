import { beforeAll, describe, expect, test } from 'vitest';
import type { Baseline } from '../../core/model/baseline.ts';
import { BaselineError } from '../../core/pipeline/model-runtime.ts';
import { hour } from './capture-lines.ts';
import { start } from './embedded-world.ts';
import { TextWorld, textBaseline, textRuntime, usualTexts } from './embedding-world.ts';

let baseline: Baseline;

beforeAll(async () => {
  baseline = await textBaseline(5, 60);
}, 60_000);

describe('the baseline of a column of vectors', () => {
  test('keeps a frame and the sums of its windows, without the vectors that the frame was fitted to', () => {
    const layout = baseline.layout.features.find(([name]) => name === 'text')?.[1];
    const feature = baseline.features.find(([name]) => name === 'text')?.[1];
    expect(layout).toMatchObject({ kind: 'embedding', side: 'input', dimensions: 24 });
    const summary = feature?.summary;
    if (summary?.kind !== 'embedding') throw new Error('expected the sums of vectors');
    expect(summary.count + (summary.fitted ?? 0)).toBe(baseline.records);
    expect((summary.fitted ?? 0) / baseline.records).toBeCloseTo(0.5, 2);
    expect(feature?.embeddingWindows).toHaveLength(120);
    // Usable, and everything else.
    expect(feature?.binCounts?.windows[0]).toEqual([60, 0]);
    expect(baseline.notes.join()).toMatch(/text: vectors of 24 numbers, of whose variance 12 main axes hold \d\d %/);
  });
  test('must be named in the configuration, or its vectors would not be read', () => {
    expect(() => textRuntime(baseline, {})).toThrow(BaselineError);
    expect(() => textRuntime(baseline, {})).toThrow(
      'texts: baseline v1.json has vectors in text, but the configuration does not say so; add features: { "text": { kind: \'embedding\' } }',
    );
  });
});

describe('captures of vectors', () => {
  test('are quiet in health, and a new topic is found and named', async () => {
    const world = new TextWorld(textRuntime(baseline));
    for (let at = start; at < start + 6 * hour; at += hour) {
      const verdict = await world.pass(at, usualTexts(at, at + hour, 150, world.maker));
      expect(verdict.findings.filter(({ tier }) => tier !== 'green')).toEqual([]);
      expect(verdict.features.text?.embedding?.scales.map(({ scale }) => scale)).toEqual([1, 2, 4, 8, 24, 72, 168]);
    }
    const at = start + 6 * hour;
    const strangers = usualTexts(at, at + hour, 150, world.maker, () => world.maker.next(0.5));
    const verdict = await world.pass(at, strangers);
    const finding = verdict.findings.find(({ id }) => id === 'drift:text');
    expect(verdict.tier).toBe('yellow');
    expect(finding?.message).toMatch(/^text: .*q = .*, \d+ vectors, seen at the \d-hour scale$/);
    expect(verdict.features.text).toMatchObject({ kind: 'embedding', drifted: true });
    expect(verdict.features.text?.embedding?.detectable?.shift).toBeGreaterThan(0);

    // What the scale of two hours shows is the sum of the two hours, exactly.
    const two = verdict.features.text?.embedding?.scales.find(({ scale }) => scale === 2);
    expect(two).toMatchObject({ windows: 2, vectors: 300, drifted: true });
  });

  test('without usable vectors are missing values, whatever is wrong with them', async () => {
    const world = new TextWorld(textRuntime(baseline));
    const broken: readonly unknown[] = [
      null,
      [1, 2, 3],
      'no vector',
      [],
      new Array(24).fill(0),
      [...new Array(23).fill(1), null],
    ];
    const verdict = await world.pass(
      start,
      usualTexts(start, start + hour, 180, world.maker, (vector, index) =>
        index % 3 === 0 ? broken[(index / 3) % broken.length] : vector,
      ),
    );
    expect(verdict.records).toMatchObject({ counted: 180, quarantined: 0 });
    expect(verdict.features.text?.current).toMatchObject({ count: 120, missing: 60 });
    expect(verdict.findings.map(({ id }) => id)).toEqual(['missing:text']);
    expect(verdict.findings[0]?.message).toMatch(/^text: 33.* % of records have no usable vector, in the baseline 0 %/);
  });

  test('of which too few are usable to be compared still tell how many are not', async () => {
    const world = new TextWorld(textRuntime(baseline));
    const calls = usualTexts(start, start + hour, 180, world.maker, (vector, index) => (index === 0 ? vector : null));
    const verdict = await world.pass(start, calls);
    expect(verdict.features.text?.current).toMatchObject({ count: 1, missing: 179 });
    expect(verdict.features.text?.embedding?.scales).toEqual([]);
    expect(verdict.findings.map(({ id }) => id)).toEqual(['missing:text']);
  });
});
