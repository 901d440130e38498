import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { listStackResources } from './aws.ts';
import type { ChildProcesses } from './child-processes.ts';
import { type Emulator, repository } from './emulator.ts';
import { profileTemplate } from './emulator-profile.ts';
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

  constructor(processes: ChildProcesses, emulator: Emulator) {
    this.#processes = processes;
    this.#emulator = emulator;
  }

  async bootstrap(): Promise<void> {
    const { account, region, folder } = this.#emulator;
    await this.#run(['bootstrap', `aws://${account}/${region}`, ...quiet], folder, 90);
  }

  /**
   * Synthesises the application of the run's configuration.
   * @param variables of the configuration
   */
  async synthesise(name: string, variables: NodeJS.ProcessEnv = {}): Promise<Assembly> {
    const folder = join(this.#emulator.folder, name);
    const app = ['synth', '--quiet', '--output', folder, '--context', `config=${config}`];
    await this.#run([...app, ...quiet], repository, 120, variables);
    return new Assembly(folder);
  }

  /** Deploys what the emulator can have of an assembly. @returns what the cdk said. */
  async deploy(assembly: Assembly): Promise<string> {
    const app = ['deploy', '--all', '--app', assembly.profiledFolder, '--require-approval', 'never'];
    return this.#run([...app, '--progress', 'events', ...quiet], this.#emulator.folder, 120);
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
    const { environment } = this.#emulator;
    const log = join(this.#emulator.folder, 'cdk.log');
    const command = { program: cdk, arguments: args, folder, log, environment: { ...environment, ...variables } };
    return this.#processes.run(command, timeoutSeconds);
  }
}

/** A synthesised cloud assembly, and a copy of it with the emulator's templates. */
export class Assembly {
  readonly stacks: readonly SynthesisedStack[];
  readonly profiledFolder: string;
  /** What the emulator's templates lack. */
  readonly changes: readonly string[];

  constructor(folder: string) {
    this.profiledFolder = `${folder}.emulator`;
    cpSync(folder, this.profiledFolder, { recursive: true });
    const manifest: unknown = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
    const changes: string[] = [];
    this.stacks = stacksOf(manifest).map(({ name, file }) => {
      const template: Template = JSON.parse(readFileSync(join(folder, file), 'utf8'));
      const profiled = profileTemplate(template);
      writeFileSync(join(this.profiledFolder, file), JSON.stringify(profiled.template));
      changes.push(...profiled.changes.map((change) => `${name}: ${change}`));
      return { name, template };
    });
    this.changes = changes;
    if (this.stacks.length === 0) throw new Error(`${folder}: expected stacks in the assembly, saw none`);
  }
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
