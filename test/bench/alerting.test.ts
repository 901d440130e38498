import { describe, expect, test } from 'vitest';
import { measureBurnDelay, measureFalsePages } from '../../bench/alerting/burn-rates.ts';
import { countIncidents, tallyTrace, troubledDelivery, usualDelivery } from '../../bench/alerting/count-incidents.ts';
import { drawTrace, traceKinds } from '../../bench/alerting/incident-traces.ts';
import { playTrace } from '../../bench/alerting/play-trace.ts';
import { hoursToRed } from '../../bench/alerting/quality-slo.ts';
import { createRandomSource } from '../../bench/detection/random-source.ts';

describe('incidents of traces', () => {
  test('are one per episode, and no red is missed', () => {
    const count = countIncidents(90, 'test', usualDelivery);
    expect(count).toMatchObject({ incidentsPerEpisode: 1, missedRed: 0, splitEpisodes: 0, strayIncidents: 0 });
    expect(count.redEpisodes).toBeGreaterThan(200);
  });

  test('also where notices are half an hour late no red is missed', () => {
    expect(countIncidents(90, 'test', troubledDelivery).missedRed).toBe(0);
  });

  test('of one seed are the same again', () => {
    expect(countIncidents(9, 'same', usualDelivery)).toEqual(countIncidents(9, 'same', usualDelivery));
  });

  test('notices come twice, late and out of order, and of some episodes not at all', () => {
    const traces = Array.from({ length: 30 }, (_, index) =>
      drawTrace('flapping', createRandomSource(`${index}`), usualDelivery),
    );
    const notices = traces.flatMap((trace) => trace.notices);
    const keys = new Set(notices.map(({ time, to }) => `${time} ${to}`));
    expect(keys.size).toBeLessThan(notices.length);
    expect(notices.some(({ time, heard }) => heard - time > 150_000)).toBe(true);
    expect(notices.some(({ time }, index) => time < (notices[index - 1]?.time ?? 0))).toBe(true);
    expect(keys.size).toBeLessThan(2 * traces.flatMap((trace) => trace.spans).length);
  });

  test.each(traceKinds)('of %s traces: what is not said is missed, what is said of nothing is stray', (kind) => {
    const trace = drawTrace(kind, createRandomSource('a trace'), usualDelivery);
    const said = playTrace(trace);
    const red = trace.episodes.filter(({ tier }) => tier === 'red').length;
    const silent = tallyTrace(trace, []);
    expect([silent.missedRed, silent.missedYellow]).toEqual([red, trace.episodes.length - red]);
    const unexplained = tallyTrace({ episodes: [] }, said);
    expect(unexplained.strayIncidents).toBe(trace.episodes.length);
    const doubled = said.map(({ message, at }) => ({ message: { ...message, episode: `${message.episode}!` }, at }));
    expect(tallyTrace(trace, [...said, ...doubled]).splitEpisodes).toBe(trace.episodes.length);
  });
});

test('a service at its budget pages nobody in a fortnight, one at twenty times it within hours', () => {
  expect(measureFalsePages(100, 5, 2, 'test')).toMatchObject({ pages: 0, weeks: 2 });
  expect(measureBurnDelay(500, 20, 1, 'test').pageMinutes).toBeLessThan(360);
});

test('a decline of precision is red within days, precision at the objective is not', () => {
  const stream = { healthyHours: 0, healthyRate: 0.92, hours: 100 };
  expect(hoursToRed({ ...stream, rate: 0.7 }, createRandomSource('decline'), 3)).toBeLessThan(60);
  expect(hoursToRed({ ...stream, rate: 0.86 }, createRandomSource('healthy'), 3)).toBe(Number.POSITIVE_INFINITY);
});
