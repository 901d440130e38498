import type { Json } from '../model/canonical-json.ts';
import { isJsonArray, isJsonObject, type JsonObject, memberOf } from './json-text.ts';
import type { Payload } from './payload.ts';

/** Scores of a model's classes, as they come with their labels. */
export interface LabelledScores {
  readonly labels: readonly string[];
  readonly scores: readonly number[];
}

/**
 * Whether numbers look like a share of each class: none below 0, and 1 in all. Written out with four decimals, each may be
 * off by half of the last one.
 */
export function areShares(values: readonly number[]): boolean {
  let sum = 0;
  for (const value of values) {
    if (!(value >= 0)) return false;
    sum += value;
  }
  return values.length >= 2 && Math.abs(sum - 1) <= 1e-3 + 5e-5 * values.length;
}

export function areNumbers(values: readonly Json[]): values is readonly number[] {
  return values.every((value) => typeof value === 'number');
}

/** `{"labels":["cat","dog"],"scores":[0.9,0.1]}`, as zero-shot classifiers answer. */
export function readLabelLists(object: JsonObject): LabelledScores | undefined {
  const [labels, scores] = [memberOf(object, 'labels'), memberOf(object, 'scores')];
  if (!isJsonArray(labels) || !isJsonArray(scores) || labels.length !== scores.length || !areNumbers(scores))
    return undefined;
  const texts = labels.filter((label) => typeof label === 'string');
  return texts.length === labels.length && areDistinct(texts) ? { labels: texts, scores } : undefined;
}

/** `[{"label":"cat","score":0.9},{"label":"dog","score":0.1}]`, as text classifiers answer. */
export function readLabelPairs(values: readonly Json[]): LabelledScores | undefined {
  const labels: string[] = [];
  const scores: number[] = [];
  for (const value of values) {
    if (!isJsonObject(value)) return undefined;
    const [label, score] = [memberOf(value, 'label'), memberOf(value, 'score')];
    if (typeof label !== 'string' || typeof score !== 'number' || Object.keys(value).length !== 2) return undefined;
    labels.push(label);
    scores.push(score);
  }
  return areDistinct(labels) ? { labels, scores } : undefined;
}

/** The answer to one input is one row, though it lists each class with its score. */
export function joinLabelPairs(input: Payload | undefined, output: Payload | undefined): Payload | undefined {
  if (input?.rows.length !== 1 || output === undefined || output.rows.length < 2) return output;
  const values = output.rows.map((row) => (row.type === 'object' ? row.object : null));
  const pairs = readLabelPairs(values);
  return pairs && areShares(pairs.scores) ? { rows: [{ type: 'values', values }] } : output;
}

function areDistinct(labels: readonly string[]): boolean {
  return labels.length >= 2 && !labels.includes('') && new Set(labels).size === labels.length;
}
