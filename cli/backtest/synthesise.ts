import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AlarmDefinition } from '../../core/model/alarm.ts';
import { InputError } from '../command.ts';
import { readTemplateAlarms } from '../template-alarms.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const suffix = '.template.json';

/** Alarms, and the templates they were read from. */
export interface DeployedAlarms {
  readonly definitions: readonly AlarmDefinition[];
  readonly templates: readonly string[];
}

/**
 * The alarms that `cdk deploy` would make of a configuration: its templates are synthesised in a process of its own.
 * @throws {InputError} with what it said, where that fails
 */
export async function synthesiseAlarms(config: string): Promise<DeployedAlarms> {
  const folder = await mkdtemp(join(tmpdir(), 'tidewatch-synth-'));
  try {
    await writeTemplates(config, folder);
    return await readTemplates(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @throws {InputError} where the folder holds no template of Tidewatch's alarms. */
export async function readTemplates(folder: string): Promise<DeployedAlarms> {
  const files = await readdir(folder).catch((cause: unknown) => {
    throw new InputError(`${folder}: can't be read, expected the folder that \`cdk synth\` wrote`, { cause });
  });
  const templates = files.filter((file) => file.endsWith(suffix)).sort();
  const definitions: AlarmDefinition[] = [];
  for (const file of templates) {
    const path = join(folder, file);
    try {
      definitions.push(...readTemplateAlarms(JSON.parse(await readFile(path, 'utf8'))));
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new InputError(`${path}: ${why}`, { cause });
    }
  }
  if (definitions.length === 0)
    throw new InputError(`${folder}: expected templates (*${suffix}) with alarms, saw ${templates.length} with none`);
  return { definitions, templates: templates.map((file) => file.slice(0, -suffix.length)) };
}

/**
 * Runs the CDK application as `cdk synth` does, but for the code of the functions, which alarms don't depend on: bundling
 * takes longer than all else.
 * @throws {InputError}
 */
export function writeTemplates(config: string, folder: string): Promise<void> {
  const context = { config: resolve(config), 'aws:cdk:bundling-stacks': [] };
  const env = { ...process.env, CDK_OUTDIR: resolve(folder), CDK_CONTEXT_JSON: JSON.stringify(context), NO_COLOR: '1' };
  const words = ['--import', 'tsx', join('bin', 'app.ts')];
  return new Promise((done, fail) => {
    execFile(process.execPath, words, { cwd: root, env, maxBuffer: 1 << 24 }, (error, stdout, stderr) => {
      if (!error) {
        done();
        return;
      }
      const said = `${stderr}\n${stdout}`.trim().split('\n').slice(-12).join('\n  ');
      fail(new InputError(`${config}: the templates can't be synthesised\n  ${said}`, { cause: error }));
    });
  });
}
