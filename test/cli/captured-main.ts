import { vi } from 'vitest';
import { main } from '../../cli/main.ts';
import type { Finished } from './tidewatch-process.ts';

/** Runs the command line in this process: as fast as a call, for the many ways to get it wrong. */
export async function callTidewatch(...words: readonly string[]): Promise<Finished> {
  const written = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((chunk) => {
      written[name] += String(chunk);
      return true;
    }),
  );
  try {
    return { code: await main(words), ...written };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}
