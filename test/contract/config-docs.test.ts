import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { configSchema } from '../../core/contract/config-schema.ts';

const text = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');

/** The names of every option of a schema, however deep. `kind` is written by the helper functions. */
function optionNames(schema: unknown): readonly string[] {
  if (schema instanceof z.ZodObject) {
    return Object.entries(schema.shape).flatMap(([name, member]) => [name, ...optionNames(member)]);
  }
  if (schema instanceof z.ZodArray) return optionNames(schema.element);
  if (schema instanceof z.ZodUnion) return schema.options.flatMap(optionNames);
  if (schema instanceof z.ZodMap) return optionNames(schema.valueType);
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional) {
    return optionNames(schema.unwrap());
  }
  if (schema instanceof z.ZodPipe) return [...optionNames(schema.in), ...optionNames(schema.out)];
  return [];
}

test('every option is documented', () => {
  const names = new Set(optionNames(configSchema));
  for (const internal of ['option', 'reason', 'address']) names.delete(internal);
  expect(names.size).toBeGreaterThan(45);
  const documented = new Set([...text.matchAll(/`([^`\n]+)`/g)].flatMap(([, code = '']) => code.match(/\w+/g) ?? []));
  expect([...names].filter((name) => !documented.has(name))).toEqual([]);
});

test('the level of the text is the level derived', () => {
  expect(text).toContain('0.075 / 1176 ≈ 0.00006');
  expect((0.075 / 1176).toFixed(5)).toBe('0.00006');
});
