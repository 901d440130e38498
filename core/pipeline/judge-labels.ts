import { qualityKey } from '../contract/keys.ts';
import { judgeQuality, type QualityJudgement } from '../evaluate/performance/judge-quality.ts';
import type { ScoreCalibration } from '../model/calibration-map.ts';
import { canonicalJson } from '../model/canonical-json.ts';
import { shortHash } from '../model/content-hash.ts';
import type { Cohort } from '../model/labels.ts';
import { putEvidenceEntry } from './evidence.ts';
import { type JoinLimits, type JoinPorts, type JoinReport, joinLabels } from './join-labels.ts';
import { commitJudgement, keyOfCohort, readManifest } from './join-manifest.ts';
import type { ModelRuntime } from './model-runtime.ts';
import { runBounded } from './run-bounded.ts';
import type { StoredQuality } from './stored-quality.ts';
import { putFact } from './write-once.ts';

/** What was done for the labels of a model. */
export interface LabelWork extends Pick<JoinReport, 'records' | 'labels' | 'isWhole'> {
  readonly cohorts: number;
  readonly judgement: QualityJudgement;
}

/**
 * Joins the labels of a model and judges its quality by them: what happens every hour. The judgement is kept, and evidenced, before
 * it is in force; the tick reads it.
 * @param hasTime false: no other run of the join is begun. The next call goes on.
 * @returns undefined where the model has no labels.
 */
export async function judgeLabels(
  runtime: ModelRuntime,
  ports: JoinPorts,
  hasTime: () => boolean = () => true,
  limits?: JoinLimits,
): Promise<LabelWork | undefined> {
  if (!runtime.policy.labels) return undefined;
  const total = { records: 0, labels: 0, cohorts: 0 };
  let isWhole = false;
  for (let run = 0; !isWhole && run < maximumRuns && (run === 0 || hasTime()); run++) {
    const report = await joinLabels(runtime, ports, limits);
    total.records += report.records;
    total.labels += report.labels;
    total.cohorts += report.cohorts.length;
    ({ isWhole } = report);
  }
  return { ...total, isWhole, judgement: await keepJudgement(runtime, ports) };
}

/** Where others write the same model's labels at the same time, one of them must give way. */
const maximumRuns = 1_000;
const concurrentReads = 16;

async function keepJudgement(runtime: ModelRuntime, ports: JoinPorts): Promise<QualityJudgement> {
  const { name: model } = runtime.policy;
  const now = ports.clock.now();
  const { manifest } = await readManifest(ports.state, ports.table, model);
  await runBounded(manifest.cohorts, concurrentReads, async (pointer) => {
    await ports.cohorts.read(model, pointer);
  });
  const cohorts: Cohort[] = [];
  for (const pointer of manifest.cohorts) cohorts.push(await ports.cohorts.read(model, pointer));
  const sum = (of: 'ids' | 'matched') => manifest.labels.reduce((total, day) => total + day[of], 0);
  const judgement = judgeQuality({
    policy: runtime.policy,
    cohorts,
    ids: sum('ids'),
    matched: sum('matched'),
    now,
    calibrations: calibrationsOf(
      runtime,
      cohorts.map(({ version }) => version),
    ),
  });
  const stored: StoredQuality = {
    schema: 'tidewatch.quality/1',
    model,
    time: now,
    config: runtime.configHash,
    code: runtime.code,
    labels: { ids: sum('ids'), unmatched: Math.max(0, sum('ids') - sum('matched')) },
    cohorts: manifest.cohorts.map((pointer) => keyOfCohort(model, pointer)),
    ...judgement,
  };
  const text = canonicalJson(stored);
  const key = qualityKey(model, shortHash(text));
  await putFact(ports.state, key, Buffer.from(text));
  if (judgement.tier !== 'green') await putEvidenceEntry(ports.audit, model, now, 'quality', key, stored);
  await commitJudgement(ports.table, model, key, now);
  return judgement;
}

function calibrationsOf(runtime: ModelRuntime, versions: readonly string[]): ReadonlyMap<string, ScoreCalibration> {
  const known = [...new Set(versions)].flatMap((version) => runtime.baselineOf(version)?.calibration ?? []);
  return new Map(known.map((calibration) => [calibration.id, calibration]));
}
