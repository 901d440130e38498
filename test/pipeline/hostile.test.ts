import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { Fragment } from '../../core/model/profile.ts';
import { day, hour, linesOf, minute, payloadKey, payloadLine, requestKey, requestLine } from './capture-lines.ts';
import { createWorld, start, usualCalls, type World } from './embedded-world.ts';

const arrived = start + 20 * minute;

function fragmentsOf(world: World) {
  return world.state.documents<Fragment>('fragments/');
}

function total(world: World, count: 'captured' | 'counted' | 'quarantined') {
  return fragmentsOf(world).reduce((sum, { summary }) => sum + summary.records[count], 0);
}

function httpLine(fields: object): string {
  const request = { body: [1] };
  const record = { schema: 'tidewatch.http/1', id: 'x', time: new Date(start).toISOString(), request, status: 200 };
  return JSON.stringify({ ...record, ...fields });
}

/** A model that takes its records over HTTP, where the payload names its version. */
async function httpWorld() {
  return createWorld({
    source: { kind: 'http-capture', bucket: 'captures', prefix: 'requests', role: 'inferences' },
    versions: [{ match: '*', schema: { columns: ['amount'] } }],
    slos: [],
    features: {},
  });
}

test('names that can be no key are quarantined; every other line is counted', async () => {
  const world = await httpWorld();
  const names = [
    '..',
    '.',
    '',
    '__proto__',
    'constructor',
    'a/b',
    'v'.repeat(300),
    '\u202e',
    '💥'.repeat(60),
    '%2e%2e',
  ];
  const lines = names.flatMap((name, index) => [
    httpLine({ id: `v${index}`, version: name }),
    httpLine({ id: `w${index}`, variant: name }),
    httpLine({ id: `g${index}` }),
  ]);
  const report = await world.deliver({ key: requestKey(start, 'names'), body: linesOf(lines), arrived });
  expect(report.counted + report.quarantined).toBe(lines.length);
  expect(report.counted).toBeGreaterThanOrEqual(names.length);
  expect(report.quarantined).toBeGreaterThan(names.length / 2);
  expect(total(world, 'captured')).toBe(lines.length);
  for (const key of world.state.keys()) expect(key).toMatch(/^[A-Za-z0-9._%/-]+$/);
  await world.tick(start + hour + 10 * minute);
  expect(world.verdicts().reduce((sum, { records }) => sum + records.captured, 0)).toBe(lines.length);
});

test.each([
  ['countable', (index: number) => httpLine({ id: `h${index}`, version: `v${index}` })],
  ['damaged', (index: number) => httpLine({ id: `h${index}`, version: `v${index}`, request: { body: [[1, 2]] } })],
  ['repeated', (index: number) => httpLine({ id: 'again', version: `v${index}` })],
  ['of the far future', (index: number) => httpLine({ time: 8e15 - index, status: 'x', version: `v${index}` })],
])('thousands of versions in one object open few windows and cost the others nothing: %s', async (_, hostile) => {
  const world = await httpWorld();
  const usual = (index: number) => httpLine({ id: `u${index}`, version: 'usual' });
  const lines = Array.from({ length: 2400 }, (_, index) => [
    hostile(index),
    ...(index % 8 === 0 ? [usual(index)] : []),
  ]).flat();
  const report = await world.deliver({ key: requestKey(start, 'flood'), body: linesOf(lines), arrived });
  expect(report.counted + report.quarantined + report.duplicate).toBe(lines.length);
  expect(fragmentsOf(world).length).toBeLessThanOrEqual(1024);
  expect(total(world, 'captured')).toBe(lines.length);
  const counted = fragmentsOf(world)
    .filter(({ series }) => series.version === 'usual')
    .reduce((sum, { summary }) => sum + summary.records.counted, 0);
  expect(counted).toBe(300);
  expect(Math.max(...(await world.listSeries()).map(({ newestWindow }) => newestWindow))).toBe(start);
});

test('columns of odd names are counted, in bounds, and harm no other', async () => {
  const world = await createWorld();
  const schema = '{"observedContentType":"application/json","mode":"INPUT","encoding":"JSON","data":';
  const line = (id: number, members: string) =>
    `{"captureData":{"endpointInput":${schema}${JSON.stringify(`{"amount":100,"country":"DE",${members}}`)}}},"eventMetadata":{"eventId":"${id}","inferenceTime":"${new Date(start + id).toISOString()}","customAttributes":["version=v1"]}}`;
  const odd = [
    '__proto__',
    'constructor',
    'toString',
    '\\ud800',
    '\\udfff\\ud800',
    'n'.repeat(300),
    '',
    '(more)',
    '\\u202e',
  ];
  const lines = [
    ...odd.map((name, index) => line(index, `"${name}":1`)),
    ...Array.from({ length: 300 }, (_, index) => line(100 + index, `"extra${index}":1`)),
    ...usualCalls(start, start + minute, 50, 1).map(payloadLine),
  ];
  const report = await world.deliver({ key: payloadKey(start, 'odd'), body: linesOf(lines), arrived });
  expect(report).toMatchObject({ counted: lines.length, quarantined: 0 });
  const [fragment] = fragmentsOf(world);
  const columns = new Map(fragment?.summary.extraColumns);
  expect(columns.size).toBeLessThanOrEqual(101);
  expect([...columns.values()].reduce((sum, rows) => sum + rows, 0)).toBe(odd.length + 300);
  expect(columns.get('__proto__')).toBe(1);
  expect([...columns.keys()].every((name) => name.length <= 256 && name.isWellFormed())).toBe(true);
  await world.tick(start + hour + 10 * minute);
  expect(world.verdicts()).toMatchObject([{ records: { counted: lines.length } }]);
});

test('an object of nothing but damaged lines is quarantined where its key says, or its arrival', async () => {
  const lines = ['{', 'x', '[]', '{"eventMetadata":{}}', '\u0000\u0001', '"\\ud800"'];
  const places = [
    payloadKey(start, 'damaged'),
    'data/credit/AllTraffic/damaged',
    payloadKey(start + 900 * day, 'damaged'),
  ];
  for (const key of places) {
    const world = await createWorld();
    const report = await world.deliver({ key, body: linesOf(lines), arrived });
    expect(report).toMatchObject({ counted: 0, quarantined: lines.length });
    expect(total(world, 'quarantined')).toBe(lines.length);
    expect(fragmentsOf(world).map(({ window }) => window.start)).toEqual([start]);
    const [quarantine] = world.state.documents<{ entries: readonly object[] }>('quarantine/');
    expect(quarantine?.entries).toHaveLength(lines.length);
    await world.tick(start + hour + 10 * minute);
    expect(world.verdicts()).toMatchObject([{ tier: 'yellow', records: { quarantined: lines.length } }]);
  }
});

test('an empty object is evidence and a note of it', async () => {
  for (const body of [new Uint8Array(), Buffer.from('\n\n'), gzipSync('')]) {
    const world = await createWorld();
    expect(await world.deliver({ key: payloadKey(start, 'empty'), body, arrived })).toMatchObject({
      counted: 0,
      quarantined: 0,
      fragments: [],
    });
    expect(world.state.keys().map((key) => key.split('/')[0])).toEqual(['empty', 'runtimes']);
    expect(world.audit.keys()).toHaveLength(1);
  }
});

test('of a gzip that is cut off anywhere, whole lines are counted and the rest is one loss', async () => {
  const calls = usualCalls(start, start + 10 * minute, 200, 9);
  const whole = gzipSync(linesOf(calls.map(payloadLine)));
  let before = -1;
  for (const share of [0.02, 0.3, 0.6, 0.9, 0.999]) {
    const world = await createWorld();
    const body = whole.subarray(0, Math.floor(whole.length * share));
    const report = await world.deliver({ key: payloadKey(start, 'cut'), body, arrived });
    expect(report.quarantined).toBe(1);
    expect(report.counted).toBeGreaterThanOrEqual(before);
    expect(total(world, 'captured')).toBe(report.counted + 1);
    before = report.counted;
  }
  expect(before).toBeGreaterThan(150);
});

test('requests of hostile names are lost alone', async () => {
  const world = await createWorld();
  const lines = [
    requestLine({ time: start, id: 'a' }),
    requestLine({ time: start, id: 'b' }).replace('"status"', `"variant":"${'x'.repeat(500)}","status"`),
    requestLine({ time: start, id: 'c', latencyMilliseconds: -1 }),
    requestLine({ time: start, id: 'd' }),
  ];
  const report = await world.deliver({ key: requestKey(start, 'r'), body: linesOf(lines), arrived });
  expect(report).toMatchObject({ requests: 2, quarantined: 2 });
});
