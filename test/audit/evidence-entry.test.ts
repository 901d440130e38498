import { expect, test } from 'vitest';
import { evidenceEntry } from '../../core/audit/evidence-entry.ts';

test('the same fact is the same bytes', () => {
  const bytes = evidenceEntry('verdict', { tier: 'red', model: 'm' });
  expect(Buffer.from(bytes).toString()).toBe(
    '{"body":{"model":"m","tier":"red"},"schema":"tidewatch.evidence/1","type":"verdict"}',
  );
  expect(evidenceEntry('verdict', { model: 'm', tier: 'red', slice: undefined })).toEqual(bytes);
  expect(evidenceEntry('alert', { model: 'm', tier: 'red' })).not.toEqual(bytes);
});

test('refuses what JSON can not say', () => {
  expect(() => evidenceEntry('config', { level: Number.NaN })).toThrow(TypeError);
});
