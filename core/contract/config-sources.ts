import type { ConfigPath } from './config-problems.ts';
import type { ParsedModel } from './config-schema.ts';

export type ParsedSource = Extract<ParsedModel['source'], { kind: string }>;

export function sourcesOf(model: ParsedModel): readonly ParsedSource[] {
  return Array.isArray(model.source) ? model.source : [model.source];
}

/** Where a source stands: a model's only one may be given without a list. */
export function sourcePath(model: ParsedModel, base: ConfigPath, index: number): ConfigPath {
  return Array.isArray(model.source) ? [...base, 'source', index] : [...base, 'source'];
}
