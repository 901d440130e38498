/** A CloudWatch metric and its statistic over each minute. */
export interface MeasuredMetric {
  readonly namespace: string;
  readonly metric: string;
  readonly dimensions: readonly (readonly [name: string, value: string])[];
  /** As CloudWatch writes it: `Average`, `Sum`, `p99`, `TC(:100)`, … */
  readonly statistic: string;
}

/** [minutes since the epoch, value], ascending; minutes without data left out. */
export type MinuteValues = readonly (readonly [minute: number, value: number])[];
