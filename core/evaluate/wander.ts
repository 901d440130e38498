/** How far something varies between stretches of one scale, beyond what sampling explains. */
export interface Wander {
  readonly variance: number;
  /** Variance of that estimate. */
  readonly uncertainty: number;
}

export const noWander: Wander = { variance: 0, uncertainty: 0 };

/** A feature's wander at one scale: of its shares and its missing share over all records, of its unseen share over those with a value. */
export interface FeatureWander {
  readonly shares: Wander;
  readonly missing: Wander;
  readonly unseen: Wander;
}

/** The wander of something that varies by a factor more, or less. */
export function scaleWander(wander: FeatureWander, factor: number): FeatureWander {
  const scale = ({ variance, uncertainty }: Wander): Wander => ({
    variance: variance * factor,
    uncertainty: uncertainty * factor * factor,
  });
  return { shares: scale(wander.shares), missing: scale(wander.missing), unseen: scale(wander.unseen) };
}
