import { parseArgs } from 'node:util';
import { createTerminal } from '../cli/terminal.ts';
import { measureBurnDelay, measureFalsePages } from './alerting/burn-rates.ts';
import { countIncidents, type IncidentCount, troubledDelivery, usualDelivery } from './alerting/count-incidents.ts';
import { measureQualitySlo } from './alerting/quality-slo.ts';
import { readCount } from './read-count.ts';

const usage = `npm run bench:alerting -- [options]

What people hear of: incidents per episode over seeded traces of alarms, pages of services at exactly their error budget,
and quality objectives with late labels. docs/statistics/alerting.md says what is counted.

  (no option)      the full run: about five minutes on one core
  --quick          under a minute: fewer weeks and runs
  --json           one JSON document on standard output
  --seed TEXT      default "tidewatch"
  --traces N       default 1000
  --weeks N        of each service at its budget; default 1000, quick 100
`;

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
    seed: { type: 'string', default: 'tidewatch' },
    traces: { type: 'string', default: '1000' },
    weeks: { type: 'string' },
  },
});

const sizes = values.quick
  ? { weeks: 100, runs: 2, quality: { weeks: 3000, declines: 60, uneven: 15 } }
  : { weeks: 1000, runs: 20, quality: { weeks: 7800, declines: 200, uneven: 300 } };

const terminal = createTerminal(values.json);

function measure(): void {
  const { seed } = values;
  const started = performance.now();
  const weeks = values.weeks === undefined ? sizes.weeks : readCount('weeks', values.weeks);
  const incidents = countIncidents(readCount('traces', values.traces), `${seed} trace`, usualDelivery);
  const troubled = countIncidents(Number(values.traces), `${seed} troubled`, troubledDelivery);
  printIncidents('a working path', incidents);
  printIncidents('a path in trouble', troubled);
  const falsePagesPerWeek = [10, 50, 100, 500].flatMap((requestsPerHour) =>
    [1, 5, 20].map((burst) => {
      const of = measureFalsePages(requestsPerHour, burst, weeks, `${seed} budget`);
      terminal.print(
        `${requestsPerHour}/h, bursts of ${burst}: ${of.pagesPerWeek} false pages a week (at most ${of.pagesPerWeekUpper95.toFixed(4)}), ${of.ticketsPerWeek} tickets`,
      );
      return of;
    }),
  );
  const burnDelays = [100, 500, 5000].flatMap((requestsPerHour) =>
    [2, 4, 8, 20].map((burnRate) => {
      const of = measureBurnDelay(requestsPerHour, burnRate, sizes.runs, `${seed} burn`);
      terminal.print(
        `${requestsPerHour}/h at ${burnRate} times: first ${of.firstMinutes ?? '-'} min, page ${of.pageMinutes ?? '-'} min`,
      );
      return of;
    }),
  );
  const qualitySlo = measureQualitySlo(sizes.quality, `${seed} quality`);
  for (const [name, value] of Object.entries(qualitySlo)) terminal.print(`quality, ${name}: ${value}`);
  const targets = {
    missedRed: incidents.missedRed === 0,
    incidentsPerEpisode: incidents.incidentsPerEpisode.toFixed(2) === '1.00',
    falsePagesPerWeek: falsePagesPerWeek.every(({ pagesPerWeek }) => pagesPerWeek <= 0.01),
    falseRed: qualitySlo.falseRed <= 0.002,
    medianDelayHours: qualitySlo.medianDelayHours <= 72,
    falseRedUneven: qualitySlo.falseRedUneven <= 0.01,
  };
  const seconds = Math.round((performance.now() - started) / 1000);
  for (const [name, isMet] of Object.entries(targets)) terminal.print(`${isMet ? 'met   ' : 'MISSED'} ${name}`);
  terminal.print(`${seconds} s`);
  terminal.printJson({
    seed,
    quick: values.quick,
    seconds,
    missedRed: incidents.missedRed,
    incidentsPerEpisode: incidents.incidentsPerEpisode,
    falsePagesPerWeek,
    qualitySlo,
    targets,
    incidents,
    incidentsOfTroubledPath: troubled,
    burnDelays,
  });
}

function printIncidents(name: string, count: IncidentCount): void {
  terminal.print(
    `${name}: ${count.episodes} episodes, ${count.incidentsPerEpisode.toFixed(4)} incidents each, ${count.missedRed} of ${count.redEpisodes} reds missed, page after ${count.pageDelayMinutes99.toFixed(1)} min (99 %)`,
  );
}

if (values.help) {
  process.stdout.write(usage);
} else {
  try {
    measure();
  } catch (error) {
    terminal.complain(error instanceof Error ? error.message : String(error));
    process.exitCode = 2;
  }
}
