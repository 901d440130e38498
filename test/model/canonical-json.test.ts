import { describe, expect, test } from 'vitest';
import { canonicalJson } from '../../core/model/canonical-json.ts';

describe('canonicalJson', () => {
  test('sorts keys and leaves out undefined', () => {
    expect(canonicalJson({ b: 1, a: [true, null, 'x'], c: undefined })).toBe('{"a":[true,null,"x"],"b":1}');
  });
  test('is the same whatever the order of insertion', () => {
    expect(canonicalJson({ x: { b: 1, a: 2 }, w: 0 })).toBe(canonicalJson({ w: 0, x: { a: 2, b: 1 } }));
  });
  test.each([Number.NaN, Number.POSITIVE_INFINITY, '\ud800'])('refuses %s', (value) => {
    expect(() => canonicalJson({ value })).toThrow(TypeError);
  });
});
