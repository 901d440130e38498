import { describe, expect, it } from 'vitest';
import { csv, decodeLines, planOf, reasons, sagemakerLine } from './capture-records.ts';

const record = (metadata: object) => sagemakerLine({ input: csv('1'), metadata });
const twoVersions = planOf({
  defaultVersion: undefined,
  versionFrom: 'model-version',
  versions: [
    { match: 'v1', columns: ['a'], predictions: [] },
    { match: 'v*', columns: ['b'], predictions: [] },
  ],
});

describe('SageMaker record envelope', () => {
  it('reads ids, time and place', async () => {
    const line = record({ eventId: 'e', inferenceId: 'i', inferenceTime: '2026-03-01T12:00:00.250+01:00' });
    const { invocations } = await decodeLines(['', line], planOf());
    expect(invocations).toEqual([
      expect.objectContaining({
        eventId: 'e',
        inferenceId: 'i',
        time: Date.UTC(2026, 2, 1, 11, 0, 0, 250),
        variant: 'AllTraffic',
        version: 'v1',
        line: 2,
        offset: 1,
        length: line.length,
      }),
    ]);
  });

  it.each([
    ['text', 'model-version=v2'],
    ['list', ['other=1', 'model-version=v2']],
    ['commas', 'other=1,model-version=v2,more=3'],
    ['semicolons', ['other=1; model-version = v2 ;more']],
  ])('finds the version in custom attributes as %s', async (_, customAttributes) => {
    const whole = await decodeLines([record({ customAttributes })], twoVersions);
    expect(whole.invocations.map(({ version }) => version)).toEqual(['v2']);
    expect(whole.rows).toEqual([[['b', '1']]]);
  });

  it('reads a version that matches none with the first schema', async () => {
    const whole = await decodeLines([record({ customAttributes: 'model-version=other' })], twoVersions);
    expect(whole.rows).toEqual([[['a', '1']]]);
    expect(whole.invocations[0]?.version).toBe('other');
  });

  it.each([
    [undefined],
    [null],
    [[]],
    ['model-version='],
    ['model-version=../../x'],
    ['model-version=..'],
    [`model-version=${'x'.repeat(129)}`],
    [7],
  ])('quarantines the custom attributes %j', async (customAttributes) => {
    const whole = await decodeLines([record({ customAttributes })], twoVersions);
    expect(whole.quarantined).toMatchObject([{ reason: 'unknown-version', time: Date.UTC(2026, 2, 1, 12) }]);
  });

  it.each([
    ['not-json', 'nonsense'],
    ['not-json', '{"a":1'],
    ['not-a-record', '[]'],
    ['not-a-record', '7'],
    ['not-a-record', '{}'],
    ['not-a-record', record({ eventId: undefined })],
    ['not-a-record', record({ eventId: 7 })],
    ['not-a-record', record({ eventId: 'x'.repeat(1025) })],
    ['not-a-record', record({ eventId: '\ud800' })],
    ['not-a-record', record({ inferenceId: {} })],
    ['not-a-record', JSON.stringify({ ...JSON.parse(record({})), captureData: { endpointInput: 3 } })],
    ['not-a-record', JSON.stringify({ ...JSON.parse(record({})), captureData: { endpointInput: { data: {} } } })],
    ['no-payload', JSON.stringify({ ...JSON.parse(record({})), captureData: null })],
    ['no-payload', JSON.stringify({ ...JSON.parse(record({})), captureData: { endpointInput: { data: null } } })],
    ['bad-time', record({ inferenceTime: 'yesterday' })],
    ['bad-time', record({ inferenceTime: '2026-02-30T00:00:00Z' })],
    ['bad-time', record({ inferenceTime: 1_700_000_000 })],
    ['bad-time', record({ inferenceTime: undefined })],
  ])('quarantines as %s: %s', async (reason, line) => {
    const whole = await decodeLines([line, record({})], planOf());
    expect(reasons(whole)).toEqual([reason]);
    expect(whole.quarantined[0]).toMatchObject({ line: 1, offset: 0, length: Buffer.byteLength(line) });
    expect(whole.rows).toHaveLength(1);
  });

  it('quarantines records out of time', async () => {
    const noon = Date.UTC(2026, 2, 1, 12);
    const late = await decodeLines([record({})], planOf({ latestTime: noon - 1 }));
    expect(late.quarantined).toMatchObject([{ reason: 'future-time', time: undefined }]);
    const inTime = await decodeLines([record({})], planOf({ latestTime: noon }));
    expect(inTime.rows).toHaveLength(1);
  });

  it('never shows content in a quarantine entry', async () => {
    const canary = 'canary7f3a';
    const lines = [
      `${canary}`,
      record({ inferenceTime: canary }),
      record({ eventId: { [canary]: canary } }),
      record({ customAttributes: `model-version=${canary}/${canary}` }),
      sagemakerLine({ input: { data: canary, encoding: canary } }),
      sagemakerLine({
        input: { data: `{"${canary}`, encoding: 'JSON' },
        metadata: { customAttributes: 'model-version=v1' },
      }),
      sagemakerLine({ input: csv(`${canary},${canary}`), metadata: { customAttributes: 'model-version=v1' } }),
    ];
    const whole = await decodeLines(lines, twoVersions);
    expect(whole.quarantined).toHaveLength(lines.length);
    expect(JSON.stringify(whole.quarantined)).not.toContain(canary);
  });
});
