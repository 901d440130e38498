/** What went wrong with a model. */
export interface ModelFailure {
  readonly model: string;
  readonly error: unknown;
}

/** Some models failed in a step that was done for all others. */
export class FailedModels extends Error {
  override readonly name = 'FailedModels';
  readonly failures: readonly ModelFailure[];

  constructor(step: string, failures: readonly ModelFailure[]) {
    const list = failures.map(({ model, error }) => `${model} (${error instanceof Error ? error.message : error})`);
    super(`${step} failed for ${list.join(', ')}`, { cause: failures[0]?.error });
    this.failures = failures;
  }
}
