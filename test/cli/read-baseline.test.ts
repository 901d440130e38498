import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { InputError } from '../../cli/command.ts';
import { isBaselineFile, readBaseline } from '../../cli/read-baseline.ts';
import { canonicalJson } from '../../core/model/canonical-json.ts';
import { BaselineError } from '../../core/pipeline/model-runtime.ts';
import { temporaryDirectory } from '../adapters/temporary-directory.ts';
import { learnColumns } from '../profile/batches.ts';

function write(content: string | Uint8Array): string {
  const path = join(temporaryDirectory(), 'baseline.json');
  writeFileSync(path, content);
  return path;
}

async function baselineText(): Promise<string> {
  const baseline = await learnColumns([
    ['amount', [1, 2, 3, null]],
    ['region', Array.from({ length: 40 }, (_, row) => ['EU', 'US'][row % 2])],
  ]);
  return canonicalJson(baseline);
}

test('a baseline is read as it was written', async () => {
  const text = await baselineText();
  expect(canonicalJson(await readBaseline(write(text)))).toBe(text);
  expect(await isBaselineFile(write(text))).toBe(true);
});

test('a baseline with any digit, letter or name changed is refused', async () => {
  const text = await baselineText();
  const places = [...text.matchAll(/[0-9a-zA-Z]/g)].map(({ index }) => index);
  for (let at = 0; at < places.length; at += 23) {
    const bytes = Buffer.from(text);
    const place = places[at] ?? 0;
    bytes.writeUInt8(bytes.readUInt8(place) ^ 1, place);
    const path = write(bytes);
    const refused = await readBaseline(path).then(
      () => undefined,
      (error: unknown) => error,
    );
    const told = refused instanceof BaselineError || refused instanceof InputError;
    expect(told, `byte ${place} of ${JSON.stringify(text.slice(place - 10, place + 10))}: ${String(refused)}`).toBe(
      true,
    );
    expect(String(refused)).toContain(path);
  }
});

test.each([
  ['not JSON', '{"schema":', /is no JSON, expected a baseline made by `tidewatch baseline create`$/],
  ['something else', '{"a":1}', /expected \{"schema":"tidewatch.baseline\/1",…\}/],
  ['of another schema', '{"schema":"tidewatch.baseline/9","sha256":"","layout":{}}', /saw "tidewatch.baseline\/9"/],
  ['null', 'null', /expected \{"schema"/],
  ['changed', '{"schema":"tidewatch.baseline/1","sha256":"0","layout":{}}', /it names 0: it was changed$/],
])('a file that is %s is refused by name', async (_, content, message) => {
  const path = write(content);
  await expect(readBaseline(path)).rejects.toThrow(message);
  await expect(readBaseline(path)).rejects.toThrow(path);
});

test('a table or a capture is no baseline file', async () => {
  expect(await isBaselineFile(write('a,b\n1,2\n'))).toBe(false);
  expect(await isBaselineFile(write('{"captureData":{}}'))).toBe(false);
  await expect(isBaselineFile(temporaryDirectory())).rejects.toThrow(
    /is a folder, expected a baseline; make one of it/,
  );
  await expect(isBaselineFile('/does/not/exist')).rejects.toThrow('/does/not/exist: no such file');
});
