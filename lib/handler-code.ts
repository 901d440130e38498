import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AssetHashType, DockerImage, Stack } from 'aws-cdk-lib';
import { Code } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { configJson } from '../core/contract/config.ts';
import { configAssets } from '../core/contract/env-names.ts';
import { canonicalJson } from '../core/model/canonical-json.ts';
import { sha256 } from '../core/model/content-hash.ts';
import type { ModelPolicy } from '../core/model/policy.ts';
import { baselineAssetPath, type FleetConfiguration } from './fleet-configuration.ts';

export const handlers = ['ingest', 'evaluate', 'sweep', 'notify', 'rollback', 'deliver', 'endpoints'] as const;
export type Handler = (typeof handlers)[number];

/** A bundle larger than this makes every cold start slow. */
export const maximumBundleBytes = 600_000;

const root = fileURLToPath(new URL('..', import.meta.url));
/** The source of a bundle does not change while a template is made. */
const bundles = new Map<string, Uint8Array>();

/**
 * One handler with all it imports, as a minified ES module.
 * @throws {RangeError} where it is larger than `maximumBundleBytes`.
 */
export function bundleHandler(handler: Handler): Uint8Array {
  if (bundles.size === 0) for (const [name, text] of bundleAll()) bundles.set(name, Buffer.from(text));
  const bundle = bundles.get(handler);
  if (!bundle) throw new Error(`lambdas/${handler}.ts: expected a bundle, saw none`);
  if (bundle.length > maximumBundleBytes) {
    throw new RangeError(
      `lambdas/${handler}.ts: expected a bundle of at most ${maximumBundleBytes} bytes, saw ${bundle.length}`,
    );
  }
  return bundle;
}

function bundleAll(): readonly (readonly [handler: string, text: string])[] {
  const text = execFileSync(process.execPath, ['--import', 'tsx', 'lib/bundle-process.ts', ...handlers], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 16 * maximumBundleBytes,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return JSON.parse(text);
}

/** What runs: the package's version and a hash of all handlers. Goes with every verdict. */
export function describeBuild(scope: Construct): string {
  const manifest: { name: string; version: string } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const build = Stack.of(scope).bundlingRequired
    ? sha256(handlers.map((handler) => sha256(bundleHandler(handler))).join('\n')).slice(0, 12)
    : 'not-bundled';
  return `${manifest.name}@${manifest.version}+${build}`;
}

/**
 * The files of the configuration in a Lambda asset, by path. One file a model, so that a handler reads no more than it
 * needs.
 */
export function configFiles(
  configuration: FleetConfiguration,
  models: readonly ModelPolicy[],
): readonly (readonly [path: string, text: string])[] {
  const hashes = new Set(models.flatMap(({ versions }) => versions.flatMap(({ baseline }) => baseline?.sha256 ?? [])));
  return [
    [configAssets.fleet, canonicalJson(configuration.fleet)],
    ...models.map((policy) => [`${configAssets.modelFolder}/${policy.name}.json`, configJson(policy)] as const),
    ...[...hashes].sort().map((hash) => {
      const text = configuration.baselines.get(hash)?.text ?? '';
      return [baselineAssetPath(hash), text] as const;
    }),
  ];
}

/** A handler's code and the configuration beside it. Its hash is that of the content, so nothing else redeploys it. */
export function handlerCode(
  scope: Construct,
  handler: Handler,
  files: readonly (readonly [path: string, text: string])[],
): Code {
  const code = Stack.of(scope).bundlingRequired ? sha256(bundleHandler(handler)) : handler;
  return Code.fromAsset(join(root, 'lambdas'), {
    assetHashType: AssetHashType.CUSTOM,
    assetHash: sha256(canonicalJson([code, files])),
    bundling: {
      // Never used: the local bundling below always succeeds or throws.
      image: DockerImage.fromRegistry('none'),
      local: {
        tryBundle: (folder) => {
          writeFileSync(join(folder, 'index.mjs'), bundleHandler(handler));
          for (const [path, text] of files) {
            mkdirSync(dirname(join(folder, path)), { recursive: true });
            writeFileSync(join(folder, path), text);
          }
          return true;
        },
      },
    },
  });
}
