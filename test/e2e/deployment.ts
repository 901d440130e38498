import { createHash } from 'node:crypto';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { listStackResources } from './aws.ts';
import { type ChildProcesses, type Command, CommandError } from './child-processes.ts';
import { type Emulator, repository } from './emulator.ts';
import { profileTemplate, type Surroundings } from './emulator-profile.ts';
import { waitFor } from './report.ts';
import { type Template, TemplateValues } from './template-values.ts';

/** A stack as AWS would get it, and its values as they were deployed on the emulator. */
export interface DeployedStack {
  readonly name: string;
  /** The full template, with what the emulator was not given. */
  readonly template: Template;
  readonly values: TemplateValues;
}

interface SynthesisedStack {
  readonly name: string;
  readonly template: Template;
}

const cdk = join(repository, 'node_modules/.bin/cdk');
const config = 'test/e2e/app/tidewatch.config.ts';
const quiet = ['--ci', '--no-notices', '--no-version-reporting'];

/** Runs the project's own cdk with time limits. Every command is the real one. */
export class Deployment {
  readonly #processes: ChildProcesses;
  readonly #emulator: Emulator;
  readonly #surroundings: ReadonlyMap<string, Surroundings>;

  /** @param surroundings of each function, by handler */
  constructor(processes: ChildProcesses, emulator: Emulator, surroundings: ReadonlyMap<string, Surroundings>) {
    this.#processes = processes;
    this.#emulator = emulator;
    this.#surroundings = surroundings;
  }

  async bootstrap(): Promise<void> {
    const { account, region, folder } = this.#emulator;
    await this.#run(['bootstrap', `aws://${account}/${region}`, ...quiet], folder, 300);
  }

  /**
   * Synthesises the application of the run's configuration.
   * @param variables of the configuration
   */
  async synthesise(name: string, variables: NodeJS.ProcessEnv = {}): Promise<Assembly> {
    const folder = join(this.#emulator.folder, name);
    const app = ['synth', '--quiet', '--output', folder, '--context', `config=${config}`];
    await this.#run([...app, ...quiet], repository, 400, variables);
    return new Assembly(folder, this.#surroundings);
  }

  /** Deploys what the emulator can have of an assembly. @returns what the cdk said. */
  async deploy(assembly: Assembly): Promise<string> {
    return this.#run(deployCommand(assembly.profiledFolder), this.#emulator.folder, 300);
  }

  /** Deploys what can't be deployed. @returns what the cdk said. @throws {Error} where it succeeds. */
  async deployInVain(folder: string): Promise<string> {
    const said = await this.#run(deployCommand(folder), this.#emulator.folder, 300).catch((error: unknown) => error);
    if (said instanceof CommandError) return said.message;
    throw new Error(`expected cdk deploy to fail, saw ${String(said).slice(-500)}`);
  }

  /**
   * Kills a deployment as soon as something is the case.
   * @returns false where it was through before.
   */
  async deployUntil(assembly: Assembly, isReached: () => Promise<boolean>): Promise<boolean> {
    const child = this.#processes.start(this.#command(deployCommand(assembly.profiledFolder), this.#emulator.folder));
    child.stdin?.end();
    const reached = await waitFor(
      'the moment to interrupt cdk deploy',
      300,
      async () => (child.exitCode !== null ? 'through' : (await isReached()) ? 'reached' : undefined),
      0.02,
    ).finally(() => this.#processes.kill(child));
    return reached === 'reached';
  }

  /** The stacks of an assembly that was deployed. */
  async describe(assembly: Assembly): Promise<readonly DeployedStack[]> {
    return Promise.all(
      assembly.stacks.map(async ({ name, template }) => {
        const resources = await listStackResources(this.#emulator, name);
        const ids = new Map(resources.map(({ logicalId, physicalId }) => [logicalId, physicalId]));
        return { name, template, values: new TemplateValues(template, ids, this.#emulator, name) };
      }),
    );
  }

  #run(args: readonly string[], folder: string, timeoutSeconds: number, variables: NodeJS.ProcessEnv = {}) {
    return this.#processes.run(this.#command(args, folder, variables), timeoutSeconds);
  }

  #command(args: readonly string[], folder: string, variables: NodeJS.ProcessEnv = {}): Command {
    const { environment } = this.#emulator;
    const log = join(this.#emulator.folder, 'cdk.log');
    return { program: cdk, arguments: args, folder, log, environment: { ...environment, ...variables } };
  }
}

function deployCommand(folder: string): readonly string[] {
  return ['deploy', '--all', '--app', folder, '--require-approval', 'never', '--progress', 'events', ...quiet];
}

/** A synthesised cloud assembly, and a copy of it with the emulator's templates. */
export class Assembly {
  readonly stacks: readonly SynthesisedStack[];
  readonly profiledFolder: string;
  /** What the emulator's templates lack. */
  readonly changes: readonly string[];

  /** @param surroundings of each function, by handler */
  constructor(folder: string, surroundings: ReadonlyMap<string, Surroundings>) {
    this.profiledFolder = `${folder}.emulator`;
    cpSync(folder, this.profiledFolder, { recursive: true });
    const manifest: unknown = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
    const changes: string[] = [];
    this.stacks = stacksOf(manifest).map(({ name, file }) => {
      const template: Template = JSON.parse(readFileSync(join(folder, file), 'utf8'));
      const profiled = profileTemplate(template, surroundings);
      writeFileSync(join(this.profiledFolder, file), JSON.stringify(profiled.template));
      changes.push(...profiled.changes.map((change) => `${name}: ${change}`));
      return { name, template };
    });
    this.changes = changes;
    if (this.stacks.length === 0) throw new Error(`${folder}: expected stacks in the assembly, saw none`);
  }
}

/**
 * A copy of an assembly in which one more resource fails, after most others of its stack were made.
 * @returns its folder.
 */
export function withFailure(assembly: Assembly, stack: string): string {
  const folder = `${assembly.profiledFolder}.failing-${stack}`;
  cpSync(assembly.profiledFolder, folder, { recursive: true });
  const file = `${stack}.template.json`;
  const template: Template = JSON.parse(readFileSync(join(folder, file), 'utf8'));
  const late = new Set(['AWS::Lambda::Function', 'AWS::SQS::Queue', 'AWS::CloudWatch::Alarm']);
  const DependsOn = Object.entries(template.Resources).flatMap(([id, { Type }]) => (late.has(Type) ? [id] : []));
  // Metric math is what the emulator refuses when it comes to it, and not before.
  const Metrics = [{ Id: 'e', Expression: '1 + 1', ReturnData: true }];
  const Failing = { Type: 'AWS::CloudWatch::Alarm', Properties: { Metrics, EvaluationPeriods: 1 }, DependsOn };
  writeFileSync(join(folder, file), JSON.stringify({ ...template, Resources: { ...template.Resources, Failing } }));
  // The cdk uploads no template whose name it has uploaded before.
  const assetsFile = `${stack}.assets.json`;
  const assets: AssetManifest = JSON.parse(readFileSync(join(folder, assetsFile), 'utf8'));
  const hash = Object.entries(assets.files).find(([, { source }]) => source.path === file)?.[0];
  if (hash === undefined) throw new Error(`${assetsFile}: expected ${file} among its files, saw none`);
  const changed = createHash('sha256').update(`${hash} failing`).digest('hex');
  for (const name of [assetsFile, 'manifest.json']) {
    const path = join(folder, name);
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll(hash, changed));
  }
  return folder;
}

interface AssetManifest {
  readonly files: Readonly<Record<string, { readonly source: { readonly path: string } }>>;
}

interface Manifest {
  readonly artifacts?: Readonly<
    Record<string, { type: string; properties?: { templateFile?: string; stackName?: string } }>
  >;
}

function stacksOf(manifest: unknown): readonly { readonly name: string; readonly file: string }[] {
  const { artifacts = {} }: Manifest = manifest ?? {};
  return Object.entries(artifacts).flatMap(([id, { type, properties }]) => {
    const file = properties?.templateFile;
    if (type !== 'aws:cloudformation:stack' || file === undefined) return [];
    return [{ name: properties?.stackName ?? id, file }];
  });
}
