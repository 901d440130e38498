import { describe, expect, test } from 'vitest';
import type { RollbackAct, RollbackLever } from '../../core/model/rollback.ts';
import { composeRollbackMessage, type RollbackNews } from '../../core/rollback/rollback-message.ts';
import { act } from './rollback-act.ts';

const endpoint: RollbackLever = { kind: 'sagemaker-endpoint', endpoint: 'credit' };
const weights: RollbackLever = { kind: 'sagemaker-weights', endpoint: 'credit' };
const outcomes = ['dry-run', 'recovered', 'not-recovered', 'withdrawn', 'refused', 'failed', 'overtaken'] as const;

function compose(news: RollbackNews, changes: Partial<RollbackAct> = {}, lever: RollbackLever = endpoint) {
  return composeRollbackMessage({ ...act, ...changes }, lever, news, {
    id: 'm1',
    time: act.time,
    alarm: 'tidewatch/credit/red',
    runbook: 'https://example.com/runbook.md#rollback',
  });
}

describe('a message of a rollback', () => {
  test.each(['started', ...outcomes] as const)('%s is of a row of its own, told to those of red', (news) => {
    const { tier, episode, text, detail } = compose(news);
    expect([tier, episode]).toEqual(['red', 'e1/rollback']);
    expect(text).toContain('episode e1\n');
    expect(detail.sequence).toBe(news === 'started' ? 1 : 2);
  });

  test.each(outcomes)('%s: RED is for what a person must do', (news) => {
    const isPage = ['not-recovered', 'refused', 'failed', 'overtaken'].includes(news);
    const { event, subject, text } = compose(news);
    expect([event, subject.split(' ')[0]]).toEqual(isPage ? ['raised', 'RED'] : ['updated', 'ROLLBACK']);
    if (isPage) expect(text).toMatch(/a person must/i);
  });

  test.each([
    ['attempts-used-up', 'the service was asked as often as is allowed, and took it none of the times'],
    ['update-given-up', 'the update is over, and what answered before it answers still'],
    ['no-incident', 'the incident is no longer red'],
  ])('says %s in words, and gives its code', (reason, words) => {
    expect(compose('failed', { reason }).text).toContain(`\nReason: ${words} (${reason})\n`);
  });

  test.each(['of an older version', 'constructor'])('tells a reason that it does not know as it is: %s', (reason) => {
    expect(compose('failed', { reason }).text).toContain(`\nReason: ${reason}\n`);
  });

  test('of a dry run begins as the rule says that docs/rollback.md gives for an event bus', () => {
    expect(compose('dry-run').detail.headline).toMatch(/^would be rolled back now/);
  });

  test('a model that has recovered is not called red', () => {
    expect(compose('recovered').subject).toBe('ROLLBACK credit: has recovered, no longer red');
  });
});

describe('what is gone back to', () => {
  const json = (config: string, ...shares: [string, number][]) => JSON.stringify([config, shares]);
  const lines = (from: string, to: string, lever: RollbackLever = weights) =>
    compose('started', { from, to }, lever)
      .text.split('\n')
      .filter((line) => /^(From|To): /.test(line));

  test('is written as a person names it: weights as shares of calls', () => {
    expect(lines(json('v7', ['canary', 1], ['stable', 3]), json('v7', ['canary', 0], ['stable', 1]))).toEqual([
      'From: v7: canary 25 %, stable 75 %',
      'To: v7: canary 0 %, stable 100 %',
    ]);
    expect(lines(json('v7', ['a', 1], ['b', 2]), json('v8'))).toEqual(['From: v7: a 33.3 %, b 66.7 %', 'To: v8']);
    expect(lines(json('v7', ['a', 0]), json('v7', ['a', 0]))[0]).toBe('From: v7: a 0 %');
  });

  test.each([['config-b'], ['["v7"]'], ['["v7",[["a"]]]'], ['[7,[]]'], ['{'], ['null']])(
    'is told as it is where it has another form: %s',
    (config) => {
      expect(lines(config, config)).toEqual([`From: ${config}`, `To: ${config}`]);
    },
  );

  test('of an endpoint is the name of its configuration', () => {
    expect(lines('config-b', 'config-a', endpoint)).toEqual(['From: config-b', 'To: config-a']);
  });
});
