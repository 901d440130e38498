import { describeEstimate } from '../core/evaluate/performance/describe-estimate.ts';
import type { FeatureVerdict, Verdict } from '../core/model/verdict.ts';
import { wrap } from './command.ts';
import { makePrintable } from './printable-text.ts';
import { paintTier, type Terminal } from './terminal.ts';

const maximumRows = 40;
const maximumBars = 24;
/** The tier before a finding, and the gap after it. */
const tierWidth = 8;
const levels = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/** Prints a verdict for a person: features by the size of their change, then what was found. */
export function printVerdict(verdict: Verdict, terminal: Terminal): void {
  const rows = Object.entries(verdict.features)
    .map(([name, feature]) => [makePrintable(name), feature] as const)
    .sort(([, a], [, b]) => psiOf(b) - psiOf(a));
  const width = Math.min(32, Math.max(7, ...rows.map(([name]) => name.length)));
  terminal.print();
  terminal.print(terminal.paint('bold', `  ${'feature'.padEnd(width)}     PSI         q   baseline → current`));
  for (const [name, feature] of rows.slice(0, maximumRows)) {
    const mark = feature.drifted ? terminal.paint('yellow', '●') : terminal.paint('dim', '·');
    const columns = [psiText(feature), qText(feature), sparklines(feature)];
    terminal.print(`${mark} ${name.slice(0, width).padEnd(width)} ${columns.join('  ')}`);
  }
  if (rows.length > maximumRows) terminal.print(`  … and ${rows.length - maximumRows} more with a smaller change`);
  for (const line of wrap(legend(verdict), terminal.width - 2)) terminal.print(terminal.paint('dim', `  ${line}`));
  terminal.print();
  for (const finding of verdict.findings) {
    const [first = '', ...rest] = wrap(finding.message, terminal.width - tierWidth);
    terminal.print(`${paintTier(terminal, finding.tier, finding.tier.toUpperCase().padEnd(tierWidth))}${first}`);
    for (const line of rest) terminal.print(`${' '.repeat(tierWidth)}${line}`);
  }
  const { counted, quarantined, duplicate } = verdict.records;
  const lost = [quarantined > 0 ? `${quarantined} quarantined` : '', duplicate > 0 ? `${duplicate} duplicate` : ''];
  const records = [`${counted} records compared`, ...lost.filter((part) => part !== '')].join(', ');
  terminal.print(`${paintTier(terminal, verdict.tier)}: ${records}`);
  terminal.print(detectable(verdict));
  const estimate = verdict.performance?.scales[0];
  const isFound = verdict.findings.some(({ kind }) => kind === 'performance');
  if (estimate && !isFound) for (const line of wrap(describeEstimate(estimate), terminal.width)) terminal.print(line);
}

/** What a "no drift" is worth. */
function detectable(verdict: Verdict): string {
  const effects = Object.values(verdict.features).flatMap(
    ({ minimumDetectableEffect }) => minimumDetectableEffect ?? [],
  );
  if (effects.length === 0) return 'Too few records to see any drift.';
  const [low, high] = [Math.min(...effects), Math.max(...effects)].map((effect) => effect.toPrecision(2));
  const others = low === high ? '' : ` (${high} in the least sensitive feature)`;
  return `A change with a PSI of ${low} or more would have been seen${others}.`;
}

function legend({ rule: { level, minimumEffect } }: Verdict): string {
  return `● drifted: hardly chance (q at most ${level}) and large enough to matter (PSI above ${minimumEffect})`;
}

function psiOf(feature: FeatureVerdict): number {
  return feature.scores.populationStabilityIndex ?? -1;
}

function psiText(feature: FeatureVerdict): string {
  const psi = feature.scores.populationStabilityIndex;
  return (psi === undefined ? '–' : psi.toFixed(4)).padStart(8);
}

function qText({ qValue }: FeatureVerdict): string {
  return (qValue === null ? '–' : qValue < 1e-3 ? qValue.toExponential(0) : qValue.toFixed(3)).padStart(8);
}

function sparklines({ bins }: FeatureVerdict): string {
  if (!bins) return '–';
  const shares = [toShares(bins.baseline), toShares(bins.current)];
  const highest = Math.max(...shares.flat());
  const [before, after] = shares.map((side) =>
    shorten(side)
      .map((share) => levelOf(share / highest))
      .join(''),
  );
  return `${before} → ${after}`;
}

/** The last bin stays: it counts what the others don't, missing values or rare categories. */
function shorten(shares: readonly number[]): readonly number[] {
  return shares.length <= maximumBars ? shares : [...shares.slice(0, maximumBars - 1), ...shares.slice(-1)];
}

function toShares(counts: readonly number[]): readonly number[] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.map((count) => (total === 0 ? 0 : count / total));
}

/** Nothing at all is blank; the least is a line. */
function levelOf(height: number): string {
  const level = Math.round(height * (levels.length - 1));
  return levels[height > 0 ? Math.max(level, 1) : 0] ?? ' ';
}
