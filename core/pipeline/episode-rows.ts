import { type AlarmNotice, healthCause } from '../route/alarm-notice.ts';
import type { EpisodeMessage, EpisodeState } from '../route/episode.ts';
import type { StateRow, StateTable } from './ports.ts';

/** Where episodes are kept, and what is known of their causes. */
export const episodePartition = 'episodes';

const rowSchema = 'tidewatch.episode/1';

/** What is kept of an episode: its state, the alarm it began with, and messages that were not delivered yet. */
export interface EpisodeRow {
  readonly schema: typeof rowSchema;
  readonly state: EpisodeState;
  readonly notice: AlarmNotice;
  readonly pending: readonly PendingMessage[];
}

export interface PendingMessage {
  readonly episode: EpisodeMessage;
  /** The alarm it speaks of. */
  readonly notice: AlarmNotice;
}

/** The name of a row in the partition. `incident`: `health`, a fleet-wide cause, or the name of a later incident. */
export function episodeKey(model: string, incident: string): string {
  return `${model}#${incident}`;
}

export function createEpisodeRow(given: Omit<EpisodeRow, 'schema'>): EpisodeRow {
  return { schema: rowSchema, ...given };
}

/** Rows of another form are taken for absent: the next change of their alarm begins anew. */
export function readEpisodeRow(row: StateRow | undefined): EpisodeRow | undefined {
  const value = row?.value;
  const isOurs = typeof value === 'object' && value !== null && 'schema' in value && value.schema === rowSchema;
  return isOurs ? (value as EpisodeRow) : undefined;
}

/** What is known of a model's first episode. */
export async function readStanding(table: StateTable, model: string): Promise<EpisodeState | undefined> {
  return readEpisodeRow(await table.get(episodePartition, episodeKey(model, healthCause)))?.state;
}
