import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { ConfigError } from '../core/contract/config.ts';
import { loadFleet } from '../lib/fleet-configuration.ts';
import { BaselineFileError } from '../lib/read-baselines.ts';
import { createStacks } from '../lib/stacks.ts';

/** The CDK application: `cdk deploy --all -c config=path/to/tidewatch.config.ts`. */
const app = new App();
const file: unknown = app.node.tryGetContext('config') ?? 'tidewatch.config.ts';
const path = resolve(String(file));
try {
  const loaded: { readonly default?: unknown } = await import(pathToFileURL(path).href);
  createStacks(app, loadFleet(loaded.default, dirname(path)));
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app, { verbose: true }));
  app.synth();
} catch (error) {
  const isMissing = error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND';
  if (isMissing) console.error(`${path}: can't be loaded, expected a configuration file. Name it: -c config=PATH`);
  else if (error instanceof ConfigError || error instanceof BaselineFileError) console.error(error.message);
  else throw error;
  process.exitCode = 2;
}
