import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

export type Row = readonly [age: string, amount: string, channel: string, score: string];

/** A capture object to be put. */
export interface CaptureObject {
  readonly key: string;
  readonly body: Uint8Array;
}

const fixtures = new URL('../fixtures/e2e/', import.meta.url);

function readFixture(name: string) {
  return JSON.parse(readFileSync(new URL(name, fixtures), 'utf8'));
}

export type RowSet = 'quiet' | 'compressed' | 'faulty' | 'late' | 'later' | 'drifted' | 'steady';

export const rows: Readonly<Record<RowSet, readonly Row[]>> = readFixture('rows.json');

/** What scipy made of a window of these rows. */
export interface WindowNumbers {
  readonly records: number;
  readonly drifted: readonly string[];
  readonly qValue: Readonly<Record<string, number>>;
  readonly populationStabilityIndex: Readonly<Record<string, number>>;
  readonly overallMissingRate: number;
}

export const numbers: Readonly<Record<'quiet' | 'restated' | 'restatedAgain' | 'drifted', WindowNumbers>> & {
  readonly scipy: string;
} = readFixture('numbers.json');

/** Lines as SageMaker's data capture writes them, one inference each, spread over a span of milliseconds from `start`. */
export function captureLines(model: string, part: RowSet, start: number, span = 3_600_000): readonly string[] {
  return rows[part].map(([age, amount, channel, score], index) =>
    JSON.stringify({
      captureData: {
        endpointInput: {
          observedContentType: 'text/csv',
          mode: 'INPUT',
          data: [age, amount, channel].join(','),
          encoding: 'CSV',
        },
        endpointOutput: { observedContentType: 'text/csv', mode: 'OUTPUT', data: score, encoding: 'CSV' },
      },
      eventMetadata: {
        eventId: `${model}-${part}-${index}`,
        inferenceTime: new Date(start + Math.floor((index * span) / rows[part].length)).toISOString(),
      },
      eventVersion: '0',
    }),
  );
}

/**
 * Lines of `tidewatch.http/1` that report requests, over a span of milliseconds.
 * @param everyFailing 2: every second one failed; 0: none did
 */
export function requestLines(count: number, start: number, span: number, everyFailing = 2): readonly string[] {
  return Array.from({ length: count }, (_, index) =>
    JSON.stringify({
      schema: 'tidewatch.http/1',
      time: new Date(start + Math.floor((index * span) / count)).toISOString(),
      id: `request-${index}`,
      status: everyFailing > 0 && index % everyFailing === 0 ? 500 : 200,
      latencyMilliseconds: 20,
    }),
  );
}

/** Lines nobody can read: text, half a record, and a record of another kind. */
export const malformedLines = ['not json', '{"captureData":{"endpointInput":', '{"hello":"world"}'] as const;

export function captureObject(
  prefix: string,
  time: number,
  lines: readonly string[],
  compressed = false,
): CaptureObject {
  const at = new Date(time).toISOString();
  const folder = at.slice(0, 13).replaceAll('-', '/').replace('T', '/');
  const id = createHash('sha256').update(lines.join('\n')).digest('hex').slice(0, 12);
  const name = `${at.slice(14, 16)}-${at.slice(17, 19)}-${at.slice(20, 23)}-${id}.jsonl${compressed ? '.gz' : ''}`;
  const text = Buffer.from(`${lines.join('\n')}\n`);
  return { key: `${prefix}${folder}/${name}`, body: compressed ? gzipSync(text) : text };
}
