import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { findViolations, rules } from './layering/layering-rules.ts';
import { readImports } from './layering/read-imports.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const notSource = new Set(['node_modules', 'dist', 'cdk.out', 'coverage']);

/** Every TypeScript module of the repository, by walking its folders. */
function listModules(folder = ''): readonly string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (notSource.has(entry.name) || entry.name.startsWith('.')) return [];
    if (entry.isDirectory()) return listModules(path);
    return /\.[cm]?tsx?$/.test(entry.name) ? [path] : [];
  });
}

const modules = listModules();

describe('the repository', () => {
  test('imports only what the table of folders allows', () => {
    const violations = modules.flatMap((path) =>
      findViolations(path, readFileSync(join(root, path), 'utf8'), (target) => existsSync(join(root, target))),
    );
    expect(violations).toEqual([]);
  });

  test('was read as a whole', () => {
    const found = globSync('**/*.ts', { cwd: root, exclude: (name) => notSource.has(name) })
      .map((path) => path.replaceAll('\\', '/'))
      .filter((path) => !path.split('/').some((segment) => segment.startsWith('.')));
    expect([...modules].sort()).toEqual(found.sort());
    expect(modules.length).toBeGreaterThan(50);
  });

  test('has its imports seen: a plain count of import statements agrees', () => {
    let read = 0;
    let counted = 0;
    for (const path of modules.filter((module) => !module.startsWith('test/layering'))) {
      const source = readFileSync(join(root, path), 'utf8');
      // biome sets the end of every static import and re-export on a line of its own: `… from 'x';`
      counted += source.match(/^(?:import|export|\}).* from '[^'\n]+'(?: with \{.*\})?;$/gm)?.length ?? 0;
      read += readImports(source).length;
    }
    expect(read).toBeGreaterThanOrEqual(counted);
    expect(counted).toBeGreaterThan(100);
  });

  test('has a rule for every folder of the table', () => {
    expect(rules.map(({ scope }) => scope)).toContain('core/pipeline/');
    expect(findViolations('elsewhere/a.ts', '', () => true)).toEqual([
      'elsewhere/a.ts: belongs to no folder of the table',
    ]);
  });
});

describe('a planted violation is found', () => {
  test.each([
    ['a stage that imports a sibling', 'core/decode/a.ts', "import { x } from '../profile/b.ts';", 'core/profile/b.ts'],
    [
      'a stage that imports the contract',
      'core/evaluate/a.ts',
      "import { x } from '../contract/keys.ts';",
      'core/contract/keys.ts',
    ],
    ['a type of a sibling', 'core/slo/a.ts', "import type { X } from '../evaluate/b.ts';", 'core/evaluate/b.ts'],
    ['a type in a type position', 'core/slo/a.ts', "type X = import('../route/b.ts').X;", 'core/route/b.ts'],
    ['the model importing a stage', 'core/model/a.ts', "export * from '../stats/b.ts';", 'core/stats/b.ts'],
    ['a re-export of names', 'core/route/a.ts', "export { x, y } from '../audit/b.ts';", 'core/audit/b.ts'],
    ['a re-export of types', 'core/route/a.ts', "export type { X } from '../audit/b.ts';", 'core/audit/b.ts'],
    ['files in core', 'core/pipeline/a.ts', "import { readFileSync } from 'node:fs';", 'node:fs'],
    ['files in core, without node:', 'core/pipeline/a.ts', "import fs from 'fs';", 'imports fs'],
    ['a side effect', 'core/pipeline/a.ts', "import 'node:http';", 'node:http'],
    ['built-in modules in stats', 'core/stats/a.ts', "import { x } from 'node:crypto';", 'node:crypto'],
    ['zod outside the contract', 'core/decode/a.ts', "import { z } from 'zod';", 'zod'],
    [
      'special functions outside stats',
      'core/evaluate/a.ts',
      "import erfc from '@stdlib/math-base-special-erfc';",
      '@stdlib/',
    ],
    ['AWS in core', 'core/pipeline/a.ts', "import { S3Client } from '@aws-sdk/client-s3';", '@aws-sdk/client-s3'],
    [
      'AWS in a local adapter',
      'adapters/local/a.ts',
      "import { S3Client } from '@aws-sdk/client-s3';",
      '@aws-sdk/client-s3',
    ],
    [
      'core importing an adapter',
      'core/pipeline/a.ts',
      "import { x } from '../../adapters/local/b.ts';",
      'adapters/local/b.ts',
    ],
    [
      'an adapter importing a stage',
      'adapters/local/a.ts',
      "import { x } from '../../core/audit/b.ts';",
      'core/audit/b.ts',
    ],
    [
      'an adapter importing the order',
      'adapters/aws/a.ts',
      "import { x } from '../../core/pipeline/ingest.ts';",
      'core/pipeline/ingest.ts',
    ],
    [
      'an adapter importing the other',
      'adapters/aws/a.ts',
      "import { x } from '../local/b.ts';",
      'adapters/local/b.ts',
    ],
    ['a dynamic import', 'core/profile/a.ts', "const x = await import('../decode/b.ts');", 'core/decode/b.ts'],
    [
      'a dynamic import in a template',
      'core/profile/a.ts',
      `const x = \`\${await import("../decode/b.ts")}\`;`,
      'core/decode/b.ts',
    ],
    ['a computed import', 'core/profile/a.ts', 'const x = await import(name);', 'computed at run time'],
    [
      'a computed import that begins with text',
      'core/profile/a.ts',
      "await import('../decode/' + name);",
      'computed at run time',
    ],
    ['require', 'core/profile/a.ts', "const x = require('node:fs');", 'node:fs'],
    ['stacks importing a stage', 'lib/a.ts', "import { x } from '../core/evaluate/b.ts';", 'core/evaluate/b.ts'],
    ['a test imported by the source', 'cli/a.ts', "import { x } from '../test/b.ts';", 'test/b.ts'],
    [
      'an import over several lines',
      'core/alarm/a.ts',
      "import {\n  a,\n  type B,\n} from '../slo/b.ts';",
      'core/slo/b.ts',
    ],
    [
      'an import after one that is right',
      'core/alarm/a.ts',
      "import '../model/a.ts';import { a } from '../slo/b.ts'",
      'core/slo/b.ts',
    ],
  ])('%s', (_, path, source, expected) => {
    const violations = findViolations(path, source, () => true);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(expected);
    expect(violations[0]).toContain(path);
  });

  test('a file that is not there', () => {
    expect(findViolations('core/slo/a.ts', "import { x } from '../model/b';", () => false)).toHaveLength(1);
  });
});

describe('what is allowed is left alone', () => {
  test.each([
    [
      'core/slo/a.ts',
      "import type { X } from '../model/b.ts';\nimport { y } from '../stats/c.ts';\nimport { z } from './d.ts';",
    ],
    ['core/stats/a.ts', "import erfc from '@stdlib/math-base-special-erfc';"],
    ['core/contract/a.ts', "import { z } from 'zod';"],
    ['adapters/local/a.ts', "import { x } from '../../core/pipeline/ports.ts';\nimport fs from 'node:fs';"],
    ['adapters/aws/a.ts', "import { S3Client } from '@aws-sdk/client-s3';"],
    ['cli/a.ts', 'const config = await import(url);'],
    ['test/a.ts', "import { x } from '../core/slo/b.ts';"],
  ])('%s', (path, source) => {
    expect(findViolations(path, source, () => true)).toEqual([]);
  });
});

describe('reading imports', () => {
  const specifiers = (source: string) => readImports(source).map(({ specifier }) => specifier);

  test.each([
    ["// import 'a';\n/* import 'b'; */ /** @see {import('c')} */"],
    ['const text = "import \'a\'";'],
    [`const text = \`import 'a' from \${'b'} import('c')\`;`],
    ['const pattern = /import "a"/; const other = [/["\'`]/, /[/"]/];'],
    ['import.meta.resolve(name); loader.import("a"); loader.require("a");'],
    ['export const from = 1; export { from }; "a"; export type X = { from: "a" };'],
    ['const half = width / 2; const text = "a" + b / 3;'],
  ])('finds none in %s', (source) => {
    expect(specifiers(source)).toEqual([]);
  });

  test('reads on after strings, templates and expressions', () => {
    const source = `const a = /[\`'"]/.test(b) ? \`x\${{ y: \`\${1 / 2}\` }.y}\` : c / d;\nimport e, { from as f } from 'g';\nimport 'h'`;
    expect(readImports(source)).toEqual([
      { specifier: 'g', line: 2 },
      { specifier: 'h', line: 3 },
    ]);
  });

  test('refuses source that it can not read to the end', () => {
    expect(() => readImports("const a = 'b\nimport 'c';")).toThrow('line 1: expected the end of a string');
    expect(() => readImports('/* import')).toThrow('comment');
  });
});
