import { describe, expect, test } from 'vitest';
import type { Message } from '../../../core/model/delivery.ts';
import { detect, findLost, gatherIncidents, summarise } from '../../../core/pipeline/backtest/summarise.ts';

const hour = 3_600_000;
const week = 168 * hour;

function message(time: number, tier: 'yellow' | 'red', event: Message['event'], episode: string, model = 'm'): Message {
  const detail: Message['detail'] = {
    cause: 'health',
    sequence: 1,
    since: time,
    startedAt: time,
    headline: 'h',
    alarm: 'a',
    runbook: 'https://example.com#a',
    findings: [],
    verdicts: [],
    affected: [],
    mayFollow: [],
  };
  const subject = `${tier} ${event} ${episode}`;
  return { id: `${time}${tier}${event}`, tier, event, model, episode, subject, text: '', time, detail };
}

const messages = [
  message(10 * hour, 'yellow', 'raised', 'a'),
  message(11 * hour, 'red', 'raised', 'a'),
  message(12 * hour, 'red', 'lowered', 'a'),
  message(13 * hour, 'yellow', 'recovered', 'a'),
  message(40 * hour, 'red', 'raised', 'b', 'other'),
];

test('messages of one episode are one incident', () => {
  expect(gatherIncidents(messages)).toEqual([
    {
      id: 'a',
      model: 'm',
      tier: 'red',
      began: 10 * hour,
      ended: 13 * hour,
      pages: [11 * hour],
      notices: [10 * hour],
      subject: 'yellow raised a',
    },
    {
      id: 'b',
      model: 'other',
      tier: 'red',
      began: 40 * hour,
      ended: undefined,
      pages: [40 * hour],
      notices: [],
      subject: 'red raised b',
    },
  ]);
});

describe('a known incident', () => {
  const known = (from: number, to: number, model?: string) => [
    { name: 'k', from: from * hour, to: to * hour, ...(model !== undefined && { model }) },
  ];
  const found = (from: number, to: number, model?: string) => detect(known(from, to, model), messages, 2 * 3600)[0];

  test('is found by the first raise in its time', () => {
    expect(found(9, 12)).toMatchObject({
      first: { time: 10 * hour, tier: 'yellow' },
      firstPage: 11 * hour,
      told: ['a'],
    });
  });

  test('also where the message comes a window after its end', () => {
    expect(found(8, 9)).toMatchObject({ first: { time: 10 * hour }, told: ['a'] });
    expect(found(7, 8)?.first).toBeUndefined();
  });

  test('is not found by what came before it, by a recovery, or by another model', () => {
    expect(found(12, 14)).toMatchObject({ told: [], firstPage: undefined });
    expect(found(39, 41, 'm')?.told).toEqual([]);
    expect(found(39, 41, 'other')?.told).toEqual(['b']);
  });

  test('of which two incidents were told says both', () => {
    expect(found(0, 50)?.told).toEqual(['a', 'b']);
  });
});

test('rates are by the week, and what belongs to no known incident is told apart', () => {
  const detections = detect([{ name: 'k', from: 9 * hour, to: 12 * hour }], messages, 0);
  expect(summarise(messages, detections, 0, 0, 2 * week)).toEqual({
    weeks: 2,
    pages: 2,
    notices: 1,
    incidents: 2,
    pagesPerWeek: 1,
    noticesPerWeek: 0.5,
    detected: 1,
    meanDelaySeconds: 3600,
    besides: { pages: 1, notices: 0 },
  });
  expect(summarise([], [], 0, 0, week)).toMatchObject({ pages: 0, besides: undefined, meanDelaySeconds: undefined });
});

test('an incident is lost where nothing of its model is told in its time', () => {
  const before = gatherIncidents(messages);
  const later = gatherIncidents([
    message(12 * hour, 'yellow', 'raised', 'c'),
    message(14 * hour, 'yellow', 'recovered', 'c'),
  ]);
  expect(findLost(before, later).map(({ id }) => id)).toEqual(['b']);
  expect(findLost(before, []).map(({ id }) => id)).toEqual(['a', 'b']);
  expect(findLost(before, before)).toEqual([]);
});
