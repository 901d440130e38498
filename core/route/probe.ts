import type { MessageTier } from './episode.ts';

/** `schema` of a message by which the alert path is tried out. */
const probeSchema = 'tidewatch.probe/1';

/** What a probe says. */
export interface Probe {
  readonly tier: MessageTier;
  /** When it was sent, in milliseconds since the epoch: tells it from an older one. */
  readonly sent: number;
}

/** A probe is sent this often, and the path is cut where none has come back for this long. */
const probeSeconds = { every: 300, lost: 900 } as const;

/** What is known of one way. Milliseconds since the epoch. */
export interface PathState {
  /** When the first probe was sent that none has come back since; absent: before any. */
  readonly waitingSince?: number | undefined;
  readonly sent?: number | undefined;
  readonly isCut: boolean;
}

export interface PathStep {
  readonly state: PathState;
  readonly send: boolean;
  /** What became of the path. */
  readonly change?: 'ALARM' | 'OK' | undefined;
}

/** A minute went by. */
export function watchPath(state: PathState, now: number): PathStep {
  const send = state.sent === undefined || now - state.sent >= probeSeconds.every * 1000;
  // Where nobody sent for a while, that nothing came back says nothing of the way.
  const hasPaused = state.sent !== undefined && now - state.sent > 2 * probeSeconds.every * 1000;
  const waitingSince = hasPaused ? now : (state.waitingSince ?? now);
  const isLost = now - waitingSince >= probeSeconds.lost * 1000;
  const next = send ? { ...state, sent: now, waitingSince } : state;
  return isLost && !state.isCut ? { state: { ...next, isCut: true }, send, change: 'ALARM' } : { state: next, send };
}

/** A probe came back. */
export function hearProbe(state: PathState): PathStep {
  const { waitingSince: _, ...rest } = state;
  return { state: { ...rest, isCut: false }, send: false, ...(state.isCut && { change: 'OK' as const }) };
}

export function probeText(tier: MessageTier, sent = 0): string {
  return JSON.stringify({ schema: probeSchema, tier, sent });
}

/** A probe that came through the topic of a tier; undefined for any other message. */
export function readProbe(text: string): Probe | undefined {
  if (text.length > 200 || !text.includes(probeSchema)) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('schema' in value) || value.schema !== probeSchema)
      return undefined;
    const tier = 'tier' in value ? value.tier : undefined;
    const sent = 'sent' in value && typeof value.sent === 'number' ? value.sent : 0;
    return tier === 'yellow' || tier === 'red' ? { tier, sent } : undefined;
  } catch {
    return undefined;
  }
}
