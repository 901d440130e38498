import { parseArgs } from 'node:util';
import { createTerminal } from '../cli/terminal.ts';
import { readCount } from './read-count.ts';
import { measureTicks } from './tick/measure-ticks.ts';

const usage = `npm run bench:tick -- [options]

How long the tick of a whole shard takes, and what it asks of S3 and DynamoDB: simulated models with two capture objects a
minute, stores that answer after a while, the real pipeline.

  --models N       default 20
  --minutes N      ticks measured, after an hour of warming up; default 65, of which a few judge closed windows
  --bucket MS      milliseconds to an answer of a bucket; default 20
  --table MS       of the table; default 5
  --json           one JSON document on standard output
`;

const { values } = parseArgs({
  options: {
    models: { type: 'string', default: '20' },
    minutes: { type: 'string', default: '65' },
    bucket: { type: 'string', default: '20' },
    table: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const terminal = createTerminal(values.json);
if (values.help) {
  process.stdout.write(usage);
} else {
  try {
    await measureTicks(
      {
        models: readCount('models', values.models),
        minutes: readCount('minutes', values.minutes),
        bucketMilliseconds: readCount('bucket', values.bucket, 0),
        tableMilliseconds: readCount('table', values.table, 0),
      },
      terminal,
    );
  } catch (error) {
    terminal.complain(error instanceof Error ? error.message : String(error));
    process.exitCode = 2;
  }
}
