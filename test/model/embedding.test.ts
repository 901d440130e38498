import { expect, test } from 'vitest';
import { decodeFloats, encodeFloats } from '../../core/model/embedding.ts';

test('floats survive being written, and look the same on every machine', () => {
  const values = [0, 1, -1.5, 3.4028234663852886e38, 1.401298464324817e-45];
  expect(encodeFloats([1])).toBe('AACAPw==');
  expect([...decodeFloats(encodeFloats(values), values.length)]).toEqual(values);
  expect(decodeFloats('', 0)).toHaveLength(0);
});

test('text that no layout holds is refused', () => {
  expect(() => decodeFloats('AACAPw==', 2)).toThrow('expected 2 floats');
  expect(() => decodeFloats('AACAPw', 1)).toThrow(SyntaxError);
  expect(() => decodeFloats('AACAP!==', 1)).toThrow(SyntaxError);
  expect(() => decodeFloats(encodeFloats([1, Number.NaN]), 2)).toThrow('saw NaN at 1');
});
