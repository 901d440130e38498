import type { ChartPolicy } from '../../../core/model/policy.ts';

/** From the arguments of a measurement: a method, the default `ewma`, and its lambda or reference. */
export function readPolicy(method: string | undefined, parameter: string | undefined): ChartPolicy {
  return method === 'cusum'
    ? { method, reference: Number(parameter ?? 0.5) }
    : { method: 'ewma', lambda: Number(parameter ?? 0.1) };
}
