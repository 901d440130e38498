import { isKeyName, windowKey } from '../contract/keys.ts';
import type { DuplicateInvocation } from '../decode/decode-plan.ts';
import type { Series, SourceObject, Window } from '../model/profile.ts';
import type { Quarantined } from '../model/quarantine.ts';
import type { Invocation, RecordBatch } from '../model/record-batch.ts';
import { compareNames, SummaryBuilder, type Watch } from '../profile/summarise.ts';
import { classifyRequest } from '../slo/classify-request.ts';
import type { Location } from './locate.ts';
import type { ModelRuntime } from './model-runtime.ts';

/** Fragments expire this long after their window closes (guarantee 10a). */
export const fragmentLifeMilliseconds = 7 * 86_400_000;
/** Entries kept of an object's quarantine report; the counts are always complete. */
const maximumQuarantineEntries = 1_000;
/** Windows one object may open: a week of hours for several variants. Ever new versions must not fill the memory. */
const maximumWindows = 1_024;

/** A window that an object has records of, being counted. */
export interface OpenWindow {
  readonly series: Series;
  readonly window: Window;
  readonly builder: SummaryBuilder;
}

/** Sorts an object's records into windows. Bounded by the fragments' life: older records open no window. */
export class Intake {
  readonly #runtime: ModelRuntime;
  readonly #location: Location;
  readonly #object: SourceObject;
  readonly #windows = new Map<string, OpenWindow>();
  readonly #indicators: Watch['indicators'];
  readonly #required: readonly string[];
  readonly #ignored: ReadonlySet<string>;
  readonly quarantine: Quarantined[] = [];
  readonly reasons = new Map<string, number>();
  #lastTime: number | undefined;
  #lastVersion: string | undefined;
  #counted = 0;
  #requests = 0;
  #quarantined = 0;
  #duplicate = 0;
  #expired = 0;

  constructor(runtime: ModelRuntime, location: Location, object: SourceObject) {
    this.#runtime = runtime;
    this.#location = location;
    this.#object = object;
    const { features, slos } = runtime.policy;
    this.#indicators = slos
      .filter((slo) => slo.kind !== 'completeness')
      .map((slo) => ({ slo: slo.name, classify: (invocation) => classifyRequest(slo, invocation) }));
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
    const rowsOfWindow = new Map<OpenWindow, number[]>();
    batch.invocations.forEach((invocation, index) => {
      const rows = rowsOf.get(index) ?? [];
      if (!this.#isNamed(invocation)) {
        for (const row of rows.length > 0 ? rows : [0]) this.addQuarantined(unnamed(invocation, row));
        return;
      }
      this.#lastTime = invocation.time;
      this.#lastVersion = invocation.version;
      const open = this.#windowOf(invocation.variant, invocation.version, invocation.time);
      if (!open) {
        this.#expired += Math.max(rows.length, this.#location.source.role === 'requests' ? 1 : 0);
        return;
      }
      open.builder.addInvocation(invocation);
      this.#requests++;
      this.#counted += rows.length;
      const list = rowsOfWindow.get(open);
      if (list) list.push(...rows);
      else rowsOfWindow.set(open, rows);
    });
    for (const [open, rows] of rowsOfWindow) open.builder.addRows(batch, rows);
  }

  /** Whether the variant and version, which come from the payload, can stand in a key, and in one more window. */
  #isNamed({ variant, version }: Invocation): boolean {
    return isKeyName(variant) && isKeyName(version) && this.#windows.size < maximumWindows;
  }

  addQuarantined(entry: Quarantined): void {
    this.#quarantined++;
    this.reasons.set(entry.reason, (this.reasons.get(entry.reason) ?? 0) + 1);
    if (this.quarantine.length < maximumQuarantineEntries) this.quarantine.push(entry);
    const time = entry.reason === 'future-time' ? this.#fallbackTime() : (entry.time ?? this.#fallbackTime());
    const version = nameOr(entry.version, this.#lastVersion ?? this.#runtime.defaultVersion);
    this.#windowOf(nameOr(entry.variant, this.#location.variant), version, time)?.builder.addQuarantined(entry, time);
  }

  addDuplicate(duplicate: DuplicateInvocation): void {
    const rows = Math.max(duplicate.rows, this.#location.source.role === 'requests' ? 1 : 0);
    this.#duplicate += rows;
    const variant = nameOr(duplicate.variant, this.#location.variant);
    const version = nameOr(duplicate.version, this.#runtime.defaultVersion);
    this.#windowOf(variant, version, duplicate.time)?.builder.addDuplicates(rows);
  }

  /** A line without a time of its own is dated by its neighbour, by the key, or by the object's arrival. */
  #fallbackTime(): number {
    return this.#lastTime ?? this.#location.keyTime ?? this.#object.lastModified;
  }

  #windowOf(variant: string, version: string, time: number): OpenWindow | undefined {
    const width = this.#runtime.policy.windowSeconds * 1000;
    const start = Math.floor(time / width) * width;
    if (start + width + fragmentLifeMilliseconds < this.#object.lastModified) return undefined;
    const key = `${variant}\n${version}\n${windowKey(start)}`;
    const known = this.#windows.get(key);
    if (known) return known;
    const open: OpenWindow = {
      series: this.#runtime.seriesOf(variant, version),
      window: { start, end: start + width },
      builder: new SummaryBuilder({
        layout: this.#runtime.layoutOf(version),
        indicators: this.#indicators,
        required: this.#required,
        ignored: this.#ignored,
        role: this.#location.source.role,
      }),
    };
    this.#windows.set(key, open);
    return open;
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
