import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ConfigError, parseConfig } from '../core/contract/config.ts';
import type { Baseline } from '../core/model/baseline.ts';
import { sha256, shortHash } from '../core/model/content-hash.ts';
import type { FleetPolicy } from '../core/model/policy.ts';
import { createModelRuntime, type ModelRuntime } from '../core/pipeline/model-runtime.ts';
import { InputError } from './command.ts';
import { readBaseline } from './read-baseline.ts';

export interface LoadedConfig {
  readonly fleet: FleetPolicy;
  readonly runtimes: readonly ModelRuntime[];
}

/** Loads a configuration file and the baselines it names, which are found from where it lies. */
export async function loadConfig(file: string): Promise<LoadedConfig> {
  const { value, folder } = await importConfig(file);
  return prepareModels(value, folder);
}

/** What a configuration file exports, not checked yet, and where it lies. */
export async function importConfig(file: string): Promise<{ readonly value: unknown; readonly folder: string }> {
  const path = resolve(file);
  await readFile(path).catch((cause: unknown) => {
    throw new InputError(`${file}: can't be read, expected a configuration file`, { cause });
  });
  const loaded: { readonly default?: unknown } = await import(pathToFileURL(path).href).catch((cause: unknown) => {
    if (cause instanceof ConfigError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new InputError(`${file}: can't be loaded as a configuration: ${why}`, { cause });
  });
  if (loaded.default === undefined)
    throw new InputError(`${file}: expected \`export default defineConfig({…})\`, saw no default export`);
  return { value: loaded.default, folder: dirname(path) };
}

/** Parses a configuration and loads its baselines. */
export async function prepareModels(config: unknown, folder: string): Promise<LoadedConfig> {
  const { fleet, models } = parseConfig(config);
  const code = await describeCode();
  const runtimes = await Promise.all(
    models.map(async (policy) => {
      const paths = policy.versions.flatMap(({ baseline }) => (baseline ? [baseline.path] : []));
      const baselines = await Promise.all(
        paths.map(
          async (path): Promise<readonly [string, Baseline]> => [path, await readBaseline(resolve(folder, path))],
        ),
      );
      return createModelRuntime(policy, fleet, new Map(baselines), code);
    }),
  );
  return { fleet, runtimes };
}

/** What runs: the package's version, and a hash over the names and bytes of everything that judges. */
export async function describeCode(): Promise<string> {
  const { name, version }: { name: string; version: string } = JSON.parse(
    await readFile(new URL('../package.json', import.meta.url), 'utf8'),
  );
  const core = fileURLToPath(new URL('../core/', import.meta.url));
  const files = (await readdir(core, { recursive: true })).filter((file) => file.endsWith('.ts')).sort();
  const hashes = await Promise.all(
    files.map(async (file) => [file, sha256(await readFile(join(core, file)))] as const),
  );
  return `${name}@${version}+${shortHash(JSON.stringify(hashes))}`;
}
