import type { RedIncident } from '../rollback/decide-rollback.ts';
import { healthCause } from '../route/alarm-notice.ts';
import { causeOf } from '../route/causes.ts';
import { readCauses } from './cause-ledger.ts';
import { episodeKey, episodePartition, readEpisodeRow } from './episode-rows.ts';
import type { StateTable } from './ports.ts';

/**
 * The model's own incidents, as notify keeps them, that are red and that people were told of, newest first. One that another
 * model's explains is none. What notify has not looked at yet belongs to no incident: it may come to be one that another
 * model's explains.
 */
export async function readRedIncidents(table: StateTable, model: string): Promise<readonly RedIncident[]> {
  const known = await readCauses(table, model);
  const reds: (RedIncident & { readonly startedAt: number })[] = [];
  for (const incident of new Set([healthCause, ...known.map(({ owner }) => owner)])) {
    const state = readEpisodeRow(await table.get(episodePartition, episodeKey(model, incident)))?.state;
    const isTold = state?.red?.inAlarm && state.red.told === 'raised' && state.red.muted === undefined;
    if (!state || state.endedAt !== undefined || !isTold) continue;
    const own = known.filter(({ owner, tier }) => owner === incident && tier === 'red').map(({ cause }) => cause);
    reds.push({
      episode: state.id,
      startedAt: state.startedAt,
      isOwn: (finding) => finding.tier === 'red' && own.includes(causeOf(finding)),
    });
  }
  return reds.sort((a, b) => b.startedAt - a.startedAt);
}
