import { expect, test } from 'vitest';
import { trailPrefix } from '../../core/contract/keys.ts';
import { type Call, hour, linesOf, minute, payloadKey, payloadLine } from './capture-lines.ts';
import { createWorld, start, usualCalls, type World } from './embedded-world.ts';

/** Answers that are nothing like those of the baseline. */
const other = (call: Call): Call => ({ ...call, score: 40 + 10 * Math.sin(call.time) ** 2 });

/** An hour of usual calls, changed as asked for. */
function hourOfCalls(at: number, change: (call: Call) => Call = (call) => call, count = 60, version?: string) {
  const from = start + at * hour;
  const calls = usualCalls(from, from + hour, count, 5).map((call) => change({ ...call, version }));
  const key = payloadKey(from, `h${at}-${version ?? 'v1'}`);
  return { key, body: linesOf(calls.map(payloadLine)), arrived: from + hour + minute };
}

const dearer = (call: Call): Call => ({
  ...call,
  rows: call.rows?.map(([amount, country]) => [Number(amount) * 1.6, country] as const),
});

async function judgeHours(world: World, hours: Iterable<number>, change?: (call: Call) => Call, version?: string) {
  for (const at of hours) {
    await world.deliver(hourOfCalls(at, change, 60, version));
    await world.tick(start + (at + 1) * hour + 10 * minute);
  }
}

function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

test('a shift too small for one window is found by those before it, with its onset and what it was made from', async () => {
  const world = await createWorld();
  await judgeHours(world, range(0, 12));
  await judgeHours(world, range(12, 40), dearer);
  const verdicts = world.verdicts();
  expect(verdicts.slice(0, 12).map(({ tier }) => tier)).toEqual(Array(12).fill('green'));
  const first = verdicts.find(({ tier }) => tier === 'yellow');
  const finding = first?.findings.find(({ id }) => id === 'drift:amount');
  expect(finding?.evidence.scale).toBeGreaterThan(1);
  expect(finding?.message).toMatch(/seen at the \d+-(hour|day) scale, began (about|at) 2026-03-0\d/);
  const onset = Date.parse(String(finding?.evidence.onset));
  expect(Math.abs(onset - (start + 12 * hour))).toBeLessThanOrEqual(4 * hour);
  expect(first?.evidence.trails?.length).toBeGreaterThan(0);
  for (const key of first?.evidence.trails ?? []) expect((await world.state.get(key))?.length).toBeGreaterThan(0);
  const { rule } = verdicts.at(-1) ?? {};
  expect(rule?.scales).toEqual([1, 2, 4, 8, 24, 72, 168]);
  expect(rule?.level).toBe(world.runtime.policy.drift.level);
  expect(rule?.series).toBeUndefined();
});

test('each judged window leaves one trail; judging it again, or late, leaves no other', async () => {
  const world = await createWorld();
  await judgeHours(world, range(0, 3));
  const trails = world.state.contents(trailPrefix(world.series()));
  expect(trails).toHaveLength(3);
  await world.deliver({
    ...hourOfCalls(1, dearer, 40),
    key: payloadKey(start + hour, 'late'),
    arrived: start + 4 * hour,
  });
  await world.tick(start + 4 * hour + 20 * minute);
  expect(world.verdicts().filter(({ revision }) => revision === 1)).toHaveLength(1);
  expect(world.state.contents(trailPrefix(world.series())).slice(0, 3)).toEqual(trails);
});

test('a window older than all that was judged is judged by itself', async () => {
  const world = await createWorld({ silenceAfter: '3d' });
  await judgeHours(world, [30, 31]);
  const before = world.state.contents(trailPrefix(world.series()));
  await world.deliver({ ...hourOfCalls(2), arrived: start + 33 * hour });
  await world.tick(start + 33 * hour + 20 * minute);
  const old = world.verdicts().find(({ window }) => window.start === new Date(start + 2 * hour).toISOString());
  expect(old).toMatchObject({ revision: 0, tier: 'green' });
  expect(old?.features.amount?.scales?.map(({ scale }) => scale)).toEqual([1]);
  expect(world.state.contents(trailPrefix(world.series())).slice(0, before.length)).toEqual(before);
});

test('a stretch of a week is as long as it says', async () => {
  const world = await createWorld({ window: '1d', silenceAfter: '20d' });
  for (const at of [0, 1, 3, 5, 7].map((days) => days * 24)) {
    await world.deliver(hourOfCalls(at));
    await world.tick(start + (at + 24) * hour + 11 * minute);
  }
  const last = world.verdicts().at(-1)?.features.amount?.scales ?? [];
  // The first day is no part of the week any more.
  expect(last.map(({ scale, records }) => [scale, records])).toEqual([
    [1, 60],
    [3, 120],
    [7, 240],
  ]);
});

test('after a gap the trail goes on, and stretches hold what there is', async () => {
  const world = await createWorld({ silenceAfter: '20d' });
  await judgeHours(world, [0, 1]);
  await judgeHours(world, [9 * 24, 9 * 24 + 1]);
  const last = world.verdicts().at(-1)?.features.amount?.scales ?? [];
  expect(last.find(({ scale }) => scale === 168)?.records).toBe(120);
});

test('the outputs of a new version are learned without an alarm; its inputs are judged as ever', async () => {
  const world = await createWorld();
  await judgeHours(world, range(0, 2));
  await judgeHours(world, range(2, 12), other, 'v2-b');
  const learning = world.verdicts().filter(({ version }) => version === 'v2-b');
  expect(learning.map(({ tier }) => tier)).toEqual(Array(10).fill('green'));
  const last = learning.at(-1);
  expect(
    last?.findings.some(({ kind, tier, feature }) => kind === 'drift' && tier === 'green' && feature === 'score'),
  ).toBe(true);
  expect(last?.findings.find(({ kind }) => kind === 'learning')?.message).toContain('window 10 of 168');
  await judgeHours(world, range(12, 15), (call) => ({ ...other(call), rows: [[90_000, 'DE']] }), 'v2-b');
  expect(world.verdicts().at(-1)?.tier).toBe('yellow');
});

test('after a week the outputs of a new version are their own baseline, and charts watch its volume', async () => {
  const world = await createWorld({ silenceAfter: '3d' });
  await judgeHours(world, range(0, 2));
  await judgeHours(world, range(2, 175), other, 'v2-b');
  const learned = world.verdicts().filter(({ version }) => version === 'v2-b');
  expect(learned.flatMap(({ findings }) => findings.filter(({ tier }) => tier !== 'green'))).toEqual([]);
  expect(learned.at(-1)?.findings.some(({ kind }) => kind === 'learning')).toBe(false);
  // A tenth of the calls.
  for (const at of [175, 176, 177]) {
    await world.deliver(hourOfCalls(at, other, 6, 'v2-b'));
    await world.tick(start + (at + 1) * hour + 10 * minute);
  }
  const findings = world
    .verdicts()
    .slice(-3)
    .flatMap((verdict) => verdict.findings);
  expect(findings.find(({ id }) => id === 'chart:records')).toMatchObject({ tier: 'yellow', kind: 'chart' });
  expect(findings.some(({ kind, feature }) => kind === 'drift' && feature === 'score')).toBe(false);
}, 120_000);
