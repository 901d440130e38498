/** One metric value as CloudWatch takes it. */
export interface MetricDatum {
  readonly name: string;
  /** Sorted by name. */
  readonly dimensions: readonly (readonly [name: string, value: string])[];
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** Finite. */
  readonly value: number;
  readonly unit: 'None' | 'Count' | 'Seconds' | 'Percent';
}
