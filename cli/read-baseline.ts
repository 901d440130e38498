import { open, readFile, stat } from 'node:fs/promises';
import type { Baseline } from '../core/model/baseline.ts';
import { checkBaseline } from '../core/pipeline/model-runtime.ts';
import { InputError } from './command.ts';

/**
 * Reads a baseline file and checks it against the SHA-256 it carries.
 * @throws {InputError} where it is no baseline; {BaselineError} where it was changed.
 */
export async function readBaseline(path: string): Promise<Baseline> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new InputError(`${path}: can't be read, expected a baseline made by \`tidewatch baseline create\``, {
      cause,
    });
  });
  const baseline = parse(path, text);
  checkBaseline(path, baseline);
  return baseline;
}

/** Whether a file looks like JSON that starts an object which is no capture record: a baseline, or meant to be one. */
export async function isBaselineFile(path: string): Promise<boolean> {
  const facts = await stat(path).catch((cause: unknown) => {
    throw new InputError(`${path}: no such file, expected a baseline or a CSV file`, { cause });
  });
  if (facts.isDirectory()) {
    throw new InputError(
      `${path}: is a folder, expected a baseline; make one of it with \`tidewatch baseline create\``,
    );
  }
  const file = await open(path, 'r').catch((cause: unknown) => {
    throw new InputError(`${path}: can't be read, expected a baseline or a CSV file`, { cause });
  });
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(4096), 0, 4096, 0);
    const head = buffer.toString('utf8', 0, bytesRead).trimStart();
    return head.startsWith('{') && !head.includes('"captureData"') && !head.includes('"eventMetadata"');
  } finally {
    await file.close();
  }
}

function parse(path: string, text: string): Baseline {
  try {
    const value: unknown = JSON.parse(text);
    if (isBaseline(value)) return value;
  } catch (cause) {
    throw new InputError(`${path}: is no JSON, expected a baseline made by \`tidewatch baseline create\``, { cause });
  }
  throw new InputError(
    `${path}: expected {"schema":"tidewatch.baseline/1",…}, as \`tidewatch baseline create\` writes it`,
  );
}

/** Enough to hash it; the hash then vouches for the rest. */
function isBaseline(value: unknown): value is Baseline {
  return typeof value === 'object' && value !== null && 'schema' in value && 'sha256' in value && 'layout' in value;
}
