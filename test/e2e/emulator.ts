import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ChildProcesses } from './child-processes.ts';
import { waitFor } from './report.ts';

export const repository = fileURLToPath(new URL('../..', import.meta.url));
const requirements = join(repository, 'test/e2e/requirements.txt');
const programs = join(repository, 'node_modules/.bin');

/** Where the emulator listens, and what its clients need to know of it. */
export interface Emulator {
  readonly endpoint: string;
  readonly port: number;
  /** Of the emulator and of every function it runs. */
  readonly processGroup: number;
  readonly region: string;
  readonly account: string;
  /** Of every command that is to talk to the emulator and to nobody else. */
  readonly environment: NodeJS.ProcessEnv;
  /** A folder of this run: logs, assemblies, temporary files. */
  readonly folder: string;
  readonly log: string;
}

const region = 'eu-west-1';
/** Of everything on the emulator. */
export const account = '000000000000';

/** The virtual environment of `.venv`, made anew where the requirements changed. */
export async function preparePython(processes: ChildProcesses, folder: string): Promise<string> {
  const home = join(repository, '.venv');
  const python = join(home, 'bin/python');
  const stamp = join(home, 'requirements.sha256');
  const wanted = createHash('sha256').update(readFileSync(requirements)).digest('hex');
  if (existsSync(python) && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return python;
  rmSync(home, { recursive: true, force: true });
  const common = { folder: repository, environment: process.env, log: join(folder, 'pip.log') };
  await processes.run({ ...common, program: 'python3', arguments: ['-m', 'venv', home] }, 60);
  const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps', '-r', requirements];
  await processes.run({ ...common, program: python, arguments: install }, 180);
  // Written last: an interrupted installation is made again.
  writeFileSync(stamp, wanted);
  return python;
}

/** Starts the emulator on a free port of the loopback interface, in memory only. */
export async function startEmulator(processes: ChildProcesses, folder: string, python: string): Promise<Emulator> {
  const port = await findFreePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const temporary = join(folder, 'tmp');
  mkdirSync(temporary, { recursive: true });
  const environment = clientEnvironment(endpoint, temporary);
  const log = join(folder, 'emulator.log');
  const child = processes.start({
    program: python,
    arguments: [join(repository, 'test/e2e/emulator.py')],
    folder,
    log,
    environment: {
      ...environment,
      BIND_HOST: '127.0.0.1',
      GATEWAY_PORT: String(port),
      IOT_MTLS_ENABLED: '0',
      SFTP_ENABLED: '0',
      MINISTACK_REGION: region,
      LOG_LEVEL: 'INFO',
    },
  });
  await waitFor('the emulator to answer', 30, async () => {
    if (child.exitCode !== null) throw new Error(`the emulator ended with ${child.exitCode}, see ${log}`);
    const response = await fetch(`${endpoint}/_ministack/health`).catch(() => undefined);
    return response?.ok ? true : undefined;
  });
  const processGroup = child.pid;
  if (processGroup === undefined) throw new Error(`expected the emulator to have a process id, see ${log}`);
  return { endpoint, port, processGroup, region, account, environment, folder, log };
}

/** Nothing of the user's own AWS set-up is let through: no profile, no key, no endpoint. */
function clientEnvironment(endpoint: string, temporary: string): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^(AWS_|CDK_|npm_)/.test(name));
  return {
    ...Object.fromEntries(own),
    // The emulator runs Lambda code with the first `node` it finds: the one of the Lambda runtime.
    PATH: [programs, process.env.PATH ?? ''].join(delimiter),
    TMPDIR: temporary,
    HOME: temporary,
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: join(temporary, 'no-config'),
    AWS_SHARED_CREDENTIALS_FILE: join(temporary, 'no-credentials'),
    CDK_DEFAULT_ACCOUNT: account,
    CDK_DEFAULT_REGION: region,
    CDK_DISABLE_CLI_TELEMETRY: 'true',
    NO_COLOR: '1',
  };
}

function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
