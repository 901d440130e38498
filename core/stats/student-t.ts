import { fUpperTail } from './f-distribution.ts';
import { normalUpperTail } from './normal.ts';

/** P(T ≥ t), Student's t with degrees of freedom > 0 (need not be whole); the normal tail for infinitely many. */
export function studentUpperTail(t: number, degreesOfFreedom: number): number {
  if (!(degreesOfFreedom > 0)) {
    throw new RangeError(`student: expected degrees of freedom above 0, saw ${degreesOfFreedom}`);
  }
  if (Number.isNaN(t)) throw new RangeError('student: expected a number, saw NaN');
  if (degreesOfFreedom >= 1e15) return normalUpperTail(t);
  // The square of t has an F distribution.
  const tail = fUpperTail(t * t, 1, degreesOfFreedom);
  return t >= 0 ? tail / 2 : 1 - tail / 2;
}

/** Below this many degrees of freedom Hill's expansion is not trusted. */
const fewDegreesOfFreedom = 4;

/**
 * The same to about one part in a thousand, an order of magnitude faster: the normal score whose tail is Student's.
 * G. W. Hill, Algorithm 395: Student's t-distribution, Communications of the ACM 13 (1970).
 */
export function studentUpperTailQuick(t: number, degreesOfFreedom: number): number {
  if (!(degreesOfFreedom >= fewDegreesOfFreedom)) return studentUpperTail(t, degreesOfFreedom);
  return normalUpperTail(normalScoreOfStudent(t, degreesOfFreedom));
}

/** The z with P(Z ≥ z) = P(T ≥ t), nearly; degrees of freedom of at least 4. */
export function normalScoreOfStudent(t: number, degreesOfFreedom: number): number {
  if (degreesOfFreedom > 1e9 || Math.abs(t) === Number.POSITIVE_INFINITY) return t;
  const a = degreesOfFreedom - 0.5;
  const b = 48 * a * a;
  const y = a * Math.log1p(Math.min(t * t, Number.MAX_VALUE) / degreesOfFreedom);
  const correction = (((-0.4 * y - 3.3) * y - 24) * y - 85.5) / (0.8 * y * y + 100 + b) + y + 3;
  return Math.sign(t) * (correction / b + 1) * Math.sqrt(y);
}
