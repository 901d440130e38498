import { maximumCategories, minimumCategoryCount } from '../../core/profile/plan-layout.ts';
import type { RandomSource } from './random-source.ts';
import { ZipfIdentifiers } from './zipf-identifiers.ts';

/** What a baseline knows of a feature that holds identifiers. */
export interface IdentifierBaseline {
  /** Counts of the kept identifiers, falling. */
  readonly kept: readonly number[];
  /** Rows with one that was too rare to be kept. */
  readonly rare: number;
  readonly singletons: number;
  readonly distinct: number;
}

/**
 * A categorical feature with Zipf-distributed identifiers: first the baseline's windows are drawn, then its layout is
 * planned from all of them, then every window is counted into that layout: categories, unseen, missing.
 */
export class IdentifierFeature {
  readonly #identifiers: ZipfIdentifiers;
  readonly #windows: Int16Array[] = [];
  #placeOf: Int32Array | undefined;
  #kept = 0;

  constructor(exponent: number) {
    this.#identifiers = new ZipfIdentifiers(exponent);
  }

  drawBaselineWindow(random: RandomSource, records: number): void {
    this.#windows.push(Int16Array.from({ length: records }, () => this.#identifiers.draw(random)));
  }

  planLayout(): IdentifierBaseline {
    const counts = new Map<number, number>();
    let rare = 0;
    for (const window of this.#windows) {
      for (const rank of window) {
        if (rank < 0) rare++;
        else counts.set(rank, (counts.get(rank) ?? 0) + 1);
      }
    }
    const falling = [...counts].sort(([a, m], [b, n]) => n - m || a - b);
    const kept = falling.filter(([, count]) => count >= minimumCategoryCount).slice(0, maximumCategories);
    const placeOf = new Int32Array(1 << 15).fill(-1);
    for (const [place, [rank]] of kept.entries()) placeOf[rank] = place;
    this.#placeOf = placeOf;
    this.#kept = kept.length;
    const left = falling.slice(kept.length).reduce((sum, [, count]) => sum + count, 0);
    const singletons = falling.filter(([, count]) => count === 1).length;
    return {
      kept: kept.map(([, count]) => count),
      rare: rare + left,
      // Of the identifiers beyond those followed nearly all are seen once or never.
      singletons: singletons + rare,
      distinct: counts.size + rare,
    };
  }

  /** Categories, unseen, missing. */
  get bins(): number {
    return this.#kept + 2;
  }

  /** Counts of the baseline's windows, in order. */
  baselineCounts(): readonly (readonly number[])[] {
    return this.#windows.map((window) => this.#count(window));
  }

  countWindow(random: RandomSource, records: number): readonly number[] {
    return this.#count(Int16Array.from({ length: records }, () => this.#identifiers.draw(random)));
  }

  #count(ranks: Int16Array): readonly number[] {
    const placeOf = this.#placeOf;
    if (!placeOf) throw new Error('identifiers: expected a planned layout, saw none');
    const counts = new Array<number>(this.bins).fill(0);
    for (const rank of ranks) {
      const place: number = rank < 0 ? -1 : (placeOf[rank] ?? -1);
      const bin = place < 0 ? this.#kept : place;
      counts[bin] = (counts[bin] ?? 0) + 1;
    }
    return counts;
  }
}
