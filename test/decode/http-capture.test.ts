import { describe, expect, it } from 'vitest';
import { decodeLines, planOf, reasons } from './capture-records.ts';

const plan = planOf({
  format: 'http-capture',
  versions: [{ match: 'v1', columns: ['a', 'b'], predictions: ['score'] }],
});
const requests = planOf({ format: 'http-capture', role: 'requests' });
const line = (changes: object = {}) =>
  JSON.stringify({
    schema: 'tidewatch.http/1',
    time: '2026-03-01T12:00:00Z',
    id: 'r-1',
    status: 200,
    latencyMilliseconds: 12.5,
    route: '/predict',
    request: { contentType: 'application/json', body: { a: 1, b: 2 } },
    response: { contentType: 'application/json', body: { score: 0.5 } },
    ...changes,
  });
const only = async (changes: object, used = plan) => decodeLines([line(changes)], used);

describe('tidewatch.http/1', () => {
  it('reads an inference with its request', async () => {
    const whole = await only({ inferenceId: 'i', variant: 'blue', version: 'v1', unknown: { x: 1 } });
    expect(whole.rows).toEqual([
      [
        ['a', 1],
        ['b', 2],
        ['score', 0.5],
      ],
    ]);
    expect(whole.invocations).toMatchObject([
      {
        eventId: 'r-1',
        inferenceId: 'i',
        variant: 'blue',
        version: 'v1',
        status: 200,
        latencyMilliseconds: 12.5,
        route: '/predict',
      },
    ]);
  });

  it.each([
    [{ body: '1,2\n3,4', encoding: 'CSV' }, { body: '5\n6', contentType: 'text/csv' }, 2],
    [{ body: '1,2\n3,4', contentType: 'text/csv; header=absent' }, { body: '[5,6]' }, 2],
    [{ body: '{"a":1}\n{"a":2}', contentType: 'application/jsonlines' }, { body: [5, 6] }, 2],
    [{ body: Buffer.from('1,2').toString('base64'), encoding: 'BASE64', contentType: 'text/csv' }, { body: 5 }, 1],
    [{ body: 'hello', contentType: 'text/plain' }, { body: 'fine', contentType: 'text/plain' }, 1],
    [{ body: { instances: [[1, 2]] } }, undefined, 1],
    [undefined, { body: { predictions: [5, 6, 7] } }, 3],
  ])('reads the bodies %j and %j', async (request, response, rows) => {
    const whole = await only({ request, response });
    expect([reasons(whole), whole.rows.length]).toEqual([[], rows]);
  });

  it('names a text answer after the only prediction', async () => {
    const whole = await only({ response: { body: 'spam', contentType: 'text/plain' } });
    expect(whole.rows[0]?.at(-1)).toEqual(['score', 'spam']);
  });

  it('reads times as ISO 8601 and as milliseconds', async () => {
    const time = Date.UTC(2026, 2, 1, 12);
    expect((await only({ time })).invocations[0]?.time).toBe(time);
    expect((await only({ time: time + 0.7 })).invocations[0]?.time).toBe(time);
  });

  it('takes the version from its field, then from the configured one', async () => {
    const two = planOf({ ...plan, defaultVersion: undefined, versionFrom: 'release' });
    expect((await only({ version: 'v1', release: 'v2' }, two)).invocations[0]?.version).toBe('v1');
    expect((await only({ release: 'v2' }, two)).invocations[0]?.version).toBe('v2');
    expect(reasons(await only({}, two))).toEqual(['unknown-version']);
    expect(reasons(await only({ version: 3 }, two))).toEqual(['unknown-version']);
  });

  it.each([
    ['not-a-record', { schema: 'tidewatch.http/2' }],
    ['not-a-record', { schema: null }],
    ['not-a-record', { id: undefined }],
    ['not-a-record', { id: '' }],
    ['not-a-record', { status: 99 }],
    ['not-a-record', { status: 600 }],
    ['not-a-record', { status: 200.5 }],
    ['not-a-record', { status: '200' }],
    ['not-a-record', { latencyMilliseconds: -1 }],
    ['not-a-record', { route: 7 }],
    ['not-a-record', { variant: '../x' }],
    ['not-a-record', { request: 'text' }],
    ['no-payload', { request: undefined, response: undefined }],
    ['no-payload', { request: {}, response: { body: null } }],
    ['bad-encoding', { request: { body: 'text', contentType: 'image/png' } }],
    ['bad-encoding', { request: { body: 'text' } }],
    ['bad-encoding', { request: { body: 'text', encoding: 3 } }],
    ['bad-time', { time: -1 }],
    ['bad-time', { time: 1e17 }],
    ['bad-time', { time: '1700000000000' }],
    ['bad-time', { time: undefined }],
  ])('quarantines as %s: %j', async (reason, changes) => {
    const whole = await only(changes);
    expect([reasons(whole), whole.invocations.length]).toEqual([[reason], 0]);
  });

  it('refuses an infinite latency', async () => {
    expect(reasons(await decodeLines([line().replace('12.5', '1e999')], plan))).toEqual(['not-a-record']);
  });

  describe('failed calls', () => {
    it.each([
      ['no bodies', { status: 503, request: undefined, response: undefined }],
      [
        'an unreadable answer',
        { status: 500, request: undefined, response: { body: '<html>', contentType: 'application/json' } },
      ],
      ['an answer of another shape', { status: 500, request: undefined, response: 'x' }],
      ['an unreadable request', { status: 400, request: { body: '{', contentType: 'application/json' } }],
      ['a request of another shape', { status: 400, request: 'x' }],
    ])('keep their invocation with %s', async (_, changes) => {
      const whole = await only(changes);
      expect([reasons(whole), whole.rows.length]).toEqual([[], 0]);
      expect(whole.invocations).toMatchObject([{ status: changes.status, latencyMilliseconds: 12.5 }]);
    });

    it('keep a readable request as a row without an output', async () => {
      const whole = await only({ status: 500, response: { body: { score: 'error' } } });
      expect(whole.rows).toEqual([
        [
          ['a', 1],
          ['b', 2],
        ],
      ]);
    });
  });

  describe('requests', () => {
    it('gives invocations without rows and does not read bodies', async () => {
      const whole = await decodeLines([line({ request: 'anything', response: 3 })], requests);
      expect([whole.rows.length, whole.invocations.length, whole.quarantined.length]).toEqual([0, 1, 0]);
    });

    it('names requests without an id by their line, and never takes those for repetitions', async () => {
      const named = JSON.stringify({ time: 0, id: 'line-2' });
      const whole = await decodeLines([named, '{"time":0}', '{"time":0}'], requests);
      expect(whole.invocations.map(({ eventId }) => eventId)).toEqual(['line-2', 'line-2', 'line-3']);
      expect(whole.duplicates).toEqual([]);
    });

    it('recognises a repeated request', async () => {
      const whole = await decodeLines([line(), line()], requests);
      expect(whole.invocations).toHaveLength(1);
      expect(whole.duplicates).toMatchObject([{ line: 2, rows: 0 }]);
    });
  });
});
