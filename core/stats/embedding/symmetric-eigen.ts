/** Eigenvalues of a symmetric matrix, falling, and their eigenvectors. */
export interface SymmetricEigen {
  readonly values: readonly number[];
  /** Row i is the unit eigenvector of value i. */
  readonly vectors: readonly Float64Array[];
}

const maximumSweeps = 60;

/**
 * Eigenvalues and eigenvectors of a small symmetric matrix by Jacobi's cyclic rotations (Golub and Van Loan, "Matrix
 * Computations", 8.5): slow for large matrices, accurate to the last bits, and the same on every machine.
 */
export function symmetricEigen(matrix: readonly Float64Array[]): SymmetricEigen {
  const size = matrix.length;
  const a = matrix.map((row) => Float64Array.from(row));
  const vectors = matrix.map((_, i) => {
    const row = new Float64Array(size);
    row[i] = 1;
    return row;
  });
  for (let sweep = 0; sweep < maximumSweeps && offDiagonal(a) > 0; sweep++) {
    for (let p = 0; p < size - 1; p++) {
      for (let q = p + 1; q < size; q++) rotate(a, vectors, p, q);
    }
  }
  const order = Array.from({ length: size }, (_, i) => i).sort((i, j) => at(a, j, j) - at(a, i, i));
  return {
    values: order.map((i) => at(a, i, i)),
    vectors: order.map((i) => vectors[i] ?? new Float64Array(size)),
  };
}

/** Turns rows and columns p and q so that a[p][q] becomes 0. */
function rotate(a: readonly Float64Array[], vectors: readonly Float64Array[], p: number, q: number): void {
  const [rowP, rowQ, vectorP, vectorQ] = [a[p], a[q], vectors[p], vectors[q]];
  if (!rowP || !rowQ || !vectorP || !vectorQ) return;
  const apq = rowP[q] ?? 0;
  if (apq === 0) return;
  const [app, aqq] = [rowP[p] ?? 0, rowQ[q] ?? 0];
  // Too small to change either diagonal element: it is rounding.
  if (Math.abs(apq) <= 1e-17 * Math.sqrt(Math.abs(app * aqq))) {
    rowP[q] = 0;
    rowQ[p] = 0;
    return;
  }
  const theta = (aqq - app) / (2 * apq);
  const tangent = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const cosine = 1 / Math.sqrt(tangent * tangent + 1);
  const sine = tangent * cosine;
  for (const row of a) {
    const [x, y] = [row[p] ?? 0, row[q] ?? 0];
    row[p] = cosine * x - sine * y;
    row[q] = sine * x + cosine * y;
  }
  mix(rowP, rowQ, cosine, sine);
  mix(vectorP, vectorQ, cosine, sine);
  rowP[q] = 0;
  rowQ[p] = 0;
}

function mix(first: Float64Array, second: Float64Array, cosine: number, sine: number): void {
  for (let i = 0; i < first.length; i++) {
    const [x, y] = [first[i] ?? 0, second[i] ?? 0];
    first[i] = cosine * x - sine * y;
    second[i] = sine * x + cosine * y;
  }
}

function offDiagonal(a: readonly Float64Array[]): number {
  let sum = 0;
  a.forEach((row, i) => {
    for (let j = i + 1; j < row.length; j++) sum += Math.abs(row[j] ?? 0);
  });
  return sum;
}

function at(a: readonly Float64Array[], i: number, j: number): number {
  return a[i]?.[j] ?? 0;
}
