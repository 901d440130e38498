import { minimumQuarantined } from '../evaluate/record-findings.ts';
import type { NewestVerdict } from './series.ts';

/**
 * The share of captured records that could not be read, of the newest windows; undefined where nothing was captured. 0 where
 * too few were quarantined to be worth a finding: the alarm must not say more than the verdict.
 */
export function quarantineShare(
  newest: readonly Pick<NewestVerdict, 'captured' | 'quarantined'>[],
): number | undefined {
  const captured = newest.reduce((sum, verdict) => sum + verdict.captured, 0);
  const quarantined = newest.reduce((sum, verdict) => sum + verdict.quarantined, 0);
  if (captured === 0) return undefined;
  return quarantined < minimumQuarantined ? 0 : quarantined / captured;
}
