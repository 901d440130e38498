import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cut, escapeAscii, escapeName, escapeText, wrapText } from '../../core/route/plain-text.ts';

describe('plain text', () => {
  test('escapes what breaks lines, reorders, hides or links', () => {
    expect(escapeText('a\r\nb\u202ec\u200bd\u2028e\ud800f')).toBe('a??b?c?d?e\ufffdf');
    expect(escapeText('see https://evil.example and WWW.evil.example')).toBe(
      'see https:[//]evil.example and www[.]evil.example',
    );
    expect(escapeName(`${'é'.repeat(50)}`)).toBe(`${'é'.repeat(37)}...`);
    expect(escapeAscii('naïve 😀')).toBe('na?ve ?');
    expect(cut('abcdef', 6)).toBe('abcdef');
  });

  test('wraps without losing a character', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme', maxLength: 200 }), { maxLength: 30 }), (words) => {
        const text = escapeText(words.join(' '));
        const lines = wrapText(text, '- ', '  ');
        for (const line of lines) expect([...line].length).toBeLessThanOrEqual(78);
        const squash = (value: string) => value.replaceAll(' ', '');
        expect(squash(lines.map((line) => line.slice(2)).join(''))).toBe(squash(text));
      }),
    );
  });

  test('fills lines', () => {
    expect(wrapText(`${'word '.repeat(20)}`)).toEqual([
      Array(15).fill('word').join(' '),
      Array(5).fill('word').join(' '),
    ]);
  });
});
