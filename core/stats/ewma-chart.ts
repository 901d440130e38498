/** Next value of an EWMA chart: (1 − λ)·value + λ·score. */
export function updateEwma(value: number, score: number, lambda: number): number {
  return (1 - lambda) * value + lambda * score;
}
