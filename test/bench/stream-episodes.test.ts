import { describe, expect, test } from 'vitest';
import { findEpisodes } from '../../bench/detection/stream-episodes.ts';
import type { Finding } from '../../core/model/verdict.ts';

const finding = (feature: string, message: string, evidence: Finding['evidence'] = {}): Finding => ({
  id: `drift:${feature}`,
  tier: 'yellow',
  kind: 'drift',
  feature,
  message,
  evidence,
});

function listMessages(windows: readonly (readonly Finding[])[]) {
  return findEpisodes(windows.map((findings, start) => ({ start, records: 1, findings }))).map(
    ({ first, last, windows, said }) => ({
      first,
      last,
      windows,
      said: said.map(({ at, finding: { message } }) => [at, message]),
    }),
  );
}

describe('episodes of a judged stream', () => {
  test('are unbroken runs of windows in which something was found', () => {
    const drift = finding('age', 'age');
    expect(listMessages([[], [drift], [drift], [], [drift]])).toEqual([
      { first: 1, last: 2, windows: 2, said: [[1, 'age']] },
      { first: 4, last: 4, windows: 1, said: [[4, 'age']] },
    ]);
  });

  test('a finding is told as it was first said, however sure later windows are', () => {
    const sure = finding('age', 'began later', { qValue: 1e-9 });
    const [episode] = listMessages([[finding('age', 'began', { qValue: 1e-3 })], [sure, finding('income', 'income')]]);
    expect(episode?.said).toEqual([
      [0, 'began'],
      [1, 'income'],
    ]);
  });

  test('and once more as it first named a change of units', () => {
    const named = finding('distance', 'to kilometres', { unitChange: 'miles to kilometres' });
    const plain = finding('distance', 'more', { unitChange: null });
    expect(listMessages([[plain], [named], [named], [plain]])[0]?.said).toEqual([
      [0, 'more'],
      [1, 'to kilometres'],
    ]);
    expect(listMessages([[named], [plain]])[0]?.said).toEqual([[0, 'to kilometres']]);
  });
});
