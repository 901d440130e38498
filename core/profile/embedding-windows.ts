import type { EmbeddingLayout, EmbeddingSummary } from '../model/embedding.ts';
import type { Cell } from '../model/record-batch.ts';
import { EmbeddingCounter, emptySums, flattenSums, mergeEmbeddings } from '../stats/embedding/embedding-sums.ts';
import { isUsableVector } from '../stats/embedding/projection.ts';
import { frameOf, vectorOf } from './embedding-frame.ts';

/** Adds up a baseline's vectors, window by window; those that the frame was fitted to are in no sum. */
export class EmbeddingWindows {
  readonly #layout: EmbeddingLayout;
  readonly #fittedRows: ReadonlySet<number>;
  readonly #maximumWindows: number;
  #windows = new Map<string, EmbeddingCounter>();
  #earlier;
  #keepsWindows = true;
  #fitted = 0;

  /** @param maximumNumbers kept of windows × sums; beyond it only the total is */
  constructor(layout: EmbeddingLayout, fittedRows: ReadonlySet<number>, maximumNumbers: number) {
    this.#layout = layout;
    this.#fittedRows = fittedRows;
    this.#earlier = emptySums(layout.deviations.length, layout.distanceEdges.length + 1);
    this.#maximumWindows = Math.floor(maximumNumbers / flattenSums(this.#earlier).length);
  }

  /** @param row its number among all rows surveyed */
  add(cell: Cell, row: number | undefined, window: string): void {
    const counter = this.#counterOf(this.#keepsWindows ? window : '');
    const frame = frameOf(this.#layout);
    const vector = vectorOf(cell);
    if (row !== undefined && this.#fittedRows.has(row) && isUsableVector(frame.mean, vector)) this.#fitted++;
    else counter.addVector(vector);
  }

  finish(): EmbeddingSummary {
    const total = [...this.#windows.values()].reduce(
      (sum, counter) => mergeEmbeddings(sum, counter.finish()),
      this.#earlier,
    );
    return { kind: 'embedding', ...total, ...(this.#fitted > 0 && { fitted: this.#fitted }) };
  }

  /** The sums of each of these windows as a row; undefined where there were too many. */
  windows(keys: readonly string[]): readonly (readonly number[])[] | undefined {
    if (!this.#keepsWindows) return undefined;
    return keys.map((key) => flattenSums(this.#windows.get(key)?.finish() ?? this.#earlier));
  }

  #counterOf(window: string): EmbeddingCounter {
    const known = this.#windows.get(window);
    if (known) return known;
    if (this.#keepsWindows && this.#windows.size >= this.#maximumWindows) {
      for (const counter of this.#windows.values()) this.#earlier = mergeEmbeddings(this.#earlier, counter.finish());
      this.#windows = new Map();
      this.#keepsWindows = false;
      return this.#counterOf('');
    }
    const counter = new EmbeddingCounter(frameOf(this.#layout));
    this.#windows.set(window, counter);
    return counter;
  }
}
