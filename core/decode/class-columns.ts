import { confidenceColumn, derivedPrefix } from '../model/derived-columns.ts';
import type { OutputKind } from '../model/policy.ts';
import type { Cell } from '../model/record-batch.ts';
import { areShares } from './class-scores.ts';
import type { NamedRow } from './name-row.ts';
import { readNumber } from './validate.ts';

export { confidenceColumn } from '../model/derived-columns.ts';

/** Classes with a column of their own; the shares of those after them are added up in one. */
export const maximumClassColumns = 100;

/** The class with the largest share, by the name of its column. */
export const predictedColumn = 'predicted';
/** The shares of all classes after the first hundred. */
export const otherClassesColumn = 'other_classes';

interface ExtendedNames {
  readonly from: readonly string[];
  readonly names: readonly string[];
}

/** Adds to a row's outputs what their scores say together. One for the rows of one payload or file. */
export class ClassColumns {
  readonly #kind: OutputKind | undefined;
  readonly #predictions: readonly string[];
  /** The names of the last row: rows of one schema share their array, which the batch recognises. */
  #last: ExtendedNames | undefined;

  constructor(kind: OutputKind | undefined, predictions: readonly string[]) {
    this.#kind = kind;
    this.#predictions = predictions;
  }

  /** False where rows whose outputs came by name can have nothing to add. */
  get mayExtend(): boolean {
    return this.#kind === 'probability' || (this.#kind !== 'values' && this.#predictions.length >= 2);
  }

  /** The row as it is where it holds no scores. */
  extend(row: NamedRow): NamedRow {
    if (this.#kind === 'values') return row;
    return this.#kind === 'probability' ? this.#addConfidence(row) : this.#addClasses(row);
  }

  #addConfidence(row: NamedRow): NamedRow {
    const [declared] = this.#predictions;
    const index = declared === undefined ? 0 : row.names.indexOf(declared);
    if (index < 0 || (declared === undefined && row.names.length !== 1)) return row;
    const score = readNumber(row.cells[index]);
    const isProbability = typeof score === 'number' && score >= 0 && score <= 1;
    return {
      names: this.#extendNames(row.names, row.names, [confidenceColumn]),
      cells: [...row.cells, isProbability ? Math.max(score, 1 - score) : null],
      derived: 1,
    };
  }

  #addClasses(row: NamedRow): NamedRow {
    const classes = this.#findClasses(row);
    if (classes === undefined) return row;
    const scores = classes.map((index) => readNumber(row.cells[index]));
    const known = scores.filter((score) => typeof score === 'number');
    const isWhole = known.length === scores.length;
    if (this.#kind === undefined && !(isWhole && areShares(known))) return row;
    const largest = isWhole
      ? known.reduce((most, score, at) => (score > (known[most] ?? 0) ? at : most), 0)
      : undefined;
    const confidence = largest === undefined ? undefined : known[largest];
    // Raw scores have a largest one, but it is no share.
    const isShare = confidence !== undefined && confidence <= 1 + 1e-3 && known.every((score) => score >= 0);
    const predicted = largest === undefined ? null : (row.names[classes[largest] ?? -1] ?? null);
    const summary: readonly Cell[] = [isShare ? confidence : null, predicted];
    if (classes.length <= maximumClassColumns) {
      const names = this.#extendNames(row.names, row.names, [confidenceColumn, predictedColumn]);
      return { names, cells: [...row.cells, ...summary], derived: 2 };
    }
    const folded = new Set(classes.slice(maximumClassColumns));
    const isKept = (_: unknown, index: number) => !folded.has(index);
    const others = isWhole ? known.slice(maximumClassColumns).reduce((sum, score) => sum + score, 0) : null;
    return {
      names: this.#extendNames(row.names, row.names.filter(isKept), [
        otherClassesColumn,
        confidenceColumn,
        predictedColumn,
      ]),
      cells: [...row.cells.filter(isKept), others, ...summary],
      derived: 3,
    };
  }

  /** Places of the class scores in a row: those of its list, else of the schema's names where the row has them all. */
  #findClasses({ names, scores }: NamedRow): readonly number[] | undefined {
    if (scores !== undefined) return scores.length >= 2 ? scores : undefined;
    if (this.#predictions.length < 2) return undefined;
    const places = new Map(names.map((name, index) => [name, index]));
    const found = this.#predictions.flatMap((name) => places.get(name) ?? []);
    return found.length === this.#predictions.length ? found : undefined;
  }

  #extendNames(from: readonly string[], kept: readonly string[], added: readonly string[]): readonly string[] {
    if (this.#last?.from === from) return this.#last.names;
    const taken = new Set(from);
    const names = [...kept, ...added.map((name) => freeName(name, taken))];
    this.#last = { from, names };
    return names;
  }
}

/** A name that none of the others has. */
export function freeName(name: string, taken: ReadonlySet<string>): string {
  let free = name;
  while (taken.has(free)) free = derivedPrefix + free;
  return free;
}
