import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ConfigInput, email, pagerDuty, sagemakerCapture, sagemakerEndpoint } from '../../core/contract/config.ts';
import { envNames } from '../../core/contract/env-names.ts';
import { loadFleet } from '../../lib/fleet-configuration.ts';
import { bundleHandler, configFiles, handlers } from '../../lib/handler-code.ts';
import { resourcesOf, synthesise } from './synthesise.ts';

/** Every function is deployed for it. */
const config: ConfigInput = {
  models: [
    {
      name: 'credit',
      source: sagemakerCapture({ bucket: 'captures', prefix: 'data', endpoint: 'credit' }),
      versions: [{ match: 'v1' }],
      rollback: sagemakerEndpoint({ dryRun: false }),
      alerts: { yellow: [], red: [email('oncall@example.com'), pagerDuty({ secret: 'pager' })] },
    },
  ],
};
const folder = mkdtempSync(join(tmpdir(), 'tidewatch-environment-'));
const functions = resourcesOf(synthesise(config), 'AWS::Lambda::Function').map(variablesOf);

beforeAll(() => {
  const configuration = loadFleet(config, folder);
  for (const [path, text] of configFiles(configuration, configuration.models)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
});

afterAll(() => rmSync(folder, { recursive: true }));

/** What CloudFormation would put in is any text here. */
function variablesOf({ properties }: { readonly properties: Readonly<Record<string, unknown>> }): Map<string, string> {
  const { Environment } = properties;
  const isSet = typeof Environment === 'object' && Environment !== null && 'Variables' in Environment;
  const entries = Object.entries(isSet ? Object(Environment.Variables) : {});
  return new Map(entries.map(([name, value]) => [name, typeof value === 'string' ? value : 'https://example.com/1/x']));
}

/** What a function says to the first event, which it can't read, or of which it gets no further than to a service. */
async function start(handler: (typeof handlers)[number], environment: NodeJS.ProcessEnv): Promise<string> {
  const bundle = join(folder, 'index.mjs');
  writeFileSync(bundle, bundleHandler(handler));
  const script = `
    const { handler } = await import(${JSON.stringify(bundle)});
    const call = handler(${JSON.stringify(handler === 'sweep' ? { schedule: 'sweep' } : {})}, {});
    const late = new Promise((resolve) => setTimeout(resolve, 1000, 'goes on'));
    process.stdout.write(String(await Promise.race([call, late]).catch((error) => error)), () => process.exit());`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
    cwd: folder,
    env: {
      ...environment,
      AWS_REGION: 'eu-west-1',
      AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
      POWERTOOLS_LOG_LEVEL: 'SILENT',
    },
  });
  return stdout;
}

test.each(handlers)('%s starts with the environment that its stack gives it, and not with less', async (handler) => {
  const given = functions.find((variables) => variables.get(envNames.serviceName) === `tidewatch-${handler}`);
  if (!given) throw new Error(`expected a function of ${handler}, saw none`);
  expect(await start(handler, Object.fromEntries(given))).not.toContain('environment:');
  given.delete(envNames.table);
  expect(await start(handler, Object.fromEntries(given))).toContain(
    `environment: expected ${envNames.table} to be set`,
  );
});
