import type { EmbeddingLayout } from '../model/embedding.ts';
import type { FeatureLayout, Layout, NumericLayout } from '../model/layout.ts';
import { fitProjection, minimumVectorsPerHalf } from '../stats/embedding/fit-projection.ts';
import { bucketIndex, chooseBinEdges } from '../stats/log-linear-histogram.ts';
import { layoutOfFrame } from './embedding-frame.ts';
import { compareNames } from './names.ts';
import { type ColumnSurvey, maximumDimensions, valuesOf } from './survey.ts';

/** A category must be seen this often in the baseline for its text to be kept: rarer ones may name a person. */
export const minimumCategoryCount = 10;
export const maximumCategories = 1_000;
const numericBins = 10;

/** What the user says of a column. */
export interface ColumnChoice {
  readonly kind?: 'numeric' | 'categorical' | 'embedding' | undefined;
  readonly ignore: boolean;
}

export interface LayoutPlan {
  readonly layout: Layout;
  /** Per embedding the numbers of the rows that its frame was fitted to: they are not to be counted into its sums. */
  readonly fitted: ReadonlyMap<string, ReadonlySet<number>>;
  /** Sentences on what was left out and why. */
  readonly notes: readonly string[];
}

/** Decides how each surveyed column is to be counted. */
export function planLayout(
  surveys: readonly ColumnSurvey[],
  choose: (column: string) => ColumnChoice = () => ({ ignore: false }),
): LayoutPlan {
  const features: [string, FeatureLayout][] = [];
  const leftOut: string[] = [];
  const notes: string[] = [];
  const fitted = new Map<string, ReadonlySet<number>>();
  for (const survey of surveys) {
    const choice = choose(survey.name);
    const reason = choice.ignore ? 'ignored by the configuration' : choice.kind ? undefined : reasonToLeaveOut(survey);
    if (reason) {
      leftOut.push(survey.name);
      notes.push(`${survey.name}: left out, ${reason}`);
      continue;
    }
    if (choice.kind === 'embedding') {
      const plan = planEmbedding(survey);
      if (plan.layout) features.push([survey.name, plan.layout]);
      else leftOut.push(survey.name);
      fitted.set(survey.name, plan.fitted);
      notes.push(`${survey.name}: ${plan.note}`);
      continue;
    }
    features.push([survey.name, planFeature(survey, choice.kind)]);
    if (kindOf(survey, choice.kind) === 'numeric') notes.push(...noteQuarantined(survey));
  }
  return {
    layout: {
      schema: 'tidewatch.layout/1',
      features: features.sort(([a], [b]) => compareNames(a, b)),
      leftOut: leftOut.sort(compareNames),
    },
    fitted,
    notes,
  };
}

/** What will not be counted of a column of numbers. */
function noteQuarantined({ name, rows, texts, infinite }: ColumnSurvey): readonly string[] {
  const invalid = [[texts, 'no numbers'] as const, [infinite, 'infinite'] as const];
  return invalid.flatMap(([count, what]) =>
    count > 0 ? [`${name}: ${count} of ${rows} values are ${what}; their rows are quarantined`] : [],
  );
}

/** Share of texts that may be stray in a column of numbers. */
const strayTexts = 0.05;
const minimumRowsToJudge = 100;
/** Share of rows that may hold a value seen nowhere else. */
const maximumUniqueShare = 0.2;

function kindOf(
  survey: ColumnSurvey,
  chosen: 'numeric' | 'categorical' | undefined,
): 'numeric' | 'categorical' | 'opaque' {
  if (chosen) return chosen;
  const present = survey.rows - survey.missing - survey.missingTexts;
  if (present > 0 && survey.opaque > present / 2) return 'opaque';
  if (survey.booleans > present / 2) return 'categorical';
  if (present === 0 || survey.texts <= strayTexts * (present - survey.infinite)) return 'numeric';
  return 'categorical';
}

/**
 * Identifiers and free text say nothing when they change, and every new one looks like drift.
 * They are known by their distinct values growing with the number of rows.
 */
function reasonToLeaveOut(survey: ColumnSurvey): string | undefined {
  const kind = kindOf(survey, undefined);
  const present = survey.rows - survey.missing - (kind === 'categorical' ? 0 : survey.missingTexts);
  if (present === 0) return 'it never holds a value';
  if (kind === 'numeric' && survey.numbers === 0 && survey.infinite > 0) return 'all its values are infinite';
  if (present < minimumRowsToJudge) return undefined;
  if (kind === 'numeric') return survey.increasing ? 'it grows row by row like a sequence number or a time' : undefined;
  if (kind !== 'categorical') return undefined;
  const values = valuesOf(survey, kind);
  let repeated = 0;
  for (const count of values.values()) if (count > 1) repeated += count;
  // Rows with values beyond those the survey could keep count as unique.
  const share = 1 - repeated / present;
  if (share <= maximumUniqueShare) return undefined;
  const distinct = `${survey.distinctCapped ? 'over ' : ''}${values.size} distinct values`;
  return `it looks like an identifier or free text (${distinct}; ${Math.round(share * 100)} % of rows hold one seen nowhere else)`;
}

/** How a column is to be counted. */
export function planFeature(survey: ColumnSurvey, chosen?: 'numeric' | 'categorical'): FeatureLayout {
  const { side } = survey;
  const kind = kindOf(survey, chosen);
  if (kind === 'numeric') return planNumeric(survey);
  if (kind === 'opaque') return { kind, side };
  const categories = [...valuesOf(survey, kind)]
    .filter(([, count]) => count >= minimumCategoryCount)
    .sort(([a, m], [b, n]) => n - m || compareNames(a, b))
    .slice(0, maximumCategories)
    .map(([category]) => category);
  return { kind, side, categories };
}

interface EmbeddingPlan {
  readonly layout?: EmbeddingLayout;
  readonly fitted: ReadonlySet<number>;
  readonly note: string;
}

/** The frame that later vectors are measured in: the main axes of a sample, measured with the other half of it. */
function planEmbedding({ side, vectors: { fitting, measuring } }: ColumnSurvey): EmbeddingPlan {
  const fit = fitProjection(
    fitting.map(({ vector }) => vector),
    measuring.map(({ vector }) => vector),
  );
  if (!fit) {
    const wanted = `at least ${2 * minimumVectorsPerHalf} lists of numbers of one length, up to ${maximumDimensions}`;
    const seen = fitting.length + measuring.length;
    return { fitted: new Set(), note: `left out, an embedding needs ${wanted}, saw ${seen}` };
  }
  const { projection, explainedShare } = fit;
  const share = Math.round(100 * explainedShare);
  return {
    layout: layoutOfFrame(projection, side),
    fitted: new Set(fitting.map(({ row }) => row)),
    note: `vectors of ${projection.dimensions} numbers, of whose variance ${projection.deviations.length} main axes hold ${share} %; the ${fitting.length} that they were fitted to are not compared with`,
  };
}

function planNumeric(survey: ColumnSurvey): NumericLayout {
  const sorted = Float64Array.from(survey.sample).sort();
  const centre = quantileOf(sorted, 0.5);
  const unit = chooseUnit(sorted, centre);
  const counts = new Map<number, number>();
  for (const value of sorted) {
    const bucket = bucketIndex(value, centre, unit);
    counts.set(bucket, (counts.get(bucket) ?? 0) + 1);
  }
  const buckets = [...counts].sort(([a], [b]) => a - b);
  return { kind: 'numeric', side: survey.side, centre, unit, binEdges: chooseBinEdges(buckets, numericBins) };
}

/** A quarter of the interquartile range; where that is zero, of the range; for a constant, of its magnitude. */
function chooseUnit(sorted: Float64Array, centre: number): number {
  const spreads = [
    quantileOf(sorted, 0.75) - quantileOf(sorted, 0.25),
    (sorted.at(-1) ?? 0) - (sorted[0] ?? 0),
    Math.abs(centre),
  ];
  const spread = spreads.find((candidate) => candidate / 4 > 0 && Number.isFinite(candidate));
  return spread === undefined ? 0.25 : spread / 4;
}

function quantileOf(sorted: Float64Array, probability: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(probability * sorted.length))] ?? 0;
}
