import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CohortCounter } from '../../core/join/cohort-counter.ts';
import { ColumnsError } from '../../core/join/columns.ts';
import {
  decodeIndexRows,
  encodeIndexRows,
  type IndexRow,
  IndexRowsBuilder,
  mergeIndexRows,
} from '../../core/join/index-rows.ts';
import { createJoinIds } from '../../core/join/join-id.ts';
import { LabelJoin } from '../../core/join/label-join.ts';
import {
  createLabelRows,
  decodeLabelRows,
  encodeLabelRows,
  type LabelRow,
  mergeLabelRows,
} from '../../core/join/label-rows.ts';
import type { Cohort, IndexRows, LabelRows, LabelTask } from '../../core/model/labels.ts';

const day = 86_400;
const start = Date.UTC(2026, 2, 2) / 1000;

function indexOf(rows: readonly IndexRow[]): IndexRows {
  const builder = new IndexRowsBuilder();
  for (const row of rows) builder.add(row);
  return builder.finish();
}

const indexRow = fc.record({
  id: fc.integer({ min: 0, max: 9 }),
  value: fc.constantFrom(0, 0.25, 0.5, 0.75, 1),
  time: fc.integer({ min: 0, max: 3 * 24 }).map((hours) => (start + hours * 3600) * 1000),
  predicted: fc.boolean(),
  variant: fc.constantFrom('AllTraffic', 'canary'),
  version: fc.constantFrom('v1', '__proto__'),
});
const labelRow = fc.record({
  id: fc.integer({ min: 0, max: 12 }),
  value: fc.constantFrom(0, 1),
  time: fc.integer({ min: start - day, max: start + 3 * day }),
  order: fc.integer({ min: 0, max: 3 }),
  source: fc.integer({ min: 0, max: 2 }),
});

/** What all counts are when everything is known: each inference with the newest of its labels. */
function countAll(task: LabelTask, records: readonly IndexRow[], labels: readonly LabelRow[]): readonly Cohort[] {
  const cohorts = new Map<string, CohortCounter>();
  for (const row of records) {
    const time = Math.floor(row.time / 1000);
    const name = { day: new Date(row.time).toISOString().slice(0, 10), variant: row.variant, version: row.version };
    const key = JSON.stringify([name.day, name.variant, name.version]);
    const counter = cohorts.get(key) ?? new CohortCounter(task, name);
    cohorts.set(key, counter);
    const record = { value: row.value, time, predicted: row.predicted };
    counter.addRecord(record);
    const own = labels.filter(({ id }) => id === row.id);
    const newest = [...own].sort((a, b) => b.time - a.time || b.order - a.order)[0];
    if (!newest) continue;
    counter.addOutcome(record, newest, 1);
    counter.addCorrected(new Set(own.map(({ value }) => value)).size > 1 ? 1 : 0);
  }
  return [...cohorts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, counter]) => counter.finish());
}

/** Two labels of one time and order say the same. */
function isConsistent(labels: readonly LabelRow[]): boolean {
  const said = new Map<string, string>();
  return labels.every(({ id, time, order, value, source }) => {
    const key = `${id} ${time} ${order}`;
    const known = said.get(key) ?? `${value} ${source}`;
    said.set(key, known);
    return known === `${value} ${source}`;
  });
}

test.each(['binary', 'classes', 'regression'] as const)(
  'in whatever order inferences and labels come, repeated or not, %s counts are those of all at once',
  (task) => {
    fc.assert(
      fc.property(
        fc.array(indexRow, { maxLength: 25 }),
        fc.array(labelRow, { maxLength: 25 }).filter(isConsistent),
        fc.array(fc.nat(4), { minLength: 50, maxLength: 50 }),
        (records, labels, runs) => {
          const cohorts = new Map<string, Cohort>();
          const index: IndexRows[] = [];
          const known: { day: string; rows: LabelRows }[] = [];
          let ids = 0;
          let matched = 0;
          for (let run = 0; run <= 4; run++) {
            const newRecords = indexOf(records.filter((_, at) => runs[at] === run));
            // Each label comes once more in the run after.
            const came = labels.filter((_, at) => runs[25 + at] === run || (runs[25 + at] ?? 0) + 1 === run);
            const added = [
              { day: `2026-03-0${run + 2}`, rows: createLabelRows(came.filter((_, at) => at % 2 === 0)) },
              { day: `2026-03-0${run + 3}`, rows: createLabelRows(came.filter((_, at) => at % 2 === 1)) },
            ];
            const join = new LabelJoin(task, newRecords, added, () => undefined);
            for (const one of known) join.addKnownLabels(one);
            join.countNew();
            for (const rows of index) join.addKnownRecords(rows);
            for (const { name, counter } of join.changes()) {
              const key = JSON.stringify([name.day, name.variant, name.version]);
              const before = cohorts.get(key);
              if (before) counter.merge(before);
              cohorts.set(key, counter.finish());
            }
            for (const change of join.days().values()) {
              ids += change.ids;
              matched += change.matched;
            }
            index.push(newRecords);
            known.push(...added);
          }
          const restated = [...cohorts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, cohort]) => cohort);
          expect(restated).toEqual(countAll(task, records, labels));
          expect(ids).toBe(new Set(labels.map(({ id }) => id)).size);
          const isUnique = new Set(records.map(({ id }) => id)).size === records.length;
          const met = labels.filter(({ id }) => records.some((row) => row.id === id)).map(({ id }) => id);
          if (isUnique) expect(matched).toBe(new Set(met).size);
        },
      ),
      { numRuns: 150 },
    );
  },
);

test('rows survive being written and read, and merge in any grouping', () => {
  fc.assert(
    fc.property(fc.array(indexRow), fc.array(labelRow).filter(isConsistent), fc.nat(20), (records, labels, cut) => {
      const whole = indexOf(records);
      expect(decodeIndexRows(encodeIndexRows({ schema: 'tidewatch.index/1', model: 'm' }, whole)).rows).toEqual(whole);
      expect(mergeIndexRows([indexOf(records.slice(0, cut)), indexOf(records.slice(cut))])).toEqual(whole);
      const all = createLabelRows(labels);
      expect(decodeLabelRows(encodeLabelRows({ schema: 'tidewatch.labels/1', model: 'm' }, all)).rows).toEqual(all);
      const again = createLabelRows(labels.slice(cut));
      expect(mergeLabelRows([createLabelRows(labels.slice(0, cut)), again, again])).toEqual(all);
    }),
    { numRuns: 100 },
  );
});

test('no damage to a file is read as rows, or taken for another error', () => {
  const bytes = encodeIndexRows({ schema: 'tidewatch.index/1', model: 'm' }, indexOf([]));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(60), (noise, at) => {
      const damaged = Buffer.concat([Buffer.from(bytes).subarray(0, at), noise]);
      try {
        decodeIndexRows(damaged);
      } catch (error) {
        expect(error).toBeInstanceOf(ColumnsError);
      }
    }),
  );
  expect(() => decodeIndexRows(bytes.subarray(0, -1))).toThrow(ColumnsError);
  expect(() => decodeLabelRows(bytes)).toThrow(ColumnsError);
});

test('an inference takes 19 bytes of the index, a label 21', () => {
  const row: IndexRow = { id: 1, value: 1, time: 1, predicted: true, variant: 'AllTraffic', version: 'v1' };
  const rows = Array.from({ length: 8_000 }, (_, id) => ({ ...row, id }));
  const bytes = encodeIndexRows({ schema: 'tidewatch.index/1', model: 'm' }, indexOf(rows));
  expect(bytes.length / 8_000).toBeCloseTo(19, 1);
  const labels = createLabelRows(rows.map(({ id }) => ({ id, value: 1, time: 1, order: 1, source: 0 })));
  const stored = encodeLabelRows({ schema: 'tidewatch.labels/1', model: 'm' }, labels);
  expect(stored.length / 8_000).toBeCloseTo(21, 1);
});

test('join ids follow from the key, the id and the row, and are whole numbers of 53 bits', () => {
  const [one, other] = [createJoinIds(Buffer.alloc(32, 1)), createJoinIds(Buffer.alloc(32, 2))];
  expect(one('a', 0)).toBe(one('a', 0));
  expect(new Set([one('a', 0), one('a', 1), one('b', 0), other('a', 0)]).size).toBe(4);
  // "1 a" of row 0 is not "a" of another row.
  expect(one('1 a', 0)).not.toBe(one('a', 1));
  const ids = Array.from({ length: 2_000 }, (_, index) => one(`${index}`, 0));
  expect(ids.every((id) => Number.isSafeInteger(id) && id >= 0)).toBe(true);
  expect(Math.max(...ids)).toBeGreaterThan(2 ** 52);
});
