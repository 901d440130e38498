import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DecodePlan } from '../../core/decode/decode-plan.ts';
import { csv, decodeBytes, json, planOf, sagemakerLine } from '../decode/capture-records.ts';

const mutants = 10_000;

/** Deterministic bytes (mulberry32). */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296) * below);
  };
}

/** The record with one to eight bytes flipped, removed, repeated or replaced, none of them a newline. */
function mutate(record: Buffer, random: (below: number) => number): Buffer {
  let bytes = Buffer.from(record);
  for (let count = 1 + random(8); count > 0; count -= 1) {
    const at = random(bytes.length);
    const kind = random(5);
    if (kind === 0) bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << random(8)), at);
    else if (kind === 1) bytes.writeUInt8(random(256), at);
    else if (kind === 2) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random(20))]);
    else if (kind === 3) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(random(at + 1))]);
    else bytes.set(Buffer.from('{}[]",:\\0eE-'.charAt(random(12))), at);
    if (bytes.length === 0) bytes = Buffer.from('x');
  }
  return Buffer.from(bytes.map((byte) => (byte === 0x0a ? 0x20 : byte)));
}

const sagemaker = (eventId: string) => [
  sagemakerLine({ input: csv('1,2\n"3, ""x""",4'), output: csv('5\n6'), metadata: { eventId } }),
  sagemakerLine({ input: json({ instances: [{ a: 1, b: { c: [1] } }] }), output: json([0.1]), metadata: { eventId } }),
  sagemakerLine({
    input: { data: 'MSwy', encoding: 'BASE64' },
    metadata: { eventId, customAttributes: ['version=v1,x=y'] },
  }),
];
const http = (id: string) => [
  JSON.stringify({ time: '2026-03-01T12:00:00Z', id, status: 200, request: { body: { features: [1, 2] } } }),
  JSON.stringify({ time: 1772366400000, id, version: 'v1', response: { body: '1,2', contentType: 'text/csv' } }),
];

describe.each([
  ['sagemaker-capture', sagemaker, planOf({ versionFrom: 'version' })],
  ['http-capture', http, planOf({ format: 'http-capture' })],
] satisfies readonly (readonly [string, (id: string) => string[], DecodePlan])[])('%s', (_, templates, plan) => {
  it(`${mutants} mutated records cost no good line`, async () => {
    const random = randomNumbers(20260301);
    const lines: Buffer[] = [];
    for (let index = 0; index < mutants; index += 1) {
      const choices = templates(`mutant-${index}`);
      lines.push(mutate(Buffer.from(choices[index % choices.length] ?? ''), random));
      lines.push(Buffer.from(templates(`good-${index}`)[0] ?? ''));
    }
    const whole = await decodeBytes(Buffer.concat(lines.flatMap((line) => [line, Buffer.from('\n')])), plan);
    const good = new Set(whole.invocations.map(({ eventId, line }) => (line % 2 === 0 ? eventId : '')));
    expect(good.size - (good.has('') ? 1 : 0)).toBe(mutants);
    // Every mutant is accounted for, as a record, a repetition or a quarantined line or row.
    const odd = new Set([...whole.invocations, ...whole.quarantined, ...whole.duplicates].map(({ line }) => line));
    expect(odd.size).toBe(2 * mutants);
    expect(whole.quarantined.length).toBeGreaterThan(mutants / 4);
    expect(whole.quarantined.every(({ line }) => line % 2 === 1)).toBe(true);
  });
});

it('any payload whatever decodes or is quarantined, and never changes a prototype', async () => {
  const text = fc.oneof(fc.json(), fc.string({ unit: 'binary' }), fc.stringMatching(/^[",\n\r1a]{0,30}$/));
  const hostileKey = fc.constantFrom('__proto__', 'constructor', 'prototype', 'features', 'instances', 'toString');
  const hostile = fc
    .dictionary(hostileKey, fc.jsonValue(), { noNullPrototype: true })
    .map((value) => JSON.stringify(value));
  const side = fc.option(
    fc.record({
      data: fc.oneof(text, hostile),
      encoding: fc.constantFrom('CSV', 'JSON', 'BASE64'),
      contentType: fc.constantFrom('text/csv', 'application/json', 'application/jsonlines', 'text/plain', null),
    }),
    { nil: undefined },
  );
  const members = Object.getOwnPropertyNames(Object.prototype);
  await fc.assert(
    fc.asyncProperty(side, side, async (input, output) => {
      const line = sagemakerLine({ input, output });
      const whole = await decodeBytes(Buffer.from(`${line}\n`), planOf());
      expect(whole.invocations.length + whole.quarantined.length).toBeGreaterThan(0);
    }),
    { numRuns: 500 },
  );
  expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(members);
});
