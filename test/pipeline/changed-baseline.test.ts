import { expect, test } from 'vitest';
import { ingestCapture } from '../../core/pipeline/ingest.ts';
import { tick } from '../../core/pipeline/tick.ts';
import { captureBucket, day, hour, linesOf, minute, payloadKey, payloadLine } from './capture-lines.ts';
import { baselineOf, createRuntime, start, usualCalls, World } from './embedded-world.ts';

function object(from: number, to: number, name: string) {
  const calls = usualCalls(from, to, 60, 5);
  return { key: payloadKey(from, name), body: linesOf(calls.map(payloadLine)), arrived: to + minute };
}

/** A baseline of other records: its layout is another one. */
function otherBaseline() {
  return baselineOf(
    usualCalls(start - 4 * day, start, 1920, 8).map((call, index) =>
      index % 20 === 0 ? { ...call, rows: [[250, 'ES'] as const] } : call,
    ),
  );
}

test.each(['another layout', 'a baseline where there was none'])(
  '%s, deployed in the middle of a window, loses no record and raises nothing',
  async (change) => {
    const none = [{ match: '*', schema: { columns: ['amount', 'country'], prediction: 'score' } }];
    const before = await createRuntime(change === 'another layout' ? {} : { versions: none });
    const after = await createRuntime({}, 'test', await otherBaseline());
    const world = new World(before);
    await world.deliver(object(start, start + hour, 'a'));
    await world.tick(start + hour + 10 * minute);
    await world.deliver(object(start + hour, start + 1.5 * hour, 'b'));
    // Deployed here.
    for (const [from, to, name] of [
      [start + 1.5 * hour, start + 2 * hour, 'c'],
      [start + 2 * hour, start + 3 * hour, 'd'],
    ] as const) {
      const late = object(from, to, name);
      world.captures.put(late);
      world.clock.set(late.arrived);
      await ingestCapture(after, world.ports(), { bucket: captureBucket, key: late.key });
      world.clock.set(to + 10 * minute);
      await tick([after], world.ports());
    }
    const verdicts = world.verdicts();
    expect(verdicts.map(({ tier }) => tier)).toEqual(verdicts.map(() => 'green'));
    const middle = verdicts.filter(({ window }) => window.start === new Date(start + hour).toISOString());
    expect(middle.map(({ revision }) => revision).sort()).toEqual([0, 1]);
    expect(middle.map(({ records }) => records.counted)).toEqual([60, 60]);
    expect(verdicts.at(-1)?.features.amount?.scales?.length).toBe(7);
  },
);
