/** An expression of metric math. */
export type MathExpression =
  | { readonly kind: 'number'; readonly value: number }
  /** A line of the alarm. */
  | { readonly kind: 'id'; readonly id: string; readonly position: number }
  | { readonly kind: 'list'; readonly items: readonly MathExpression[] }
  | { readonly kind: 'negate'; readonly operand: MathExpression }
  | {
      readonly kind: 'operator';
      readonly operator: MathOperator;
      readonly left: MathExpression;
      readonly right: MathExpression;
      readonly position: number;
    }
  | {
      readonly kind: 'call';
      readonly name: MathFunction;
      readonly operands: readonly MathExpression[];
      readonly position: number;
    }
  /** Of FILL. */
  | { readonly kind: 'word'; readonly word: 'REPEAT' | 'LINEAR' };

export type MathOperator = '+' | '-' | '*' | '/' | '^' | '==' | '!=' | '<=' | '>=' | '<' | '>' | 'AND' | 'OR';

/** The functions that are evaluated, by how many operands they take. */
const functions = {
  ABS: [1, 1],
  AVG: [1, 1],
  CEIL: [1, 1],
  DIFF: [1, 1],
  FILL: [2, 2],
  FLOOR: [1, 1],
  IF: [2, 3],
  MAX: [1, 1],
  METRICS: [0, 0],
  MIN: [1, 1],
  PERIOD: [1, 1],
  SUM: [1, 1],
  TIME_SERIES: [1, 1],
} as const satisfies Readonly<Record<string, readonly [fewest: number, most: number]>>;

export type MathFunction = keyof typeof functions;

/** CloudWatch's limit on an expression, in characters. */
export const maximumExpressionLength = 2048;
const maximumDepth = 64;

/** Metric math that can't be read, or that is not evaluated here. */
export class MetricMathError extends Error {
  override readonly name = 'MetricMathError';
  /** 0-based offset in the expression. */
  readonly position: number;

  constructor(position: number, expected: string, seen: string) {
    super(`metric math, position ${position}: expected ${expected}, saw ${seen}`);
    this.position = position;
  }
}

interface Token {
  readonly kind: 'number' | 'name' | 'symbol' | 'end';
  readonly text: string;
  readonly position: number;
}

/** From the loosest to the tightest; ^ and the sign come after. */
const levels: readonly (readonly MathOperator[])[] = [
  ['OR'],
  ['AND'],
  ['==', '!=', '<=', '>=', '<', '>'],
  ['+', '-'],
  ['*', '/'],
];
const synonyms = new Map<string, MathOperator>([
  ['&&', 'AND'],
  ['||', 'OR'],
]);

/**
 * Reads an expression: numbers, ids, `[a, b]`, + - * / ^, comparisons, AND, OR, and the functions ABS, AVG, CEIL, DIFF,
 * FILL, FLOOR, IF, MAX, METRICS, MIN, PERIOD, SUM and TIME_SERIES.
 * @throws {MetricMathError} with the position; also for the functions of CloudWatch that are not evaluated here.
 */
export function parseMetricMath(text: string): MathExpression {
  if (text.length > maximumExpressionLength)
    throw new MetricMathError(
      maximumExpressionLength,
      `at most ${maximumExpressionLength} characters`,
      `${text.length}`,
    );
  return new MathReader(text).read();
}

class MathReader {
  readonly #text: string;
  #token: Token;

  constructor(text: string) {
    this.#text = text;
    this.#token = this.#scan(0);
  }

  read(): MathExpression {
    const expression = this.#readLevel(0, 0);
    if (this.#token.kind !== 'end') this.#refuse('an operator or the end');
    return expression;
  }

  #readLevel(level: number, depth: number): MathExpression {
    const operators = levels[level];
    if (!operators) return this.#readSigned(depth);
    let left = this.#readLevel(level + 1, depth);
    for (;;) {
      const { text, position } = this.#token;
      const operator = operators.find((one) => one === (synonyms.get(text) ?? text));
      if (!operator) return left;
      this.#advance();
      left = { kind: 'operator', operator, left, right: this.#readLevel(level + 1, depth), position };
    }
  }

  #readSigned(depth: number): MathExpression {
    if (depth > maximumDepth) this.#refuse(`nesting of at most ${maximumDepth}`);
    if (!this.#accept('-')) return this.#readPower(depth);
    return { kind: 'negate', operand: this.#readSigned(depth + 1) };
  }

  #readPower(depth: number): MathExpression {
    const left = this.#readOperand(depth);
    const { position } = this.#token;
    if (!this.#accept('^')) return left;
    return { kind: 'operator', operator: '^', left, right: this.#readSigned(depth + 1), position };
  }

  #readOperand(depth: number): MathExpression {
    const { kind, text, position } = this.#token;
    if (kind === 'number') {
      this.#advance();
      return { kind: 'number', value: Number(text) };
    }
    if (this.#accept('(')) {
      const inner = this.#readLevel(0, depth + 1);
      this.#expect(')');
      return inner;
    }
    if (this.#accept('[')) return { kind: 'list', items: this.#readList(']', depth + 1) };
    if (kind !== 'name') this.#refuse('a number, an id, a function, ( or [');
    this.#advance();
    if (/^[a-z]/.test(text)) return { kind: 'id', id: text, position };
    if (text === 'REPEAT' || text === 'LINEAR') return { kind: 'word', word: text };
    return this.#readCall(text, position, depth);
  }

  #readCall(text: string, position: number, depth: number): MathExpression {
    const name = functionNames.find((one) => one === text);
    if (!name)
      throw new MetricMathError(position, `one of the functions ${functionNames.join(', ')}`, JSON.stringify(text));
    this.#expect('(');
    const operands = this.#readList(')', depth + 1);
    const [fewest, most] = functions[name];
    if (operands.length < fewest || operands.length > most) {
      const expected = fewest === most ? `${fewest}` : `${fewest} or ${most}`;
      throw new MetricMathError(position, `${expected} operands of ${name}`, `${operands.length}`);
    }
    return { kind: 'call', name, operands, position };
  }

  #readList(closing: string, depth: number): readonly MathExpression[] {
    const items: MathExpression[] = [];
    if (this.#accept(closing)) return items;
    do items.push(this.#readLevel(0, depth));
    while (this.#accept(','));
    this.#expect(closing);
    return items;
  }

  #accept(symbol: string): boolean {
    if (this.#token.kind !== 'symbol' || this.#token.text !== symbol) return false;
    this.#advance();
    return true;
  }

  #expect(symbol: string): void {
    if (!this.#accept(symbol)) this.#refuse(symbol);
  }

  #advance(): void {
    this.#token = this.#scan(this.#token.position + this.#token.text.length);
  }

  #scan(from: number): Token {
    const position = from + (/^\s*/.exec(this.#text.slice(from))?.[0].length ?? 0);
    const rest = this.#text.slice(position);
    if (rest === '') return { kind: 'end', text: '', position };
    const number = /^(\d+(\.\d*)?|\.\d+)/.exec(rest)?.[0];
    if (number !== undefined) return { kind: 'number', text: number, position };
    const name = /^[A-Za-z][A-Za-z0-9_]*/.exec(rest)?.[0];
    if (name !== undefined) return { kind: 'name', text: name, position };
    const symbol = /^(==|!=|<=|>=|&&|\|\||[-+*/^<>()[\],])/.exec(rest)?.[0];
    if (symbol !== undefined) return { kind: 'symbol', text: symbol, position };
    throw new MetricMathError(position, 'a number, an id, a function or an operator', JSON.stringify(rest.charAt(0)));
  }

  #refuse(expected: string): never {
    const { kind, text, position } = this.#token;
    throw new MetricMathError(position, expected, kind === 'end' ? 'the end' : JSON.stringify(text.slice(0, 40)));
  }
}

const functionNames = Object.keys(functions).filter((name): name is MathFunction => name in functions);
