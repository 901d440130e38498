import type { RollbackAct } from '../../core/model/rollback.ts';

/** A rollback of the model `credit` that has begun. */
export const act: RollbackAct = {
  id: 'r1',
  model: 'credit',
  episode: 'e1',
  from: 'config-b',
  to: 'config-a',
  verdict: 'verdicts/credit/v.json',
  finding: 'slo:availability',
  dryRun: false,
  time: Date.UTC(2026, 2, 10),
  phase: 'started',
  attempts: 1,
};
