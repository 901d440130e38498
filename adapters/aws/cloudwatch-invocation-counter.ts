import { type CloudWatchClient, GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import type { ModelPolicy } from '../../core/model/policy.ts';
import type { Clock, InvocationCounter } from '../../core/pipeline/ports.ts';

const minute = 60_000;
const day = 86_400_000;
/** Periods CloudWatch can be asked for, and the age up to which it keeps them. */
const periods = [
  { milliseconds: 60 * minute, keptMilliseconds: 455 * day },
  { milliseconds: 5 * minute, keptMilliseconds: 63 * day },
  { milliseconds: minute, keptMilliseconds: 15 * day },
] as const;
/** A stretch this long needs no minutes at its edges. */
const coarseMilliseconds = day;

export interface InvocationCounterOptions {
  /** Told of what kept CloudWatch from answering: the count is then unknown, and judging goes on without it. */
  readonly onFailure: (model: string, error: unknown) => void;
}

/**
 * Counts calls by SageMaker's own metric, summed over an endpoint's variants. Unknown for models without an endpoint,
 * and where CloudWatch holds no datum: SageMaker publishes none while nobody calls, so no datum proves nothing.
 */
export class CloudWatchInvocationCounter implements InvocationCounter {
  readonly #client: CloudWatchClient;
  readonly #endpoints: ReadonlyMap<string, readonly string[]>;
  readonly #clock: Clock;
  readonly #onFailure: InvocationCounterOptions['onFailure'];

  constructor(
    client: CloudWatchClient,
    policies: readonly ModelPolicy[],
    clock: Clock,
    { onFailure }: InvocationCounterOptions,
  ) {
    this.#client = client;
    this.#endpoints = new Map(policies.map((policy) => [policy.name, endpointsOf(policy)]));
    this.#clock = clock;
    this.#onFailure = onFailure;
  }

  /** Only whole periods within [from, to) are counted, so at its edges the count is rather too low. */
  async count(model: string, from: number, to: number): Promise<number | undefined> {
    const endpoints = this.#endpoints.get(model) ?? [];
    const range = endpoints.length > 0 ? planRange(from, to, this.#clock.now()) : undefined;
    if (!range) return undefined;
    try {
      return await this.#sum(endpoints, range);
    } catch (error) {
      this.#onFailure(model, error);
      return undefined;
    }
  }

  async #sum(endpoints: readonly string[], { from, to, period }: CountedRange): Promise<number | undefined> {
    let total: number | undefined;
    let token: string | undefined;
    do {
      const page = await this.#client.send(
        new GetMetricDataCommand({
          StartTime: new Date(from),
          EndTime: new Date(to),
          NextToken: token,
          MetricDataQueries: endpoints.map((endpoint, index) => ({
            Id: `e${index}`,
            // A search finds the variants, which only the endpoint knows.
            Expression: `SEARCH('{AWS/SageMaker,EndpointName,VariantName} MetricName="Invocations" EndpointName="${endpoint}"', 'Sum', ${period / 1000})`,
          })),
        }),
      );
      for (const { Values } of page.MetricDataResults ?? []) {
        for (const value of Values ?? []) total = (total ?? 0) + value;
      }
      token = page.NextToken;
    } while (token !== undefined);
    return total;
  }
}

interface CountedRange {
  readonly from: number;
  readonly to: number;
  readonly period: number;
}

/**
 * The largest period that fits the edges, or all that the age of `from` or the length of the stretch leaves; undefined
 * where no whole period lies within.
 */
export function planRange(from: number, to: number, now: number): CountedRange | undefined {
  for (const [index, { milliseconds: period, keptMilliseconds }] of periods.entries()) {
    const finer = periods[index + 1];
    const range = {
      from: Math.ceil(Math.max(from, now - keptMilliseconds) / period) * period,
      to: Math.floor(to / period) * period,
      period,
    };
    const fits = range.from === from && range.to === to;
    const isNeeded = !finer || from < now - finer.keptMilliseconds || to - from > coarseMilliseconds;
    if ((fits || isNeeded) && range.from < range.to) return range;
  }
  return undefined;
}

/** Endpoint names are checked at synth; another one is never put into a search. */
function endpointsOf({ sources }: ModelPolicy): readonly string[] {
  const names = sources.flatMap(({ kind, role, endpoint }) =>
    kind === 'sagemaker-capture' && role === 'inferences' && endpoint !== undefined ? [endpoint] : [],
  );
  return [...new Set(names)].filter((name) => /^[A-Za-z0-9][A-Za-z0-9-]{0,62}$/.test(name));
}
