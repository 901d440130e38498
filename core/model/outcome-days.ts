/** Labelled outcomes of one day: whole days since the epoch (UTC), and of its trials how many succeeded. */
export type OutcomeDay = readonly [day: number, successes: number, trials: number];

/**
 * Labelled outcomes of a quality measure by the day on which they were counted (not the day of the prediction), ascending,
 * each day once. Precision: trials are predicted positives, successes are true ones; recall: trials are true positives,
 * successes those predicted; accuracy: trials are all labelled records.
 */
export type OutcomeDays = readonly OutcomeDay[];
