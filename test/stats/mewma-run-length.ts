import { solveRunLengths } from '../../core/stats/arl-equation.ts';
import { gaussLegendreRule } from '../../core/stats/gauss-legendre.ts';
import { logPoissonDensity } from '../../core/stats/log-density.ts';

/**
 * In-control average run length of a multivariate EWMA of p normal series, from 0, with the limit on T² (Rigdon 1995): the
 * squared length r² of the chart's vector moves by a noncentral χ² law, so that L(r) = 1 + ∫ L(r′)·f(r′ | r) dr′. No chart of
 * the product is one; it shows that the equations solved for the others hold for it too.
 */
export function mewmaRunLength(lambda: number, dimensions: number, limit: number): number {
  const longest = Math.sqrt((limit * lambda) / (2 - lambda));
  const { points, weights } = gaussLegendreRule(60, 0, longest);
  // The first state is the start.
  const states = [0, ...points];
  const transitions = Float64Array.from(
    states.flatMap((from) =>
      states.map((to, index) => {
        if (index === 0) return 0;
        const value = (to / lambda) ** 2;
        const noncentrality = (((1 - lambda) / lambda) * from) ** 2;
        const slope = (2 * to) / lambda ** 2;
        return (weights[index - 1] ?? 0) * slope * noncentralDensity(value, dimensions, noncentrality);
      }),
    ),
  );
  return solveRunLengths(transitions, states.length)[0] ?? Number.NaN;
}

/** Σ of Poisson weights times central densities. */
function noncentralDensity(x: number, degreesOfFreedom: number, noncentrality: number): number {
  const middle = Math.floor(noncentrality / 2);
  const spread = 12 * Math.sqrt(noncentrality / 2 + 1) + 20;
  let density = 0;
  for (let j = Math.max(0, Math.floor(middle - spread)); j <= middle + spread; j++) {
    const weight = noncentrality === 0 ? (j === 0 ? 1 : 0) : Math.exp(logPoissonDensity(j, noncentrality / 2));
    // A χ² density is half a Poisson one: f(x; d) = ½·Poisson(d/2 − 1; x/2).
    density += (weight / 2) * Math.exp(logPoissonDensity(degreesOfFreedom / 2 + j - 1, x / 2));
  }
  return density;
}
