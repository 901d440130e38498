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

// WaitPeriod is 2 units and ExtensionPeriod 3, as in the documentation.
describe('action suppression', () => {
  test('example 1: actions run after the wait when the suppressor stays OK', () => {
    expect(replay({ 2: 'ALARM' }, {}, 5)).toEqual({ acts: ['t4 ALARM of t2'], by: 'none wait wait none none' });
  });
  test('example 2: the suppressor follows within the wait', () => {
    expect(replay({ 2: 'ALARM' }, { 3: 'ALARM' }, 6)).toEqual({ acts: [], by: 'none wait alarm alarm alarm alarm' });
  });
  test('example 3: a change within the wait begins a new one', () => {
    expect(replay({ 2: 'ALARM', 3: 'OK' }, {}, 6)).toEqual({
      acts: ['t5 OK of t3'],
      by: 'none wait wait wait none none',
    });
  });
  test('example 4: the suppressor is in ALARM already', () => {
    expect(replay({ 2: 'ALARM' }, { 0: 'ALARM' }, 4)).toEqual({ acts: [], by: 'alarm alarm alarm alarm' });
  });
  test('example 5: actions run after the extension', () => {
    expect(replay({ 2: 'ALARM' }, { 3: 'ALARM', 6: 'OK' }, 10)).toEqual({
      acts: ['t9 ALARM of t2'],
      by: 'none wait alarm alarm alarm extension extension extension none none',
    });
  });
  test('example 6: a change within the extension begins a wait', () => {
    expect(replay({ 2: 'ALARM', 7: 'OK' }, { 3: 'ALARM', 6: 'OK' }, 10)).toEqual({
      acts: ['t9 OK of t7'],
      by: 'none wait alarm alarm alarm extension wait wait none none',
    });
  });
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
