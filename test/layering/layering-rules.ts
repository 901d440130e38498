import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import { readImports } from './read-imports.ts';

/** What the modules of a folder may import beside their own folder. */
interface Rule {
  /** The path of a folder, ending with `/`, or of one file. */
  readonly scope: string;
  /** Folders (ending with `/`) and files. */
  readonly modules: readonly string[];
  /** Package names, or scopes ending with `/`. */
  readonly packages: readonly string[];
  /** `any`, or names of built-in modules. */
  readonly builtins: 'any' | readonly string[];
  /** May it import what only run time knows? */
  readonly computed?: boolean;
}

/** Built-in modules that neither read files, nor tell the time, nor reach a network. */
const pure = ['node:buffer', 'node:crypto', 'node:zlib'];

function stage(name: string, modules: readonly string[]): Rule {
  return { scope: `core/${name}/`, modules, packages: [], builtins: pure };
}

/** The table of folders in docs/architecture.md. */
export const rules: readonly Rule[] = [
  stage('model', []),
  { scope: 'core/stats/', modules: [], packages: ['@stdlib/'], builtins: [] },
  { scope: 'core/contract/', modules: ['core/model/'], packages: ['zod'], builtins: pure },
  stage('decode', ['core/model/']),
  stage('privacy', ['core/model/']),
  stage('profile', ['core/model/', 'core/stats/']),
  stage('evaluate', ['core/model/', 'core/stats/']),
  stage('join', ['core/model/', 'core/stats/']),
  stage('slo', ['core/model/', 'core/stats/']),
  stage('alarm', ['core/model/']),
  stage('publish', ['core/model/', 'core/contract/']),
  stage('route', ['core/model/']),
  stage('rollback', ['core/model/']),
  stage('serving', ['core/model/']),
  stage('audit', ['core/model/']),
  stage('pipeline', ['core/']),
  {
    scope: 'adapters/local/',
    modules: ['core/model/', 'core/contract/', 'core/pipeline/ports.ts'],
    packages: [],
    builtins: 'any',
  },
  {
    scope: 'adapters/aws/',
    modules: ['core/model/', 'core/contract/', 'core/pipeline/ports.ts'],
    packages: ['@aws-sdk/', '@smithy/', '@aws-lambda-powertools/'],
    builtins: 'any',
  },
  { scope: 'cli/', modules: ['core/', 'adapters/'], packages: ['vega-datasets'], builtins: 'any', computed: true },
  { scope: 'lambdas/', modules: ['core/', 'adapters/'], packages: ['@aws-lambda-powertools/'], builtins: 'any' },
  {
    scope: 'lib/',
    modules: ['core/contract/', 'core/model/'],
    packages: ['aws-cdk-lib', 'constructs', 'esbuild'],
    builtins: 'any',
  },
  {
    scope: 'bin/',
    modules: ['cli/', 'lib/', 'core/contract/'],
    packages: ['aws-cdk-lib', 'constructs', 'cdk-nag'],
    builtins: 'any',
    computed: true,
  },
  {
    scope: 'examples/',
    modules: ['tidewatch.ts', 'lib/'],
    packages: ['aws-cdk-lib', 'constructs'],
    builtins: 'any',
  },
  { scope: 'docs/images/', modules: ['core/model/', 'cli/demo/'], packages: [], builtins: 'any' },
  // A configuration of the reader's own, where `run` looks for it.
  { scope: 'tidewatch.config.ts', modules: ['tidewatch.ts'], packages: [], builtins: 'any' },
  { scope: 'tidewatch.ts', modules: ['core/contract/config.ts'], packages: [], builtins: [] },
  { scope: 'vitest.config.ts', modules: [], packages: ['vitest'], builtins: 'any' },
];

/** Folders whose modules may import anything. No other folder may import them. */
const unrestricted = ['test/', 'bench/'];

function isWithin(path: string, scope: string): boolean {
  return scope.endsWith('/') ? path.startsWith(scope) : path === scope;
}

function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

/**
 * What is wrong with a module's imports, one sentence each.
 * @param path Of the module, from the root of the repository, with `/`.
 * @param exists Whether a module stands at such a path.
 */
export function findViolations(path: string, source: string, exists: (path: string) => boolean): readonly string[] {
  const imports = readImports(source);
  if (unrestricted.some((scope) => isWithin(path, scope))) return [];
  const rule = rules.find(({ scope }) => isWithin(path, scope));
  if (rule === undefined) return [`${path}: belongs to no folder of the table`];

  return imports.flatMap(({ specifier, line }) => {
    const at = `${path}:${line}`;
    if (specifier === undefined) return rule.computed === true ? [] : [`${at}: imports a module computed at run time`];
    if (specifier.startsWith('.')) {
      const target = posix.normalize(posix.join(posix.dirname(path), specifier));
      if (!exists(target)) return [`${at}: imports ${target}, where no file stands`];
      return [rule.scope, ...rule.modules].some((scope) => isWithin(target, scope)) ? [] : [`${at}: imports ${target}`];
    }
    if (isBuiltin(specifier)) {
      const isAllowed = rule.builtins === 'any' || rule.builtins.includes(specifier);
      return isAllowed ? [] : [`${at}: imports ${specifier}`];
    }
    const name = packageOf(specifier);
    const isAllowed = rule.packages.some(
      (allowed) => name === allowed || (allowed.endsWith('/') && name.startsWith(allowed)),
    );
    return isAllowed ? [] : [`${at}: imports ${specifier}`];
  });
}
