import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** One real departure of early 2001, in order of departure. */
export interface Flight {
  /** Milliseconds since the epoch; the data's local times are read as UTC. */
  readonly time: number;
  /** Minutes late; negative is early. */
  readonly delayMinutes: number;
  readonly distanceMiles: number;
  readonly origin: string;
  readonly destination: string;
  /** Delay of the latest earlier departure from the same airport within a day; null where there is none. */
  readonly originDelayMinutes: number | null;
}

interface RawFlight {
  readonly date: string;
  readonly delay: number;
  readonly distance: number;
  readonly origin: string;
  readonly destination: string;
}

const millisecondsPerDay = 86_400_000;

/**
 * The 20,000 flights of the npm package `vega-datasets` (on-time performance data of the U.S. Bureau of
 * Transportation Statistics, January to March 2001).
 */
export async function loadFlights(): Promise<readonly Flight[]> {
  const entry = fileURLToPath(import.meta.resolve('vega-datasets'));
  const raw: readonly RawFlight[] = JSON.parse(
    await readFile(new URL('../data/flights-20k.json', `file://${entry}`), 'utf8'),
  );
  const latest = new Map<string, { time: number; delay: number }>();
  return raw.map((flight) => {
    const time = Date.parse(`${flight.date.replaceAll('/', '-').replace(' ', 'T')}:00Z`);
    const before = latest.get(flight.origin);
    latest.set(flight.origin, { time, delay: flight.delay });
    return {
      time,
      delayMinutes: flight.delay,
      distanceMiles: flight.distance,
      origin: flight.origin,
      destination: flight.destination,
      originDelayMinutes: before && time - before.time <= millisecondsPerDay ? before.delay : null,
    };
  });
}
