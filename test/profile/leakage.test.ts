import { describe, expect, test } from 'vitest';
import type { Cell, RecordBatch } from '../../core/model/record-batch.ts';
import { createBaseline } from '../../core/pipeline/create-baseline.ts';
import { createRandom, drawNormal } from '../evaluate/synthetic-model.ts';
import { batchOf, learn, type TestColumn } from './batches.ts';

const rows = 2_000;

/** Columns of a batch, of which the last is the model's output. */
function withOutput(columns: readonly TestColumn[]): RecordBatch {
  const batch = batchOf(columns);
  const last = columns.length - 1;
  return {
    ...batch,
    columns: batch.columns.map((column, index) => (index === last ? { ...column, side: 'output' } : column)),
  };
}

async function notesOf(columns: readonly TestColumn[]): Promise<readonly string[]> {
  const { notes } = await learn([withOutput(columns)]);
  return notes.filter((note) => note.includes('leak'));
}

function draw(seed: number, make: (random: () => number, row: number) => Cell): readonly Cell[] {
  const random = createRandom(seed);
  return Array.from({ length: rows }, (_, row) => make(random, row));
}

const labels = draw(1, (random) => (random() < 0.1 ? 'yes' : 'no'));
const isYes = (row: number) => labels[row] === 'yes';

describe('a feature that says what the output says', () => {
  test.each<[string, readonly Cell[], string]>([
    ['equal to it', labels, 'suspect: is equal to the output label in 100 % of 2000 records'],
    [
      'a number above a limit',
      draw(2, (random, row) => (isYes(row) ? 5 : 0) + random()),
      'suspect: it alone tells label "',
    ],
    ['a falling number', draw(3, (random, row) => (isYes(row) ? -5 : 0) + random()), 'suspect: it alone tells label "'],
    [
      'a code',
      draw(4, (random, row) => `${isYes(row) ? 'A' : 'B'}${Math.floor(random() * 5)}`),
      'suspect: it alone tells label "',
    ],
    [
      'filled afterwards',
      draw(5, (random, row) => (isYes(row) ? random() : null)),
      'suspect: whether it has a value alone tells label "',
    ],
  ])('is noted: %s', async (_, suspect, expected) => {
    const notes = await notesOf([
      ['age', draw(6, (random) => 40 + 10 * drawNormal(random))],
      ['suspect', suspect],
      ['label', labels],
    ]);
    expect(notes).toHaveLength(1);
    expect(notes[0]?.startsWith(expected)).toBe(true);
    expect(notes[0]).toMatch(/; it may leak the label or be made from the prediction$/);
  });

  test('is noted for an output of numbers', async () => {
    const scores = draw(7, (random) => random());
    const copies = scores.map((score) => (typeof score === 'number' ? 1 - score : null));
    const notes = await notesOf([
      ['copy', copies],
      ['score', scores],
    ]);
    expect(notes[0]).toMatch(/^copy: it alone tells score above 0\.\d+ apart \(area under the curve 1\.000\)/);
  });

  test('is noted for zeros and ones', async () => {
    const ones = draw(8, (random) => (random() < 0.3 ? 1 : 0));
    expect(
      await notesOf([
        ['copy', ones],
        ['decision', ones],
      ]),
    ).toHaveLength(1);
  });
});

describe('a feature that says what the label says', () => {
  const scores = draw(70, (random) => random());
  const paid = draw(71, (random) => (random() < 0.3 ? 1 : 0));
  const yes = (cells: readonly Cell[]) => cells.map((cell) => (cell === 1 ? 'yes' : 'no'));

  test.each<[string, readonly Cell[], readonly Cell[], string]>([
    ['equal to it', paid, paid.map(String), 'suspect: is equal to the label paid in 100 % of 2000 records; '],
    ['equal to a truth', paid, paid.map((cell) => cell === 1), 'suspect: it alone tells paid "false" apart'],
    [
      'a number above a limit',
      draw(72, (random, row) => Number(paid[row]) * 5 + random()),
      paid,
      'suspect: it alone tells paid above 0 apart (area under the curve 1.000); ',
    ],
    [
      'known afterwards',
      paid.map((cell) => (cell === 1 ? 3 : null)),
      yes(paid),
      'suspect: whether it has a value alone',
    ],
  ])('is noted, %s, though the score does not', async (_, suspect, label, expected) => {
    const batch = withOutput([
      ['age', draw(6, (random) => 40 + 10 * drawNormal(random))],
      ['suspect', suspect],
      ['paid', label],
      ['score', scores],
    ]);
    const { notes, layout } = await learn([batch], {
      labels: {
        column: 'paid',
        positive:
          label === paid ? undefined : String(label.find((cell) => ['1', 'true', 'yes'].includes(String(cell)))),
      },
    });
    expect(layout.leftOut).toContain('paid');
    const leaks = notes.filter((note) => note.includes('leak'));
    expect(leaks).toHaveLength(1);
    expect(leaks[0]?.slice(0, expected.length)).toBe(expected);
  });

  test('is not there in noise, nor where the label is missing or unreadable', async () => {
    const noise = draw(73, (random) => random());
    const label = paid.map((cell, row) => (row % 3 === 0 ? null : row % 3 === 1 ? 'later' : cell));
    const batch = withOutput([
      ['noise', noise],
      ['paid', label],
      ['score', scores],
    ]);
    const { notes } = await learn([batch], { labels: { column: 'paid' } });
    expect(notes.filter((note) => note.includes('leak'))).toEqual([]);
  });
});

describe('no note', () => {
  test.each<[string, readonly Cell[]]>([
    ['a strong but honest feature', draw(9, (random, row) => (isYes(row) ? 2 : 0) + drawNormal(random))],
    ['noise of many categories', draw(10, (random) => `c${Math.floor(random() * 150)}`)],
    ['a constant', draw(11, () => 1)],
    ['never a value', draw(12, () => null)],
  ])('%s', async (_, cells) => {
    const notes = await notesOf([
      ['age', draw(6, (random) => 40 + 10 * drawNormal(random))],
      ['feature', cells],
      ['label', labels],
    ]);
    expect(notes).toEqual([]);
  });

  test('of noise, over many baselines', async () => {
    for (let seed = 20; seed < 60; seed++) {
      const columns = Array.from(
        { length: 5 },
        (_, at) =>
          [
            `f${at}`,
            draw(seed * 10 + at, (random) =>
              at % 2 === 0 ? drawNormal(random) : `c${Math.floor(random() ** 2 * 120)}`,
            ),
          ] as const,
      );
      const rare = draw(seed, (random) => (random() < 0.03 ? 'yes' : 'no'));
      expect(await notesOf([...columns, ['label', rare]])).toEqual([]);
    }
  });

  test('where the output has one class, or few records, or there is none', async () => {
    const same = draw(13, () => 'no');
    expect(
      await notesOf([
        ['copy', same],
        ['label', same],
      ]),
    ).toEqual([]);
    const few = labels.slice(0, 60);
    expect(
      await notesOf([
        ['copy', few],
        ['label', few],
      ]),
    ).toEqual([]);
    const { notes } = await learn([
      batchOf([
        ['copy', labels],
        ['label', labels],
      ]),
    ]);
    expect(notes.filter((note) => note.includes('leak'))).toEqual([]);
  });
});

test('repeated records of the baseline are counted', async () => {
  const batch = batchOf([['age', draw(14, (random) => random())]], { times: Array.from({ length: rows }, () => 1e12) });
  const duplicate = { line: 1, variant: 'AllTraffic', version: 'v1', rows: 3 };
  const records = {
    async *open() {
      yield {
        batch,
        quarantined: [],
        duplicates: [
          { ...duplicate, time: 1e12 },
          { ...duplicate, time: 5 },
        ],
      };
    },
  };
  expect((await createBaseline(records, { windowSeconds: undefined })).duplicates).toBe(6);
  expect((await createBaseline({ ...records, from: 1e11 }, { windowSeconds: undefined })).duplicates).toBe(3);
});
