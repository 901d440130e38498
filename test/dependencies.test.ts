import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import packageJson from '../package.json' with { type: 'json' };

test('every dependency is justified, and no other', () => {
  const text = readFileSync(new URL('../docs/dependencies.md', import.meta.url), 'utf8');
  const justified = [...text.matchAll(/^\| `([^`]+)` \| .{20,} \|$/gm)].map((match) => match[1]);
  const declared = [...Object.keys(packageJson.dependencies), ...Object.keys(packageJson.devDependencies)];
  expect([...justified].sort()).toEqual(declared.sort());
});

test('versions are pinned', () => {
  for (const version of Object.values({ ...packageJson.dependencies, ...packageJson.devDependencies })) {
    expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  }
});
