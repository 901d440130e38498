import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { csv, sagemakerLine } from '../decode/capture-records.ts';
import { root } from './tidewatch-process.ts';

const hourMilliseconds = 3_600_000;
export const firstHour = Date.UTC(2026, 2, 2, 8);
const rowsPerObject = 100;
const objectsPerHour = 4;

/** Writes an hour of an endpoint's captures, an object each quarter, delivered a minute before its end. */
export function writeHour(captures: string, hour: number, shift = 0): void {
  for (let quarter = 0; quarter < objectsPerHour; quarter++) {
    const start = firstHour + hour * hourMilliseconds + (quarter * hourMilliseconds) / objectsPerHour;
    const lines = Array.from({ length: rowsPerObject }, (_, index) => {
      const row = (hour * objectsPerHour + quarter) * rowsPerObject + index;
      const time = new Date(start + index * 8_000).toISOString();
      return sagemakerLine({
        input: csv(`${((row * 37) % 60) + shift},${['EU', 'US', 'APAC'][row % 3]}`),
        output: csv(String((row % 10) / 10)),
        metadata: { eventId: `event-${row}`, inferenceTime: time },
      });
    });
    const stamp = new Date(start).toISOString();
    const folder = `AllTraffic/${stamp.slice(0, 13).replaceAll('-', '/').replace('T', '/')}`;
    const file = join(captures, 'datacapture/scoring', folder, `${stamp.slice(14, 16)}-00-000-${hour}${quarter}.jsonl`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `${lines.join('\n')}\n`);
    const delivered = (start + hourMilliseconds / objectsPerHour - 60_000) / 1000;
    utimesSync(file, delivered, delivered);
  }
}

/** A configuration for those captures, beside its baseline. */
export function writeConfig(folder: string, extra = ''): string {
  const file = join(folder, 'tidewatch.config.ts');
  writeFileSync(
    file,
    `import { defineConfig, email, sagemakerCapture } from ${JSON.stringify(join(root, 'tidewatch.ts'))};
export default defineConfig({
  models: [{
    name: 'scoring', ${extra}
    source: sagemakerCapture({ bucket: 'captures', prefix: 'datacapture', endpoint: 'scoring' }),
    versions: [{ match: 'v1', schema: { columns: ['age', 'region'], prediction: 'score' }, baseline: './baseline.json' }],
    silenceAfter: '6h',
    alerts: { yellow: [email('ml@example.com')], red: [email('oncall@example.com')] },
  }],
});
`,
  );
  return file;
}
