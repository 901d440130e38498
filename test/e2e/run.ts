import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChildProcesses } from './child-processes.ts';
import { preparePython, startEmulator } from './emulator.ts';
import { Report } from './report.ts';
import { runScenario } from './scenario.ts';

/**
 * Deploys the application with the real cdk on an emulator of AWS, and checks that it does what it promises. Run by
 * `npm run e2e`; docs/emulator.md says what the emulator can't show.
 */

const report = new Report();
const processes = new ChildProcesses();
const folder = mkdtempSync(join(tmpdir(), 'tidewatch-e2e-'));

try {
  report.title('emulator');
  const python = await preparePython(processes, folder);
  const emulator = await startEmulator(processes, folder, python);
  report.say(`${emulator.endpoint}, log ${emulator.log}`);
  await runScenario(processes, emulator, report);
} catch (error) {
  report.check(error instanceof Error ? (error.stack ?? error.message) : String(error), false);
} finally {
  await processes.stopAll();
}

report.title('summary');
for (const failure of report.failures) report.say(`NOT OK ${failure.split('\n')[0]}`);
const failed = report.failures.length;
report.say(`${report.checks - failed} of ${report.checks} checks passed in ${report.elapsedSeconds.toFixed(0)} s`);
if (failed === 0) rmSync(folder, { recursive: true, force: true });
else report.say(`logs are kept in ${folder}`);
process.exit(failed === 0 ? 0 : 1);
