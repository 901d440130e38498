import type { AlarmStateValue } from '../model/alarm.ts';

/** A state change whose actions have not run yet. */
export interface PendingTransition {
  readonly from: AlarmStateValue;
  readonly to: AlarmStateValue;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly reason: string;
}

/**
 * Where action suppression of a composite alarm stands. Plain JSON.
 * `none`: actions run. `wait`: until `until` for the suppressor to follow. `alarm`: the suppressor is in ALARM.
 * `extension`: until `until` for the composite to follow the suppressor's end.
 */
export interface SuppressionState {
  readonly by: 'none' | 'wait' | 'alarm' | 'extension';
  /** Milliseconds since the epoch, for `wait` and `extension`. */
  readonly until?: number | undefined;
  /** The newest state change muted so far. */
  readonly pending?: PendingTransition | undefined;
}

export interface SuppressionPeriods {
  readonly waitSeconds: number;
  readonly extensionSeconds: number;
}

export const unsuppressed: SuppressionState = { by: 'none' };

/**
 * One step of CloudWatch's action suppression ("Suppressing composite alarm actions", examples 1 to 6).
 *
 * | now                     | and                                   | then                                                |
 * |-------------------------|---------------------------------------|-----------------------------------------------------|
 * | any                     | suppressor in ALARM                   | suppressed by the alarm; timers are dropped (2, 4)  |
 * | suppressed by the alarm | it left ALARM                         | an extension period begins (5)                      |
 * | wait or extension       | composite changes state               | the timer is dropped, a new wait begins (3, 6)      |
 * | none                    | composite changes state               | a wait begins (1)                                   |
 * | wait or extension       | time is up                            | the newest change muted, if any, has its actions run (1, 3, 5, 6) |
 *
 * A composite that changes state in the very step in which its suppressor leaves ALARM changes it within the
 * extension: a wait begins.
 *
 * @param transition the composite's state change in this step, if any
 * @param suppressor the suppressor's state after this step
 * @param now milliseconds since the epoch
 * @returns the next state, and the state change whose actions are to run now
 */
export function nextSuppression(
  state: SuppressionState,
  transition: PendingTransition | undefined,
  suppressor: AlarmStateValue,
  periods: SuppressionPeriods,
  now: number,
): { readonly state: SuppressionState; readonly act?: PendingTransition } {
  const pending = transition ?? state.pending;
  if (suppressor === 'ALARM') {
    if (state.by === 'alarm' && transition === undefined) return { state };
    return { state: { by: 'alarm', ...(pending && { pending }) } };
  }
  if (transition !== undefined) {
    return settle({ by: 'wait', until: now + periods.waitSeconds * 1000, pending: transition }, now);
  }
  if (state.by === 'alarm') {
    return settle({ by: 'extension', until: now + periods.extensionSeconds * 1000, ...(pending && { pending }) }, now);
  }
  return settle(state, now);
}

/** Ends a timer that has run out. */
function settle(
  state: SuppressionState,
  now: number,
): { readonly state: SuppressionState; readonly act?: PendingTransition } {
  if (state.until === undefined || now < state.until) return { state };
  return state.pending === undefined ? { state: unsuppressed } : { state: unsuppressed, act: state.pending };
}
