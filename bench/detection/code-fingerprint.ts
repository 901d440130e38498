import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** What the figures depend on: the rule with its defaults, the statistics under it, and the streams. */
const folders = [
  'bench/alerting',
  'bench/detection',
  'core/contract',
  'core/evaluate',
  'core/model',
  'core/pipeline',
  'core/profile',
  'core/slo',
  'core/stats',
];

/** The first 12 hexadecimal digits of the SHA-256 of the code that was measured. */
export function fingerprintCode(): string {
  const hash = createHash('sha256');
  for (const folder of folders) {
    const files = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' });
    for (const file of files.filter((name) => name.endsWith('.ts')).sort()) {
      hash.update(`${folder}/${file.split(sep).join('/')}\n`).update(readFileSync(join(root, folder, file)));
    }
  }
  return hash.digest('hex').slice(0, 12);
}
