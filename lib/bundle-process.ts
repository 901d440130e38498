import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { build } from 'esbuild';
import { dropErrors, markSchemas, schemaFiles } from './sdk-schemas.ts';
import {
  endpointCacheFiles,
  eventStreamFiles,
  manifestFiles,
  messageFormatFiles,
  noEndpointCache,
  noEventStreams,
  noMessageFormat,
  trimManifest,
} from './sdk-trimming.ts';

/**
 * Bundles the handlers that its arguments name, each with all it imports, as minified ES modules, and writes their texts as
 * JSON by handler. A process of its own, because esbuild takes plugins only where it need not answer at once, and constructs
 * can't wait.
 */

const { outputFiles } = await build({
  entryPoints: process.argv.slice(2).map((handler) => `lambdas/${handler}.ts`),
  outdir: '.',
  outExtension: { '.js': '.mjs' },
  write: false,
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  mainFields: ['module', 'main'],
  legalComments: 'none',
  // Loaded only where the environment holds no credentials, which Lambda always puts there.
  external: [
    '@aws-sdk/credential-provider-http',
    '@aws-sdk/credential-provider-ini',
    '@aws-sdk/credential-provider-login',
    '@aws-sdk/credential-provider-process',
    '@aws-sdk/credential-provider-sso',
    '@aws-sdk/credential-provider-web-identity',
    '@smithy/credential-provider-imds',
  ],
  logLevel: 'error',
  // Packages that are CommonJS still ask for built-in modules by `require`.
  banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
  plugins: [
    {
      name: 'sdk-trimming',
      setup: ({ onLoad }) => {
        onLoad({ filter: schemaFiles }, ({ path }) => ({
          contents: markSchemas(dropErrors(readFileSync(path, 'utf8'))),
          loader: 'js',
        }));
        onLoad({ filter: manifestFiles }, ({ path }) => ({
          contents: trimManifest(readFileSync(path, 'utf8')),
          loader: 'json',
        }));
        onLoad({ filter: eventStreamFiles }, () => ({ contents: noEventStreams, loader: 'js' }));
        onLoad({ filter: endpointCacheFiles }, () => ({ contents: noEndpointCache, loader: 'js' }));
        onLoad({ filter: messageFormatFiles }, () => ({ contents: noMessageFormat, loader: 'js' }));
      },
    },
  ],
});
process.stdout.write(JSON.stringify(outputFiles.map(({ path, text }) => [basename(path, '.mjs'), text])));
