import { isVersionedByEndpoint, type ServedVersions } from '../model/endpoint.ts';
import type { CaptureSource } from '../model/policy.ts';
import { versionServedAt } from '../serving/endpoint-record.ts';
import type { Location } from './locate.ts';
import type { StateTable } from './ports.ts';
import { readServedVersions } from './served-endpoints.ts';

/** An object waits this long after its arrival for somebody to look what answered; then what is known must do. */
const lookMilliseconds = 180_000;

/** An object with records of a time in which nobody has looked yet what answered. To be delivered again. */
export class CaptureTooEarly extends Error {
  override readonly name = 'CaptureTooEarly';
}

/** Names the versions of an object's records by what its endpoint served. */
export class RecordVersions {
  readonly served: ServedVersions;
  readonly #looked: number;
  #newest = 0;

  /** @param looked when the endpoint was last looked at; absent: what is known is all that will be */
  constructor(served: ServedVersions, looked = Number.POSITIVE_INFINITY) {
    this.served = served;
    this.#looked = looked;
  }

  /** Undefined where nothing is known of the endpoint. */
  at(time: number): string | undefined {
    this.#newest = Math.max(this.#newest, time);
    return versionServedAt(this.served, time);
  }

  /** @throws {CaptureTooEarly} where it was asked for a time after the last look, unless the object has waited for one. */
  expectLooked(key: string, waitedMilliseconds: number): void {
    if (this.#newest <= this.#looked || waitedMilliseconds >= lookMilliseconds) return;
    throw new CaptureTooEarly(`${key}: expected a look at its endpoint after its last record, saw none yet`);
  }
}

/** Undefined where records tell their versions themselves, or there is but one. */
export async function readRecordVersions(
  table: StateTable,
  { source, variant }: Location<CaptureSource>,
): Promise<RecordVersions | undefined> {
  if (!isVersionedByEndpoint(source) || source.endpoint === undefined) return undefined;
  const known = await readServedVersions(table, source.endpoint, variant);
  return new RecordVersions(known?.versions ?? [], known?.looked);
}
