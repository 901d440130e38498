import { gzipSync } from 'node:zlib';
import { createRandom } from '../evaluate/synthetic-model.ts';
import { type Call, hour, linesOf, minute, payloadKey, payloadLine, requestKey, requestLine } from './capture-lines.ts';
import { start, usualRow } from './embedded-world.ts';
import type { CaptureObject } from './memory-capture-store.ts';

/** A capture object and what must become of it. */
export interface RandomCapture extends CaptureObject {
  /** Rows of its lines; a damaged line and a request are one each. */
  readonly rows: number;
  /** Of those: rows of an event and row number that came before in the same object. */
  readonly duplicates: number;
  /** Of those: lines or rows that can't be counted. */
  readonly damaged: number;
}

const damages = [
  '{',
  'not json',
  '[]',
  '{"captureData":{}}',
  '"text"',
  'null',
  '{"eventMetadata":{"inferenceTime":1}}',
];

/** Objects of all sorts over a few hours: variants, versions, several rows a line, repeats, damage, gzip, late ones. */
export function randomCaptures(seed: number, count: number, hours = 4): RandomCapture[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, (_, index) => {
    const time = start + Math.floor(random() * hours * hour);
    const late = random() < 0.1 ? 26 * hour * random() : 0;
    const arrived = time + 20 * minute + Math.floor(late);
    return random() < 0.25
      ? requestCapture(`${seed}-${index}`, time, arrived, random)
      : payloadCapture(`${seed}-${index}`, time, arrived, random);
  });
}

function requestCapture(name: string, time: number, arrived: number, random: () => number): RandomCapture {
  const lines: string[] = [];
  const seen = new Set<string>();
  let duplicates = 0;
  for (let index = 0; index < 3 + Math.floor(8 * random()); index++) {
    const id = `${name}-${Math.floor(8 * random())}`;
    if (seen.has(id)) duplicates++;
    seen.add(id);
    const status = random() < 0.1 ? 503 : 200;
    const at = time + Math.floor(15 * minute * random());
    lines.push(requestLine({ time: at, id, status, latencyMilliseconds: Math.round(200 * random()) }));
  }
  return { key: requestKey(time, name), body: linesOf(lines), arrived, rows: lines.length, duplicates, damaged: 0 };
}

function payloadCapture(name: string, time: number, arrived: number, random: () => number): RandomCapture {
  const lines: string[] = [];
  const calls: Call[] = [];
  const total = { rows: 0, duplicates: 0, damaged: 0 };
  for (let index = 0; index < 4 + Math.floor(8 * random()); index++) {
    const kind = random();
    const repeated = calls[Math.floor(calls.length * random())];
    if (kind < 0.1) {
      lines.push(damages[Math.floor(damages.length * random())] ?? '{');
      total.rows++;
      total.damaged++;
    } else if (kind < 0.2 && repeated) {
      lines.push(payloadLine(repeated));
      total.rows += repeated.rows.length;
      total.duplicates += repeated.rows.length;
    } else {
      const rows = Array.from({ length: 1 + Math.floor(3 * random()) }, () => usualRow(random));
      const version = random() < 0.7 ? 'v1' : random() < 0.5 ? 'v2b' : 'other';
      // A row whose amount is no number is lost where a baseline says that it should be one.
      const broken = random() < 0.1;
      const call: Call = {
        time: time + Math.floor(15 * minute * random()),
        id: `${name}-${index}`,
        rows: broken ? [['n/k', 'DE'] as const, ...rows] : rows,
        version,
      };
      lines.push(payloadLine(call));
      if (!broken) calls.push(call);
      total.rows += call.rows.length;
      if (broken && version !== 'other') total.damaged++;
    }
  }
  const plain = linesOf(lines);
  const variant = random() < 0.5 ? 'AllTraffic' : 'blue';
  const body = random() < 0.3 ? gzipSync(plain) : plain;
  return { key: payloadKey(time, name, variant), body, arrived, ...total };
}

/** In another order, the same for the same random numbers (Fisher–Yates). */
export function shuffle<T>(items: readonly T[], random: () => number): T[] {
  const shuffled = [...items];
  for (let index = shuffled.length - 1; index > 0; index--) {
    const other = Math.floor((index + 1) * random());
    const [a, b] = [shuffled[index], shuffled[other]];
    if (a !== undefined && b !== undefined) [shuffled[index], shuffled[other]] = [b, a];
  }
  return shuffled;
}
