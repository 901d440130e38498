import { canonicalJson } from '../model/canonical-json.ts';

/** What the evidence holds beside the bundles. */
export type EvidenceType =
  | 'verdict'
  | 'alert'
  | 'config'
  | 'baseline'
  | 'deployment'
  | 'rollback'
  | 'labels'
  | 'quality';

/**
 * The bytes of one evidence object: canonical JSON of `{schema, type, body}`, so that the same fact is always the
 * same object.
 * @throws {TypeError} where the body holds what JSON can't say (NaN, a lone surrogate).
 */
export function evidenceEntry(type: EvidenceType, body: unknown): Uint8Array {
  return Buffer.from(canonicalJson({ schema: 'tidewatch.evidence/1', type, body }));
}
