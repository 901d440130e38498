import { groundTruth, sagemakerCapture } from '../../core/contract/config.ts';
import type { Cohort } from '../../core/model/labels.ts';
import { type JoinLimits, type JoinReport, joinLabels } from '../../core/pipeline/join-labels.ts';
import { CohortReader, readManifest } from '../../core/pipeline/join-manifest.ts';
import { createRandom } from '../evaluate/synthetic-model.ts';
import { type Call, captureBucket, hour, linesOf, payloadKey, payloadLine } from './capture-lines.ts';
import { createRuntime, start, type World, type WorldPorts } from './embedded-world.ts';
import type { CaptureObject } from './memory-capture-store.ts';

type GroundTruth = Parameters<typeof groundTruth>[0];

/** The test's model with labels, and without objectives. */
export function createLabelledRuntime(
  labels: Partial<GroundTruth> = {},
  changes: Parameters<typeof createRuntime>[0] = {},
) {
  return createRuntime({
    source: [
      sagemakerCapture({ bucket: captureBucket, prefix: 'data', endpoint: 'credit', versionFrom: 'version' }),
      groundTruth({ bucket: captureBucket, prefix: 'labels', ...labels }),
    ],
    slos: [],
    ...changes,
  });
}

export interface LabelLine {
  readonly id: string;
  readonly label: number;
  /** Milliseconds since the epoch. */
  readonly time?: number | undefined;
}

export function labelLine({ id, label, time }: LabelLine): string {
  const labelTime = time === undefined ? undefined : new Date(time).toISOString();
  const eventMetadata = { eventId: id, labelTime };
  return JSON.stringify({ groundTruthData: { data: `${label}`, encoding: 'CSV' }, eventMetadata, eventVersion: '0' });
}

export function labelObject(name: string, lines: readonly LabelLine[], arrived: number): CaptureObject {
  return { key: `labels/${name}.jsonl`, body: linesOf(lines.map(labelLine)), arrived };
}

export function captureObject(name: string, calls: readonly Call[]): CaptureObject {
  const last = Math.max(...calls.map(({ time }) => time));
  return { key: payloadKey(last, name), body: linesOf(calls.map(payloadLine)), arrived: last + 120_000 };
}

/** Joins until there is nothing more to do. */
export async function joinAll(world: World, changes: Partial<WorldPorts> = {}, limits?: JoinLimits) {
  const reports: JoinReport[] = [];
  for (let isWhole = false; !isWhole; ) {
    const report = await joinOnce(world, changes, limits);
    ({ isWhole } = report);
    reports.push(report);
    if (reports.length > 500) throw new Error('expected the join to come to an end');
  }
  return reports;
}

export function joinOnce(world: World, changes: Partial<WorldPorts> = {}, limits?: JoinLimits): Promise<JoinReport> {
  const ports = world.ports(changes);
  return joinLabels(world.runtime, { ...ports, cohorts: new CohortReader(ports.state) }, limits);
}

/** What is in force: cohorts, and how many ids have labels and inferences. */
export async function outcomeOf(world: World) {
  const { manifest } = await readManifest(world.state, world.sqlite.table, world.runtime.policy.name);
  const reader = new CohortReader(world.state);
  const cohorts: Cohort[] = [];
  for (const pointer of manifest.cohorts) cohorts.push(await reader.read('credit', pointer));
  const sum = (of: 'ids' | 'matched') => manifest.labels.reduce((total, one) => total + one[of], 0);
  return { cohorts, ids: sum('ids'), matched: sum('matched'), lookup: manifest.lookup };
}

/** Days of calls in objects of two hours, and of labels for most of them, some repeated, corrected, early or of nobody. */
export function randomStream(seed: number, days: number) {
  const random = createRandom(seed);
  const captures: CaptureObject[] = [];
  const labels: CaptureObject[] = [];
  for (let at = 0; at < days * 12; at++) {
    const from = start + at * 2 * hour;
    const calls = Array.from({ length: 4 }, (_, index): Call => {
      const time = from + Math.floor(random() * 2 * hour);
      return {
        time,
        id: `${at}-${index}`,
        rows: [[Math.round(100 * random()), 'DE']],
        score: Math.round(random() * 100) / 100,
      };
    });
    captures.push(captureObject(`c${at}`, calls));
    const lines: LabelLine[] = [];
    for (const { id, time } of calls) {
      const given = time + Math.floor((random() - 0.1) * 20 * hour);
      if (random() < 0.9) lines.push({ id, label: Math.round(random()), time: given });
      if (random() < 0.2) lines.push({ id, label: Math.round(random()), time: given + hour });
      if (random() < 0.1) lines.push({ id: `nobody-${id}`, label: 1, time: given });
    }
    const arrived = Math.max(from, ...lines.map(({ time = 0 }) => time)) + Math.floor(random() * 3 * hour);
    labels.push(labelObject(`l${at}`, lines, arrived));
    if (random() < 0.2) labels.push(labelObject(`again${at}`, lines, arrived + 30 * hour));
  }
  return { captures, labels };
}
