import { expect, it } from 'vitest';
import { parseEpochMilliseconds, parseIsoTime } from '../../core/decode/iso-time.ts';

it.each([
  ['2022-04-18T00:21:48Z', Date.UTC(2022, 3, 18, 0, 21, 48)],
  ['2022-04-18T00:21:48.5Z', Date.UTC(2022, 3, 18, 0, 21, 48, 500)],
  ['2022-04-18T00:21:48.123999Z', Date.UTC(2022, 3, 18, 0, 21, 48, 123)],
  ['2022-04-18T02:21:48+02:00', Date.UTC(2022, 3, 18, 0, 21, 48)],
  ['2022-04-17T18:51:48-0530', Date.UTC(2022, 3, 18, 0, 21, 48)],
  ['2024-02-29T23:59:59Z', Date.UTC(2024, 1, 29, 23, 59, 59)],
  ['0001-01-01T00:00:00Z', -62135596800000],
])('reads %s', (text, time) => {
  expect(parseIsoTime(text)).toBe(time);
});

it.each([
  '',
  '2022-04-18',
  '2022-04-18T00:21Z',
  '2022-04-18T00:21:48',
  '2022-04-18 00:21:48Z',
  '2022-04-18T00:21:48z',
  ' 2022-04-18T00:21:48Z',
  '2022-04-18T00:21:48Z\n',
  '2022-00-18T00:21:48Z',
  '2022-13-18T00:21:48Z',
  '2022-02-29T00:21:48Z',
  '2022-04-31T00:21:48Z',
  '2022-04-18T24:00:00Z',
  '2022-04-18T00:60:00Z',
  '2022-04-18T00:00:60Z',
  '2022-04-18T00:21:48+24:00',
  '2022-04-18T00:21:48.Z',
  '+002022-04-18T00:21:48Z',
  '٢٠٢٢-04-18T00:21:48Z',
])('refuses %j', (text) => {
  expect(parseIsoTime(text)).toBeUndefined();
});

it('reads milliseconds a date can hold', () => {
  expect([0, 1.9, 8.64e15].map(parseEpochMilliseconds)).toEqual([0, 1, 8.64e15]);
  expect([-1, 8.64e15 + 2, Number.POSITIVE_INFINITY, Number.NaN].map(parseEpochMilliseconds)).toEqual(
    Array(4).fill(undefined),
  );
});
