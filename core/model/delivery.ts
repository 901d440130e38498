import type { Tier } from './verdict.ts';

/** What a person receives. */
export interface Message {
  /** Deterministic: the same transition of the same episode always has the same id, so that a retry is recognised. */
  readonly id: string;
  readonly tier: Exclude<Tier, 'green'>;
  readonly event: 'raised' | 'recovered';
  readonly model: string;
  /** The incident it belongs to; stable from first breach to recovery. */
  readonly episode: string;
  /** Under 100 characters, ASCII, no line break (SNS e-mail). */
  readonly subject: string;
  /** Plain text. */
  readonly text: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
}
