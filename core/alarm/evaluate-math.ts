import { type MathExpression, type MathFunction, type MathOperator, MetricMathError } from './metric-math.ts';

/** A value per period, oldest first; undefined where there is none. */
export type TimeSeries = readonly (number | undefined)[];

/** A scalar is undefined where it is that of a series without data. */
type MathValue =
  | { readonly kind: 'scalar'; readonly value: number | undefined }
  | { readonly kind: 'series'; readonly values: TimeSeries }
  | { readonly kind: 'list'; readonly items: readonly TimeSeries[] };

/** What an expression is evaluated on. */
export interface MathInput {
  /** The series behind an id: of a metric, or the result of another line. Undefined: there is no such id. */
  seriesOf(id: string): TimeSeries | undefined;
  /** All metrics, without expressions. */
  readonly metrics: readonly TimeSeries[];
  /** Number of periods of every series. */
  readonly periods: number;
  readonly periodSeconds: number;
}

/**
 * Evaluates metric math as "Using math expressions with CloudWatch metrics" documents it: where two series meet, a value
 * that only one of them has counts as 0 in the other; what is divided by zero is dropped; IF drops what has no condition.
 * MAX and MIN of several series are of those that have a value.
 * @throws {MetricMathError} for an unknown id, an operand of the wrong kind, or a result that is no single time series.
 */
export function evaluateMetricMath(expression: MathExpression, input: MathInput): TimeSeries {
  const result = evaluate(expression, input);
  if (result.kind === 'series') return result.values;
  const seen = result.kind === 'scalar' ? 'a single number' : `a list of ${result.items.length} series`;
  throw new MetricMathError(0, 'an expression whose result is one time series', seen);
}

function evaluate(expression: MathExpression, input: MathInput): MathValue {
  switch (expression.kind) {
    case 'number':
      return { kind: 'scalar', value: expression.value };
    case 'id': {
      const values = input.seriesOf(expression.id);
      if (!values) throw new MetricMathError(expression.position, 'the id of another line', `"${expression.id}"`);
      return { kind: 'series', values };
    }
    case 'list':
      return { kind: 'list', items: expression.items.flatMap((item) => seriesIn(evaluate(item, input), 0)) };
    case 'negate':
      return mapValue(evaluate(expression.operand, input), (value) => -value);
    case 'operator': {
      const { operator, position } = expression;
      const step = (a: number, b: number) => operate(operator, a, b);
      return combine(evaluate(expression.left, input), evaluate(expression.right, input), step, position);
    }
    case 'word':
      throw new MetricMathError(0, `${expression.word} as the second operand of FILL`, 'it elsewhere');
    case 'call':
      return call(expression.name, expression.operands, expression.position, input);
  }
}

function call(name: MathFunction, operands: readonly MathExpression[], position: number, input: MathInput): MathValue {
  const [first, second, third] = operands;
  if (!first) return { kind: 'list', items: input.metrics };
  switch (name) {
    case 'ABS':
      return mapValue(evaluate(first, input), Math.abs);
    case 'CEIL':
      return mapValue(evaluate(first, input), Math.ceil);
    case 'DIFF':
      return difference(evaluate(first, input), position);
    case 'FLOOR':
      return mapValue(evaluate(first, input), Math.floor);
    case 'AVG':
      return aggregate(evaluate(first, input), (values, of) => sum(values) / of, position);
    case 'SUM':
      return aggregate(evaluate(first, input), sum, position);
    case 'MAX':
      return aggregate(evaluate(first, input), maximum, position);
    case 'MIN':
      return aggregate(evaluate(first, input), minimum, position);
    case 'PERIOD':
      if (first.kind !== 'id') throw new MetricMathError(position, 'PERIOD of a metric', 'of something else');
      return { kind: 'scalar', value: input.periodSeconds };
    case 'TIME_SERIES': {
      const value = evaluate(first, input);
      if (value.kind !== 'scalar') throw new MetricMathError(position, 'TIME_SERIES of a single number', 'a series');
      return { kind: 'series', values: repeat(value.value, input.periods) };
    }
    case 'FILL':
      return fill(evaluate(first, input), second ?? first, position, input);
    case 'IF':
      return choose(
        evaluate(first, input),
        evaluate(second ?? first, input),
        third && evaluate(third, input),
        position,
        input,
      );
    case 'METRICS':
      throw new MetricMathError(position, 'METRICS without an operand', 'one');
  }
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const maximum = (values: readonly number[]) => values.reduce((a, b) => Math.max(a, b));
const minimum = (values: readonly number[]) => values.reduce((a, b) => Math.min(a, b));

function operate(operator: MathOperator, a: number, b: number): number | undefined {
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return b === 0 ? undefined : a / b;
    case '^':
      return a ** b;
    case '==':
      return Number(a === b);
    case '!=':
      return Number(a !== b);
    case '<=':
      return Number(a <= b);
    case '>=':
      return Number(a >= b);
    case '<':
      return Number(a < b);
    case '>':
      return Number(a > b);
    case 'AND':
      return Number(a !== 0 && b !== 0);
    case 'OR':
      return Number(a !== 0 || b !== 0);
  }
}

type Step = (a: number, b: number) => number | undefined;

function combine(left: MathValue, right: MathValue, step: Step, position: number): MathValue {
  if (left.kind === 'scalar' && right.kind === 'scalar') {
    const known = left.value !== undefined && right.value !== undefined;
    return { kind: 'scalar', value: known ? finite(step(left.value, right.value)) : undefined };
  }
  if (left.kind === 'list' || right.kind === 'list') {
    const count = left.kind === 'list' ? left.items.length : right.kind === 'list' ? right.items.length : 0;
    const [a, b] = [spread(left, count), spread(right, count)];
    if (a.length !== b.length)
      throw new MetricMathError(position, 'two lists of as many series', `${a.length} and ${b.length}`);
    return { kind: 'list', items: a.map((one, index) => seriesIn(combine(one, b[index] ?? one, step, 0), 0)[0] ?? []) };
  }
  if (left.kind === 'scalar' || right.kind === 'scalar') {
    const series = left.kind === 'series' ? left.values : right.kind === 'series' ? right.values : [];
    const values = series.map((value) => {
      const a = left.kind === 'scalar' ? left.value : value;
      const b = right.kind === 'scalar' ? right.value : value;
      return a === undefined || b === undefined ? undefined : finite(step(a, b));
    });
    return { kind: 'series', values };
  }
  const values = left.values.map((a, index) => {
    const b = right.values[index];
    return a === undefined && b === undefined ? undefined : finite(step(a ?? 0, b ?? 0));
  });
  return { kind: 'series', values };
}

function spread(value: MathValue, count: number): readonly MathValue[] {
  if (value.kind === 'list') return value.items.map((values) => ({ kind: 'series', values }));
  return Array.from({ length: count }, () => value);
}

function mapValue(value: MathValue, step: (value: number) => number): MathValue {
  const map = (one: number | undefined) => (one === undefined ? undefined : step(one));
  if (value.kind === 'scalar') return { kind: 'scalar', value: map(value.value) };
  if (value.kind === 'series') return { kind: 'series', values: value.values.map(map) };
  return { kind: 'list', items: value.items.map((series) => series.map(map)) };
}

/**
 * One series becomes a number, several become one series.
 * @param of values, and of how many: a series that has none in a period still counts for AVG
 */
function aggregate(
  value: MathValue,
  of: (values: readonly number[], count: number) => number,
  position: number,
): MathValue {
  if (value.kind === 'scalar') throw new MetricMathError(position, 'a series or several', 'a number');
  if (value.kind === 'series') {
    const values = value.values.filter((one) => one !== undefined);
    return { kind: 'scalar', value: values.length === 0 ? undefined : of(values, values.length) };
  }
  const periods = Math.max(0, ...value.items.map((series) => series.length));
  const values = Array.from({ length: periods }, (_, index) => {
    const known = value.items.flatMap((series) => series[index] ?? []);
    return known.length === 0 ? undefined : of(known, value.items.length);
  });
  return { kind: 'series', values };
}

/** From the value before, over a gap as well; the first has none. */
function difference(value: MathValue, position: number): MathValue {
  if (value.kind === 'scalar') throw new MetricMathError(position, 'DIFF of a series', 'of a number');
  const differ = (values: TimeSeries) => {
    const before = [undefined, ...repeatLast(values)];
    return values.map((one, index) => {
      const last = before[index];
      return one === undefined || last === undefined ? undefined : one - last;
    });
  };
  if (value.kind === 'list') return { kind: 'list', items: value.items.map(differ) };
  return { kind: 'series', values: differ(value.values) };
}

function fill(value: MathValue, filler: MathExpression, position: number, input: MathInput): MathValue {
  if (value.kind === 'list') {
    const items = value.items.map((values) => seriesIn(fill({ kind: 'series', values }, filler, position, input), 0));
    return { kind: 'list', items: items.flat() };
  }
  if (value.kind === 'scalar') throw new MetricMathError(position, 'FILL of a series', 'of a number');
  if (filler.kind === 'word') {
    return { kind: 'series', values: filler.word === 'REPEAT' ? repeatLast(value.values) : drawLines(value.values) };
  }
  const other = evaluate(filler, input);
  if (other.kind === 'list') throw new MetricMathError(position, 'FILL with a number or one series', 'several');
  const at = (index: number) => (other.kind === 'scalar' ? other.value : other.values[index]);
  return { kind: 'series', values: value.values.map((one, index) => one ?? at(index)) };
}

function repeatLast(values: TimeSeries): TimeSeries {
  let last: number | undefined;
  return values.map((value) => {
    last = value ?? last;
    return last;
  });
}

/** Between two values; what lies before the first and after the last stays missing. */
function drawLines(values: TimeSeries): TimeSeries {
  return values.map((value, index) => {
    if (value !== undefined) return value;
    const before = values.findLastIndex((one, at) => at < index && one !== undefined);
    const after = values.findIndex((one, at) => at > index && one !== undefined);
    const [from, to] = [values[before], values[after]];
    if (from === undefined || to === undefined) return undefined;
    return from + ((to - from) * (index - before)) / (after - before);
  });
}

/** What holds is taken from `yes`, where a gap is 0; what does not from `no`, where a gap is one. */
function choose(
  condition: MathValue,
  yes: MathValue,
  no: MathValue | undefined,
  position: number,
  input: MathInput,
): MathValue {
  if (condition.kind === 'list' || yes.kind === 'list' || no?.kind === 'list')
    throw new MetricMathError(position, 'IF of numbers and single series', 'a list of series');
  const at = (value: MathValue | undefined, index: number) =>
    value?.kind === 'scalar' ? value.value : value?.kind === 'series' ? value.values[index] : undefined;
  if (condition.kind === 'scalar') {
    const chosen = condition.value === undefined ? undefined : condition.value !== 0 ? yes : no;
    return { kind: 'series', values: Array.from({ length: input.periods }, (_, index) => at(chosen, index)) };
  }
  const values = condition.values.map((value, index) => {
    if (value === undefined) return undefined;
    return value !== 0 ? (at(yes, index) ?? 0) : at(no, index);
  });
  return { kind: 'series', values };
}

function seriesIn(value: MathValue, position: number): readonly TimeSeries[] {
  if (value.kind === 'series') return [value.values];
  if (value.kind === 'list') return value.items;
  throw new MetricMathError(position, 'a series', 'a number');
}

function repeat(value: number | undefined, periods: number): TimeSeries {
  return Array.from({ length: periods }, () => value);
}

function finite(value: number | undefined): number | undefined {
  return value !== undefined && Number.isFinite(value) ? value : undefined;
}
