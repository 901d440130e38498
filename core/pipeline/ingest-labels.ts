import { evidenceDay } from '../audit/bundle-format.ts';
import { emptyKey, joinPartKey, quarantineKey } from '../contract/keys.ts';
import type { DecodeLimits } from '../decode/decode-plan.ts';
import { decodeLabels } from '../decode/ground-truth.ts';
import { ColumnsError } from '../join/columns.ts';
import { secondsOf } from '../join/index-rows.ts';
import { createLabelRows, decodeLabelRows, encodeLabelRows, type LabelRow } from '../join/label-rows.ts';
import { sha256 } from '../model/content-hash.ts';
import type { LabelSource } from '../model/policy.ts';
import type { SourceObject } from '../model/profile.ts';
import type { Quarantined } from '../model/quarantine.ts';
import { compareNames } from '../profile/summarise.ts';
import { putEvidenceEntry } from './evidence.ts';
import { readJoinIds } from './index-records.ts';
import { clockSkewMilliseconds, maximumQuarantineEntries } from './intake.ts';
import type { ModelRuntime } from './model-runtime.ts';
import type { CaptureStore, KeySource, ObjectStore } from './ports.ts';
import { encodeJson, putFact } from './write-once.ts';

export interface LabelPorts {
  readonly captures: Pick<CaptureStore, 'read'>;
  readonly state: ObjectStore;
  readonly audit: ObjectStore;
  readonly keys: KeySource;
}

export interface LabelReport {
  readonly labels: number;
  readonly quarantined: number;
}

/**
 * Takes one object of labels in: its labels for the join, evidence of what was taken, the quarantine report, each written once,
 * and last a note that it was taken in. A crash at any point followed by another delivery leaves the same state.
 * @throws {IntegrityError} where the object's key was taken in before with other content.
 */
export async function ingestLabels(
  runtime: ModelRuntime,
  ports: LabelPorts,
  source: LabelSource,
  object: SourceObject,
  id: string,
  limits: DecodeLimits,
): Promise<LabelReport> {
  const { labels: policy, name: model } = runtime.policy;
  const joinId = await readJoinIds(runtime, ports.keys);
  if (!policy || !joinId) throw new RangeError(`${model}: expected a policy of labels beside their source, saw none`);
  const rows: LabelRow[] = [];
  const entries: Quarantined[] = [];
  const reasons = new Map<string, number>();
  let quarantined = 0;
  const plan = {
    format: source.format,
    labels: policy,
    latestTime: object.lastModified + clockSkewMilliseconds,
    limits,
  } as const;
  for await (const decoded of decodeLabels(ports.captures.read(object), plan)) {
    for (const { id: name, row, value, time, source: place, order } of decoded.labels) {
      const seconds = secondsOf(time ?? object.lastModified);
      rows.push({ id: joinId(name, row), value, time: seconds, order, source: place });
    }
    const entry = decoded.quarantined;
    if (!entry) continue;
    quarantined++;
    reasons.set(entry.reason, (reasons.get(entry.reason) ?? 0) + 1);
    if (entries.length < maximumQuarantineEntries) entries.push(entry);
  }
  const day = evidenceDay(object);
  const part = encodeLabelRows({ schema: 'tidewatch.labels/1', model, etag: object.etag }, createLabelRows(rows));
  const key = joinPartKey('labels', model, day, id);
  // Another configuration may have read the very same object otherwise: what came first stays.
  const written = await putFact(ports.state, key, part, (existing) => etagOf(existing) === object.etag);
  const kept = written === 'written' ? part : ((await ports.state.get(key)) ?? part);
  const taken = { object, labels: decodeLabelRows(kept).rows.ids.length, sha256: sha256(kept) };
  await putEvidenceEntry(ports.audit, model, object.lastModified, 'labels', id, taken);
  if (quarantined > 0) {
    const report = {
      schema: 'tidewatch.quarantine/1',
      model,
      object,
      quarantined,
      expired: 0,
      reasons: [...reasons].sort(([a], [b]) => compareNames(a, b)),
      entries,
    };
    await putFact(ports.state, quarantineKey(model, id), encodeJson(report), () => true);
  }
  const note = { schema: 'tidewatch.empty/1', model, object };
  await putFact(ports.state, emptyKey(model, day, id), encodeJson(note), () => true);
  return { labels: rows.length, quarantined };
}

function etagOf(bytes: Uint8Array): string | undefined {
  try {
    return decodeLabelRows(bytes).header.etag;
  } catch (error) {
    if (error instanceof ColumnsError) return undefined;
    throw error;
  }
}
