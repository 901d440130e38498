/** ψ(x), the derivative of ln Γ(x), for x > 0. */
export function digamma(x: number): number {
  // The recurrence ψ(x) = ψ(x + 1) − 1/x moves x to where the series is exact in double precision.
  let shifted = 0;
  let y = x;
  while (y < 16) {
    shifted -= 1 / y;
    y++;
  }
  const square = 1 / (y * y);
  const series = square * (1 / 12 - square * (1 / 120 - square * (1 / 252 - square * (1 / 240 - square / 132))));
  return shifted + Math.log(y) - 0.5 / y - series;
}
