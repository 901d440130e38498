import { describe, expect, test } from 'vitest';
import {
  nextSuppression,
  type PendingTransition,
  type SuppressionState,
  unsuppressed,
} from '../../core/alarm/suppression.ts';
import type { AlarmStateValue } from '../../core/model/alarm.ts';

/**
 * Replays the documentation's time lines: state changes of composite and suppressor by time unit, one unit a second.
 * Returns at which unit actions ran, for which state, and what suppressed after each unit.
 */
function replay(composite: Record<number, AlarmStateValue>, suppressor: Record<number, AlarmStateValue>, units = 12) {
  let state: SuppressionState = unsuppressed;
  let value: AlarmStateValue = 'OK';
  let suppressing: AlarmStateValue = suppressor[0] ?? 'OK';
  const acts: string[] = [];
  const by: string[] = [];
  for (let unit = 1; unit <= units; unit++) {
    suppressing = suppressor[unit] ?? suppressing;
    const to = composite[unit];
    let transition: PendingTransition | undefined;
    if (to !== undefined && to !== value) {
      transition = { from: value, to, time: unit * 1000, reason: '' };
      value = to;
    }
    const next = nextSuppression(state, transition, suppressing, { waitSeconds: 2, extensionSeconds: 3 }, unit * 1000);
    state = JSON.parse(JSON.stringify(next.state)) as SuppressionState;
    by.push(state.by);
    if (next.act) acts.push(`t${unit} ${next.act.to} of t${next.act.time / 1000}`);
  }
  return { acts, by: by.join(' ') };
}

// WaitPeriod is 2 units and ExtensionPeriod 3, as in the documentation, whose own examples are in documented.test.ts.
describe('action suppression', () => {
  test('a suppressor that comes and goes with nothing pending runs no actions', () => {
    expect(replay({}, { 2: 'ALARM', 4: 'OK' }, 8)).toEqual({
      acts: [],
      by: 'none alarm alarm extension extension extension none none',
    });
  });
  test('a suppressor that returns within the extension ends it', () => {
    expect(replay({ 2: 'ALARM' }, { 2: 'ALARM', 4: 'OK', 5: 'ALARM', 7: 'OK' }, 11).acts).toEqual(['t10 ALARM of t2']);
  });
  test('leaving and changing at once is a change within the extension', () => {
    expect(replay({ 2: 'ALARM', 5: 'OK' }, { 2: 'ALARM', 5: 'OK' }, 8).acts).toEqual(['t7 OK of t5']);
  });
  test('without periods actions run at once', () => {
    const change: PendingTransition = { from: 'OK', to: 'ALARM', time: 0, reason: '' };
    const next = nextSuppression(unsuppressed, change, 'OK', { waitSeconds: 0, extensionSeconds: 0 }, 0);
    expect(next).toEqual({ state: unsuppressed, act: change });
  });
});
