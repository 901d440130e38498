import { BlockReader, type FeatureWindows, foldWindows, type RawWander } from './measure-wander.ts';
import { moderateWander } from './moderate-wander.ts';
import { type FeatureWander, noWander, scaleWander } from './wander.ts';
import { type GroupedWindows, holdOutBlocks } from './window-set.ts';

/** Blocks that a scale needs for an estimate of its own. */
const minimumBlocks = 12;

/**
 * Learns how much each feature wanders at each scale from stretches of the windows held out against the rest.
 * @returns per feature, per scale
 */
export function estimateWander(
  grouped: GroupedWindows,
  features: readonly FeatureWindows[],
  scales: readonly number[],
): readonly (readonly FeatureWander[])[] {
  const { windows } = grouped;
  const slotsPerDay = 86_400_000 / windows.windowMilliseconds;
  const plans = scales.map((scale) => {
    const phases = scale >= slotsPerDay && scale > 1 ? [0, Math.floor(scale / 2)] : [0];
    const blocks = phases.map((phase) => holdOutBlocks(grouped, scale, phase));
    const count = Math.max(0, ...blocks.map(({ length }) => length));
    const perDay = Math.max(1, Math.min(slotsPerDay / scale, count / Math.max(windows.dayCount, 1)));
    return { scale, blocks, count, perDay, independent: count / perDay };
  });
  const enough = plans.filter(({ count }) => count >= minimumBlocks);
  const own = new Set(enough.length > 0 ? enough : plans.slice(0, 1));
  const reader = new BlockReader(Math.max(1, ...features.map(({ plan }) => plan.bins)));
  const measured = features.map((feature) => {
    const rows = foldWindows(feature, grouped);
    return plans.map((plan) =>
      own.has(plan)
        ? plan.blocks.map((blocks) => reader.measure(feature, rows, blocks, plan.perDay, plan.independent))
        : [],
    );
  });
  // Days need not begin at midnight: of the ways to cut, the one that shows the most wander over all features.
  const phases = plans.map((plan, index) => largestPhase(plan.blocks.length, measured, index));
  const raw = measured.map((rows) => rows.map((byPhase, index) => byPhase[phases[index] ?? 0]));
  const moderated = plans.map((plan, index) => moderateWander(raw, index, plan.independent));
  let base = 0;
  plans.forEach((plan, index) => {
    if (own.has(plan)) base = index;
  });
  const persistence = estimatePersistence(raw, base, plans[base]?.independent ?? 0);
  return features.map((_, feature) => {
    const known = plans.map((_, index) => moderated[index]?.[feature]);
    return plans.map(({ scale }, index) => {
      const here = known[index];
      if (here) return here;
      const from = known[base];
      if (!from) return { shares: noWander, missing: noWander, unseen: noWander };
      const baseScale = plans[base]?.scale ?? 1;
      const ratio = baseScale >= slotsPerDay ? scale / baseScale : 1;
      return scaleWander(from, meanVariance(ratio, persistence[feature] ?? 1));
    });
  });
}

function largestPhase(phases: number, measured: readonly (readonly (readonly RawWander[])[])[], scale: number): number {
  const totals = Array.from({ length: phases }, (_, phase) =>
    measured.reduce((sum, rows) => {
      const row = rows[scale]?.[phase];
      return row && row.sampling > 0 ? sum + row.excess / row.sampling : sum;
    }, 0),
  );
  return Math.max(0, totals.indexOf(Math.max(...totals)));
}

/** Variance of the mean of `count` values of variance 1 whose correlation falls as ρ^lag. */
function meanVariance(count: number, correlation: number): number {
  const whole = Math.max(1, Math.floor(count));
  let sum = whole;
  for (let lag = 1; lag < whole; lag++) sum += 2 * (whole - lag) * correlation ** lag;
  return sum / (whole * whole);
}

/**
 * How like its neighbour each block is, as an upper limit: a stretch too long to have blocks of its own averages what
 * wanders from block to block, but only as far as neighbours differ.
 */
function estimatePersistence(
  raw: readonly (readonly (RawWander | undefined)[])[],
  base: number,
  blocks: number,
): readonly number[] {
  const here = raw.map((scales) => scales[base]);
  const wander = here.reduce((sum, row) => sum + Math.max(0, row?.excess ?? 0), 0);
  const products = here.reduce((sum, row) => sum + (row?.neighbours ?? 0), 0);
  // Blocks compared with one another's mean look less alike than they are, by two parts in their number.
  const pooled = wander > 0 ? products / wander + 2 / Math.max(blocks, 1) : 0;
  const limit = pooled + 1.645 / Math.sqrt(Math.max(blocks, 1));
  return here.map((row) => {
    const own = row && row.excess > 0 ? row.neighbours / row.excess : 0;
    return Math.min(1, Math.max(0, limit, own));
  });
}
