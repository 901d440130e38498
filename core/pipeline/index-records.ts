import type { ScoreSteps } from '../join/cohort-counter.ts';
import { IndexRowsBuilder } from '../join/index-rows.ts';
import { createJoinIds, deriveJoinKey, joinKeyDay } from '../join/join-id.ts';
import { classCode, type IndexRows, type LabelPolicy, readYes } from '../model/labels.ts';
import type { Cell, RecordBatch } from '../model/record-batch.ts';
import type { ModelRuntime } from './model-runtime.ts';
import type { KeySource } from './ports.ts';

/** The outputs of a version without names are called so. */
const unnamedOutput = 'prediction';
/** The class that `ClassColumns` of core/decode finds. */
const predictedClass = 'predicted';

/** The output of a version that labels are compared with. */
export function labelledOutput(runtime: ModelRuntime, policy: LabelPolicy, version: string): string {
  if (policy.prediction !== undefined) return policy.prediction;
  const [only, ...others] = runtime.versionPolicy(version).predictions;
  if (only !== undefined && others.length === 0) return only;
  return policy.task === 'classes' ? predictedClass : unnamedOutput;
}

/** The steps that scores of a version are counted by; undefined where its baseline tells nothing of them. */
export function scoreStepsOf(runtime: ModelRuntime, version: string): ScoreSteps | undefined {
  const { labels } = runtime.policy;
  const calibration = runtime.baselineOf(version)?.calibration;
  if (labels?.task !== 'binary' || calibration?.of !== 'positives') return undefined;
  return calibration.score === labelledOutput(runtime, labels, version) ? calibration : undefined;
}

/** What names the rows of a model for the join; undefined where it has no labels. */
export async function readJoinIds(
  { policy }: ModelRuntime,
  keys: KeySource,
): Promise<((id: string, row: number) => number) | undefined> {
  if (!policy.labels) return undefined;
  return createJoinIds(deriveJoinKey(await keys.modelDayKey(policy.name, joinKeyDay)));
}

/** Collects of the rows that are counted what labels will be joined with. A row without a prediction is left out. */
export class RecordIndexer {
  readonly #runtime: ModelRuntime;
  readonly #policy: LabelPolicy;
  readonly #joinId: (id: string, row: number) => number;
  readonly #rows = new IndexRowsBuilder();

  constructor(runtime: ModelRuntime, policy: LabelPolicy, joinId: (id: string, row: number) => number) {
    this.#runtime = runtime;
    this.#policy = policy;
    this.#joinId = joinId;
  }

  /** @param series they were counted into @param rows of the batch */
  addRows(
    { variant, version }: { readonly variant: string; readonly version: string },
    batch: RecordBatch,
    rows: readonly number[],
  ): void {
    const name = labelledOutput(this.#runtime, this.#policy, version);
    const cells = batch.columns.find((column) => column.side === 'output' && column.name === name)?.cells;
    if (!cells) return;
    for (const index of rows) {
      const place = batch.rows[index];
      const invocation = place && batch.invocations[place.invocation];
      const prediction = readPrediction(cells[index], this.#policy);
      if (!place || !invocation || !prediction) continue;
      const { eventId, inferenceId, time } = invocation;
      this.#rows.add({ id: this.#joinId(inferenceId ?? eventId, place.row), ...prediction, time, variant, version });
    }
  }

  finish(): IndexRows {
    return this.#rows.finish();
  }
}

function readPrediction(
  cell: Cell,
  { task, threshold, positive }: LabelPolicy,
): { readonly value: number; readonly predicted: boolean } | undefined {
  if (cell === null || cell === undefined || typeof cell === 'object') return undefined;
  const text = String(cell).trim();
  if (text === '') return undefined;
  if (task === 'classes') return { value: classCode(text), predicted: true };
  const value = typeof cell === 'boolean' ? Number.NaN : Number(text);
  if (task === 'regression') return Number.isFinite(Math.fround(value)) ? { value, predicted: true } : undefined;
  // Compared before it is rounded: a score at the threshold must not change sides.
  if (Number.isFinite(Math.fround(value)) && positive !== text) return { value, predicted: value >= threshold };
  const yes = readYes(text, positive);
  return yes === undefined ? undefined : { value: Number(yes), predicted: yes };
}
