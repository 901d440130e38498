/** A variance, and how well it is known: as if it were that of as many normal values less one. */
export interface EstimatedVariance {
  /** May be negative where noise was subtracted from it. */
  readonly variance: number;
  readonly degreesOfFreedom: number;
}

/** What many variances have in common: scaled inverse χ² with these degrees of freedom; Infinity: they are all alike. */
export interface VariancePrior {
  readonly variance: number;
  readonly degreesOfFreedom: number;
}

/**
 * What the variances of many like things have in common. A scaled inverse χ² with d₀ degrees of freedom and scale s₀²
 * has mean s₀²·d₀/(d₀ − 2) and squared coefficient of variation 2/(d₀ − 4). Its mean is taken from the estimates' mean,
 * its variance from their variance less what their own uncertainty explains, Σ 2·v²/d.
 *
 * Moments, not logarithms (Smyth 2004): an estimate from which noise was subtracted may be negative. The price is that
 * d₀ is at least 4, however different the variances are. Fewer than three have nothing in common: d₀ = 0.
 * @param uncertainties the variance of each estimate
 */
export function fitVariancePrior(variances: readonly number[], uncertainties: readonly number[]): VariancePrior {
  const count = variances.length;
  const mean = variances.reduce((sum, variance) => sum + variance, 0) / Math.max(count, 1);
  if (count < 3 || !(mean > 0)) return { variance: 0, degreesOfFreedom: 0 };
  const spread = variances.reduce((sum, variance) => sum + (variance - mean) ** 2, 0) / (count - 1);
  const explained = uncertainties.reduce((sum, variance) => sum + variance, 0) / count;
  const own = (spread - explained) / (mean * mean);
  if (!(own > 1e-9)) return { variance: mean, degreesOfFreedom: Number.POSITIVE_INFINITY };
  const degreesOfFreedom = 4 + 2 / own;
  return { variance: (mean * (degreesOfFreedom - 2)) / degreesOfFreedom, degreesOfFreedom };
}

/**
 * A variance drawn towards what its like have in common, each weighted by its degrees of freedom, which add up.
 * With an infinitely sure prior it is the prior.
 */
export function moderateVariance(own: EstimatedVariance, prior: VariancePrior): EstimatedVariance {
  if (prior.degreesOfFreedom === 0) return own;
  if (prior.degreesOfFreedom === Number.POSITIVE_INFINITY) return prior;
  const degreesOfFreedom = own.degreesOfFreedom + prior.degreesOfFreedom;
  return {
    variance: (own.degreesOfFreedom * own.variance + prior.degreesOfFreedom * prior.variance) / degreesOfFreedom,
    degreesOfFreedom,
  };
}
