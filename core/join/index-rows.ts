import type { IndexRows } from '../model/labels.ts';
import { ColumnReader, ColumnsError, encodeColumns, orderById, type RowsHeader, readRowsHeader } from './columns.ts';

/** One row for the index. */
export interface IndexRow {
  readonly id: number;
  readonly value: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly predicted: boolean;
  readonly variant: string;
  readonly version: string;
}

/** What a file of index rows says of itself. */
export interface IndexHeader extends RowsHeader {
  readonly schema: 'tidewatch.index/1';
}

type StoredHeader = IndexHeader & { readonly rows: number; readonly series: IndexRows['series'] };

const latestSecond = 2 ** 32 - 1;
const maximumSeries = 2 ** 16;

/** Collects rows in any order. */
export class IndexRowsBuilder {
  readonly #rows: IndexRow[] = [];

  get length(): number {
    return this.#rows.length;
  }

  add(row: IndexRow): void {
    this.#rows.push(row);
  }

  finish(): IndexRows {
    const rows = this.#rows;
    const names = new Map(rows.map(({ variant, version }) => [nameOf(variant, version), [variant, version] as const]));
    const series = [...names].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
    const places = new Map(series.map(([variant, version], place) => [nameOf(variant, version), place]));
    return sortIndexRows({
      ids: Float64Array.from(rows, ({ id }) => id),
      values: Float32Array.from(rows, ({ value }) => value),
      times: Uint32Array.from(rows, ({ time }) => secondsOf(time)),
      places: Uint16Array.from(rows, ({ variant, version }) => places.get(nameOf(variant, version)) ?? 0),
      predicted: Uint8Array.from(rows, ({ predicted }) => Number(predicted)),
      series,
    });
  }
}

/** Whole seconds since the epoch as they are stored: times before 1970 and after 2105 are moved there. */
export function secondsOf(milliseconds: number): number {
  return Math.min(latestSecond, Math.max(0, Math.floor(milliseconds / 1000)));
}

function nameOf(variant: string, version: string): string {
  return JSON.stringify([variant, version]);
}

/** By id; rows of one id by time, so that their order does not follow from that of their arrival. */
function sortIndexRows(rows: IndexRows): IndexRows {
  const { ids, times, values, places } = rows;
  const order = orderById(ids).sort(
    (a, b) =>
      (ids[a] ?? 0) - (ids[b] ?? 0) ||
      (times[a] ?? 0) - (times[b] ?? 0) ||
      (places[a] ?? 0) - (places[b] ?? 0) ||
      (values[a] ?? 0) - (values[b] ?? 0) ||
      a - b,
  );
  return {
    ids: ids.map((_, index) => ids[order[index] ?? 0] ?? 0),
    values: values.map((_, index) => values[order[index] ?? 0] ?? 0),
    times: times.map((_, index) => times[order[index] ?? 0] ?? 0),
    places: places.map((_, index) => places[order[index] ?? 0] ?? 0),
    predicted: rows.predicted.map((_, index) => rows.predicted[order[index] ?? 0] ?? 0),
    series: rows.series,
  };
}

/** All rows of several tables, by id. */
export function mergeIndexRows(parts: readonly IndexRows[]): IndexRows {
  const [only] = parts;
  if (only && parts.length === 1) return only;
  const names = new Map(parts.flatMap(({ series }) => series.map((one) => [nameOf(...one), one] as const)));
  const series = [...names].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
  if (series.length > maximumSeries) {
    throw new RangeError(`index: expected at most ${maximumSeries} series, saw ${series.length}`);
  }
  const placeOf = new Map(series.map((one, place) => [nameOf(...one), place]));
  const length = parts.reduce((sum, { ids }) => sum + ids.length, 0);
  const merged = {
    ids: new Float64Array(length),
    values: new Float32Array(length),
    times: new Uint32Array(length),
    places: new Uint16Array(length),
    predicted: new Uint8Array(length),
    series,
  };
  let at = 0;
  for (const part of parts) {
    const places = part.series.map((one) => placeOf.get(nameOf(...one)) ?? 0);
    merged.ids.set(part.ids, at);
    merged.values.set(part.values, at);
    merged.times.set(part.times, at);
    merged.places.set(
      part.places.map((place) => places[place] ?? 0),
      at,
    );
    merged.predicted.set(part.predicted, at);
    at += part.ids.length;
  }
  return sortIndexRows(merged);
}

/** 19 bytes a row, and a header. */
export function encodeIndexRows(header: IndexHeader, rows: IndexRows): Uint8Array {
  const stored: StoredHeader = { ...header, rows: rows.ids.length, series: rows.series };
  const { ids, values, times, places, predicted } = rows;
  return encodeColumns(JSON.stringify(stored), [ids, values, times, places, predicted]);
}

/** @throws {ColumnsError} for bytes that are no index. */
export function decodeIndexRows(bytes: Uint8Array): { readonly header: IndexHeader; readonly rows: IndexRows } {
  const header = readIndexHeader(bytes);
  const reader = new ColumnReader(bytes, header.rows);
  const rows = {
    ids: reader.f64(),
    values: reader.f32(),
    times: reader.u32(),
    places: reader.u16(),
    predicted: reader.u8(),
    series: header.series,
  };
  reader.end();
  return { header, rows };
}

function readIndexHeader(bytes: Uint8Array): StoredHeader {
  const header = readRowsHeader(bytes, 'tidewatch.index/1');
  if ('series' in header && Array.isArray(header.series)) return header as StoredHeader;
  throw new ColumnsError('index: expected the series of its rows in the header');
}
