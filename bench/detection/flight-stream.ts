import { loadFlights } from '../../cli/demo/flights.ts';
import { incidents, isDuring } from '../../cli/demo/incidents.ts';
import { toBatches } from './record-batches.ts';
import type { TimedRecords } from './timed-records.ts';

const kilometresPerMile = 1.609344;
const columns = ['distance', 'hour', 'origin', 'destination', 'originDelay'];

/** The demo's baseline: 11 January to 10 February. */
const flightsFrom = Date.parse('2001-01-11T00:00:00Z');
export const flightBaselineEnd = Date.parse('2001-02-11T00:00:00Z');

/** The departures of early 2001 as the demo's model sees them; on 10 and 11 March distances arrive in kilometres. */
export async function openFlights(): Promise<TimedRecords> {
  const rows = (await loadFlights())
    .filter(({ time }) => time >= flightsFrom)
    .map((flight) => {
      const factor = isDuring(incidents.kilometres, flight.time) ? kilometresPerMile : 1;
      const hour = new Date(flight.time).getUTCHours();
      const { time, distanceMiles, origin, destination, originDelayMinutes } = flight;
      return { time, cells: [distanceMiles * factor, hour, origin, destination, originDelayMinutes] };
    });
  return {
    async *open() {
      yield* toBatches(columns, rows);
    },
  };
}
