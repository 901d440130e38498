import type { Aws } from '../aws.ts';
import type { Report } from '../report.ts';
import { deployProbeStack } from './probe-stack.ts';
import { type Probe, probes } from './probes.ts';

export interface ProbeResult {
  readonly probe: Probe;
  readonly seen: 'works' | 'gap';
  readonly error?: string;
}

/** Looks at every behaviour relied on. A probe that fails counts as a gap. */
export async function runGapSuite(aws: Aws): Promise<readonly ProbeResult[]> {
  await deployProbeStack(aws);
  return Promise.all(
    probes.map(async (probe): Promise<ProbeResult> => {
      try {
        return { probe, seen: (await probe.look(aws)) ? 'works' : 'gap' };
      } catch (error) {
        return { probe, seen: 'gap', error: error instanceof Error ? error.message : String(error) };
      }
    }),
  );
}

/** Prints every gap with its cover; what is not as expected, better or worse, is a failure. */
export function reportGaps(results: readonly ProbeResult[], report: Report): void {
  for (const { probe, seen, error } of results) {
    const { behaviour, expected, cover } = probe;
    if (seen !== expected) {
      const why =
        seen === 'works'
          ? 'the emulator has it now: remove its cover and its line in docs/emulator.md'
          : `relied on, but missing${error === undefined ? '' : `: ${error}`}`;
      report.check(`${behaviour}: ${why}`, false);
    } else report.check(`${seen}: ${behaviour}${cover === undefined ? '' : `; ${cover}`}`, true);
  }
}
