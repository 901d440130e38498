/** The records that have a value in a column. */
export interface SlicePolicy {
  /** `region=EU`. */
  readonly name: string;
  readonly column: string;
  /** The value's text, as a category has it. */
  readonly value: string;
}

/** Slices of one model at most: each adds its counts to every window and shares the budget for false alarms. */
export const maximumSlices = 50;

/** The slice of a value: `region=EU`. */
export function sliceOf(column: string, value: string | number | boolean): SlicePolicy {
  return { name: `${column}=${value}`, column, value: String(value) };
}
