/** Largest chance that a model with nothing wrong turns yellow in a week, whatever the fleet allows. */
export const maximumModelRisk = 0.1;

/** Kinds of findings that share a model's chance of a false yellow. */
export type BudgetedKind = 'drift' | 'slices' | 'charts' | 'quality' | 'retests';

/**
 * How a model's weekly chance of a false yellow is shared out. `drift` pays for drift of features and predictions,
 * missing values and unseen categories, which are one Benjamini–Hochberg family; `quality` for ranges, duplicates,
 * constant and stale features and repeated windows. A kind that a model does not use
 * gives its share to `drift`.
 */
export const budgetShares: readonly (readonly [kind: BudgetedKind, share: number])[] = [
  ['drift', 0.55],
  ['slices', 0.2],
  ['charts', 0.15],
  ['quality', 0.05],
  ['retests', 0.05],
];

const shareOfKind = new Map(budgetShares);

/**
 * Part of the budget of retests that the checks of quality get: as large as theirs beside drift, which gets the rest.
 */
export const retestQualityShare =
  (shareOfKind.get('quality') ?? 0) / ((shareOfKind.get('quality') ?? 0) + (shareOfKind.get('drift') ?? 1));

export interface Budget {
  /** Chance of a false yellow a week: of the model, and by kind. The kinds add up to the model's. */
  readonly risk: number;
  readonly risks: Readonly<Record<BudgetedKind, number>>;
  /** Benjamini–Hochberg level of one window and scale. */
  readonly driftLevel: number;
  /** The same for all slices of a window and scale together. */
  readonly sliceLevel: number;
  /** Level of all checks of the quality of data of one window together, ranges among them. */
  readonly qualityLevel: number;
  /** Level at which a late revision of a window may raise its tier: one retest per window, over all scales. */
  readonly retestLevel: number;
}

export interface BudgetDesign {
  /** False yellows a week that the fleet may see. */
  readonly yellowPerWeek: number;
  readonly models: number;
  readonly windowSeconds: number;
  /** Number of trailing scales. */
  readonly scales: number;
  /** What is configured beside drift. */
  readonly uses?:
    | { readonly slices?: boolean; readonly charts?: boolean; readonly quality?: boolean; readonly retests?: boolean }
    | undefined;
}

const secondsPerWeek = 7 * 86_400;

/**
 * The budget of one model: min(0.1, fleet's false yellows / models) a week, by kind of finding, and the levels that
 * follow. By the union bound over windows and scales the chance that a week of a healthy model shows a false yellow
 * is at most `risk`, however windows, scales and kinds depend on one another.
 */
export function allocateBudget(design: BudgetDesign): Budget {
  const { yellowPerWeek, models, windowSeconds, scales, uses = {} } = design;
  for (const [name, value] of [
    ['false yellows a week', yellowPerWeek],
    ['number of models', models],
    ['window in seconds', windowSeconds],
    ['number of scales', scales],
  ] as const) {
    if (!(value > 0 && value < Number.POSITIVE_INFINITY)) {
      throw new RangeError(`budget: expected a positive ${name}, saw ${value}`);
    }
  }
  const risk = Math.min(maximumModelRisk, yellowPerWeek / models);
  const isUsed = (kind: BudgetedKind) => kind === 'drift' || uses[kind] === true;
  const unused = budgetShares.reduce((sum, [kind, share]) => (isUsed(kind) ? sum : sum + share), 0);
  const shareOf = (wanted: BudgetedKind) => {
    const share = shareOfKind.get(wanted) ?? 0;
    return isUsed(wanted) ? share + (wanted === 'drift' ? unused : 0) : 0;
  };
  const risks = {
    drift: risk * shareOf('drift'),
    slices: risk * shareOf('slices'),
    charts: risk * shareOf('charts'),
    quality: risk * shareOf('quality'),
    retests: risk * shareOf('retests'),
  };
  const looks = (secondsPerWeek / windowSeconds) * scales;
  return {
    risk,
    risks,
    driftLevel: risks.drift / looks,
    sliceLevel: risks.slices / looks,
    qualityLevel: risks.quality / (secondsPerWeek / windowSeconds),
    retestLevel: risks.retests / looks,
  };
}
