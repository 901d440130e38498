import type { Flight } from './flights.ts';

/** A flight counts as late from this many minutes on, as the Bureau of Transportation Statistics counts it. */
export const lateMinutes = 15;

/** A logistic regression: the risk that a flight leaves late. */
export interface DelayRiskModel {
  readonly weights: readonly number[];
  /** Probability in (0, 1). */
  predict(flight: Flight): number;
}

/** Fits by gradient descent with a little shrinkage; deterministic, a fraction of a second for a few thousand flights. */
export function fitDelayRisk(flights: readonly Flight[]): DelayRiskModel {
  const inputs = flights.map(encode);
  const labels: number[] = flights.map((flight) => (flight.delayMinutes >= lateMinutes ? 1 : 0));
  const size = inputs[0]?.length ?? 0;
  const weights = new Array<number>(size).fill(0);
  const rate = 0.5;
  const shrinkage = 1e-3;
  for (let step = 0; step < 400; step++) {
    const gradient = new Array<number>(size).fill(0);
    inputs.forEach((input, i) => {
      const error = sigmoid(dot(weights, input)) - (labels[i] ?? 0);
      for (let j = 0; j < size; j++) gradient[j] = (gradient[j] ?? 0) + error * (input[j] ?? 0);
    });
    for (let j = 0; j < size; j++) {
      const weight = weights[j] ?? 0;
      weights[j] = weight - rate * ((gradient[j] ?? 0) / inputs.length + shrinkage * weight);
    }
  }
  return { weights, predict: (flight) => sigmoid(dot(weights, encode(flight))) };
}

/** Inputs of about unit size: intercept, hour as a circle, distance, delay at the airport, whether it is known. */
function encode(flight: Flight): readonly number[] {
  const hour = (2 * Math.PI * new Date(flight.time).getUTCHours()) / 24;
  const delay = Math.max(-30, Math.min(flight.originDelayMinutes ?? 0, 180));
  return [
    1,
    Math.sin(hour),
    Math.cos(hour),
    Math.log(flight.distanceMiles / 500),
    delay / 30,
    flight.originDelayMinutes === null ? 1 : 0,
  ];
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
}

function sigmoid(z: number): number {
  return 1 / (1 + Math.exp(-z));
}
