/** CloudWatch namespace of every Tidewatch metric. */
export const metricNamespace = 'Tidewatch';

/**
 * Names of the metrics. Gauges describe now and are published again at each tick; scores carry the end of their
 * window as time stamp and are published once.
 */
export const metricNames = {
  /** Gauge: 0 green, 1 yellow, 2 red. Worst of the newest closed window and the live judgement; withheld when stale. */
  tier: 'Tier',
  /** Score: features that drifted in the window. */
  driftedFeatures: 'DriftedFeatures',
  /** Score: drifted features over tested features, 0 to 1. */
  driftShare: 'DriftShare',
  /** Score: the largest PSI of the window's features. */
  maxPopulationStabilityIndex: 'MaxPopulationStabilityIndex',
  /** Score: PSI of one feature. Dimension `Feature`. */
  populationStabilityIndex: 'PopulationStabilityIndex',
  /** Score: missing values over records, 0 to 1; with a dimension `Feature` for each required feature. */
  missingRate: 'MissingRate',
  /** Score: inference records counted in the window. */
  records: 'Records',
  /** Score: inference records quarantined in the window. */
  quarantinedRecords: 'QuarantinedRecords',
  /**
   * Gauge: quarantined over captured records of the newest closed window, 0 to 1. Alarms use it in place of
   * `QuarantinedRecords`, because what count is too many depends on the traffic. Withheld when stale, as `Tier` is.
   */
  quarantineShare: 'QuarantineShare',
  /** Score: captured records over invocations reported by the source, 0 to 1. */
  /** Gauge: error rate over the long burn window, in multiples of the budgeted rate. Dimension `Slo`. */
  sloBurnRate: 'SloBurnRate',
  /** Gauge: share of the period's error budget left; negative when overspent. Dimension `Slo`. */
  sloErrorBudgetRemaining: 'SloErrorBudgetRemaining',
  /**
   * Gauge: seconds until the error budget is spent at the rate of the last six hours. Only while that is beyond chance.
   * Dimension `Slo`.
   */
  sloErrorBudgetExhaustionSeconds: 'SloErrorBudgetExhaustionSeconds',
  /**
   * Gauge: a measure of quality by labels, of the records of the objective's last period whose labels had their time. Dimension
   * `Measure`. Of two objectives of one measure the first is published.
   */
  quality: 'Quality',
  /** Gauge: share of the records of the newest week whose labels had their time that have one, 0 to 1. */
  labelCoverage: 'LabelCoverage',
  /** Gauge: seconds from the end of the newest judged window until now. */
  evaluationLagSeconds: 'EvaluationLagSeconds',
  /** Gauge of no model: 1 at each tick that completed. Dimension `Shard` where it is deployed, none where it is embedded. */
  heartbeat: 'Heartbeat',
} as const;

export type MetricName = (typeof metricNames)[keyof typeof metricNames];

/** Names of the dimensions. Alarms use `Model` alone, which exists at synth. */
export const dimensionNames = {
  model: 'Model',
  feature: 'Feature',
  slo: 'Slo',
  measure: 'Measure',
  slice: 'Slice',
  variant: 'Variant',
  shard: 'Shard',
} as const;
