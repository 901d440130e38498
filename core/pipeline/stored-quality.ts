import type { Finding, QualityVerdict, Tier } from '../model/verdict.ts';
import { readJudgementPointer } from './join-manifest.ts';
import type { ModelRuntime } from './model-runtime.ts';
import type { ObjectStore, StateTable } from './ports.ts';
import { IntegrityError, parseStored } from './write-once.ts';

/** What labels showed of a model when they were judged last. Written once. */
export interface StoredQuality {
  readonly schema: 'tidewatch.quality/1';
  readonly model: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** SHA-256 of the canonical configuration, and the build. */
  readonly config: string;
  readonly code: string;
  /** Ids with a label within the horizon, and of them those of no captured inference. */
  readonly labels: { readonly ids: number; readonly unmatched: number };
  /** Keys of the cohorts that were judged. */
  readonly cohorts: readonly string[];
  readonly tier: Tier;
  readonly quality: readonly QualityVerdict[];
  /** Labelled share of the newest matured week; null: none is matured. */
  readonly coverage: number | null;
  readonly findings: readonly Finding[];
}

export type CurrentQuality = Pick<StoredQuality, 'tier' | 'quality' | 'coverage' | 'findings'>;

const nothing: CurrentQuality = { tier: 'green', quality: [], coverage: null, findings: [] };

/** The judgement in force; of a model without labels nothing is read. @throws {IntegrityError} where it is gone. */
export async function readQuality(
  { policy }: ModelRuntime,
  ports: { readonly state: ObjectStore; readonly table: StateTable },
): Promise<CurrentQuality> {
  if (!policy.labels) return nothing;
  const pointer = await readJudgementPointer(ports.table, policy.name);
  if (!pointer) return nothing;
  const bytes = await ports.state.get(pointer.key);
  if (!bytes) throw new IntegrityError(pointer.key, 'is gone, though it is in force');
  return parseStored<StoredQuality>(pointer.key, bytes, 'tidewatch.quality/1');
}
