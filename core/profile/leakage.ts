import type { CategoricalLayout, FeatureLayout, Layout, NumericLayout } from '../model/layout.ts';
import type { Cell, RecordBatch } from '../model/record-batch.ts';
import { bucketIndex } from '../stats/log-linear-histogram.ts';
import type { ReadNumber } from './survey.ts';

/** Area under the ROC curve from which on one feature alone says what the model says. */
const nearlyPerfect = 0.99;
/** Share of rows in which a feature equal to an output equals it. */
const nearlyAll = 0.999;
/** Records that either side of a split needs: fewer are separated by chance. */
const minimumRecords = 50;
/** Cells looked at; of more records every so many is taken. */
const maximumCells = 10_000_000;
const maximumOutputs = 4;
/** Categories of an output that are told from all others. */
const maximumClasses = 5;

/** The column that says how records turned out. It is in no layout: its cells are as they were captured. */
export interface LabelColumn {
  readonly name: string;
  readonly layout: FeatureLayout;
  readonly readNumber: ReadNumber;
}

/** An output or the label, and how its values are told apart. */
interface Target {
  readonly name: string;
  readonly role: 'output' | 'label';
  /** A cell as its layout counts it; null: it has no value. */
  readonly read: (cell: Cell) => Cell;
  readonly layout: NumericLayout | CategoricalLayout;
  /** The class of a cell; −1: it has none. Of numbers: below the median, at it, above it. */
  readonly classOf: (cell: Cell) => number;
  readonly classes: number;
}

/** Records by class, in two halves: the order of categories is chosen on one and tested on the other. */
interface Group {
  readonly first: Float64Array;
  readonly second: Float64Array;
}

interface Pair {
  readonly feature: string;
  readonly kind: 'numeric' | 'categorical';
  readonly keyOf: (cell: Cell) => number;
  readonly target: Target;
  readonly groups: Map<number, Group>;
  equal: number;
  compared: number;
}

const missing = Number.NEGATIVE_INFINITY;
const unseen = -1;

/**
 * Looks for inputs that alone separate an output or the label nearly perfectly, or are equal to it: most often the label itself, or
 * something known only after the prediction, has found its way into the features. A hint for a person, not a finding:
 * a model of one feature looks the same.
 */
export class LeakageCounter {
  readonly #pairs: readonly Pair[];
  readonly #stride: number;
  #row = 0;

  /**
   * @param rows of the whole baseline, about
   * @param label absent: the records do not say how they turned out
   */
  constructor(layout: Layout, rows: number, label?: LabelColumn) {
    const outputs = layout.features.flatMap(([name, feature]) =>
      feature.side === 'output' ? describeTarget(name, feature, 'output', (cell) => cell) : [],
    );
    const labels = label ? describeTarget(label.name, label.layout, 'label', createLabelReader(label)) : [];
    const targets = [...labels, ...outputs.slice(0, maximumOutputs)];
    this.#pairs = layout.features.flatMap(([feature, its]) => {
      if (its.kind === 'opaque' || its.kind === 'embedding' || its.side === 'output') return [];
      const { kind } = its;
      const keyOf = createKeyReader(its);
      return targets.map((target) => ({ feature, kind, keyOf, target, groups: new Map(), equal: 0, compared: 0 }));
    });
    this.#stride = Math.max(1, Math.ceil((rows * this.#pairs.length) / maximumCells));
  }

  /** @param batch validated against the layout. */
  add(batch: RecordBatch): void {
    const rows = batch.rows.flatMap((_, row) => ((this.#row + row) % this.#stride === 0 ? [row] : []));
    const first = this.#row;
    this.#row += batch.rows.length;
    if (this.#pairs.length === 0) return;
    const columns = new Map(batch.columns.map(({ name, cells }) => [name, cells]));
    for (const pair of this.#pairs) {
      const cells = columns.get(pair.feature);
      const outputs = columns.get(pair.target.name);
      for (const row of rows) {
        const isFirst = ((first + row) / this.#stride) % 2 === 0;
        addToPair(pair, cells?.[row], outputs?.[row], isFirst);
      }
    }
  }

  /** A sentence per feature and output that look too much alike. */
  notes(): readonly string[] {
    return this.#pairs.flatMap((pair) => {
      const { feature, target } = pair;
      const [count, share] = [pair.compared, pair.equal / pair.compared];
      if (count >= 2 * minimumRecords && share >= nearlyAll && hasSeveralClasses(pair)) {
        return [
          `${feature}: is equal to the ${target.role} ${target.name} in ${percent(share)} of ${count} records; ${warning}`,
        ];
      }
      const best = bestSplit(pair);
      if (!best || best.area < nearlyPerfect) return [];
      return [
        `${feature}: ${best.how} alone tells ${best.what} apart (area under the curve ${best.area.toFixed(3)}); ${warning}`,
      ];
    });
  }
}

const warning = 'it may leak the label or be made from the prediction';

function createLabelReader({ layout, readNumber }: LabelColumn): (cell: Cell) => Cell {
  if (layout.kind === 'categorical') return (cell) => (typeof cell === 'object' || cell === '' ? null : textOf(cell));
  return (cell) => {
    const number = readNumber(cell);
    return typeof number === 'number' && Number.isFinite(number) ? number : null;
  };
}

function textOf(cell: string | number | boolean | undefined): string | null {
  return cell === undefined ? null : String(cell);
}

function describeTarget(
  name: string,
  layout: FeatureLayout,
  role: Target['role'],
  read: Target['read'],
): readonly Target[] {
  if (layout.kind === 'opaque' || layout.kind === 'embedding') return [];
  const its = { name, layout, role, read };
  if (layout.kind === 'numeric') {
    const { centre } = layout;
    const classOf = (cell: Cell) => (typeof cell !== 'number' ? -1 : cell < centre ? 0 : cell > centre ? 2 : 1);
    return [{ ...its, classes: 3, classOf }];
  }
  const index = new Map(layout.categories.slice(0, maximumClasses).map((category, at) => [category, at]));
  const classOf = (cell: Cell) => (typeof cell === 'string' ? (index.get(cell) ?? index.size) : -1);
  return [{ ...its, classes: index.size + 1, classOf }];
}

function addToPair(pair: Pair, cell: Cell, raw: Cell, isFirst: boolean): void {
  const { target, groups } = pair;
  const output = target.read(raw);
  const here = target.classOf(output);
  if (here < 0) return;
  const key = pair.keyOf(cell);
  if (key !== missing) {
    pair.compared++;
    if (cell === output || String(cell) === String(output)) pair.equal++;
  }
  let group = groups.get(key);
  if (!group) {
    group = { first: new Float64Array(target.classes), second: new Float64Array(target.classes) };
    groups.set(key, group);
  }
  const half = isFirst ? group.first : group.second;
  half[here] = (half[here] ?? 0) + 1;
}

/** The bucket or category of a cell. */
function createKeyReader(layout: NumericLayout | CategoricalLayout): (cell: Cell) => number {
  if (layout.kind === 'numeric') {
    return (cell) => (typeof cell === 'number' ? bucketIndex(cell, layout.centre, layout.unit) : missing);
  }
  const index = new Map(layout.categories.map((category, at) => [category, at]));
  return (cell) => (typeof cell === 'string' ? (index.get(cell) ?? unseen) : missing);
}

function hasSeveralClasses({ groups, target }: Pair): boolean {
  const totals = totalOf(
    [...groups.values()].flatMap(({ first, second }) => [first, second]),
    target.classes,
  );
  return totals.filter((count) => count > 0).length > 1;
}

interface Split {
  readonly area: number;
  /** Which side of the feature says it: its values, or whether it has one. */
  readonly how: string;
  readonly what: string;
}

/** The split of the output's classes that the feature separates best. */
function bestSplit(pair: Pair): Split | undefined {
  const { target } = pair;
  const splits = splitsOf(target).flatMap(({ isPositive, what }) => {
    const present = [...pair.groups].filter(([key]) => key !== missing);
    const all = [...pair.groups.values()];
    const byPresence = [
      all.filter((group) => group === pair.groups.get(missing)),
      all.filter((group) => group !== pair.groups.get(missing)),
    ].map((groups) =>
      sidesOf(
        totalOf(
          groups.flatMap(({ first, second }) => [first, second]),
          target.classes,
        ),
        isPositive,
      ),
    );
    const values =
      pair.kind === 'numeric'
        ? areaInOrder(
            present
              .sort(([a], [b]) => a - b)
              .map(([, { first, second }]) => sidesOf(totalOf([first, second], target.classes), isPositive)),
          )
        : areaOfCategories(
            present.map(([, { first, second }]) => [sidesOf(first, isPositive), sidesOf(second, isPositive)] as const),
          );
    return [
      { area: values, how: 'it', what },
      { area: areaInOrder(byPresence), how: 'whether it has a value', what },
    ];
  });
  return splits.sort((a, b) => b.area - a.area)[0];
}

function splitsOf(target: Target): readonly { isPositive: (index: number) => boolean; what: string }[] {
  const { layout, name } = target;
  if (layout.kind === 'numeric') {
    return [
      { isPositive: (index) => index === 2, what: `${name} above ${layout.centre}` },
      { isPositive: (index) => index >= 1, what: `${name} from ${layout.centre} on` },
    ];
  }
  return layout.categories
    .slice(0, maximumClasses)
    .map((category, at) => ({ isPositive: (index) => index === at, what: `${name} ${JSON.stringify(category)}` }));
}

/** Records that are of the class in question, and those that are not. */
type Sides = readonly [positive: number, negative: number];

function sidesOf(counts: Float64Array, isPositive: (index: number) => boolean): Sides {
  let [positive, negative] = [0, 0];
  counts.forEach((count, index) => {
    if (isPositive(index)) positive += count;
    else negative += count;
  });
  return [positive, negative];
}

/** Area under the ROC curve of groups in order, ties counted half, in whichever direction it is larger; 0: too few. */
function areaInOrder(groups: readonly Sides[], fewest = minimumRecords): number {
  let [positives, negatives, pairs] = [0, 0, 0];
  for (const [positive, negative] of groups) {
    pairs += positive * (negatives + negative / 2);
    positives += positive;
    negatives += negative;
  }
  if (positives < fewest || negatives < fewest) return 0;
  const area = pairs / (positives * negatives);
  return Math.max(area, 1 - area);
}

/** The same of categories, ordered by their rate in the first half of the records and measured in the second. */
function areaOfCategories(groups: readonly (readonly [first: Sides, second: Sides])[]): number {
  let [positives, negatives] = [0, 0];
  for (const [[positive, negative]] of groups) {
    positives += positive;
    negatives += negative;
  }
  const overall = (positives + 0.5) / (positives + negatives + 1);
  const rate = ([positive, negative]: Sides) => (positive + overall) / (positive + negative + 1);
  const ordered = [...groups].sort(([a], [b]) => rate(a) - rate(b)).map(([, second]) => second);
  return areaInOrder(ordered, minimumRecords / 2);
}

function totalOf(parts: readonly Float64Array[], classes: number): Float64Array {
  const total = new Float64Array(classes);
  for (const part of parts) {
    for (let index = 0; index < classes; index++) total[index] = (total[index] ?? 0) + (part[index] ?? 0);
  }
  return total;
}

function percent(share: number): string {
  return `${Math.floor(share * 1000) / 10} %`;
}
