import { existsSync } from 'node:fs';
import { FileObjectStore } from '../../adapters/local/file-object-store.ts';
import { type LogReport, verifyLog } from '../../core/audit/verify-log.ts';
import { logSegmentKey, logSegmentPrefix } from '../../core/contract/keys.ts';
import { evidencePrefix } from '../../core/pipeline/evidence.ts';
import { stateFolder } from '../backend.ts';
import { type Command, InputError, UsageError } from '../command.ts';
import { countText } from '../count-text.ts';
import { exitCode } from '../exit-code.ts';
import type { Terminal } from '../terminal.ts';

export const auditVerify: Command = {
  name: 'audit verify',
  summary: 'checks every evidence object against the hash list',
  description: [
    'Recomputes the SHA-256 of every stored bundle and compares it with the hash list, link by link. Names what is missing, changed, not listed, or out of order, and where.',
    'A list that was cut off at its end looks whole. To notice, keep the head that an earlier run printed somewhere else and give it with --trusted.',
  ],
  options: {
    state: { type: 'string', value: 'DIR', help: 'the state folder of `run` or `demo`; default .tidewatch' },
    trusted: { type: 'string', value: 'COUNT:SHA256', help: 'a head printed by an earlier verification' },
  },
  examples: [
    'tidewatch audit verify --state ./state',
    'tidewatch audit verify --state ./state --trusted 5120:9f86d081…',
  ],
  async run(options, terminal) {
    const report = await verifyFolder(options.text('state') ?? '.tidewatch', readHead(options.text('trusted')));
    printReport(report, terminal);
    return report.ok ? exitCode.green : exitCode.findings;
  },
};

/** Verifies the evidence of the embedded backend. */
export async function verifyFolder(state: string, trustedHead?: { count: number; sha256: string }): Promise<LogReport> {
  const folder = stateFolder(state);
  if (!existsSync(folder.audit)) throw new InputError(`${folder.audit}: expected evidence, saw no such folder`);
  const states = new FileObjectStore(folder.state);
  const audit = new FileObjectStore(folder.audit);
  return verifyLog({
    segments: readSegments(states),
    readObject: (key) => audit.get(key),
    listObjects: () => audit.list(evidencePrefix),
    segmentKey: logSegmentKey,
    trustedHead,
  });
}

async function* readSegments(store: FileObjectStore): AsyncGenerator<readonly [string, Uint8Array]> {
  for await (const key of store.list(logSegmentPrefix)) {
    const bytes = await store.get(key);
    if (bytes) yield [key, bytes];
  }
}

export function printReport(report: LogReport, terminal: Terminal): void {
  terminal.printJson(report);
  for (const problem of report.problems.slice(0, 20)) {
    terminal.print(`${terminal.paint('red', problem.kind.padEnd(13))} ${problem.message}`);
  }
  if (report.problemCount > 20) terminal.print(`… and ${report.problemCount - 20} more`);
  const verdict = report.ok ? terminal.paint('green', 'verified') : terminal.paint('red', 'NOT VERIFIED');
  terminal.print(
    `${verdict}: ${countText(report.entries, 'evidence object')} in ${countText(report.segments, 'segment')}, ${report.checkedBytes} bytes hashed`,
  );
  if (report.pending.count > 0) {
    terminal.print(`not in the list yet: ${countText(report.pending.count, 'newer object')}`);
  }
  terminal.print(`head ${report.head.count}:${report.head.sha256 ?? 'none'}`);
  if (!report.rollbackChecked) terminal.print('not checked: whether the list was cut off at its end (give --trusted)');
}

function readHead(text: string | undefined): { count: number; sha256: string } | undefined {
  if (text === undefined) return undefined;
  const match = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text);
  if (!match)
    throw new UsageError(
      `--trusted: expected COUNT:SHA256 as an earlier run printed it, saw ${JSON.stringify(text.slice(0, 100))}`,
    );
  return { count: Number(match[1]), sha256: match[2] ?? '' };
}
