import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { canonicalJson } from '../core/model/canonical-json.ts';
import { sha256 } from '../core/model/content-hash.ts';
import type { ModelPolicy } from '../core/model/policy.ts';

/** A baseline file as it is shipped with the code. */
export interface BaselineAsset {
  readonly text: string;
  /** The SHA-256 it carries, checked against its content. */
  readonly sha256: string;
}

/** A baseline that can't be shipped. */
export class BaselineFileError extends Error {
  override readonly name = 'BaselineFileError';
}

/**
 * Reads the baselines that policies name, by the path as written.
 * @param folder where the configuration lies
 * @throws {BaselineFileError} where one is missing, is no baseline, or is not the one that is expected.
 */
export function readBaselines(policies: readonly ModelPolicy[], folder: string): ReadonlyMap<string, BaselineAsset> {
  const baselines = new Map<string, BaselineAsset>();
  for (const { name, versions } of policies) {
    for (const { match, baseline } of versions) {
      if (baseline === undefined) continue;
      const where = `${name}, version ${match}: baseline ${baseline.path}`;
      const asset = baselines.get(baseline.path) ?? readBaseline(resolve(folder, baseline.path), where);
      if (baseline.sha256 !== undefined && baseline.sha256 !== asset.sha256) {
        throw new BaselineFileError(`${where}: expected SHA-256 ${baseline.sha256}, saw ${asset.sha256}`);
      }
      baselines.set(baseline.path, asset);
    }
  }
  return baselines;
}

function readBaseline(path: string, where: string): BaselineAsset {
  let value: unknown;
  let text = '';
  try {
    text = readFileSync(path, 'utf8');
    value = JSON.parse(text);
  } catch (cause) {
    throw new BaselineFileError(`${where}: expected a file made by \`tidewatch baseline create\`, saw none`, { cause });
  }
  if (typeof value !== 'object' || value === null || !('schema' in value) || value.schema !== 'tidewatch.baseline/1') {
    throw new BaselineFileError(`${where}: expected {"schema":"tidewatch.baseline/1",…}, saw another content`);
  }
  const actual = sha256(canonicalJson({ ...value, sha256: undefined }));
  if (!('sha256' in value) || value.sha256 !== actual) {
    throw new BaselineFileError(`${where}: content has SHA-256 ${actual}, but it names another: it was changed`);
  }
  return { text, sha256: actual };
}
