import { expect, test } from 'vitest';
import {
  countInService,
  newestVerdicts,
  type SeriesState,
  seriesOfState,
  windowAt,
} from '../../core/pipeline/series.ts';
import { hour, minute } from './capture-lines.ts';
import { start } from './embedded-world.ts';

function judged(windowSeconds: number, windowStart: number, key: string): SeriesState {
  const of = { variant: 'AllTraffic', version: 'v1', layout: 'none', windowSeconds };
  const places = { firstWindow: windowStart, newestWindow: windowStart, judgedThrough: windowStart };
  return { ...of, ...places, newest: { key, windowStart, tier: 'green', captured: 1, quarantined: 0 } };
}

test('the newest verdicts are those of the windows that ended last, whatever their width', () => {
  const states = [judged(3600, start, 'hour'), judged(900, start + 45 * minute, 'last quarter')];
  expect(newestVerdicts(states).map(({ key }) => key)).toEqual(['hour', 'last quarter']);
  const next = [...states, judged(900, start + hour, 'next quarter')];
  expect(newestVerdicts(next).map(({ key }) => key)).toEqual(['next quarter']);
  expect(newestVerdicts([])).toEqual([]);
});

test('in service are the series that had records in the day before a window, or since', () => {
  const from = (first: number, newest: number, version: string, windowSeconds = 3600): SeriesState => ({
    ...judged(windowSeconds, start + first * hour, ''),
    version,
    newestWindow: start + newest * hour,
  });
  const own = from(0, 100, 'own');
  const count = (at: number, ...others: readonly SeriesState[]) =>
    countInService([own, ...others], seriesOfState('m', own), windowAt(own, start + at * hour));
  expect(count(50)).toBe(1);
  expect(count(50, from(50, 50, 'begun with it'), from(51, 60, 'begun later'))).toBe(2);
  expect(count(50, from(0, 27, 'a day ago'), from(0, 25, 'longer ago'))).toBe(2);
  // What was in service still is when the window is judged again.
  expect(count(50, from(0, 90, 'goes on'), from(40, 52, 'fine', 900))).toBe(3);
  // The table may not know a series that is judged for the first time.
  expect(countInService([], seriesOfState('m', own), windowAt(own, start))).toBe(1);
});

test('windows begin at multiples of their width since midnight UTC', () => {
  expect(windowAt({ windowSeconds: 2700 }, start + 100 * minute)).toEqual({
    start: start + 90 * minute,
    end: start + 135 * minute,
  });
});
