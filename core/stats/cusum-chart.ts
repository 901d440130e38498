/** Next value of one side of a CUSUM chart, max(0, value + score − k), held at `ceiling` so that it comes back in finite time. */
export function updateCusum(value: number, score: number, reference: number, ceiling: number): number {
  return Math.min(ceiling, Math.max(0, value + score - reference));
}
