import { expect, test } from 'vitest';
import { driftDesigns } from '../../bench/detection/bench-task.ts';
import { runDrift } from '../../bench/detection/injected-drift.ts';

test('each rule is followed until it finds the change, and no longer', async () => {
  const design = { ...driftDesigns.delayAtFloor, populationStabilityIndex: 0.1, windows: 20, withPeers: true };
  const { delayWindows, falseDiscoveryProportion, peers } = await runDrift(design, 'injected');
  const alone = await runDrift({ ...design, withPeers: false }, 'injected');
  expect({ delayWindows, falseDiscoveryProportion }).toEqual({
    delayWindows: alone.delayWindows,
    falseDiscoveryProportion: alone.falseDiscoveryProportion,
  });
  const delays = peers.map(([, run]) => run.delayWindows ?? Number.POSITIVE_INFINITY);
  expect(Math.min(...delays)).toBe(1);
  // Some rule finds it after the shipped one has.
  expect(delays.filter((delay) => delay > (delayWindows ?? 20) && delay <= 20)).not.toEqual([]);
}, 60_000);
