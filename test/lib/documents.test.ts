import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseAlarmDescription } from '../../core/contract/alarm-text.ts';
import { sagemakerEndpoint } from '../../core/contract/config.ts';
import firstDeployment from '../../examples/first-deployment/tidewatch.config.ts';
import { resourcesOf, sampleConfig, synthesise } from './synthesise.ts';

const read = (name: string) => readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8');

describe('the cost page', () => {
  const text = read('cost.md');
  const readme = read('../README.md').replaceAll('\n', ' ');
  const sections = text.split(/^## /m);
  const tables = sections.slice(1, 4);
  const rollback = sections.find((section) => section.startsWith('Rollback')) ?? '';

  /** Of products and quotients, as the page writes them. */
  function evaluate(arithmetic: string): number {
    const [head = '', ...rest] = arithmetic.replaceAll(',', '').split(/ (?=[×/] )/);
    return rest.reduce((value, step) => {
      const [operator, operand] = step.split(' ');
      return operator === '×' ? value * Number(operand) : value / Number(operand);
    }, Number(head));
  }

  test.each([...tables, rollback].map((table) => [table.split('\n', 1)[0], table]))('adds up: %s', (_, table = '') => {
    const rows = [...table.matchAll(/^\| [^|*]+ \| ([\d.,×/ ]+) \| ([\d.]+) \|$/gm)];
    expect(rows.length).toBeGreaterThan(table === rollback ? 6 : 8);
    let sum = 0;
    for (const [row, arithmetic = '', amount] of rows) {
      expect([row, evaluate(arithmetic).toFixed(2)]).toEqual([row, amount]);
      sum += Number(amount);
    }
    const total = /\*\*together\*\* \| \| \*\*([\d.]+)\*\*/.exec(table)?.[1];
    expect(sum.toFixed(2)).toBe(total);
    expect(text).toContain(` ${total}`);
  });

  test('is what the README says', () => {
    const [, alone, shared] =
      /costs ([\d.]+) US dollars a month with default settings; [^,]*, ([\d.]+)\./.exec(readme) ?? [];
    expect(text).toContain(`**A model costs ${alone}.**`);
    expect(text).toContain(`Twenty such models cost ${shared} each`);
  });

  test('keeps a model under ten dollars', () => {
    expect(Number(/\*\*A model costs ([\d.]+)\.\*\*/.exec(text)?.[1])).toBeLessThan(10);
  });

  test('names the options that are not in the sums, and what they add', () => {
    const [, least, most] = /\*\*together\*\* \| \| \*\*([\d.]+) to ([\d.]+)\*\*/.exec(text) ?? [];
    const alone = Number(/\*\*A model costs ([\d.]+)\.\*\*/.exec(text)?.[1]);
    const [from, to] = [least, most].map((amount) => (alone + Number(amount)).toFixed(2));
    expect(text).toContain(`labels](#labels) ${least} to ${most} a model, which is then ${from} to ${to}`);
    const ofModels = [...rollback.matchAll(/^\| of each model, .* \| ([\d.]+) \|$/gm)];
    const each = ofModels.reduce((sum, [, amount]) => sum + Number(amount), 0);
    const total = Number(/\*\*together\*\* \| \| \*\*([\d.]+)\*\*/.exec(rollback)?.[1]);
    expect(text).toContain(
      `[rollback](#rollback) ${(total - each).toFixed(2)} a fleet and ${each.toFixed(2)} for each`,
    );
  });

  test('counts the alarms that are deployed', () => {
    const templates = synthesise({ ...sampleConfig, models: sampleConfig.models.slice(0, 1) });
    const alarms = resourcesOf(templates, 'AWS::CloudWatch::Alarm');
    const count = (stack: string, own: boolean) =>
      alarms.filter(
        ({ stack: name, properties }) =>
          name === stack && own === String(properties.AlarmName).includes('/credit-scoring/'),
      ).length;
    expect(tables[0]).toContain(`| metric alarms | ${count('tidewatch-main', true)} × 0.10`);
    expect(tables[1]).toContain(`one on beats | ${count('tidewatch-main', false)} × 0.10`);
    const platform = count('tidewatch-platform', false);
    expect(tables[2]).toContain(`four dead-letter queues | ${platform} × 0.10`);
    const [model] = sampleConfig.models;
    const withRollback = synthesise({
      ...sampleConfig,
      models: model ? [{ ...model, rollback: sagemakerEndpoint({}) }] : [],
    });
    const all = resourcesOf(withRollback, 'AWS::CloudWatch::Alarm').length - alarms.length;
    expect(rollback).toContain(`| alarm: its dead-letter queue | ${all} × 0.10`);
  });
});

test('every alarm links to an article that the runbook has', () => {
  const articles = [...read('runbook.md').matchAll(/^## (.+)$/gm)].map(([, title = '']) =>
    title.toLowerCase().replaceAll(' ', '-'),
  );
  const templates = synthesise();
  const alarms = [
    ...resourcesOf(templates, 'AWS::CloudWatch::Alarm'),
    ...resourcesOf(templates, 'AWS::CloudWatch::CompositeAlarm'),
  ];
  for (const { properties } of alarms) {
    const runbook = parseAlarmDescription(String(properties.AlarmDescription))?.runbook;
    expect(articles).toContain(runbook?.split('#')[1]);
  }
});

test('the example deploys', () => {
  expect([...synthesise(firstDeployment).keys()]).toEqual(['tidewatch-platform', 'tidewatch-main']);
});
