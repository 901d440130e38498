import fc from 'fast-check';
import { expect, it } from 'vitest';
import { nestsDeeperThan, parseJson } from '../../core/decode/json-text.ts';
import type { Json } from '../../core/model/canonical-json.ts';

function depthOf(value: Json): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map((member) => depthOf(member ?? null)));
}

it('measures the depth that JSON.parse would see', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 6, noUnicodeString: false }), (text) => {
      const depth = depthOf(JSON.parse(text));
      expect(nestsDeeperThan(text, depth)).toBe(false);
      if (depth > 0) expect(nestsDeeperThan(text, depth - 1)).toBe(true);
    }),
  );
});

it('does not count brackets in text, escaped quotes included', () => {
  expect(nestsDeeperThan('["[[[\\"[[[\\\\",[]]', 2)).toBe(false);
  expect(nestsDeeperThan('["\\\\",[[]]]', 2)).toBe(true);
  expect(nestsDeeperThan('"[[[', 1)).toBe(false);
});

it('answers quickly on endless backslashes', () => {
  const text = `"${'\\'.repeat(1_000_000)}`;
  expect(nestsDeeperThan(text, 1)).toBe(false);
  expect(parseJson(`${text}NaN`, 1, 'not-json')).toMatchObject({ reason: 'not-json' });
});
