/** PSI of two distributions whose shares are known exactly. */
export function populationStabilityIndexOfShares(p: readonly number[], q: readonly number[]): number {
  return p.reduce((sum, share, bin) => {
    const other = q[bin] ?? 0;
    return sum + (share - other) * Math.log(share / other);
  }, 0);
}
