import type { FeatureVerdict, Verdict } from '../core/model/verdict.ts';
import { wrap } from './command.ts';
import { paintTier, type Terminal } from './terminal.ts';

const maximumRows = 40;
const levels = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/** Prints a verdict for a person: features by the size of their change, then what was found. */
export function printVerdict(verdict: Verdict, terminal: Terminal): void {
  const rows = Object.entries(verdict.features).sort(([, a], [, b]) => psiOf(b) - psiOf(a));
  const width = Math.min(32, Math.max(7, ...rows.map(([name]) => name.length)));
  terminal.print();
  terminal.print(terminal.paint('bold', `  ${'feature'.padEnd(width)}     PSI         q   baseline → current`));
  for (const [name, feature] of rows.slice(0, maximumRows)) {
    const mark = feature.drifted ? terminal.paint('yellow', '●') : terminal.paint('dim', '·');
    const columns = [psiText(feature), qText(feature), sparklines(feature)];
    terminal.print(`${mark} ${name.slice(0, width).padEnd(width)} ${columns.join('  ')}`);
  }
  if (rows.length > maximumRows) terminal.print(`  … and ${rows.length - maximumRows} more with a smaller change`);
  terminal.print();
  for (const finding of verdict.findings) {
    const [first = '', ...rest] = wrap(finding.message, 90);
    terminal.print(`${paintTier(terminal, finding.tier, finding.tier.toUpperCase().padEnd(6))}  ${first}`);
    for (const line of rest) terminal.print(`        ${line}`);
  }
  const { counted, quarantined, duplicate } = verdict.records;
  const lost = [quarantined > 0 ? `${quarantined} quarantined` : '', duplicate > 0 ? `${duplicate} duplicate` : ''];
  const records = [`${counted} records compared`, ...lost.filter((part) => part !== '')].join(', ');
  terminal.print(`${paintTier(terminal, verdict.tier)}: ${records}; ${detectable(verdict)}`);
}

/** What a "no drift" is worth. */
function detectable(verdict: Verdict): string {
  const effects = Object.values(verdict.features).flatMap(
    ({ minimumDetectableEffect }) => minimumDetectableEffect ?? [],
  );
  if (effects.length === 0) return 'too few records to detect any drift';
  const [low, high] = [Math.min(...effects), Math.max(...effects)].map((effect) => effect.toPrecision(2));
  return low === high
    ? `a PSI of ${low} would have been seen`
    : `a PSI of ${low} to ${high} would have been seen, by feature`;
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
    side
      .slice(0, 24)
      .map((share) => levelOf(share / highest))
      .join(''),
  );
  return `${before} → ${after}`;
}

function toShares(counts: readonly number[]): readonly number[] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.map((count) => (total === 0 ? 0 : count / total));
}

function levelOf(height: number): string {
  return levels[Math.round(height * (levels.length - 1))] ?? ' ';
}
