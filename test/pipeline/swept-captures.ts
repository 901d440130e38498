import type { TouchQueue } from '../../core/pipeline/ports.ts';
import type { JudgedWindow } from '../../core/pipeline/tick.ts';
import { hour, linesOf, minute, payloadKey, payloadLine } from './capture-lines.ts';
import { start, usualCalls, type World } from './embedded-world.ts';

/** An object with calls of one hour, written a minute after it. */
export function payloads(from: number, name: string, count = 60, variant = 'AllTraffic') {
  const calls = usualCalls(from, from + hour, count, 21).map((call) => ({ ...call, id: `${name}-${call.id}` }));
  return { key: payloadKey(from, name, variant), body: linesOf(calls.map(payloadLine)), arrived: from + hour + minute };
}

/** A queue that takes touches and loses them. */
export const forgetful: TouchQueue = { touch: async () => {} };
export const broken: TouchQueue = { touch: () => Promise.reject(new Error('queue')) };

/** Revision and late records of what was judged. */
export function restated(judged: readonly JudgedWindow[]) {
  return judged.map(({ verdict }) => [verdict.revision, verdict.records.late]);
}

/** Over two windows and with a damaged line, so that it takes several writes. */
export const spanning = {
  key: payloadKey(start + 50 * minute, 'two-windows'),
  body: linesOf([...usualCalls(start + 50 * minute, start + 70 * minute, 40, 3).map(payloadLine), 'damaged']),
  arrived: start + 71 * minute,
};

export function listAnnounced(world: World) {
  return world.sqlite.table.list('announced#credit');
}
