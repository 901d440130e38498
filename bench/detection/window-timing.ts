import { calibrate } from '../../core/evaluate/calibration.ts';
import { cellOfWindow } from '../../core/evaluate/cells.ts';
import { judgeDrift } from '../../core/evaluate/judge-drift.ts';
import { extendTrail, trailBorders, trailingCounts } from '../../core/evaluate/trail.ts';
import { scalesOf } from '../../core/evaluate/window-levels.ts';
import { utcCalendar } from '../../core/model/calendar.ts';
import type { Trail } from '../../core/model/trailing-counts.ts';
import { makeBaseline } from './counted-baseline.ts';
import { ModelStream, type StreamWindow } from './model-stream.ts';
import { createRandomSource } from './random-source.ts';
import type { WindowTiming } from './result-file.ts';
import { hourMilliseconds, hoursPerWeek, scenarios } from './scenario.ts';
import { shippedPolicy } from './shipped-policy.ts';

const timedWindows = 60;

/**
 * Times the judgement of drift in single windows of 200 features, 48 cells and all scales, with full stretches: from
 * the counts of a window to what drifted, without what a verdict says of it. It is this
 * process' processor time, garbage collection and all, so that a busy machine does not count.
 */
export function timeWindows(): WindowTiming {
  const scenario = scenarios.find(({ name }) => name === 'wander .05');
  if (!scenario) throw new Error('bench: expected the scenario "wander .05", saw none');
  const stream = new ModelStream(scenario, createRandomSource('timing'));
  const windows = stream.drawBaseline();
  const baseline = makeBaseline(stream.features, windows);
  const policy = shippedPolicy();
  const scales = scalesOf(policy, baseline);
  const { windowSeconds } = policy;
  const calibration = calibrate(baseline, { windowSeconds, calendar: utcCalendar, scales });
  const trails = new Map<number, Trail>();
  let newest: Trail | undefined;
  const extend = (window: StreamWindow): Trail => {
    const cell = cellOfWindow(window.start, utcCalendar);
    const trail = extendTrail(newest, window, window.counts, baseline.layout, cell);
    trails.set(window.start, trail);
    newest = trail;
    return trail;
  };
  for (let hour = 0; hour < hoursPerWeek; hour++) extend(stream.next().stable);
  const times: number[] = [];
  const ratios: number[] = [];
  for (let window = 0; window < timedWindows; window++) {
    const live = stream.next().stable;
    const reference = timeReference();
    const start = processorMilliseconds();
    const now = extend(live);
    const borders = trailBorders(live.start, scales, hourMilliseconds).flatMap((border) => trails.get(border) ?? []);
    const stretches = trailingCounts(now, borders, scales, hourMilliseconds);
    judgeDrift({ policy, baseline, calibration, stretches });
    const milliseconds = processorMilliseconds() - start;
    times.push(milliseconds);
    ratios.push(milliseconds / Math.max(reference, 1e-6));
  }
  return {
    medianMilliseconds: quantileOf(times, 0.5),
    slowest5PercentMilliseconds: quantileOf(times, 0.95),
    ratioToReference: quantileOf(ratios, 0.5),
  };
}

/** Milliseconds of a million logarithms: what a machine's speed is measured in. */
function timeReference(): number {
  const start = processorMilliseconds();
  let sum = 0;
  for (let i = 1; i <= 1_000_000; i++) sum += Math.log(i);
  return sum > 0 ? processorMilliseconds() - start : 0;
}

function processorMilliseconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function quantileOf(values: readonly number[], probability: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(probability * sorted.length))] ?? 0;
}
