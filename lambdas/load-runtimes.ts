import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { configAssets } from '../core/contract/env-names.ts';
import type { Baseline } from '../core/model/baseline.ts';
import type { FleetPolicy, ModelPolicy } from '../core/model/policy.ts';
import { createModelRuntime, type ModelRuntime } from '../core/pipeline/model-runtime.ts';
import { DeploymentError } from './fault.ts';

export interface DeployedConfig {
  readonly fleet: FleetPolicy;
  /** By name of their files. */
  readonly policies: readonly ModelPolicy[];
}

/** Where a bundled handler's configuration lies: beside it. */
export const handlerFolder = import.meta.dirname;

/**
 * Reads the policies that were shipped with the code. Synth checked and wrote them; what is checked here is that they
 * are whole and of this version.
 * @throws {DeploymentError} naming the file.
 */
export async function loadPolicies(folder: string): Promise<DeployedConfig> {
  const fleet = await readDocument(folder, configAssets.fleet, isFleetPolicy, 'a policy of tidewatch.fleet/1');
  const files = await readdir(join(folder, configAssets.modelFolder)).catch((cause: unknown) => {
    throw new DeploymentError(`${configAssets.modelFolder}: expected a folder of policies, it can't be read`, {
      cause,
    });
  });
  const policies: ModelPolicy[] = [];
  for (const file of files.filter((name) => name.endsWith('.json')).sort()) {
    const path = `${configAssets.modelFolder}/${file}`;
    policies.push(await readDocument(folder, path, isModelPolicy, 'a policy of tidewatch.config/1'));
  }
  if (policies.length === 0) throw new DeploymentError(`${configAssets.modelFolder}: expected policies, saw none`);
  const names = new Set(policies.map(({ name }) => name));
  if (names.size < policies.length) {
    throw new DeploymentError(`${configAssets.modelFolder}: expected each model once, saw one twice`);
  }
  return { fleet, policies };
}

/**
 * Reads the policies and the baselines that they name.
 * @param code version and hash of the build.
 * @throws {DeploymentError} naming the file; {BaselineError} where a baseline is not the one that its policy pins.
 */
export async function loadRuntimes(folder: string, code: string): Promise<readonly ModelRuntime[]> {
  const { fleet, policies } = await loadPolicies(folder);
  return Promise.all(
    policies.map(async (policy) => {
      const paths = policy.versions.flatMap(({ baseline }) => (baseline ? [baseline.path] : []));
      const baselines = new Map<string, Baseline>();
      for (const path of new Set(paths)) {
        if (!path.startsWith(`${configAssets.baselineFolder}/`) || path.includes('..')) {
          throw new DeploymentError(`${policy.name}: expected a baseline under ${configAssets.baselineFolder}/`);
        }
        baselines.set(path, await readDocument(folder, path, isBaseline, 'a baseline of tidewatch.baseline/1'));
      }
      return createModelRuntime(policy, fleet, baselines, code);
    }),
  );
}

async function readDocument<T>(
  folder: string,
  path: string,
  is: (value: unknown) => value is T,
  expected: string,
): Promise<T> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(join(folder, path), 'utf8'));
  } catch (cause) {
    throw new DeploymentError(`${path}: expected ${expected}, it can't be read`, { cause });
  }
  if (!is(value)) throw new DeploymentError(`${path}: expected ${expected}, saw another document`);
  return value;
}

function hasSchema(value: unknown, schema: string): value is object {
  return typeof value === 'object' && value !== null && 'schema' in value && value.schema === schema;
}

function isFleetPolicy(value: unknown): value is FleetPolicy {
  return hasSchema(value, 'tidewatch.fleet/1') && 'runbook' in value && typeof value.runbook === 'string';
}

function isModelPolicy(value: unknown): value is ModelPolicy {
  if (!hasSchema(value, 'tidewatch.config/1')) return false;
  const members = new Map<string, unknown>(Object.entries(value));
  const windowSeconds = members.get('windowSeconds');
  return (
    typeof members.get('name') === 'string' &&
    typeof windowSeconds === 'number' &&
    windowSeconds > 0 &&
    ['sources', 'versions', 'features', 'slos'].every((name) => Array.isArray(members.get(name)))
  );
}

/** Enough to hash it; the hash then vouches for the rest. */
function isBaseline(value: unknown): value is Baseline {
  return hasSchema(value, 'tidewatch.baseline/1') && 'sha256' in value && 'layout' in value;
}
