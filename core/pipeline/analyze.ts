import type { Decoded } from '../decode/decode-plan.ts';
import { validateBatch } from '../decode/validate.ts';
import { evaluateWindow } from '../evaluate/evaluate-window.ts';
import { addPerformance, estimateOf } from '../evaluate/performance/judge-performance.ts';
import type { Baseline } from '../model/baseline.ts';
import { canonicalJson } from '../model/canonical-json.ts';
import { sha256 } from '../model/content-hash.ts';
import type { ModelPolicy } from '../model/policy.ts';
import type { Verdict } from '../model/verdict.ts';
import { SummaryBuilder } from '../profile/summarise.ts';

/** One comparison of records with a baseline, without any state. */
export async function analyzeRecords(
  policy: ModelPolicy,
  baseline: Baseline,
  records: AsyncIterable<Decoded>,
  code: string,
): Promise<Verdict> {
  const builder = new SummaryBuilder({
    layout: baseline.layout,
    calibration: baseline.calibration,
    indicators: [],
    required: [],
    ignored: new Set(),
    role: 'inferences',
  });
  for await (const { batch, quarantined, duplicates } of records) {
    const valid = validateBatch(batch, () => baseline.layout);
    builder.addRows(
      valid.batch,
      valid.batch.rows.map((_, row) => row),
    );
    for (const entry of [...quarantined, ...valid.quarantined]) builder.addQuarantined(entry, entry.time ?? 0);
    for (const { rows } of duplicates) builder.addDuplicates(rows);
  }
  const summary = builder.finish();
  const version = policy.versions[0]?.match ?? 'default';
  const verdict = evaluateWindow({
    policy,
    baseline,
    summary,
    window: { start: summary.firstTime ?? 0, end: (summary.lastTime ?? -1) + 1 },
    series: { variant: 'AllTraffic', version },
    revision: 0,
    lateCounted: 0,
    invocations: undefined,
    mode: 'analysis',
    evidence: { baseline: baseline.sha256, config: sha256(canonicalJson(policy)), code, profiles: [] },
  });
  return addPerformance(verdict, baseline.calibration && estimateOf(baseline.calibration, summary));
}
