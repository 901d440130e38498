import type { SqliteRow } from './sqlite-database.ts';

/** A column's text. @throws {TypeError} */
export function readText(row: SqliteRow, column: string): string {
  const value = row[column];
  if (typeof value !== 'string') throw new TypeError(`column ${column}: expected text, saw ${typeof value}`);
  return value;
}

/** A column's number. @throws {TypeError} */
export function readInteger(row: SqliteRow, column: string): number {
  const value = row[column];
  if (typeof value !== 'number') throw new TypeError(`column ${column}: expected a number, saw ${typeof value}`);
  return value;
}

/**
 * Text that SQLite keeps as it is: a lone surrogate would be replaced, and two names become one.
 * @throws {TypeError}
 */
export function expectText(what: string, text: string): string {
  if (!text.isWellFormed()) throw new TypeError(`${what}: expected well-formed text, saw a lone surrogate`);
  return text;
}

/** @throws {RangeError} unless the time is a whole number of milliseconds. */
export function expectTime(what: string, time: number): number {
  if (!Number.isSafeInteger(time)) throw new RangeError(`${what}: expected whole milliseconds, saw ${time}`);
  return time;
}
