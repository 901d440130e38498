import type { AlarmStateValue } from '../model/alarm.ts';

/** The expression of a composite alarm. */
export type AlarmRule =
  | { readonly kind: 'constant'; readonly value: boolean }
  /** True while the alarm is in that state. `alarm` is a name, also where the rule gave an ARN. */
  | { readonly kind: 'state'; readonly state: AlarmStateValue; readonly alarm: string }
  | { readonly kind: 'not'; readonly operand: AlarmRule }
  | { readonly kind: 'and' | 'or'; readonly operands: readonly AlarmRule[] }
  /** AT_LEAST: true where that many of the operands are. */
  | { readonly kind: 'atLeast'; readonly count: number; readonly operands: readonly AlarmRule[] };

/** CloudWatch's limits on a rule: characters, and alarms it may name. */
export const maximumRuleLength = 10_240;
export const maximumRuleChildren = 100;
/** Alarms, TRUE, FALSE and pairs of parentheses in a rule. */
export const maximumRuleElements = 500;
/** Nesting of parentheses and NOT that is read; keeps hostile rules off the stack. */
export const maximumRuleDepth = 64;

/** A rule that can't be read. */
export class AlarmRuleError extends Error {
  override readonly name = 'AlarmRuleError';
  /** 0-based offset in the rule. */
  readonly position: number;

  constructor(position: number, expected: string, seen: string) {
    super(`alarm rule, position ${position}: expected ${expected}, saw ${seen}`);
    this.position = position;
  }
}

type Token =
  | { readonly kind: '(' | ')' | 'end'; readonly position: number }
  | { readonly kind: 'word'; readonly text: string; readonly position: number };

const stateFunctions = new Map<string, AlarmStateValue>([
  ['ALARM', 'ALARM'],
  ['OK', 'OK'],
  ['INSUFFICIENT_DATA', 'INSUFFICIENT_DATA'],
]);

/**
 * Reads a composite alarm's rule: `ALARM(…)`, `OK(…)`, `INSUFFICIENT_DATA(…)` over quoted or bare names or ARNs,
 * `TRUE`, `FALSE`, `NOT` before `AND` before `OR`, parentheses, and `AT_LEAST(2, ALARM, (a, b, c))` with a number or a share
 * such as `60%` and a state or `NOT` of one. In quoted names `\"` and `\\` are escapes.
 * @throws {AlarmRuleError} with the position, where the text is no rule or exceeds a limit.
 */
export function parseAlarmRule(text: string): AlarmRule {
  if (text.length > maximumRuleLength)
    throw new AlarmRuleError(maximumRuleLength, `at most ${maximumRuleLength} characters`, `${text.length}`);
  const reader = new RuleReader(text);
  const rule = reader.readOr(0);
  reader.expectEnd();
  const names = new Set(ruleAlarms(rule));
  if (names.size > maximumRuleChildren)
    throw new AlarmRuleError(0, `at most ${maximumRuleChildren} alarms`, `${names.size}`);
  return rule;
}

/** Whether the rule holds. `stateOf` is asked for each alarm needed. */
export function evaluateAlarmRule(rule: AlarmRule, stateOf: (alarm: string) => AlarmStateValue): boolean {
  switch (rule.kind) {
    case 'constant':
      return rule.value;
    case 'state':
      return stateOf(rule.alarm) === rule.state;
    case 'not':
      return !evaluateAlarmRule(rule.operand, stateOf);
    case 'and':
      return rule.operands.every((operand) => evaluateAlarmRule(operand, stateOf));
    case 'or':
      return rule.operands.some((operand) => evaluateAlarmRule(operand, stateOf));
    case 'atLeast':
      return rule.operands.filter((operand) => evaluateAlarmRule(operand, stateOf)).length >= rule.count;
  }
}

/** Names of the alarms a rule refers to, in order of appearance, each once. */
export function ruleAlarms(rule: AlarmRule): string[] {
  const names = new Set<string>();
  const visit = (node: AlarmRule): void => {
    if (node.kind === 'state') names.add(node.alarm);
    else if (node.kind === 'not') visit(node.operand);
    else if (node.kind !== 'constant') node.operands.forEach(visit);
  };
  visit(rule);
  return [...names];
}

/** The name in an alarm's ARN; any other text as it is. */
export function alarmNameOf(reference: string): string {
  return /^arn:[^:]*:cloudwatch:[^:]*:[^:]*:alarm:(.+)$/s.exec(reference)?.[1] ?? reference;
}

class RuleReader {
  readonly #text: string;
  #position = 0;
  #elements = 0;

  constructor(text: string) {
    this.#text = text;
  }

  readOr(depth: number): AlarmRule {
    return this.#readChain('OR', 'or', () => this.#readChain('AND', 'and', () => this.#readOperand(depth)));
  }

  expectEnd(): void {
    const token = this.#next();
    if (token.kind !== 'end') throw new AlarmRuleError(token.position, 'AND, OR or the end', this.#describe(token));
  }

  #readChain(word: string, kind: 'and' | 'or', readOne: () => AlarmRule): AlarmRule {
    const first = readOne();
    const operands = [first];
    while (this.#accept(word)) operands.push(readOne());
    return operands.length === 1 ? first : { kind, operands };
  }

  #readOperand(depth: number): AlarmRule {
    const token = this.#next();
    if (depth > maximumRuleDepth)
      throw new AlarmRuleError(token.position, `nesting of at most ${maximumRuleDepth}`, 'a deeper one');
    if (token.kind === '(') {
      this.#countElement(token.position);
      const inner = this.readOr(depth + 1);
      this.#expectClosing();
      return inner;
    }
    if (token.kind === 'word') {
      if (token.text === 'NOT') return { kind: 'not', operand: this.#readOperand(depth + 1) };
      // The documentation writes both FALSE and False.
      const constant = token.text.toUpperCase();
      if (constant === 'TRUE' || constant === 'FALSE') {
        this.#countElement(token.position);
        return { kind: 'constant', value: constant === 'TRUE' };
      }
      if (token.text === 'AT_LEAST') return this.#readAtLeast();
      const state = stateFunctions.get(token.text);
      if (state !== undefined) {
        this.#countElement(token.position);
        return { kind: 'state', state, alarm: this.#readReference() };
      }
    }
    throw new AlarmRuleError(
      token.position,
      'ALARM(, OK(, INSUFFICIENT_DATA(, AT_LEAST(, TRUE, FALSE, NOT or (',
      this.#describe(token),
    );
  }

  /** `(2, ALARM, ("a", "b"))`: a number or share of alarms that are, or are `NOT`, in a state. */
  #readAtLeast(): AlarmRule {
    this.#expectOpening();
    const { text: threshold, position } = this.#readUntilComma();
    const { text: words, position: statePosition } = this.#readUntilComma();
    const [, negated, name = ''] = /^(NOT\s+)?(\w+)$/.exec(words) ?? [];
    const state = stateFunctions.get(name);
    if (state === undefined)
      throw new AlarmRuleError(
        statePosition,
        'ALARM, OK, INSUFFICIENT_DATA, or NOT and one of them',
        JSON.stringify(words.slice(0, 40)),
      );
    this.#expectOpening();
    const operands: AlarmRule[] = [];
    do {
      const alarm = this.#readName(/[(),"]/);
      this.#countElement(this.#position);
      const holds: AlarmRule = { kind: 'state', state, alarm };
      operands.push(negated === undefined ? holds : { kind: 'not', operand: holds });
    } while (this.#acceptComma());
    this.#expectClosing();
    this.#expectClosing();
    return { kind: 'atLeast', count: this.#readThreshold(threshold, position, operands.length), operands };
  }

  #readThreshold(text: string, position: number, operands: number): number {
    const [, digits, percent] = /^(\d{1,3})(%)?$/.exec(text) ?? [];
    const value = Number(digits);
    const isCount = percent === undefined && value >= 1 && value <= operands;
    if (isCount) return value;
    if (percent !== undefined && value >= 1 && value <= 100) return Math.ceil((value * operands) / 100);
    throw new AlarmRuleError(
      position,
      `a number from 1 to ${operands}, or a share from 1% to 100%`,
      JSON.stringify(text.slice(0, 40)),
    );
  }

  #readUntilComma(): { readonly text: string; readonly position: number } {
    this.#skipSpace();
    const position = this.#position;
    while (this.#position < this.#text.length && /[^,()]/.test(this.#text.charAt(this.#position))) this.#position++;
    const text = this.#text.slice(position, this.#position).trim();
    if (!this.#acceptComma()) {
      const token = this.#next();
      throw new AlarmRuleError(token.position, ',', this.#describe(token));
    }
    return { text, position };
  }

  #acceptComma(): boolean {
    this.#skipSpace();
    if (this.#text[this.#position] !== ',') return false;
    this.#position++;
    return true;
  }

  /** `("name")` or `(name)`. */
  #readReference(): string {
    this.#expectOpening();
    const alarm = this.#readName(/[()"]/);
    this.#expectClosing();
    return alarm;
  }

  /** @param ends characters that end a bare name */
  #readName(ends: RegExp): string {
    this.#skipSpace();
    const start = this.#position;
    const name = this.#text[start] === '"' ? this.#readQuoted() : this.#readBare(ends);
    if (name === '') throw new AlarmRuleError(start, 'an alarm name or ARN', 'none');
    return alarmNameOf(name);
  }

  #countElement(position: number): void {
    if (++this.#elements > maximumRuleElements)
      throw new AlarmRuleError(position, `at most ${maximumRuleElements} elements`, 'more');
  }

  #readQuoted(): string {
    const start = this.#position;
    let name = '';
    for (let at = start + 1; at < this.#text.length; at++) {
      const character = this.#text.charAt(at);
      if (character === '"') {
        this.#position = at + 1;
        return name;
      }
      if (character === '\\' && /["\\]/.test(this.#text.charAt(at + 1))) at++;
      name += this.#text.charAt(at);
    }
    throw new AlarmRuleError(start, 'a closing quote', 'the end');
  }

  #readBare(ends: RegExp): string {
    const start = this.#position;
    while (this.#position < this.#text.length && !ends.test(this.#text.charAt(this.#position))) this.#position++;
    return this.#text.slice(start, this.#position).trimEnd();
  }

  #expectOpening(): void {
    const token = this.#next();
    if (token.kind !== '(') throw new AlarmRuleError(token.position, '(', this.#describe(token));
  }

  #expectClosing(): void {
    const token = this.#next();
    if (token.kind !== ')') throw new AlarmRuleError(token.position, ')', this.#describe(token));
  }

  #accept(word: string): boolean {
    const before = this.#position;
    const token = this.#next();
    if (token.kind === 'word' && token.text === word) return true;
    this.#position = before;
    return false;
  }

  #next(): Token {
    this.#skipSpace();
    const position = this.#position;
    const character = this.#text[position];
    if (character === undefined) return { kind: 'end', position };
    if (character === '(' || character === ')') {
      this.#position++;
      return { kind: character, position };
    }
    while (this.#position < this.#text.length && /[^\s()]/.test(this.#text.charAt(this.#position))) this.#position++;
    return { kind: 'word', text: this.#text.slice(position, this.#position), position };
  }

  #skipSpace(): void {
    while (/\s/.test(this.#text.charAt(this.#position))) this.#position++;
  }

  #describe(token: Token): string {
    if (token.kind === 'end') return 'the end';
    return JSON.stringify(token.kind === 'word' ? token.text.slice(0, 40) : token.kind);
  }
}
