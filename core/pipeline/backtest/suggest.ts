/** How many messages a week are wanted at most. */
export interface WantedMessages {
  /** Red raised. */
  readonly pagesPerWeek: number;
  /** Yellow raised; absent: as many as there are. */
  readonly noticesPerWeek?: number | undefined;
}

/** What a replay under some settings gave. */
export interface Outcome {
  readonly pagesPerWeek: number;
  readonly noticesPerWeek: number;
}

/** One setting and the values to try, each milder on people than the one before. */
export interface Ladder<Change> {
  /** As it stands in the configuration: `models[0].drift.minimumEffect`. */
  readonly setting: string;
  /** Which messages it has a hand in. */
  readonly tier: 'yellow' | 'red';
  readonly rungs: readonly Change[];
}

export interface Trial<Change, Result extends Outcome> {
  /** Of which messages it was to give fewer. */
  readonly tier: 'yellow' | 'red';
  readonly changes: readonly Change[];
  readonly outcome: Result;
  /** Whether it gives no more of them than are wanted. */
  readonly suffices: boolean;
}

/** Whether an outcome gives no more messages of a tier than are wanted. */
export function isWithin(outcome: Outcome, wanted: WantedMessages, tier: 'yellow' | 'red'): boolean {
  return tier === 'red'
    ? outcome.pagesPerWeek <= wanted.pagesPerWeek + 1e-9
    : outcome.noticesPerWeek <= (wanted.noticesPerWeek ?? Number.POSITIVE_INFINITY) + 1e-9;
}

/** How many trials a search makes at most. */
export function countTrials(ladders: readonly Ladder<unknown>[]): number {
  const ofLadders = ladders.reduce((sum, { rungs }) => sum + 1 + Math.ceil(Math.log2(rungs.length)), 0);
  return ofLadders + 2;
}

/**
 * Looks for settings that give no more messages than wanted, by trying them: of each ladder the strongest change, and where
 * that suffices the mildest that does, found by halving, for a stronger change gives no more messages. Where no ladder of a
 * tier suffices by itself, the strongest changes of all of them are tried together.
 * @returns every trial, in the order made; of each ladder the one that suffices and was made last is the mildest
 */
export async function searchSettings<Change, Result extends Outcome>(
  ladders: readonly Ladder<Change>[],
  wanted: WantedMessages,
  replay: (changes: readonly Change[]) => Promise<Result>,
): Promise<readonly Trial<Change, Result>[]> {
  const trials: Trial<Change, Result>[] = [];
  for (const tier of ['red', 'yellow'] as const) {
    const own = ladders.filter((one) => one.tier === tier);
    const attempt = async (changes: readonly Change[]): Promise<boolean> => {
      const outcome = await replay(changes);
      const suffices = isWithin(outcome, wanted, tier);
      trials.push({ tier, changes, outcome, suffices });
      return suffices;
    };
    for (const { rungs } of own) {
      const strongest = rungs.at(-1);
      if (strongest === undefined || !(await attempt([strongest]))) continue;
      let [low, high] = [0, rungs.length - 2];
      while (low <= high) {
        const middle = (low + high) >> 1;
        const change = rungs[middle];
        if (change !== undefined && (await attempt([change]))) high = middle - 1;
        else low = middle + 1;
      }
    }
    if (own.length > 1 && !trials.some((trial) => trial.tier === tier && trial.suffices)) {
      await attempt(own.flatMap(({ rungs }) => rungs.at(-1) ?? []));
    }
  }
  return trials;
}
