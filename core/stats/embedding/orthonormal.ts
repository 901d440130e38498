/**
 * Makes rows of a flat row-major matrix orthonormal in place, from the first on (modified Gram–Schmidt, twice, so that
 * nearly dependent rows come out orthogonal to the last bits). Rows that depend on those before them become zero.
 */
export function orthonormaliseRows(rows: Float64Array, dimensions: number): void {
  const count = dimensions === 0 ? 0 : Math.floor(rows.length / dimensions);
  for (let i = 0; i < count; i++) {
    const row = rows.subarray(i * dimensions, (i + 1) * dimensions);
    const before = Math.sqrt(dot(row, row));
    for (let pass = 0; pass < 2; pass++) {
      for (let j = 0; j < i; j++) {
        const other = rows.subarray(j * dimensions, (j + 1) * dimensions);
        const share = dot(row, other);
        for (let k = 0; k < dimensions; k++) row[k] = (row[k] ?? 0) - share * (other[k] ?? 0);
      }
    }
    const length = Math.sqrt(dot(row, row));
    const factor = length > 1e-12 * before ? 1 / length : 0;
    for (let k = 0; k < dimensions; k++) row[k] = (row[k] ?? 0) * factor;
  }
}

export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += (a[k] ?? 0) * (b[k] ?? 0);
  return sum;
}
