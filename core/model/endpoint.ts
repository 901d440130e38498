import type { SourcePolicy } from './policy.ts';

/** What an endpoint says of itself while it answers calls. Times in milliseconds since the epoch. */
export interface EndpointDescription {
  /** Name of the endpoint configuration in force. */
  readonly config: string;
  /** It answers all calls, and nothing is being changed. */
  readonly isSettled: boolean;
  /** When it was last changed in any way. */
  readonly modified: number;
  /** Since when it is being changed to another configuration. */
  readonly changingSince?: number | undefined;
}

/** The model of each variant of an endpoint configuration; variants that name none are left out. */
export type VariantModels = readonly (readonly [variant: string, model: string])[];

/** A time during which one configuration answered. Times in milliseconds since the epoch. */
export interface EndpointSpell {
  readonly config: string;
  readonly models: VariantModels;
  /** From when it may have answered some calls. */
  readonly began: number;
  /** From when it answered all of them. Never changed once it was looked at. */
  readonly since: number;
}

/** Which configurations of an endpoint answered when, as far as somebody looked. */
export interface EndpointRecord {
  /** Oldest first; the last one goes on unless `changing`. */
  readonly spells: readonly EndpointSpell[];
  /** Since when the last one does not answer alone any more. */
  readonly changing?: number | undefined;
  /** When it was last looked at: what is recorded up to here is final. */
  readonly looked: number;
}

/** Versions that one variant of an endpoint served, each since when, oldest first. Milliseconds since the epoch. */
export type ServedVersions = readonly (readonly [since: number, version: string])[];

/** An endpoint configuration that answered in a window. */
export interface ServedBy {
  readonly endpoint: string;
  readonly config: string;
  /** The model of the verdict's variant; absent: the configuration names none. */
  readonly model?: string | undefined;
  /** ISO 8601: since when it answered all calls. */
  readonly since: string;
  /** Share of the window in which it is known to have answered alone, 0 to 1, to four digits. The rest was a change, or nobody looked. */
  readonly share: number;
}

/** Names of the endpoints that captures of some sources come from. */
export function endpointsOf(sources: readonly SourcePolicy[]): readonly string[] {
  return [...new Set(sources.flatMap(({ endpoint }) => endpoint ?? []))].sort();
}

/** Whether the version of a source's records is what its endpoint served. */
export function isVersionedByEndpoint(source: SourcePolicy): boolean {
  return source.role !== 'labels' && source.versionBy === 'endpoint';
}
