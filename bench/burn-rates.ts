import { parseArgs } from 'node:util';
import { createTerminal } from '../cli/terminal.ts';
import { SimulatedService } from './burn/simulated-service.ts';
import { createRandomSource } from './detection/random-source.ts';

const usage = `npx tsx bench/burn-rates.ts [options]

What the pairs of burn-rate windows do, for an objective of 99.9 %: pages and tickets a week of a service at exactly its
budget, and how long after the start of a burn they ring. Simulated and seeded.

  --weeks N        of each service at its budget; default 150
  --runs N         of each burn; default 20
  --json           one JSON document on standard output
`;

const { values } = parseArgs({
  options: {
    weeks: { type: 'string', default: '150' },
    runs: { type: 'string', default: '20' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const minutesPerWeek = 10_080;
/** A page that returns within an hour goes on, a ticket within six hours. */
const pauseMinutes = { red: 60, yellow: 360 } as const;
const warmUpMinutes = 3 * 1440;

function measureFalse(requestsPerHour: number, burst: number, weeks: number) {
  const service = new SimulatedService(createRandomSource(`${requestsPerHour} ${burst}`), { requestsPerHour, burst });
  const counts = { red: 0, yellow: 0 };
  const last = { red: Number.NEGATIVE_INFINITY, yellow: Number.NEGATIVE_INFINITY };
  for (let elapsed = 0; elapsed < warmUpMinutes + weeks * minutesPerWeek; elapsed++) {
    const { minute, failed } = service.step(1);
    // Nothing begins to ring in a minute without a failure, but for traffic that leaves the windows.
    if (!failed || elapsed < warmUpMinutes) continue;
    const tier = service.judge()?.burning?.tier;
    if (tier === undefined) continue;
    if (minute - last[tier] > pauseMinutes[tier]) counts[tier]++;
    last[tier] = minute;
  }
  return { requestsPerHour, burst, pagesPerWeek: counts.red / weeks, ticketsPerWeek: counts.yellow / weeks };
}

/** Minutes from the start of a burn to the first finding and to the page, medians; undefined: in half of the runs none. */
function measureDelay(requestsPerHour: number, burnRate: number, runs: number) {
  const [tickets, pages]: [number[], number[]] = [[], []];
  for (let run = 0; run < runs; run++) {
    const random = createRandomSource(`${run} ${requestsPerHour} ${burnRate}`);
    const service = new SimulatedService(random, { requestsPerHour, burst: 1 });
    for (let minute = 0; minute < warmUpMinutes; minute++) service.step(0.2);
    let [ticket, page] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    for (let minute = 1; minute <= warmUpMinutes && page === Number.POSITIVE_INFINITY; minute++) {
      const { failed } = service.step(burnRate);
      if (!failed) continue;
      const tier = service.judge()?.burning?.tier;
      if (tier !== undefined) ticket = Math.min(ticket, minute);
      if (tier === 'red') page = minute;
    }
    tickets.push(ticket);
    pages.push(page);
  }
  const median = (minutes: number[]) => minutes.sort((a, b) => a - b)[Math.floor(minutes.length / 2)];
  const known = (minutes: number | undefined) => (Number.isFinite(minutes) ? minutes : undefined);
  return { requestsPerHour, burnRate, first: known(median(tickets)), page: known(median(pages)) };
}

const terminal = createTerminal(values.json);
if (values.help) {
  process.stdout.write(usage);
} else {
  const [weeks, runs] = [Number(values.weeks), Number(values.runs)];
  const falseAlarms = [10, 50, 100, 500].flatMap((requestsPerHour) =>
    [1, 5, 20].map((burst) => measureFalse(requestsPerHour, burst, weeks)),
  );
  const delays = [100, 500, 5000].flatMap((requestsPerHour) =>
    [2, 4, 8, 20].map((burnRate) => measureDelay(requestsPerHour, burnRate, runs)),
  );
  if (values.json) {
    terminal.printJson({ weeks, runs, falseAlarms, delays });
  } else {
    for (const { requestsPerHour, burst, pagesPerWeek, ticketsPerWeek } of falseAlarms) {
      terminal.print(
        `${requestsPerHour}/h, bursts of ${burst}: ${pagesPerWeek} pages, ${ticketsPerWeek} tickets a week`,
      );
    }
    for (const { requestsPerHour, burnRate, first, page } of delays) {
      terminal.print(`${requestsPerHour}/h at ${burnRate} times: first ${first ?? '-'} min, page ${page ?? '-'} min`);
    }
  }
}
