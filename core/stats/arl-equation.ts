/** Average run lengths beyond this are given as Infinity: the linear system cannot tell them apart any more. */
const longestRunLength = 1e12;

/**
 * Solves L = 1 + K·L for the average run lengths L from each state of a chart, K the matrix of the probabilities
 * (densities times quadrature weights) of going from state to state without an alarm, row by row, order² numbers.
 * K is overwritten. Gaussian elimination with partial pivoting; the relative error grows like 1e-16·L.
 */
export function solveRunLengths(transitions: Float64Array, order: number): Float64Array {
  const a = transitions;
  const lengths = new Float64Array(order).fill(1);
  for (let i = 0; i < a.length; i++) a[i] = -(a[i] ?? 0);
  for (let i = 0; i < order; i++) a[i * order + i] = 1 + (a[i * order + i] ?? 0);
  for (let column = 0; column < order; column++) {
    movePivot(a, lengths, order, column);
    const pivot = a[column * order + column] ?? 0;
    for (let row = column + 1; row < order; row++) {
      const factor = (a[row * order + column] ?? 0) / pivot;
      if (factor === 0) continue;
      for (let k = column + 1; k < order; k++) {
        a[row * order + k] = (a[row * order + k] ?? 0) - factor * (a[column * order + k] ?? 0);
      }
      lengths[row] = (lengths[row] ?? 0) - factor * (lengths[column] ?? 0);
    }
  }
  for (let row = order - 1; row >= 0; row--) {
    let value = lengths[row] ?? 0;
    for (let k = row + 1; k < order; k++) value -= (a[row * order + k] ?? 0) * (lengths[k] ?? 0);
    lengths[row] = value / (a[row * order + row] ?? 0);
  }
  return lengths;
}

/** A run length as computed, or Infinity where it is too long to be computed. */
export function boundRunLength(length: number): number {
  return length > 0 && length < longestRunLength ? Math.max(1, length) : Number.POSITIVE_INFINITY;
}

/** Exchanges rows so that the largest element of a column, on or below the diagonal, stands on it. */
function movePivot(a: Float64Array, right: Float64Array, order: number, column: number): void {
  let best = column;
  for (let row = column + 1; row < order; row++) {
    if (Math.abs(a[row * order + column] ?? 0) > Math.abs(a[best * order + column] ?? 0)) best = row;
  }
  if (best === column) return;
  for (let k = column; k < order; k++) {
    const kept = a[column * order + k] ?? 0;
    a[column * order + k] = a[best * order + k] ?? 0;
    a[best * order + k] = kept;
  }
  const kept = right[column] ?? 0;
  right[column] = right[best] ?? 0;
  right[best] = kept;
}
