import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AlarmRuleError, evaluateAlarmRule, parseAlarmRule, ruleAlarms } from '../../core/alarm/alarm-rule.ts';
import type { AlarmStateValue } from '../../core/model/alarm.ts';

const stateOf = (name: string): AlarmStateValue =>
  name.startsWith('a') ? 'ALARM' : name.startsWith('o') ? 'OK' : 'INSUFFICIENT_DATA';
const holds = (rule: string) => evaluateAlarmRule(parseAlarmRule(rule), stateOf);

describe('alarm rules', () => {
  test.each([
    ['ALARM("a1")', true],
    ['ALARM(a1)', true],
    ['ALARM( a1 )', true],
    ['OK("a1")', false],
    ['OK(o)', true],
    ['INSUFFICIENT_DATA("x")', true],
    ['TRUE', true],
    ['False', false],
    ['NOT ALARM(a)', false],
    ['NOT NOT ALARM(a)', true],
    ['NOT(ALARM(o))', true],
    ['TRUE OR TRUE AND FALSE', true],
    ['(TRUE OR TRUE) AND FALSE', false],
    ['NOT FALSE AND FALSE', false],
    ['NOT (FALSE AND FALSE)', true],
    ['FALSE OR FALSE OR ALARM(a)', true],
    ['(ALARM("a1") OR ALARM("o2")) AND\n NOT ALARM("o3")', true],
    ['ALARM("arn:aws:cloudwatch:eu-west-1:123456789012:alarm:a/with (odd) name")', true],
    ['ALARM(arn:aws-cn:cloudwatch:cn-north-1:123456789012:alarm:o)', false],
  ])('%s', (rule, expected) => {
    expect(holds(rule)).toBe(expected);
  });

  test('names its alarms once each, ARNs by their names', () => {
    const rule = 'ALARM("x \\"y\\" \\\\z") AND (OK(b) OR NOT OK("arn:aws:cloudwatch:r:1:alarm:b")) AND ALARM(c)';
    expect(ruleAlarms(parseAlarmRule(rule))).toEqual(['x "y" \\z', 'b', 'c']);
  });

  test.each([
    ['', 0, 'saw the end'],
    ['ALARM', 5, 'expected ('],
    ['ALARM("a"', 9, 'expected )'],
    ['ALARM("a', 6, 'closing quote'],
    ['ALARM()', 6, 'alarm name'],
    ['ALARM("a") ALARM("b")', 11, 'AND, OR or the end'],
    ['ALARM("a") AND', 14, 'saw the end'],
    ['(TRUE', 5, 'expected )'],
    ['TRUE)', 4, 'AND, OR or the end'],
    ['BROKEN("a")', 0, 'saw "BROKEN"'],
    ['alarm("a")', 0, 'saw "alarm"'],
    ['TRUE and TRUE', 5, 'saw "and"'],
    ['TRUE OR constructor', 8, 'saw "constructor"'],
    ['AT_LEAST(2, ALARM, ("a"))', 9, 'a number from 1 to 1'],
    ['AT_LEAST(0%, ALARM, (a))', 9, 'a share from 1% to 100%'],
    ['AT_LEAST(1, BROKEN, (a))', 12, 'saw "BROKEN"'],
    ['AT_LEAST(1, ALARM)', 17, 'expected ,'],
    ['AT_LEAST(1, ALARM, ())', 20, 'alarm name'],
    ['AT_LEAST(1, ALARM, ("a", "b")', 29, 'expected )'],
  ])('%j is refused at %i', (rule, position, words) => {
    const error = (() => {
      try {
        parseAlarmRule(rule);
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(error).toBeInstanceOf(AlarmRuleError);
    expect(error).toMatchObject({ position, message: expect.stringContaining(words) });
  });

  test('limits length, depth and children', () => {
    expect(() => parseAlarmRule(`TRUE${' '.repeat(10_240)}`)).toThrow(/at most 10240 characters/);
    expect(() => parseAlarmRule(`${'('.repeat(5000)}TRUE${')'.repeat(5000)}`)).toThrow(/nesting/);
    expect(() => parseAlarmRule(`${'NOT '.repeat(2500)}TRUE`)).toThrow(/nesting/);
    const children = (count: number) => Array.from({ length: count }, (_, index) => `OK(x${index})`).join(' OR ');
    expect(ruleAlarms(parseAlarmRule(children(100)))).toHaveLength(100);
    expect(() => parseAlarmRule(children(101))).toThrow(/at most 100 alarms/);
    expect(() => parseAlarmRule(Array.from({ length: 501 }, () => 'TRUE').join(' OR '))).toThrow(
      /at most 500 elements/,
    );
    expect(ruleAlarms(parseAlarmRule('AT_LEAST(1, NOT OK, (a, "b c", a))'))).toEqual(['a', 'b c']);
  });

  test('agrees with a Boolean expression of the same shape', () => {
    const { expression } = fc.letrec<{ expression: [rule: string, value: boolean] }>((tie) => ({
      expression: fc.oneof(
        { maxDepth: 4 },
        fc.boolean().map((value): [string, boolean] => [value ? 'ALARM("a")' : 'ALARM("o")', value]),
        tie('expression').map(([rule, value]): [string, boolean] => [`NOT (${rule})`, !value]),
        fc
          .tuple(tie('expression'), tie('expression'))
          .map(([[a, x], [b, y]]): [string, boolean] => [`(${a}) AND (${b})`, x && y]),
        fc
          .tuple(tie('expression'), tie('expression'))
          .map(([[a, x], [b, y]]): [string, boolean] => [`(${a}) OR (${b})`, x || y]),
      ),
    }));
    fc.assert(
      fc.property(expression, ([rule, value]) => {
        expect(holds(rule)).toBe(value);
      }),
    );
  });

  test('hostile text gives a rule or an AlarmRuleError', () => {
    const pieces = fc.constantFrom(
      'ALARM',
      'OK',
      '(',
      ')',
      '"',
      'NOT',
      ' AND ',
      ' OR ',
      'TRUE',
      '\\',
      'x',
      '\u202e',
      '\n',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => {
        try {
          parseAlarmRule(parts.join(''));
        } catch (error) {
          expect(error).toBeInstanceOf(AlarmRuleError);
        }
      }),
    );
  });
});
