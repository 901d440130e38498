import type { Layout } from '../model/layout.ts';
import { type Finding, type Verdict, worstTier } from '../model/verdict.ts';
import { chartId } from './charts/chart-finding.ts';
import { meanOf } from './charts/window-values.ts';
import { formatName } from './number-text.ts';

/** How far the outputs of a new model version have been learned. */
export interface Learning {
  /** Judged windows so far, this one included. */
  readonly windows: number;
  /** Windows after which they are their own baseline. */
  readonly of: number;
}

const muted: ReadonlySet<Finding['kind']> = new Set(['drift', 'unseen-category', 'range']);

/**
 * A new version is a new beginning, not an outage: what its outputs look like is learned from its first windows, and
 * until then their drift, and charts of their means, are said without raising the tier. Inputs, the quality of the data,
 * volume, silence and objectives are judged as ever.
 */
export function muteLearning(verdict: Verdict, layout: Layout, learning: Learning): Verdict {
  const outputs = outputsOf(layout);
  const charts = new Set([...outputs].map((output) => chartId(meanOf(output))));
  const isMuted = ({ id, kind, feature, tier }: Finding) =>
    tier === 'yellow' &&
    (kind === 'chart' ? charts.has(id) : muted.has(kind) && feature !== undefined && outputs.has(feature));
  const findings: readonly Finding[] = [
    ...verdict.findings.map((finding): Finding => (isMuted(finding) ? { ...finding, tier: 'green' } : finding)),
    {
      id: 'learning',
      tier: 'green',
      kind: 'learning',
      message: `version ${formatName(verdict.version)} is new: window ${learning.windows} of ${learning.of} from which its outputs are learned; until then their drift raises nothing`,
      evidence: { windows: learning.windows, of: learning.of },
    },
  ];
  return { ...verdict, findings, tier: worstTier(findings.map(({ tier }) => tier)) };
}

/** Names of the features that a model puts out. */
export function outputsOf(layout: Layout): ReadonlySet<string> {
  return new Set(layout.features.flatMap(([name, { side }]) => (side === 'output' ? [name] : [])));
}
