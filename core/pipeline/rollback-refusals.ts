import { canonicalJson } from '../model/canonical-json.ts';
import { shortHash } from '../model/content-hash.ts';
import type { RollbackRefusal } from '../rollback/decide-rollback.ts';
import { putEvidenceEntry } from './evidence.ts';
import type { RecordPorts } from './rollback-record.ts';

/** A reason for which nothing was done in an incident, as it was first found. */
interface Refused {
  readonly reason: RollbackRefusal;
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** What answered the model's calls. */
  readonly config: string;
  /** False: whoever noted it may not have come to evidence it. */
  readonly evidenced: boolean;
}

/** Row `{model}#refused` beside that of the rollback itself: the reasons of the newest incident. */
interface RefusalRow {
  readonly episode: string;
  readonly refused: readonly Refused[];
}

const partition = 'rollbacks';

/** Names what a rollback of an incident is, or would be. */
export function rollbackId(model: string, episode: string): string {
  return shortHash(canonicalJson(['rollback', model, episode]));
}

/**
 * Evidences why nothing is done in an incident, each reason once however often it is found. It is noted first, so that
 * all who come to it write the same bytes; where another caller is at it, it is left to that one.
 */
export async function evidenceRefusal(
  { table, audit, clock }: RecordPorts,
  model: string,
  episode: string,
  reason: RollbackRefusal,
  config: string,
): Promise<void> {
  const key = `${model}#refused`;
  const row = await table.get(partition, key);
  const known = row?.value as RefusalRow | undefined;
  const others = known?.episode === episode ? known.refused.filter((one) => one.reason !== reason) : [];
  const before = known?.episode === episode ? known.refused.find((one) => one.reason === reason) : undefined;
  if (before?.evidenced) return;
  let revision = row?.revision ?? 0;
  const refused: Refused = before ?? { reason, time: clock.now(), config, evidenced: false };
  const note = (one: Refused) => table.put(partition, key, { episode, refused: [...others, one] }, revision);
  if (!before) {
    if (!(await note(refused))) return;
    revision++;
  }
  const id = rollbackId(model, episode);
  const body = { step: 'refused', id, model, episode, reason, time: refused.time, config: refused.config };
  await putEvidenceEntry(audit, model, refused.time, 'rollback', `${id}\nrefused\n${reason}`, body);
  await note({ ...refused, evidenced: true });
}
