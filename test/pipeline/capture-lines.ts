/** Lines and keys as the sources of the test's model leave them. */

export const captureBucket = 'captures';
export const minute = 60_000;
export const hour = 60 * minute;
export const day = 24 * hour;

/** One call of the model. */
export interface Call {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly id: string;
  /** Rows of [amount, country]. */
  readonly rows: readonly (readonly [amount: unknown, country: string])[];
  /** Left out: `v1`; null: the line names none. */
  readonly version?: string | null | undefined;
  /** What the model answers to each row; left out: what follows from the amount. */
  readonly score?: number | undefined;
}

/** A line of SageMaker data capture in CSV, one payload row per inference. */
export function payloadLine({ time, id, rows, version = 'v1', score }: Call): string {
  const side = (mode: string, data: string) => ({ observedContentType: 'text/csv', mode, data, encoding: 'CSV' });
  return JSON.stringify({
    captureData: {
      endpointInput: side('INPUT', rows.map((row) => row.join(',')).join('\n')),
      endpointOutput: side('OUTPUT', rows.map(([amount]) => score ?? scoreOf(amount)).join('\n')),
    },
    eventMetadata: {
      eventId: id,
      inferenceTime: new Date(time).toISOString(),
      ...(version === null ? {} : { customAttributes: [`version=${version}`] }),
    },
    eventVersion: '0',
  });
}

function scoreOf(amount: unknown): string {
  return typeof amount === 'number' ? (1 / (1 + Math.exp(-amount / 50))).toFixed(4) : '0.5';
}

/** One request as the HTTP capture saw it. */
export interface Request {
  readonly time: number;
  readonly id: string;
  readonly status?: number | undefined;
  readonly latencyMilliseconds?: number | undefined;
}

export function requestLine({ time, id, status = 200, latencyMilliseconds = 20 }: Request): string {
  const schema = 'tidewatch.http/1';
  return JSON.stringify({
    schema,
    time: new Date(time).toISOString(),
    id,
    route: 'POST /',
    status,
    latencyMilliseconds,
  });
}

export function linesOf(lines: readonly string[]): Uint8Array {
  return Buffer.from(lines.map((line) => `${line}\n`).join(''));
}

function pathOf(time: number, name: string): string {
  const stamp = new Date(time).toISOString();
  return `${stamp.slice(0, 13).replaceAll('-', '/').replace('T', '/')}/${stamp.slice(14, 16)}-${stamp.slice(17, 19)}-000-${name}.jsonl`;
}

export function payloadKey(time: number, name: string, variant = 'AllTraffic'): string {
  return `data/credit/${variant}/${pathOf(time, name)}`;
}

export function requestKey(time: number, name: string): string {
  return `requests/${pathOf(time, name)}`;
}
