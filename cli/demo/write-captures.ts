import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { DelayRiskModel } from './delay-risk-model.ts';
import type { Flight } from './flights.ts';
import { incidents, isDuring } from './incidents.ts';

export const demoBucket = 'captures';
export const demoEndpoint = 'delay-risk';
export const payloadPrefix = 'datacapture/';
export const requestPrefix = 'requests/';
/** Names of the CSV columns of a request, in order. */
export const payloadColumns = ['distance', 'departure_hour', 'origin', 'destination', 'origin_delay'];
const kilometresPerMile = 1.609344;
/** One capture object holds this much time; it is delivered a minute after its end. */
const objectMilliseconds = 30 * 60_000;
const deliveryMilliseconds = 60_000;

interface Served {
  readonly flight: Flight;
  readonly id: string;
  readonly latencyMilliseconds: number;
  readonly status: number;
}

/**
 * Writes what an endpoint behind an HTTP API would have left in S3: SageMaker data capture objects with the payloads,
 * HTTP capture objects with status and latency. Modification times are the times of delivery.
 * @returns the number of objects written.
 */
export function writeCaptures(
  folder: string,
  flights: readonly Flight[],
  model: DelayRiskModel,
  onProgress: (share: number) => void,
): number {
  const random = createRandom(20010310);
  const served = flights.map((flight, index) => serve(flight, index, random));
  const slots = Map.groupBy(served, ({ flight }) => Math.floor(flight.time / objectMilliseconds));
  let done = 0;
  for (const [slot, group] of slots) {
    const first = new Date(Math.min(...group.map(({ flight }) => flight.time)));
    const stamp = first.toISOString();
    const hour = stamp.slice(0, 13).replaceAll('-', '/').replace('T', '/');
    const name = `${stamp.slice(14, 16)}-${stamp.slice(17, 19)}-000-${uuid(slot)}.jsonl`;
    const delivered = ((slot + 1) * objectMilliseconds + deliveryMilliseconds) / 1000;
    const objects = [
      [`${payloadPrefix}${demoEndpoint}/AllTraffic/${hour}/${name}`, group.map((item) => sagemakerLine(item, model))],
      [`${requestPrefix}${hour}/${name}`, group.map(httpLine)],
    ] as const;
    for (const [key, lines] of objects) {
      const file = join(folder, demoBucket, key);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, `${lines.join('\n')}\n`);
      utimesSync(file, delivered, delivered);
    }
    onProgress(++done / slots.size);
  }
  return 2 * slots.size;
}

function serve(flight: Flight, index: number, random: () => number): Served {
  const slow = isDuring(incidents.slow, flight.time) && random() < 0.8;
  const usual = 38 * Math.exp(0.3 * normal(random));
  return {
    flight,
    id: uuid(index),
    latencyMilliseconds: Math.round(10 * (slow ? 250 + 650 * random() : usual)) / 10,
    status: random() < 0.0005 ? 503 : 200,
  };
}

function sagemakerLine({ flight, id }: Served, model: DelayRiskModel): string {
  const time = new Date(flight.time);
  const kilometres = isDuring(incidents.kilometres, flight.time);
  const shown = kilometres ? { ...flight, distanceMiles: flight.distanceMiles * kilometresPerMile } : flight;
  const cells = [
    kilometres ? shown.distanceMiles.toFixed(1) : shown.distanceMiles,
    time.getUTCHours(),
    isDuring(incidents.nulls, flight.time) ? '' : flight.origin,
    flight.destination,
    flight.originDelayMinutes ?? '',
  ];
  return JSON.stringify({
    captureData: {
      endpointInput: { observedContentType: 'text/csv', mode: 'INPUT', data: cells.join(','), encoding: 'CSV' },
      endpointOutput: {
        observedContentType: 'text/csv; charset=utf-8',
        mode: 'OUTPUT',
        data: String(model.predict(shown)),
        encoding: 'CSV',
      },
    },
    eventMetadata: { eventId: id, inferenceTime: time.toISOString().replace('.000Z', 'Z') },
    eventVersion: '0',
  });
}

function httpLine({ flight, id, latencyMilliseconds, status }: Served): string {
  return JSON.stringify({
    schema: 'tidewatch.http/1',
    time: new Date(flight.time).toISOString(),
    id,
    route: 'POST /delay-risk',
    status,
    latencyMilliseconds,
  });
}

/** A well-formed version-4 UUID made from a number, so that two runs write the same bytes. */
function uuid(seed: number): string {
  const random = createRandom(seed);
  const hex = Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16)).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
}

/** Seeded uniform numbers in [0, 1) (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
