import { fragmentLifeMilliseconds } from './intake.ts';
import type { AnnouncedCapture, CaptureQueue, StateTable } from './ports.ts';

/**
 * An object is announced this often. Each time ingest tries it as often as its queue shows a message, so one that can't be
 * ingested ends in the dead-letter queue each time: beyond this it is left there.
 */
export const maximumAnnouncements = 5;
/** From the first announcement to the second; twice as long from each to the next. The last comes after four days at most. */
const firstWaitMilliseconds = 5 * 3_600_000;
/** From the last announcement to the report that it was in vain. */
const lastWaitMilliseconds = 24 * 3_600_000;
/** Objects announced together, and then noted. */
const chunkObjects = 50;

/** What is kept of an object that was announced. Times are milliseconds since the epoch. */
interface Announcement {
  readonly since: number;
  readonly newest: number;
  readonly times: number;
  /** It was reported as left to the dead-letter queue. */
  readonly isLeft: boolean;
}

type KnownAnnouncements = ReadonlyMap<string, { readonly value: Announcement; readonly revision: number }>;

interface Pending {
  readonly id: string;
  readonly capture: AnnouncedCapture;
  readonly times: number;
  readonly since: number;
}

/** An object that a sweep found to be missing or unfinished. */
export interface Candidate {
  readonly id: string;
  readonly capture: AnnouncedCapture;
  /** False: a sweep that saw all there is might find that it isn't missing. Then it is announced once at most. */
  readonly isCertain: boolean;
}

export interface AnnouncementPorts {
  readonly table: StateTable;
  readonly announcements: CaptureQueue;
}

function partitionOf(model: string): string {
  return `announced#${model}`;
}

/**
 * Announces a model's objects to ingest, and remembers how often, so that one that fails for ever does not go round for
 * ever. Announced first and noted after: where a call is killed in between, objects are announced once more than is known.
 */
export class Announcer {
  readonly #ports: AnnouncementPorts;
  readonly #model: string;
  readonly #now: number;
  readonly #limit: number;
  readonly #known: KnownAnnouncements;
  readonly #offered = new Set<string>();
  readonly #left = new Map<string, AnnouncedCapture>();
  #pending: Pending[] = [];
  #announced = 0;

  private constructor(ports: AnnouncementPorts, model: string, now: number, limit: number, known: KnownAnnouncements) {
    this.#ports = ports;
    this.#model = model;
    this.#now = now;
    this.#limit = limit;
    this.#known = known;
  }

  /** @param limit the most that is announced in this sweep. */
  static async open(ports: AnnouncementPorts, model: string, now: number, limit: number): Promise<Announcer> {
    const rows = await ports.table.list(partitionOf(model));
    const known = rows.map(
      ({ key, row }) => [key, { value: row.value as Announcement, revision: row.revision }] as const,
    );
    return new Announcer(ports, model, now, limit, new Map(known));
  }

  get announced(): number {
    return this.#announced;
  }

  /** Objects that are from now on left to the dead-letter queue. Each is named by one sweep. */
  get left(): readonly AnnouncedCapture[] {
    return [...this.#left.values()];
  }

  /** @returns false where the limit is reached: what would have been announced is left to the next sweep. */
  async offer({ id, capture, isCertain }: Candidate): Promise<boolean> {
    if (this.#offered.has(id)) return true;
    const known = this.#known.get(id)?.value;
    if (known && (!isCertain || known.isLeft || this.#now < nextTime(known))) return true;
    if (known && known.times >= maximumAnnouncements) {
      this.#offered.add(id);
      this.#left.set(id, capture);
      return true;
    }
    if (this.#announced + this.#pending.length >= this.#limit) return false;
    this.#offered.add(id);
    this.#pending.push({ id, capture, times: (known?.times ?? 0) + 1, since: known?.since ?? this.#now });
    if (this.#pending.length >= chunkObjects) await this.flush();
    return true;
  }

  /** Announces what waits. */
  async flush(): Promise<void> {
    const pending = this.#pending;
    this.#pending = [];
    if (pending.length === 0) return;
    await this.#ports.announcements.announce(pending.map(({ capture }) => capture));
    this.#announced += pending.length;
    await Promise.all(
      pending.map(({ id, times, since }) => this.#keep(id, { since, newest: this.#now, times, isLeft: false })),
    );
  }

  /** At the end: forgets what was ingested since, and what is too old to be announced, and notes what is given up. */
  async settle(isIngested: (id: string) => boolean): Promise<void> {
    const old = this.#now - fragmentLifeMilliseconds;
    const ids = [...this.#known].flatMap(([id, { value }]) => (isIngested(id) || value.since < old ? [id] : []));
    for (const id of this.#left.keys()) {
      const known = this.#known.get(id)?.value;
      if (known) await this.#keep(id, { ...known, isLeft: true });
    }
    for (let at = 0; at < ids.length; at += chunkObjects) {
      const chunk = ids.slice(at, at + chunkObjects);
      await Promise.all(chunk.map((id) => this.#ports.table.remove(partitionOf(this.#model), id)));
    }
  }

  /** Where two sweeps announce an object at once, either one's word will do. */
  async #keep(id: string, announcement: Announcement): Promise<void> {
    await this.#ports.table.put(partitionOf(this.#model), id, announcement, this.#known.get(id)?.revision ?? 0);
  }
}

/** When an object is announced again, or given up. */
function nextTime({ newest, times }: Announcement): number {
  return newest + (times < maximumAnnouncements ? firstWaitMilliseconds * 2 ** (times - 1) : lastWaitMilliseconds);
}
