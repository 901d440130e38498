import type { RandomSource } from './random-source.ts';

/** Below this mean, walking up the probabilities is faster than rejection, and rejection is not proven. */
const inversionLimit = 10;

/** Exact binomial sample: inversion for small means, Hörmann's BTRS (1993) else. `probability` in [0, 1]. */
export function sampleBinomial(random: RandomSource, trials: number, probability: number): number {
  if (trials <= 0 || probability <= 0) return 0;
  if (probability >= 1) return trials;
  if (probability > 0.5) return trials - sampleBinomial(random, trials, 1 - probability);
  return trials * probability < inversionLimit
    ? invertBinomial(random, trials, probability)
    : rejectBinomial(random, trials, probability);
}

function invertBinomial(random: RandomSource, trials: number, probability: number): number {
  const odds = probability / (1 - probability);
  let density = Math.exp(trials * Math.log1p(-probability));
  let left = random.uniform();
  let count = 0;
  while (left > density && count < trials) {
    left -= density;
    count++;
    density *= (odds * (trials - count + 1)) / count;
    // Rounding can leave a crumb of probability beyond the last term that is above zero.
    if (density === 0) break;
  }
  return count;
}

function rejectBinomial(random: RandomSource, trials: number, probability: number): number {
  const deviation = Math.sqrt(trials * probability * (1 - probability));
  const b = 1.15 + 2.53 * deviation;
  const a = -0.0873 + 0.0248 * b + 0.01 * probability;
  const c = trials * probability + 0.5;
  const acceptedAtOnce = 0.92 - 4.2 / b;
  for (;;) {
    const u = random.uniform() - 0.5;
    const v = random.uniform();
    const distance = 0.5 - Math.abs(u);
    const count = Math.floor(((2 * a) / distance + b) * u + c);
    if (distance >= 0.07 && v <= acceptedAtOnce) return count;
    if (count < 0 || count > trials) continue;
    const alpha = (2.83 + 5.1 / b) * deviation;
    const odds = probability / (1 - probability);
    const mode = Math.floor((trials + 1) * probability);
    const bound =
      (mode + 0.5) * Math.log((mode + 1) / (odds * (trials - mode + 1))) +
      (trials + 1) * Math.log((trials - mode + 1) / (trials - count + 1)) +
      (count + 0.5) * Math.log((odds * (trials - count + 1)) / (count + 1)) +
      stirlingTail(mode) +
      stirlingTail(trials - mode) -
      stirlingTail(count) -
      stirlingTail(trials - count);
    if (Math.log((v * alpha) / (a / (distance * distance) + b)) <= bound) return count;
  }
}

/** ln k! − ½ln 2π − (k + ½)·ln(k + 1) + k + 1 (Hörmann 1993). */
function stirlingTail(k: number): number {
  const small = stirlingTails[k];
  if (small !== undefined) return small;
  const next = k + 1;
  const square = next * next;
  return (1 / 12 - (1 / 360 - 1 / 1260 / square) / square) / next;
}

const stirlingTails = [
  0.0810614667953272, 0.0413406959554092, 0.0276779256849983, 0.020790672103765, 0.0166446911898211, 0.0138761288230707,
  0.0118967099458917, 0.010411265261972, 0.0092554621827127, 0.0083305634333628,
];

/**
 * Adds a multinomial sample of `trials` records to counts[offset …], by conditional binomials.
 * @param shares of the bins; they must add up to `total`.
 */
export function addMultinomial(
  random: RandomSource,
  trials: number,
  shares: ArrayLike<number>,
  counts: Float64Array,
  offset: number,
  total = 1,
): void {
  let left = trials;
  let mass = total;
  const last = shares.length - 1;
  for (let bin = 0; bin < last && left > 0; bin++) {
    const share = shares[bin] ?? 0;
    const count = mass > share ? sampleBinomial(random, left, share / mass) : left;
    counts[offset + bin] = (counts[offset + bin] ?? 0) + count;
    left -= count;
    mass -= share;
  }
  counts[offset + last] = (counts[offset + last] ?? 0) + left;
}

/** Exact Poisson sample; large means by the time of a late event (Ahrens and Dieter 1974). */
export function samplePoisson(random: RandomSource, mean: number): number {
  let count = 0;
  let rest = mean;
  while (rest > 64) {
    const events = Math.floor((7 * rest) / 8);
    const time = sampleGamma(random, events);
    if (time > rest) return count + sampleBinomial(random, events - 1, rest / time);
    count += events;
    rest -= time;
  }
  let left = random.uniform();
  let density = Math.exp(-rest);
  for (let extra = 0; ; extra++) {
    if (left <= density || density === 0) return count + extra;
    left -= density;
    density *= rest / (extra + 1);
  }
}

/** Gamma sample of a shape above 0 and scale 1 (Marsaglia and Tsang 2000). */
export function sampleGamma(random: RandomSource, shape: number): number {
  if (shape < 1) return sampleGamma(random, shape + 1) * random.uniform() ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = random.normal();
    const cube = (1 + c * x) ** 3;
    if (cube <= 0) continue;
    if (Math.log(random.uniform()) < 0.5 * x * x + d - d * cube + d * Math.log(cube)) return d * cube;
  }
}
