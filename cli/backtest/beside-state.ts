import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** What may lie in a state folder to tell how it came about: the demo leaves both. */
export const configFile = 'tidewatch.config.mjs';
export const incidentsFile = 'incidents.json';

/** The path of a file in a state folder, if it is there. */
export function findBeside(state: string | undefined, file: string): string | undefined {
  const path = state === undefined ? undefined : join(state, file);
  return path !== undefined && existsSync(path) ? path : undefined;
}
