import { isKeyName, windowKey } from '../contract/keys.ts';
import type { DuplicateInvocation } from '../decode/decode-plan.ts';
import type { Layout } from '../model/layout.ts';
import type { CaptureSource, VersionPolicy } from '../model/policy.ts';
import type { Series, SourceObject, Window } from '../model/profile.ts';
import type { Quarantined } from '../model/quarantine.ts';
import type { Invocation, RecordBatch } from '../model/record-batch.ts';
import { CallerPlan } from '../profile/caller-counter.ts';
import { createCallerNames } from '../profile/caller-id.ts';
import { SlicePlan } from '../profile/slice-counter.ts';
import { compareNames, SummaryBuilder, type Watch } from '../profile/summarise.ts';
import { classifyRequest } from '../slo/classify-request.ts';
import { isMeasured } from '../slo/measured-slis.ts';
import type { RecordIndexer } from './index-records.ts';
import type { Location } from './locate.ts';
import type { ModelRuntime } from './model-runtime.ts';

/** Fragments expire this long after their window closes (guarantee 10a). */
export const fragmentLifeMilliseconds = 7 * 86_400_000;
/** Entries kept of an object's quarantine report; the counts are always complete. */
export const maximumQuarantineEntries = 1_000;
/** Windows one object may open: a week of hours for several variants. Ever new versions must not fill the memory. */
const maximumWindows = 1_024;
/** Versions of a model that have a series of their own. */
const maximumVersions = 32;
const otherVersions = 'other';

/** Records dated later than their object's arrival by more than this are not believed. */
export const clockSkewMilliseconds = 15 * 60_000;

/** A window that an object has records of, being counted. */
export interface OpenWindow {
  readonly series: Series;
  readonly window: Window;
  readonly builder: SummaryBuilder;
}

/** Sorts an object's records into windows. Bounded by the fragments' life: older records open no window. */
export class Intake {
  readonly #runtime: ModelRuntime;
  readonly #location: Location<CaptureSource>;
  readonly #indexer: RecordIndexer | undefined;
  readonly #object: SourceObject;
  readonly #windows = new Map<string, OpenWindow>();
  readonly #indicators: Watch['indicators'];
  readonly #required: readonly string[];
  readonly #completeness: string | undefined;
  readonly #ignored: ReadonlySet<string>;
  readonly #slicePlans = new Map<Layout, SlicePlan>();
  readonly #callerPlans = new Map<VersionPolicy, CallerPlan>();
  readonly #callerKey: Uint8Array | undefined;
  readonly quarantine: Quarantined[] = [];
  readonly reasons = new Map<string, number>();
  readonly #versions: Set<string>;
  #newest: OpenWindow | undefined;
  #lastTime: number | undefined;
  #lastVersion: string | undefined;
  #counted = 0;
  #requests = 0;
  #quarantined = 0;
  #duplicate = 0;
  #expired = 0;

  /**
   * @param known versions that have a series already.
   * @param callerKey what callers are named with; absent: they are not told apart.
   * @param indexer is given the rows that are counted; absent: no labels will be joined with them.
   */
  constructor(
    runtime: ModelRuntime,
    location: Location<CaptureSource>,
    object: SourceObject,
    known: Iterable<string>,
    callerKey?: Uint8Array,
    indexer?: RecordIndexer,
  ) {
    this.#indexer = indexer;
    this.#callerKey = callerKey;
    this.#versions = new Set(known);
    this.#versions.delete(otherVersions);
    this.#runtime = runtime;
    this.#location = location;
    this.#object = object;
    const { features, slos } = runtime.policy;
    this.#indicators = slos
      .filter((slo) => slo.kind !== 'completeness' && !isMeasured(slo))
      .map((slo) => ({ slo: slo.name, classify: (invocation) => classifyRequest(slo, invocation) }));
    this.#completeness = slos.find(({ kind }) => kind === 'completeness')?.name;
    this.#required = features.filter(([, feature]) => feature.required).map(([name]) => name);
    this.#ignored = new Set(features.filter(([, feature]) => feature.ignore).map(([name]) => name));
  }

  get totals() {
    return {
      counted: this.#counted,
      requests: this.#requests,
      quarantined: this.#quarantined,
      duplicate: this.#duplicate,
      expired: this.#expired,
    };
  }

  /** Windows touched, in order of their keys. */
  windows(): readonly OpenWindow[] {
    return [...this.#windows].sort(([a], [b]) => compareNames(a, b)).map(([, window]) => window);
  }

  addBatch(batch: RecordBatch): void {
    const rowsOf = new Map<number, number[]>();
    batch.rows.forEach(({ invocation }, row) => {
      const rows = rowsOf.get(invocation);
      if (rows) rows.push(row);
      else rowsOf.set(invocation, [row]);
    });
    const isRequest = this.#location.source.role === 'requests';
    const rowsOfWindow = new Map<OpenWindow, number[]>();
    batch.invocations.forEach((invocation, index) => {
      const rows = rowsOf.get(index) ?? [];
      const { variant, version, time } = invocation;
      const isNamed = isKeyName(variant) && isKeyName(version);
      const open = isNamed ? this.#windowOf(variant, version, time) : 'full';
      if (open === 'full') {
        // Rows that were quarantined before are in no batch: only a request is a loss without rows.
        for (const row of isRequest ? [0] : rows) this.addQuarantined(unnamed(invocation, row));
        return;
      }
      if (open === 'expired') {
        this.#expired += isRequest ? 1 : rows.length;
        return;
      }
      this.#lastTime = time;
      this.#lastVersion = version;
      open.builder.addInvocation(invocation);
      this.#requests++;
      this.#counted += rows.length;
      const list = rowsOfWindow.get(open);
      if (list) list.push(...rows);
      else rowsOfWindow.set(open, rows);
    });
    for (const [open, rows] of rowsOfWindow) {
      open.builder.addRows(batch, rows);
      this.#indexer?.addRows(open.series, batch, rows);
    }
  }

  addQuarantined(entry: Quarantined): void {
    this.#quarantined++;
    this.reasons.set(entry.reason, (this.reasons.get(entry.reason) ?? 0) + 1);
    if (this.quarantine.length < maximumQuarantineEntries) this.quarantine.push(entry);
    const time = this.#believe(entry.time) ?? this.#fallbackTime();
    const version = nameOr(entry.version, this.#lastVersion ?? this.#runtime.defaultVersion);
    const open = this.#countingWindow(nameOr(entry.variant, this.#location.variant), version, time);
    if (!open) return;
    const { start, end } = open.window;
    const schemaIsOwn = this.#runtime.isConfigured(version, 'at all');
    open.builder.addQuarantined(entry, Math.min(Math.max(time, start), end - 1), schemaIsOwn);
  }

  addDuplicate(duplicate: DuplicateInvocation): void {
    const rows = Math.max(duplicate.rows, this.#location.source.role === 'requests' ? 1 : 0);
    this.#duplicate += rows;
    const variant = nameOr(duplicate.variant, this.#location.variant);
    const version = nameOr(duplicate.version, this.#runtime.defaultVersion);
    this.#countingWindow(variant, version, duplicate.time)?.builder.addDuplicates(rows);
  }

  /** A line without a time of its own is dated by its neighbour, by the key, or by the object's arrival. */
  #fallbackTime(): number {
    return this.#lastTime ?? this.#believe(this.#location.keyTime) ?? this.#object.lastModified;
  }

  /** A time that a damaged line or a key tells, unless it is later than it can be. */
  #believe(time: number | undefined): number | undefined {
    return time !== undefined && time <= this.#object.lastModified + clockSkewMilliseconds ? time : undefined;
  }

  /** Where something that is only counted goes: where there are too many windows, into the newest of them. */
  #countingWindow(variant: string, version: string, time: number): OpenWindow | undefined {
    const open = this.#windowOf(variant, version, time);
    if (open === 'full') return this.#newest;
    return open === 'expired' ? undefined : open;
  }

  /**
   * The version a record is counted under. Callers may name versions at will: beyond so many, new ones that the
   * configuration doesn't name literally share a series. What an endpoint served is not theirs to name.
   */
  #seriesVersion(version: string): string {
    if (this.#location.source.versionBy === 'endpoint') return version;
    if (this.#versions.has(version) || this.#runtime.isConfigured(version, 'literally')) return version;
    if (this.#versions.size >= maximumVersions) return otherVersions;
    this.#versions.add(version);
    return version;
  }

  #windowOf(variant: string, named: string, time: number): OpenWindow | 'expired' | 'full' {
    const version = this.#seriesVersion(named);
    const width = this.#runtime.policy.windowSeconds * 1000;
    const start = Math.floor(time / width) * width;
    if (start + width + fragmentLifeMilliseconds < this.#object.lastModified) return 'expired';
    const key = `${variant}\n${version}\n${windowKey(start)}`;
    const known = this.#windows.get(key);
    if (known) return known;
    if (this.#windows.size >= maximumWindows) return 'full';
    const open: OpenWindow = {
      series: this.#runtime.seriesOf(variant, version),
      window: { start, end: start + width },
      builder: new SummaryBuilder({
        layout: this.#runtime.layoutOf(version),
        indicators: this.#indicators,
        required: this.#required,
        completeness: this.#completeness,
        ignored: this.#ignored,
        role: this.#location.source.role,
        slices: this.#slicePlanOf(version),
        callers: this.#callerPlanOf(version),
        calibration: this.#runtime.baselineOf(version)?.calibration,
      }),
    };
    this.#windows.set(key, open);
    this.#newest = open;
    return open;
  }

  /** Counts lie by the baseline's own layout: what the configuration ignores must not move them. */
  #slicePlanOf(version: string): SlicePlan | undefined {
    const { slices = [] } = this.#runtime.policy;
    const layout = this.#runtime.baselineOf(version)?.layout;
    if (slices.length === 0 || !layout) return undefined;
    const known = this.#slicePlans.get(layout);
    if (known) return known;
    const plan = new SlicePlan(layout, slices, this.#ignored);
    this.#slicePlans.set(layout, plan);
    return plan;
  }

  /** Counts of callers lie by the baseline's own layout, too. */
  #callerPlanOf(version: string): CallerPlan | undefined {
    const policy = this.#runtime.versionPolicy(version);
    const baseline = this.#runtime.baselineOf(version);
    if (policy.caller === undefined || this.#callerKey === undefined || !baseline) return undefined;
    const known = this.#callerPlans.get(policy);
    if (known) return known;
    const { column, known: callers = [] } = baseline.callers ?? {};
    const ids = new Set(column === policy.caller ? callers.map(([id]) => id) : []);
    const names = createCallerNames(this.#callerKey, baseline.layoutId, ids);
    const plan = new CallerPlan(baseline.layout, this.#ignored, policy.caller, names);
    this.#callerPlans.set(policy, plan);
    return plan;
  }
}

function unnamed({ line, offset, length, time }: Invocation, row: number): Quarantined {
  return {
    reason: 'unknown-version',
    line,
    offset,
    length,
    row,
    seen: 'a variant or version that names no storage key, or too many of them',
    expected: `1 to 200 bytes each, and at most ${maximumWindows} windows in an object`,
    time,
  };
}

function nameOr(name: string | undefined, otherwise: string): string {
  return name !== undefined && isKeyName(name) ? name : otherwise;
}
