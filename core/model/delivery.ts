import type { FindingKind, Tier } from './verdict.ts';

/**
 * raised: it began. lowered: no longer this tier, and not over. updated: more is known of what it reaches, or of what is red.
 * acknowledged: a person has taken it on. recovered: it is over, the last message of its incident.
 */
export type MessageEvent = 'raised' | 'lowered' | 'updated' | 'acknowledged' | 'recovered';

/** A model that depends on the one with the incident, and is not green either. */
export interface AffectedModel {
  readonly model: string;
  readonly tier: Exclude<Tier, 'green'>;
  /** From the beginning of the root's incident to its own, milliseconds; negative: it was first. */
  readonly lagMilliseconds: number;
  /** True: nobody is told of it as long as the root's incident lasts. */
  readonly muted: boolean;
}

/** What machines read of a message; texts are escaped and cut, and hold nothing out of a payload. */
export interface AlertDetail {
  readonly cause: string;
  /** Place among the incident's messages of this tier, from 1. */
  readonly sequence: number;
  /** Milliseconds since the epoch: when this tier began, and when the incident did. */
  readonly since: number;
  readonly startedAt: number;
  /** What is wrong, in a few words. */
  readonly headline: string;
  readonly alarm: string;
  readonly runbook: string;
  /** Of the newest verdicts, the worst first; at most ten. */
  readonly findings: readonly {
    readonly kind: FindingKind;
    readonly tier: Tier;
    readonly feature?: string | undefined;
    readonly message: string;
  }[];
  /** Keys of the newest verdicts. */
  readonly verdicts: readonly string[];
  /** Its blast radius: dependents that are not green. */
  readonly affected: readonly AffectedModel[];
  /** Dependents that are still green. */
  readonly mayFollow: readonly string[];
}

/** What a person receives. */
export interface Message {
  /** Deterministic: the same transition of the same episode always has the same id, so that a retry is recognised. */
  readonly id: string;
  readonly tier: Exclude<Tier, 'green'>;
  readonly event: MessageEvent;
  readonly model: string;
  /** The incident it belongs to; stable from first breach to recovery. */
  readonly episode: string;
  /** Under 100 characters, ASCII, no line break (SNS e-mail). */
  readonly subject: string;
  /** Plain text. */
  readonly text: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly detail: AlertDetail;
}
