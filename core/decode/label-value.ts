import type { Json } from '../model/canonical-json.ts';
import { classCode, type LabelPolicy, readYes } from '../model/labels.ts';
import { Fault } from './fault.ts';
import { typeOf } from './json-text.ts';

/** What a label says as a number: 1 or 0, the number itself, or the code of the class. */
export function readLabelValue(cell: Json, policy: Pick<LabelPolicy, 'task' | 'positive'>): number | Fault {
  if (cell === null || typeof cell === 'object') return new Fault('bad-label', typeOf(cell), 'text or a number');
  const text = String(cell).trim();
  if (text === '') return new Fault('bad-label', 'no text', 'a label');
  if (policy.task === 'classes') return classCode(text);
  if (policy.task === 'regression') {
    const value = Number(text);
    // As it is stored: beyond a single's range an error could not be measured.
    return Number.isFinite(Math.fround(value))
      ? value
      : new Fault('bad-label', 'text that is no finite number', 'a number');
  }
  const yes = readYes(text, policy.positive);
  return yes === undefined ? new Fault('bad-label', 'another label', '1, 0, true or false') : Number(yes);
}
