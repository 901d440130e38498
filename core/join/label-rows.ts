import type { LabelRows } from '../model/labels.ts';
import { ColumnReader, encodeColumns, orderById, type RowsHeader, readRowsHeader } from './columns.ts';

/** One label of one row. */
export interface LabelRow {
  readonly id: number;
  readonly value: number;
  /** Seconds since the epoch. */
  readonly time: number;
  readonly order: number;
  readonly source: number;
}

/** What a file of labels says of itself. */
export interface LabelHeader extends RowsHeader {
  readonly schema: 'tidewatch.labels/1';
}

type StoredHeader = LabelHeader & { readonly rows: number };

/** Labels by id, without those that say the same again. */
export function createLabelRows(rows: readonly LabelRow[]): LabelRows {
  return dropRepeats({
    ids: Float64Array.from(rows, ({ id }) => id),
    values: Float32Array.from(rows, ({ value }) => value),
    times: Uint32Array.from(rows, ({ time }) => time),
    orders: Uint32Array.from(rows, ({ order }) => order),
    sources: Uint8Array.from(rows, ({ source }) => source),
  });
}

/** All labels of several tables, by id; those that say the same at the same time stand there once. */
export function mergeLabelRows(parts: readonly LabelRows[]): LabelRows {
  const [only] = parts;
  if (only && parts.length === 1) return only;
  const length = parts.reduce((sum, { ids }) => sum + ids.length, 0);
  const merged = {
    ids: new Float64Array(length),
    values: new Float32Array(length),
    times: new Uint32Array(length),
    orders: new Uint32Array(length),
    sources: new Uint8Array(length),
  };
  let at = 0;
  for (const part of parts) {
    merged.ids.set(part.ids, at);
    merged.values.set(part.values, at);
    merged.times.set(part.times, at);
    merged.orders.set(part.orders, at);
    merged.sources.set(part.sources, at);
    at += part.ids.length;
  }
  return dropRepeats(merged);
}

function dropRepeats({ ids, values, times, orders, sources }: LabelRows): LabelRows {
  const order = orderById(ids).sort(
    (a, b) => (ids[a] ?? 0) - (ids[b] ?? 0) || (times[a] ?? 0) - (times[b] ?? 0) || (orders[a] ?? 0) - (orders[b] ?? 0),
  );
  const kept = order.filter((row, index) => {
    const before = order[index - 1];
    if (before === undefined) return true;
    return ids[before] !== ids[row] || times[before] !== times[row] || orders[before] !== orders[row];
  });
  return {
    ids: Float64Array.from(kept, (row) => ids[row] ?? 0),
    values: Float32Array.from(kept, (row) => values[row] ?? 0),
    times: Uint32Array.from(kept, (row) => times[row] ?? 0),
    orders: kept.map((row) => orders[row] ?? 0),
    sources: Uint8Array.from(kept, (row) => sources[row] ?? 0),
  };
}

/** One row of a table. */
export function labelAt({ ids, values, times, orders, sources }: LabelRows, row: number): LabelRow {
  return {
    id: ids[row] ?? 0,
    value: values[row] ?? 0,
    time: times[row] ?? 0,
    order: orders[row] ?? 0,
    source: sources[row] ?? 0,
  };
}

/** 21 bytes a label, and a header. */
export function encodeLabelRows(header: LabelHeader, rows: LabelRows): Uint8Array {
  const stored: StoredHeader = { ...header, rows: rows.ids.length };
  return encodeColumns(JSON.stringify(stored), [rows.ids, rows.values, rows.times, rows.orders, rows.sources]);
}

/** @throws {ColumnsError} for bytes that are no labels. */
export function decodeLabelRows(bytes: Uint8Array): { readonly header: LabelHeader; readonly rows: LabelRows } {
  const header = readRowsHeader(bytes, 'tidewatch.labels/1') as StoredHeader;
  const reader = new ColumnReader(bytes, header.rows);
  const rows = {
    ids: reader.f64(),
    values: reader.f32(),
    times: reader.u32(),
    orders: reader.u32(),
    sources: reader.u8(),
  };
  reader.end();
  return { header, rows };
}
