import { parseArgs } from 'node:util';
import { createTerminal } from '../cli/terminal.ts';
import { runDetectionBench } from './detection/detection-bench.ts';
import { judgeFlights, judgeStreamFile } from './detection/stream-command.ts';
import { readCount } from './read-count.ts';

const usage = `npm run bench:detection -- [options]

Measures the shipped drift rule against simulated models, beside the documented default rules of other tools.

  (no option)           the full run: hours; resumes where it was stopped; writes bench/detection.json
  --quick               under a minute: sizes and delays afresh, a few scenarios, and the committed rates
  --json                one JSON document on standard output
  --seed TEXT           default "tidewatch"
  --workers N           worker threads; default 1
  --models N            full run: simulated models per scenario of two judged weeks; default 32

  --flights             judge the flights of early 2001 that the demo runs on
  --stream FILE         judge a CSV file of your own with the shipped defaults
  --time COLUMN         its column of ISO 8601 times or milliseconds since the epoch
  --every 30m           instead of --time: rows are this far apart
  --from 2024-01-01     with --every: the time of the first row
  --baseline 28d        how much of its beginning is the baseline: a duration or a share; default 28d or the first half
  --window 1h           length of the windows judged
  --time-zone NAME      whose hours and days the traffic follows; default UTC
  --prediction A,B      columns that the model puts out
`;

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
    seed: { type: 'string', default: 'tidewatch' },
    workers: { type: 'string', default: '1' },
    models: { type: 'string' },
    flights: { type: 'boolean', default: false },
    stream: { type: 'string' },
    time: { type: 'string' },
    every: { type: 'string' },
    from: { type: 'string' },
    baseline: { type: 'string' },
    window: { type: 'string', default: '1h' },
    'time-zone': { type: 'string', default: 'UTC' },
    prediction: { type: 'string' },
  },
});

const terminal = createTerminal(values.json);
try {
  if (values.help) {
    process.stdout.write(usage);
  } else if (values.flights) {
    await judgeFlights(terminal);
  } else if (values.stream !== undefined) {
    await judgeStreamFile({ ...values, path: values.stream, timeZone: values['time-zone'] }, terminal);
  } else {
    const workers = readCount('workers', values.workers);
    const models = values.models === undefined ? undefined : readCount('models', values.models);
    await runDetectionBench({ quick: values.quick, seed: values.seed, workers, models }, terminal);
  }
} catch (error) {
  terminal.complain(error instanceof Error ? error.message : String(error));
  process.exitCode = 2;
}
