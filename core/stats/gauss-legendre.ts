/** Points and weights of a quadrature rule, in ascending order of the points. */
export interface QuadratureRule {
  readonly points: readonly number[];
  readonly weights: readonly number[];
}

/**
 * The Gauss–Legendre rule of `count` points on [lower, upper]: exact for polynomials up to degree 2·count − 1.
 * Newton's method on the Legendre polynomial, from Tricomi's starting values; good to about 1e-15 up to some hundreds of points.
 */
export function gaussLegendreRule(count: number, lower: number, upper: number): QuadratureRule {
  if (!(Number.isSafeInteger(count) && count >= 1)) {
    throw new RangeError(`gauss-legendre: expected a whole number of points of at least 1, saw ${count}`);
  }
  const points = new Array<number>(count).fill(0);
  const weights = new Array<number>(count).fill(0);
  const middle = 0.5 * (lower + upper);
  const half = 0.5 * (upper - lower);
  for (let i = 0; i < (count + 1) / 2; i++) {
    let x = Math.cos((Math.PI * (i + 0.75)) / (count + 0.5));
    let slope = 1;
    for (let step = 0; step < 100; step++) {
      const [value, derivative] = legendre(count, x);
      slope = derivative;
      const next = x - value / derivative;
      if (Math.abs(next - x) <= 1e-16) break;
      x = next;
    }
    if (2 * i + 1 === count) {
      x = 0;
      slope = legendre(count, 0)[1];
    }
    const weight = (2 * half) / ((1 - x * x) * slope * slope);
    points[i] = middle - half * x;
    points[count - 1 - i] = middle + half * x;
    weights[i] = weight;
    weights[count - 1 - i] = weight;
  }
  return { points, weights };
}

/** The Legendre polynomial of a degree of at least 1 at x in (−1, 1), and its derivative. */
function legendre(degree: number, x: number): [value: number, derivative: number] {
  let [previous, current] = [1, x];
  for (let k = 2; k <= degree; k++) {
    [previous, current] = [current, ((2 * k - 1) * x * current - (k - 1) * previous) / k];
  }
  return [current, (degree * (x * current - previous)) / (x * x - 1)];
}
